//! What rotates, what should have, and what should soon.

use leptos::prelude::*;

use super::bulk::pick;
use super::key_address;
use super::openings::{HERE as START, waiting_section};
use crate::model::bulk::CHOSEN_MAX;
use crate::model::calendar::counted;
use crate::model::key::Badge;
use crate::model::rotation::{RotationEntry, RotationPage};
use crate::model::time::Timestamp;
use crate::rpc::keys::list_rotations;
use crate::ui::components::{Column, EnvironmentTag, Icon, PageHead, ask, loaded, moment, never, table};

const DUE: &[Column] = &[
    Column::Pick,
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Text("Last used"),
    Column::Text("Due"),
    Column::Unseen("Rotate"),
];
const RUNNING: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Owner"),
    Column::Text("Last used"),
    Column::Text("Old secret ends"),
    Column::Unseen("Look"),
];

#[component]
pub fn RotationListPage() -> impl IntoView {
    let page = ask(|| (), |()| list_rotations());
    loaded(page, |page| draw(&page))
}

fn draw(page: &RotationPage) -> AnyView {
    let lede = format!(
        "The policy asks for a new secret every {} on live keys and every {} on test keys, unless a key says otherwise. The longest due come first.",
        counted(i64::from(page.live_days), "day"),
        counted(i64::from(page.test_days), "day"),
    );
    let nothing =
        page.running.is_empty() && page.overdue.is_empty() && page.due.is_empty() && page.waiting.is_empty();
    let nothing = nothing.then(|| {
        view! { <div class="notice ok"><Icon name="ok"/><div><p>"Nothing rotates, and nothing is due within 14 days."</p></div></div> }
    });
    view! {
        <PageHead title="Rotation" root="Settings" lede=lede.into_any()/>
        {nothing}
        {waiting_section(&page.waiting, page.waiting_in_all, page.now)}
        {due_form(page)}
        {running(page)}
    }
    .into_any()
}

/// What is overdue and what will be due, in the form by which several are started at once. The bar appears with the first
/// tick.
fn due_form(page: &RotationPage) -> AnyView {
    let overdue = section(
        "Overdue",
        DUE,
        &page.overdue,
        longest_due(page.overdue.len(), page.overdue_in_all),
        |entry| entry.due_at,
        page.now,
    );
    let due = section(
        "Due within 14 days",
        DUE,
        &page.due,
        longest_due(page.due.len(), page.due_in_all),
        |entry| entry.due_at,
        page.now,
    );
    let may_start = page.overdue.iter().chain(&page.due).any(|entry| entry.may_rotate);
    if !may_start {
        return view! { {overdue}{due} }.into_any();
    }
    let shown = i64::try_from(page.overdue.len()).unwrap_or(i64::MAX);
    let fits = usize::try_from(page.overdue_in_all).is_ok_and(|all| all <= CHOSEN_MAX);
    let whole = (page.overdue_in_all > shown && fits).then(|| {
        // How many those are for whoever chooses, the page that comes next says.
        view! {
            <input type="hidden" name="status" value=Badge::RotationOverdue.as_str()/>
            <label class="check"><input type="checkbox" name="all" value="1"/>"All that are overdue"</label>
        }
    });
    view! {
        <form class="bulk-form" method="post" action=START>
            {overdue}
            {due}
            <div class="bulk" role="group" aria-label="With the chosen keys">
                <span>"With those chosen"</span>
                {whole}
                <button class="button small primary">"Start rotations…"</button>
            </div>
        </form>
    }
    .into_any()
}

/// What has two secrets. All of them stand in the list of keys.
fn running(page: &RotationPage) -> Option<AnyView> {
    let all = format!("/settings/api-keys?status={}", Badge::Rotating.as_str());
    let more = more(page.running.len(), page.running_in_all, "those that end first")
        .map(|more| view! { <p class="muted">{more}" "<a href=all>"See all that rotate"</a></p> }.into_any());
    let when = |entry: &RotationEntry| entry.overlap_until;
    section("Running", RUNNING, &page.running, more, when, page.now)
}

/// How many are not shown, and which are.
fn more(shown: usize, in_all: i64, which: &str) -> Option<String> {
    let hidden = in_all - i64::try_from(shown).unwrap_or(i64::MAX);
    (hidden > 0).then(|| format!("And {}; {which} stand here.", counted(hidden, "more key")))
}

fn longest_due(shown: usize, in_all: i64) -> Option<AnyView> {
    more(shown, in_all, "the longest due").map(|more| view! { <p class="muted">{more}</p> }.into_any())
}

fn section(
    title: &'static str,
    columns: &'static [Column],
    entries: &[RotationEntry],
    more: Option<AnyView>,
    when: fn(&RotationEntry) -> Option<Timestamp>,
    now: Timestamp,
) -> Option<AnyView> {
    if entries.is_empty() {
        return None;
    }
    let rows = entries
        .iter()
        .map(|entry| row(entry, when(entry), now))
        .collect_view();
    let section = view! {
        <section class="section">
            <h2>{title}</h2>
            {table(title, columns, rows)}
            {more}
        </section>
    };
    Some(section.into_any())
}

fn row(entry: &RotationEntry, when: Option<Timestamp>, now: Timestamp) -> AnyView {
    let address = key_address(&entry.id);
    let used = entry
        .last_used
        .as_ref()
        .map_or_else(never, |used| moment(used.at, now));
    let is_running = entry.overlap_until.is_some_and(|until| until > now);
    let (href, label, label_of_moment) = match is_running {
        true => (address.clone(), "Look", "Old secret ends"),
        false => (format!("{address}/rotate"), "Rotate…", "Due"),
    };
    let act = entry.may_rotate.then(|| {
        view! { <a class="button small" href=href aria-label=format!("{label} {}", entry.name)>{label}</a> }
    });
    view! {
        <tr>
            {(!is_running).then(|| pick(&entry.id, &entry.name, entry.may_rotate))}
            <th scope="row">
                <a class="row-link" href=address>{entry.name.clone()}</a>
                <small><span class="mono">{entry.hint.clone()}</span>" · "{entry.project_name.clone()}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=entry.environment/></td>
            <td data-label="Owner">{entry.owner.clone()}</td>
            <td data-label="Last used">{used}</td>
            <td data-label=label_of_moment>{when.map(|at| moment(at, now))}</td>
            <td>{act}</td>
        </tr>
    }
    .into_any()
}
