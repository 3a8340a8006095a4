//! Rotations that are opened for others: chosen on the page of rotations or in the list of keys, looked at here, opened;
//! then each new secret is collected from the page of its key.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::bulk::nothing_chosen;
use super::rotate::overlap_field;
use super::{key_address, key_of_address, list_crumb};
use crate::model::calendar::{counted, grouped};
use crate::model::form::FormState;
use crate::model::key::KeyDetail;
use crate::model::key_page::KeyPage;
use crate::model::opening::{OpenedRotation, OpeningPreview, OpeningRow, WaitingRotation};
use crate::model::time::Timestamp;
use crate::rpc::keys::preview_rotations;
use crate::ui::components::{
    Column, EnvironmentTag, Icon, PageHead, PageTitle, ask, loaded, moment, never, table,
};
use crate::ui::form::{FormErrors, field_error, use_form_state};

pub(super) const HERE: &str = "/settings/rotation/start";
const LIST: &str = "/settings/rotation";

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Number("Last 24 h"),
    Column::Text("Due"),
    Column::Text("What becomes of it"),
];

const WAITING: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Waits for"),
    Column::Text("Since"),
    Column::Text("Last used"),
    Column::Text("Due"),
    Column::Unseen("Collect or call off"),
];

fn crumbs() -> Vec<(String, String)> {
    vec![("Rotation".to_owned(), LIST.to_owned())]
}

/// The page between choosing and opening, and what came of it.
#[component]
pub fn StartRotationsPage() -> impl IntoView {
    let state = use_form_state();
    let query = use_query_map().get_untracked();
    if query.get("done").is_some() {
        let number = |name: &str| {
            query
                .get(name)
                .and_then(|n| n.parse::<i64>().ok())
                .unwrap_or_default()
        };
        return result(["n", "skipped", "changed", "missing"].map(number));
    }
    if !(state.values.has("key") || state.values.has("all")) || state.error_of("key").is_some() {
        return nothing_chosen(("Start rotations", crumbs(), LIST), &state);
    }
    let typed: Vec<(String, String)> = state
        .values
        .pairs()
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let preview = ask(move || typed.clone(), preview_rotations);
    loaded(preview, move |preview| draw(&preview, &state)).into_any()
}

/// What came of it, as numbers that the address carries.
fn result([opened, skipped, changed, missing]: [i64; 4]) -> AnyView {
    let were = |n: i64| if n == 1 { "was" } else { "were" };
    let mut parts = vec![format!("{} opened", counted(opened, "rotation"))];
    if skipped > 0 {
        parts.push(format!("{} {} left out", counted(skipped, "key"), were(skipped)));
    }
    if changed > 0 {
        parts.push(format!(
            "{} changed meanwhile and {} left",
            grouped(changed),
            were(changed)
        ));
    }
    if missing > 0 {
        parts.push(format!("{} not there any more", grouped(missing)));
    }
    let (class, icon) = match changed + missing {
        0 if opened > 0 => ("notice ok", "ok"),
        _ => ("notice warn", "warn"),
    };
    let next = (opened > 0).then(|| {
        view! { <p>"Whoever is to collect the new secrets finds them under Rotation, and gets a letter where this installation sends mail. Until they do, nothing changes for the services."</p> }
    });
    view! {
        <PageHead title="Start rotations" crumbs=crumbs()/>
        <div class=class role="status"><Icon name=icon/><div><p>{format!("{}.", parts.join(", "))}</p>{next}</div></div>
        <p><a class="button" href=LIST>"To what waits"</a></p>
    }
    .into_any()
}

fn draw(preview: &OpeningPreview, state: &FormState) -> AnyView {
    let rotations = counted(preview.count, "rotation");
    let title = match preview.count {
        0 => "No rotation to start".to_owned(),
        _ => format!("Start {rotations}?"),
    };
    let rows = preview
        .rows
        .iter()
        .map(|key| row(key, preview.now))
        .collect_view();
    let keys = preview
        .rows
        .iter()
        .map(|key| view! { <input type="hidden" name="key" value=format!("{}:{}", key.id, key.version)/> })
        .collect_view();
    let start = (preview.count > 0).then(|| {
        view! { <button class="button primary" name="step" value="apply">{format!("Start {rotations}")}</button> }
    });
    let again = match preview.count {
        0 => "button primary",
        _ => "button",
    };
    view! {
        <PageHead title=title crumbs=crumbs()/>
        {effect(preview)}
        <form class="form wide" method="post" action=HERE novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="seen" value=preview.seen.clone()/>
            {keys}
            {overlap_field(
                state,
                "How long each old secret goes on, once its new one is collected",
                &preview.limit.choices(),
                preview.limit.in_words(),
            )}
            {table("The chosen keys", COLUMNS, rows)}
            {field_error(state, "key")}
            <div class="form-actions">
                {start}
                <button class=again name="step" value="look">"Look again"</button>
                <a class="button quiet" href=LIST>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn effect(preview: &OpeningPreview) -> AnyView {
    let missing = (preview.missing > 0)
        .then(|| view! { <p>{format!("{} not there any more.", counted(preview.missing, "key"))}</p> });
    let (class, icon, words) = match (preview.count, preview.collectors) {
        (0, _) => (
            "notice warn",
            "warn",
            "None of them can be started as chosen. The table says why.".to_owned(),
        ),
        (_, 1) => (
            "notice info",
            "rotate",
            "Whoever is named below collects each new secret from the page of its key.".to_owned(),
        ),
        (_, people) => (
            "notice info",
            "rotate",
            format!(
                "The new secrets wait for {}, each on the page of its key.",
                counted(people, "collector")
            ),
        ),
    };
    let calm = (preview.count > 0).then(|| {
        view! { <p>"A secret is made when it is collected, and shown to that person alone. Until then the old one goes on as it is."</p> }
    });
    view! { <div class=class><Icon name=icon/><div><p>{words}</p>{calm}{missing}</div></div> }.into_any()
}

fn row(key: &OpeningRow, now: Timestamp) -> AnyView {
    let then = match key.skip {
        Some(skip) => view! { <span class="muted">{skip.in_words()}</span> }.into_any(),
        None => format!("Waits for {}", key.collector).into_any(),
    };
    view! {
        <tr>
            <th scope="row">
                <a href=key_address(&key.id)>{key.name.clone()}</a>
                <small class="mono">{key.hint.clone()}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Owner">{key.owner.clone()}</td>
            <td data-label="Last 24 h" class="num">{grouped(key.requests_day)}</td>
            <td data-label="Due">{key.due_at.map(|at| moment(at, now))}</td>
            <td data-label="Then">{then}</td>
        </tr>
    }
    .into_any()
}

/// What waits, on the page of rotations.
pub(super) fn waiting_section(waiting: &[WaitingRotation], in_all: i64, now: Timestamp) -> Option<AnyView> {
    if waiting.is_empty() {
        return None;
    }
    let rows = waiting.iter().map(|one| waiting_row(one, now)).collect_view();
    let shown = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
    let more = (in_all > shown).then(|| {
        let more = format!(
            "And {}; those that wait longest stand here.",
            counted(in_all - shown, "more key")
        );
        view! { <p class="muted">{more}</p> }
    });
    let section = view! {
        <section class="section">
            <h2>"Waiting to be collected"</h2>
            <p class="muted">"A rotation was opened. The new secret is made when it is collected; until then the old one goes on."</p>
            {table("Waiting to be collected", WAITING, rows)}
            {more}
        </section>
    };
    Some(section.into_any())
}

fn waiting_row(one: &WaitingRotation, now: Timestamp) -> AnyView {
    let WaitingRotation { entry, opened } = one;
    let address = key_address(&entry.id);
    let used = entry
        .last_used
        .as_ref()
        .map_or_else(never, |used| moment(used.at, now));
    let collect = opened.may_collect.then(|| {
        let label = format!("Collect the new secret of {}", entry.name);
        view! { <a class="button small primary" href=format!("{address}/rotate/collect") aria-label=label>"Collect…"</a> }
    });
    let call_off = opened.may_call_off.then(|| {
        let label = format!("Call off the rotation of {}", entry.name);
        view! { <a class="button small quiet" href=format!("{address}/rotate/call-off") aria-label=label>"Call off…"</a> }
    });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address>{entry.name.clone()}</a>
                <small><span class="mono">{entry.hint.clone()}</span>" · "{entry.project_name.clone()}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=entry.environment/></td>
            <td data-label="Waits for">{opened.collector.clone()}</td>
            <td data-label="Since">{moment(opened.opened_at, now)}</td>
            <td data-label="Last used">{used}</td>
            <td data-label="Due">{entry.due_at.map(|at| moment(at, now))}</td>
            <td><div class="button-row">{collect}{call_off}</div></td>
        </tr>
    }
    .into_any()
}

/// That a new secret waits, on the page of the key.
pub(super) fn opened_notice(key: &KeyDetail, now: Timestamp) -> Option<AnyView> {
    let opened = key.opened.as_ref()?;
    let address = key_address(&key.summary.id);
    let words = format!(
        " waits for {}. {} opened this rotation ",
        opened.collector, opened.opened_by
    );
    let collect = opened.may_collect.then(
        || view! { <a class="button small primary" href=format!("{address}/rotate/collect")>"Collect it…"</a> },
    );
    let call_off = opened
        .may_call_off
        .then(|| view! { <a class="button small" href=format!("{address}/rotate/call-off")>"Call off…"</a> });
    let notice = view! {
        <div class="notice info" role="status">
            <Icon name="rotate"/>
            <div><p><b>"A new secret"</b>{words}{moment(opened.opened_at, now)}"."</p></div>
            <div class="actions">{collect}{call_off}</div>
        </div>
    };
    Some(notice.into_any())
}

/// A page about what waits for one key; told where nothing does.
fn about_opened(draw: fn(&KeyPage, &OpenedRotation, &FormState) -> AnyView) -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| match &page.key.opened {
        Some(opened) => draw(&page, opened, &state),
        None => {
            let address = key_address(&page.key.summary.id);
            view! {
                <PageTitle text="Nothing waits to be collected"/>
                <section class="confirm">
                    <h1>"Nothing waits to be collected"</h1>
                    <p>"Somebody collected the new secret, or the rotation was called off."</p>
                    <a class="button" href=address>"Back to the key"</a>
                </section>
            }
            .into_any()
        }
    })
}

#[component]
pub fn CollectRotationPage() -> impl IntoView {
    about_opened(|page, opened, state| {
        let key = &page.key;
        let address = key_address(&key.summary.id);
        let action = format!("{address}/rotate/collect");
        let mut crumbs = list_crumb();
        crumbs.push((key.summary.name.clone(), address.clone()));
        let lede = "The new secret is made now and shown once, to you alone.";
        let title = "Collect the new secret";
        if !opened.may_collect {
            let words = format!("It waits for {}. Nobody else may collect it.", opened.collector);
            return view! {
                <PageHead title=title crumbs=crumbs/>
                <div class="notice info"><Icon name="info"/><div><p>{words}</p></div></div>
                <p><a class="button" href=address>"Back to the key"</a></p>
            }
            .into_any();
        }
        let used = counted(key.requests_last_hour, "request");
        let effect = format!(
            "The old secret {} from then on. {used} used the key in the last hour: have the place ready where the new one goes.",
            opened.overlap_in_words()
        );
        let running = key.rotation.is_some().then(|| {
            view! { <div class="notice warn"><Icon name="warn"/><div><p>"An earlier rotation of this key is running. Finish or cancel it first."</p></div></div> }
        });
        view! {
            <PageHead title=title crumbs=crumbs lede=lede.into_any()/>
            {running}
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                <input type="hidden" name="nonce" value=page.nonce.clone()/>
                <p>{effect}</p>
                <div class="form-actions">
                    <button class="button primary">"Make the new secret"</button>
                    <a class="button quiet" href=address>"Not now"</a>
                </div>
            </form>
        }
        .into_any()
    })
}

#[component]
pub fn CallOffRotationPage() -> impl IntoView {
    about_opened(|page, opened, state| {
        let key = &page.key;
        let address = key_address(&key.summary.id);
        let action = format!("{address}/rotate/call-off");
        let title = format!("Call off the rotation of {}?", key.summary.name);
        let words = format!(
            "Nobody has collected the new secret, so nothing was made. {} can collect it no more; the key goes on as it is, and stays due.",
            opened.collector
        );
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title.clone()}</h1>
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    <p>{words}</p>
                    <div class="form-actions">
                        <button class="button primary danger">"Call it off"</button>
                        <a class="button quiet" href=address>"Back"</a>
                    </div>
                </form>
            </section>
        }
        .into_any()
    })
}
