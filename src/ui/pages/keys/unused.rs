//! Keys that nobody uses.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::bulk::{bulk_form, pick};
use super::{key_address, list_crumb};
use crate::model::calendar::{counted, grouped};
use crate::model::key_page::{UNUSED_CHOICES, UNUSED_DEFAULT_DAYS, UNUSED_LISTED_MAX, UnusedKey, UnusedKeys};
use crate::model::time::Timestamp;
use crate::rpc::keys::list_unused_keys;
use crate::ui::components::{Column, EnvironmentTag, Icon, PageHead, ask, loaded, moment, never, table};

const HERE: &str = "/settings/api-keys/unused";

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Text("Created"),
    Column::Text("Last used"),
];
const COLUMNS_TO_PICK: &[Column] = &[
    Column::Unseen("Choose"),
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Text("Created"),
    Column::Text("Last used"),
];
const COLUMNS_TOLD: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Text("Unused since"),
    Column::Text("Disabled on"),
];

#[component]
pub fn UnusedKeysPage() -> impl IntoView {
    let query = use_query_map();
    let days = Memo::new(move |_| {
        let asked = query.read().get("days").and_then(|days| days.parse().ok());
        asked.unwrap_or(UNUSED_DEFAULT_DAYS)
    });
    let page = ask(move || days.get(), list_unused_keys);
    loaded(page, |page| draw(&page))
}

fn draw(page: &UnusedKeys) -> AnyView {
    let lede = "A key that nobody uses opens a door for whoever finds it, and nobody would miss it.";
    let body = match page.keys.is_empty() {
        true => nothing(page.days),
        false => list(page),
    };
    view! {
        <PageHead title="Unused keys" crumbs=list_crumb() lede=lede.into_any()/>
        {rules(page.rules)}
        {to_be_disabled(page)}
        {chooser(page.days)}
        {body}
    }
    .into_any()
}

fn chooser(days: i64) -> AnyView {
    let options = UNUSED_CHOICES.map(|choice| {
        view! { <option value=choice.to_string() selected=choice == days>{counted(choice, "day")}</option> }
    });
    view! {
        <form class="filters" method="get" action=HERE>
            <label>
                <span>"Unused for"</span>
                <select name="days">{options.into_iter().collect_view()}</select>
            </label>
            <button class="button">"Show"</button>
        </form>
    }
    .into_any()
}

/// What the policy does by itself.
fn rules([live, test]: [Option<u32>; 2]) -> Option<AnyView> {
    let of = |place: &str, days: Option<u32>| {
        days.map(|days| format!("{place} keys after {}", counted(i64::from(days), "day")))
    };
    let rules: Vec<String> = [of("live", live), of("test", test)]
        .into_iter()
        .flatten()
        .collect();
    (!rules.is_empty()).then(|| {
        let text = format!(
            "The policy disables {} without use, a week after those who look after them were told: by letter, where there is mail, on the key's page and by the number beside “API keys”.",
            rules.join(" and ")
        );
        view! { <div class="notice info"><Icon name="info"/><div><p>{text}" "<a href="/settings/policy">"Policy"</a></p></div></div> }
            .into_any()
    })
}

/// Those whose time runs, whatever number of days is chosen below.
fn to_be_disabled(page: &UnusedKeys) -> Option<AnyView> {
    if page.told.is_empty() {
        return None;
    }
    let rows = page.told.iter().map(|key| told_row(key, page.now)).collect_view();
    let listed = i64::try_from(page.told.len()).unwrap_or(i64::MAX);
    let first = (listed >= UNUSED_LISTED_MAX)
        .then(|| format!("The {} that are disabled first stand here.", grouped(listed)));
    let drawn = view! {
        <section class="section">
            <div class="section-head"><h2>"Will be disabled"</h2></div>
            <p class="muted">"A key that is used before its day stays as it is. "{first}</p>
            {table("Keys that will be disabled", COLUMNS_TOLD, rows)}
        </section>
    };
    Some(drawn.into_any())
}

fn told_row(key: &UnusedKey, now: Timestamp) -> AnyView {
    let (since, from) = match &key.notice {
        Some(notice) => (notice.since, notice.disabled_from),
        None => return ().into_any(),
    };
    view! {
        <tr>
            {named(key)}
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Owner">{key.owner.shown().to_owned()}</td>
            <td data-label="Unused since">{moment(since, now)}</td>
            <td data-label="Disabled on">{from.date_in_words()}" ("{moment(from, now)}")"</td>
        </tr>
    }
    .into_any()
}

fn named(key: &UnusedKey) -> AnyView {
    view! {
        <th scope="row">
            <a class="row-link" href=key_address(&key.id)>{key.name.clone()}</a>
            <small><span class="mono">{key.hint.clone()}</span>" · "{key.project_name.clone()}</small>
        </th>
    }
    .into_any()
}

fn nothing(days: i64) -> AnyView {
    let text = format!(
        "Every key that could be used was, within {}, or is younger.",
        counted(days, "day")
    );
    view! { <div class="notice ok"><Icon name="ok"/><div><p>{text}</p></div></div> }.into_any()
}

fn list(page: &UnusedKeys) -> AnyView {
    let may_stop = page.keys.iter().any(|key| key.may_manage);
    let rows = page
        .keys
        .iter()
        .map(|key| row(key, may_stop, page.now))
        .collect_view();
    let shown = i64::try_from(page.keys.len()).unwrap_or(i64::MAX);
    let count = match page.total > shown {
        true => format!(
            "{}; the {} longest unused stand here.",
            counted(page.total, "key"),
            grouped(shown)
        ),
        false => counted(page.total, "key"),
    };
    let table = match may_stop {
        true => bulk_form(table("Unused keys", COLUMNS_TO_PICK, rows), None),
        false => table("Unused keys", COLUMNS, rows),
    };
    view! { <p class="muted">{count}</p>{table} }.into_any()
}

fn row(key: &UnusedKey, may_stop: bool, now: Timestamp) -> AnyView {
    let used = match &key.last_used {
        Some(used) => moment(used.at, now),
        None => never(),
    };
    let told = key
        .notice
        .map(|notice| view! { <small>"Will be disabled "{moment(notice.disabled_from, now)}</small> });
    view! {
        <tr>
            {may_stop.then(|| pick(&key.id, &key.name, key.may_manage))}
            {named(key)}
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Owner">{key.owner.shown().to_owned()}</td>
            <td data-label="Created">{moment(key.created_at, now)}</td>
            <td data-label="Last used">{used}{told}</td>
        </tr>
    }
    .into_any()
}
