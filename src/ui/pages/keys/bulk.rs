//! Stopping several keys at once: ticked in a list, looked at here, then done.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::openings::HERE as START_ROTATIONS;
use super::{key_address, list_crumb};
use crate::model::bulk::{BulkAct, BulkPreview, BulkRow, FILTER_FIELDS, filter_pairs};
use crate::model::calendar::{counted, grouped};
use crate::model::form::FormState;
use crate::model::id::KeyId;
use crate::model::key::{KeyFilter, RevocationReason};
use crate::rpc::keys::preview_bulk;
use crate::ui::components::{Column, EnvironmentTag, Icon, PageHead, ask, key_badge, loaded, table};
use crate::ui::form::{FormErrors, TextField, field_class, field_error, typed, use_form_state};

const HERE: &str = "/settings/api-keys/bulk";
const LIST: &str = "/settings/api-keys";

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Number("Last hour"),
    Column::Number("Last 24 h"),
    Column::Text("Status"),
    Column::Text("What becomes of it"),
];

const NOTE: TextField = TextField {
    name: "note",
    label: "Note",
    hint: "Kept with each of them.",
    kind: "",
    autocomplete: "",
    initial: "",
    placeholder: "",
    optional: true,
    mono: false,
    max: 1_000,
};

/// The cell by which a row is chosen; empty where it may not be.
pub(super) fn pick(id: &KeyId, name: &str, may: bool) -> AnyView {
    let label = format!("Choose {name}");
    let tick = may.then(|| {
        view! { <label><input type="checkbox" name="key" value=id.to_string() aria-label=label/></label> }
    });
    view! { <td class="pick">{tick}</td> }.into_any()
}

/// A list in the form that its ticks are sent by. The bar appears with the first tick; `filter` is what the whole list is,
/// and how many keys that are.
pub(super) fn bulk_form(table: AnyView, filter: Option<(&KeyFilter, i64)>) -> AnyView {
    let whole = filter.map(|(filter, total)| {
        let fields = filter_pairs(filter)
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
            .collect_view();
        let label = format!("All {} that match", grouped(total));
        view! { {fields}<label class="check"><input type="checkbox" name="all" value="1"/>{label}</label> }
    });
    view! {
        <form class="bulk-form" method="post" action=HERE>
            {table}
            <div class="bulk" role="group" aria-label="With the chosen keys">
                <span>"With those chosen"</span>
                {whole}
                <button class="button small" formaction=START_ROTATIONS>"Start rotations…"</button>
                <button class="button small" name="act" value="disable">"Disable…"</button>
                <button class="button small danger" name="act" value="revoke">"Revoke…"</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
pub fn BulkPage() -> impl IntoView {
    let state = use_form_state();
    let query = use_query_map().get_untracked();
    if let Some(act) = query.get("done").as_deref().and_then(BulkAct::parse) {
        let number = |name: &str| {
            query
                .get(name)
                .and_then(|n| n.parse::<i64>().ok())
                .unwrap_or_default()
        };
        let counts = ["n", "already", "changed", "left"].map(number);
        return result(act, counts);
    }
    if !state.values.has("act") || state.error_of("key").is_some() {
        return nothing_chosen(("Several keys at once", list_crumb(), LIST), &state);
    }
    let typed: Vec<(String, String)> = state
        .values
        .pairs()
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let preview = ask(move || typed.clone(), preview_bulk);
    loaded(preview, move |preview| draw(preview, &state)).into_any()
}

/// The page that follows when nothing was ticked in the list.
pub(super) fn nothing_chosen(
    (title, crumbs, list): (&'static str, Vec<(String, String)>, &'static str),
    state: &FormState,
) -> AnyView {
    view! {
        <PageHead title=title crumbs=crumbs/>
        <FormErrors state=state.clone()/>
        <div class="empty" id="key">
            <h2>"No keys chosen"</h2>
            <p>"Tick the keys in the list; what can be done with them then stands below it."</p>
            <a class="button" href=list>"To the list"</a>
        </div>
    }
    .into_any()
}

/// What came of it, as numbers that the address carries.
fn result(act: BulkAct, [stopped, already, changed, left]: [i64; 4]) -> AnyView {
    let was = |n: i64| if n == 1 { "was" } else { "were" };
    let done = act.done();
    let mut parts = vec![format!("{} {done}", grouped(stopped))];
    if already > 0 {
        parts.push(match act {
            BulkAct::Revoke => format!("{} {} revoked already", grouped(already), was(already)),
            BulkAct::Disable => format!("{} {} stopped already", grouped(already), was(already)),
        });
    }
    if changed > 0 {
        parts.push(format!(
            "{} changed meanwhile and {} left",
            grouped(changed),
            was(changed)
        ));
    }
    if left > 0 {
        parts.push(format!(
            "{} not yours to manage, or not there any more",
            grouped(left)
        ));
    }
    let (class, icon) = match changed + left {
        0 => ("notice ok", "ok"),
        _ => ("notice warn", "warn"),
    };
    let again = (changed > 0).then(
        || view! { <p>"Look at what changed them, and choose them again if they are still to go."</p> },
    );
    view! {
        <PageHead title="Several keys at once" crumbs=list_crumb()/>
        <div class=class role="status"><Icon name=icon/><div><p>{format!("{}.", parts.join(", "))}</p>{again}</div></div>
        <p><a class="button" href=LIST>"Back to the list"</a></p>
    }
    .into_any()
}

fn draw(preview: BulkPreview, state: &FormState) -> AnyView {
    let act = preview.act;
    let keys = counted(preview.count, "key");
    let title = format!("{} {keys}?", act.verb());
    if preview.count == 0 {
        return view! {
            <PageHead title="Nothing to do" crumbs=list_crumb()/>
            <div class="notice info"><Icon name="info"/><div><p>{nothing_to_do(&preview)}</p></div></div>
            <p><a class="button" href=LIST>"Back to the list"</a></p>
        }
        .into_any();
    }
    let rows = preview.rows.iter().map(|key| row(key, act)).collect_view();
    let shown = i64::try_from(preview.rows.len()).unwrap_or(i64::MAX);
    let more = preview.count + preview.already - shown;
    let more = (more > 0).then(|| view! { <p class="muted">{format!("And {}, less busy than these.", counted(more, "more key"))}</p> });
    let reason = (act == BulkAct::Revoke).then(|| why(state));
    view! {
        <PageHead title=title crumbs=list_crumb()/>
        <div class="notice warn"><Icon name="warn"/><div><p>{effect(&preview)}</p>{left_out(&preview)}</div></div>
        <form class="form wide" method="post" action=HERE novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="act" value=act.as_str()/>
            {chosen(&preview, state)}
            {table("The chosen keys", COLUMNS, rows)}
            {more}
            {reason}
            <div class="form-actions">
                <button class="button primary danger" name="step" value="apply">{format!("{} {keys}", act.verb())}</button>
                <a class="button quiet" href=LIST>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn nothing_to_do(preview: &BulkPreview) -> String {
    match (preview.already, preview.act) {
        (0, _) => "None of them is yours to manage, or there any more.".to_owned(),
        (_, BulkAct::Revoke) => "All of them are revoked already.".to_owned(),
        (_, BulkAct::Disable) => "All of them are disabled or revoked already.".to_owned(),
    }
}

fn effect(preview: &BulkPreview) -> String {
    let used = match (preview.requests_hour, preview.requests_day) {
        (0, 0) => "Nothing used them within 24 hours.".to_owned(),
        (0, day) => format!(
            "{} used them within 24 hours, none in the last hour.",
            counted(day, "request")
        ),
        (hour, _) => format!(
            "{} in the last hour used them. They will be refused at once.",
            counted(hour, "request")
        ),
    };
    let undo = match preview.act {
        BulkAct::Revoke => "This cannot be undone; to stop them for a while, disable them instead.",
        BulkAct::Disable => "Each can be enabled again.",
    };
    format!("{used} {undo}")
}

fn left_out(preview: &BulkPreview) -> Option<AnyView> {
    let left = preview.left_out;
    (left > 0).then(|| {
        let text = format!(
            "{} left out: not yours to manage, or not there any more.",
            counted(left, "key")
        );
        view! { <p>{text}</p> }.into_any()
    })
}

/// The keys as they were looked at: each by its version, or the whole list by its mark.
fn chosen(preview: &BulkPreview, state: &FormState) -> AnyView {
    let hidden = |name: &'static str, value: String| view! { <input type="hidden" name=name value=value/> };
    match &preview.seen {
        Some(seen) => {
            let filter = FILTER_FIELDS
                .into_iter()
                .map(|name| hidden(name, state.values.first(name).to_owned()))
                .collect_view();
            view! { {hidden("all", "1".to_owned())}{hidden("seen", seen.clone())}{filter} }.into_any()
        }
        None => preview
            .rows
            .iter()
            .map(|key| hidden("key", format!("{}:{}", key.id, key.version)))
            .collect_view()
            .into_any(),
    }
}

fn why(state: &FormState) -> AnyView {
    let selected = typed(state, "reason", RevocationReason::Unspecified.as_str());
    let reasons = RevocationReason::ALL.iter().map(|reason| {
        let is_selected = reason.as_str() == selected;
        view! { <option value=reason.as_str() selected=is_selected>{reason.label()}</option> }
    });
    view! {
        <div class=field_class(state, "reason")>
            <label for="reason">"Reason"</label>
            <select id="reason" name="reason">{reasons.collect_view()}</select>
            {field_error(state, "reason")}
        </div>
        {NOTE.draw(state, "")}
    }
    .into_any()
}

fn row(key: &BulkRow, act: BulkAct) -> AnyView {
    let then = match (key.already, act, key.requests_hour) {
        (true, ..) => view! { <span class="muted">"Left as it is"</span> }.into_any(),
        (false, BulkAct::Revoke, 0) => "Revoked".into_any(),
        (false, BulkAct::Disable, 0) => "Disabled".into_any(),
        (false, ..) => view! { <b>"In use: refused at once"</b> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a href=key_address(&key.id)>{key.name.clone()}</a><small class="mono">{key.hint.clone()}</small></th>
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Owner">{key.owner.clone()}</td>
            <td data-label="Last hour" class="num">{grouped(key.requests_hour)}</td>
            <td data-label="Last 24 h" class="num">{grouped(key.requests_day)}</td>
            <td data-label="Status">{key_badge(key.badge)}</td>
            <td data-label="Then">{then}</td>
        </tr>
    }
    .into_any()
}
