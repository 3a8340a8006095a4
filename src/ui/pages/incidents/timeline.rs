//! How the key was used around the suspected moment, and which other keys came from the same places.

use leptos::prelude::*;

use crate::model::calendar::{counted, grouped};
use crate::model::country::CountryCode;
use crate::model::incident::{IncidentPage, IncidentStatus, Sibling, Timeline, UseGroup, Uses};
use crate::model::time::Timestamp;
use crate::model::usage::UsageRange;
use crate::ui::charts::UsageChart;
use crate::ui::components::{Column, Icon, moment, table};

const ADDRESSES: &[Column] = &[
    Column::Text("Address"),
    Column::Number("Before"),
    Column::Number("After"),
    Column::Number("Refused"),
    Column::Text("Last seen"),
    Column::Number("Keys"),
];
const COUNTRIES: &[Column] = &[
    Column::Text("Country"),
    Column::Number("Before"),
    Column::Number("After"),
    Column::Number("Refused"),
    Column::Text("Last seen"),
];
const ENDPOINTS: &[Column] = &[
    Column::Text("Endpoint"),
    Column::Number("Before"),
    Column::Number("After"),
    Column::Number("Refused"),
    Column::Text("Last seen"),
];
const AGENTS: &[Column] = &[
    Column::Text("Client"),
    Column::Number("Before"),
    Column::Number("After"),
    Column::Number("Refused"),
    Column::Text("Last seen"),
];
const SIBLINGS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Status"),
    Column::Text("Same addresses"),
    Column::Number("Requests"),
    Column::Text("Last used"),
    Column::Unseen("Leaked?"),
];

/// The chart, with the suspected moment marked; `address` offers other ranges.
pub(super) fn chart(page: &IncidentPage, address: Option<&str>) -> AnyView {
    let timeline = &page.timeline;
    let range = timeline.series.range;
    let tabs = address.map(|address| {
        let tabs = UsageRange::ALL.map(|choice| {
            let current = (choice == range).then_some("page");
            view! { <a href=format!("{address}?range={}", choice.as_str()) aria-current=current>{choice.label()}</a> }
        });
        view! { <nav class="tabs" aria-label="Range">{tabs.collect_view()}</nav> }
    });
    let until = (page.incident.status == IncidentStatus::Closed).then_some(timeline.until);
    view! {
        <section class="card">
            <header class="card-head"><h2>"Requests"</h2>{tabs}</header>
            <UsageChart series=timeline.series.clone() mark=(page.incident.suspected_since, "Suspected") until=until/>
        </section>
    }
    .into_any()
}

/// By address, endpoint and client.
pub(super) fn groups(page: &IncidentPage) -> AnyView {
    let (timeline, now) = (&page.timeline, page.now);
    view! {
        <section class="section" aria-labelledby="use">
            <h2 id="use">"What it was used for"</h2>
            {summary(timeline, now)}
            {group("By address", ADDRESSES, &timeline.addresses, now)}
            {group("By country", COUNTRIES, &timeline.countries, now)}
            {group("By endpoint", ENDPOINTS, &timeline.endpoints, now)}
            {group("By client", AGENTS, &timeline.agents, now)}
        </section>
    }
    .into_any()
}

fn summary(timeline: &Timeline, now: Timestamp) -> AnyView {
    let new = timeline.addresses.rows.iter().filter(|row| row.is_new).count();
    let news = match new {
        0 => "No address is new.".to_owned(),
        n => format!(
            "{} first seen since then.",
            match n {
                1 => "1 address was".to_owned(),
                n => format!("{} addresses were", grouped(i64::try_from(n).unwrap_or(i64::MAX))),
            }
        ),
    };
    let reading = (!timeline.is_whole()).then(|| {
        view! {
            <div class="notice info"><Icon name="clock"/><div>
                <p>"Older requests are still being read: so far back to "{moment(timeline.read_from, now)}". Reload in a moment."</p>
            </div></div>
        }
    });
    view! {
        <p>
            {counted(timeline.after, "request")}" since the suspected moment, "{grouped(timeline.refused)}" of them refused; "
            {counted(timeline.before, "request")}" before it, from "{timeline.horizon.date_in_words()}" on. "{news}
        </p>
        {reading}
    }
    .into_any()
}

fn group(title: &'static str, columns: &'static [Column], uses: &Uses, now: Timestamp) -> Option<AnyView> {
    // What nobody told is not worth a table of its own.
    if uses.rows.iter().all(|row| row.value.is_empty()) {
        return None;
    }
    let label = match columns[0] {
        Column::Text(label) | Column::Number(label) | Column::Unseen(label) => label,
        Column::Pick => "",
    };
    let with_keys = columns.len() == ADDRESSES.len();
    let rows = uses
        .rows
        .iter()
        .map(|row| line(row, label, with_keys, now))
        .collect_view();
    let more = (uses.more > 0).then(|| {
        view! { <p class="muted">{format!("And {} more, each with fewer requests since then.", grouped(uses.more))}</p> }
    });
    Some(view! { <h3>{title}</h3>{table(title, columns, rows)}{more} }.into_any())
}

/// By name, with the code that rules are written in.
fn country(code: &str) -> String {
    CountryCode::from_letters(code).map_or_else(|| code.to_owned(), |code| code.in_words())
}

fn line(row: &UseGroup, label: &'static str, with_keys: bool, now: Timestamp) -> AnyView {
    let value = match row.value.as_str() {
        "" if label == "Country" => view! { <span class="muted">"Not known"</span> }.into_any(),
        "" => view! { <span class="muted">"Not told"</span> }.into_any(),
        "…" => view! { <span class="muted">"All others"</span> }.into_any(),
        value if label == "Country" => country(value).into_any(),
        value => view! { <span class="mono value">{value.to_owned()}</span> }.into_any(),
    };
    let new = row
        .is_new
        .then(|| view! { " "<span class="badge warn">"New"</span> });
    let keys = with_keys.then(|| {
        let text = match row.keys {
            None => "–".to_owned(),
            Some(1) => "this one".to_owned(),
            Some(101..) => "over 100".to_owned(),
            Some(n) => grouped(n),
        };
        view! { <td class="num" data-label="Keys">{text}</td> }
    });
    view! {
        <tr>
            <th scope="row" class="wrap" aria-label=format!("{label} {}", row.value)>{value}{new}<small>"First seen "{moment(row.first_at, now)}</small></th>
            <td class="num" data-label="Before">{grouped(row.before)}</td>
            <td class="num" data-label="After">{grouped(row.after)}</td>
            <td class="num" data-label="Refused">{grouped(row.refused)}</td>
            <td data-label="Last seen">{moment(row.last_at, now)}</td>
            {keys}
        </tr>
    }
    .into_any()
}

/// Other keys from the same addresses.
pub(super) fn siblings(page: &IncidentPage) -> AnyView {
    let siblings = &page.siblings;
    let crowded = (!siblings.crowded.is_empty()).then(|| {
        let words = format!(
            "More than 100 keys share {}: most likely the way out of a whole network, which says nothing of any of them.",
            siblings.crowded.join(", ")
        );
        view! { <p class="muted">{words}</p> }
    });
    let body = match siblings.rows.is_empty() {
        true => view! { <p>"No other key was used from these addresses since the suspected moment."</p> }
            .into_any(),
        false => {
            let rows = siblings
                .rows
                .iter()
                .map(|row| sibling(row, page.now))
                .collect_view();
            let more = (siblings.more > 0).then(|| {
                view! { <p class="muted">{format!("And {} more.", counted(siblings.more, "key"))}</p> }
            });
            view! {
                <p>"An address that only two keys share says more than one that the whole office uses: the number beside it is of keys."</p>
                {table("Other keys from the same addresses", SIBLINGS, rows)}
                {more}
            }
            .into_any()
        }
    };
    view! {
        <section class="section" aria-labelledby="siblings">
            <h2 id="siblings">"Other keys from the same addresses"</h2>
            {body}
            {crowded}
        </section>
    }
    .into_any()
}

fn sibling(row: &Sibling, now: Timestamp) -> AnyView {
    let address = format!("/settings/api-keys/{}", row.key_id);
    let shown = row.addresses.iter().take(3).map(|address| {
        view! { <span class="nowrap"><span class="mono">{address.ip.clone()}</span>{format!(" ({})", grouped(address.keys))}</span>" " }
    });
    let more = row.addresses.len().checked_sub(3).filter(|more| *more > 0);
    let more = more.map(|more| view! { <span class="muted">{format!("and {more} more")}</span> });
    let leaked = row.may_manage.then(|| {
        let label = format!("{} may be leaked, too", row.name);
        view! { <a class="button small" href=format!("{address}/leaked") aria-label=label>"Leaked, too?"</a> }
    });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address.clone()>{row.name.clone()}</a>
                <small class="mono">{row.hint.clone()}</small>
            </th>
            <td data-label="Status">{row.status.label()}</td>
            <td data-label="Same addresses" class="wrap"><span>{shown.collect_view()}{more}</span></td>
            <td class="num" data-label="Requests">{grouped(row.requests)}</td>
            <td data-label="Last used">{moment(row.last_at, now)}</td>
            <td>{leaked}</td>
        </tr>
    }
    .into_any()
}
