//! Settings › Incidents.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::{address_of, status_badge};
use crate::model::calendar::grouped;
use crate::model::incident::{IncidentFilter, IncidentList, IncidentStatus, IncidentSummary};
use crate::model::page::{DEFAULT_SIZE, PageRequest};
use crate::model::time::Timestamp;
use crate::rpc::incidents::list_incidents;
use crate::ui::components::{Column, EnvironmentTag, PageHead, Pager, ask, flash, loaded, moment, table};
use crate::ui::islands::{FILTER_FORM, FilterComfort};

const HERE: &str = "/settings/incidents";

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Text("Suspected since"),
    Column::Text("Opened"),
    Column::Text("The leaked secret"),
    Column::Text("Status"),
];

fn filter_of(query: &ParamsMap) -> IncidentFilter {
    let text = |name: &str| query.get(name).unwrap_or_default();
    IncidentFilter {
        status: IncidentStatus::parse(&text("status")),
        key: text("key").parse().ok(),
        page: PageRequest::clamped(text("page").parse().unwrap_or(1), DEFAULT_SIZE),
    }
}

fn list_address(filter: &IncidentFilter, page: u32) -> String {
    let mut query = ParamsMap::new();
    if let Some(status) = filter.status {
        query.insert("status", status.as_str().to_owned());
    }
    if let Some(key) = &filter.key {
        query.insert("key", key.to_string());
    }
    if page > 1 {
        query.insert("page", page.to_string());
    }
    format!("{HERE}{}", query.to_query_string())
}

#[component]
pub fn IncidentListPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| filter_of(&query.read()));
    let asked = ask(move || filter.get(), list_incidents);
    view! {
        {flash()}
        {loaded(asked, move |list| draw(&list, &filter.get_untracked()))}
    }
}

fn draw(list: &IncidentList, filter: &IncidentFilter) -> AnyView {
    let lede = match list.open {
        0 => "Nothing is open. Report a key that may have leaked from its own page.".to_owned(),
        n => format!("{} open. Each key has at most one at a time.", grouped(n)),
    };
    let is_narrowed = filter.status.is_some() || filter.key.is_some();
    let filter = *filter;
    let body = match list.page.rows.is_empty() {
        true => empty(is_narrowed),
        false => {
            let rows = list
                .page
                .rows
                .iter()
                .map(|row| line(row, list.now))
                .collect_view();
            table("Incidents", COLUMNS, rows)
        }
    };
    let has_any = is_narrowed || list.page.total > 0;
    view! {
        <PageHead title="Incidents" lede=lede.into_any()/>
        {has_any.then(|| filters(&filter, is_narrowed))}
        {body}
        <Pager
            number=list.page.number
            last=list.page.last_number()
            size=list.page.size
            shown=list.page.rows.len()
            total=list.page.total
            href=move |page| list_address(&filter, page)
        />
    }
    .into_any()
}

fn filters(filter: &IncidentFilter, is_narrowed: bool) -> AnyView {
    let options = [IncidentStatus::Open, IncidentStatus::Closed].map(|status| {
        let selected = filter.status == Some(status);
        view! { <option value=status.as_str() selected=selected>{status.label()}</option> }
    });
    let key = filter
        .key
        .map(|key| view! { <input type="hidden" name="key" value=key.to_string()/> });
    view! {
        <form class="filters" method="get" action=HERE id=FILTER_FORM>
            <FilterComfort/>
            {key}
            <label>
                <span>"Status"</span>
                <select name="status"><option value="">"Any"</option>{options.collect_view()}</select>
            </label>
            <button class="button apply">"Apply"</button>
            {is_narrowed.then(|| view! { <a class="button quiet" href=HERE>"Clear"</a> })}
        </form>
    }
    .into_any()
}

fn empty(is_narrowed: bool) -> AnyView {
    let (title, text, href, label) = match is_narrowed {
        true => (
            "No incident matches",
            "None fits these filters.",
            HERE,
            "Clear filters",
        ),
        false => (
            "No incidents",
            "When a key may have leaked, open its page and press “This may be leaked”. Whoever looks after it has it frozen at once, anybody else tells them; the rest follows step by step.",
            "/settings/api-keys",
            "Look at the keys",
        ),
    };
    view! {
        <div class="empty">
            <h2>{title}</h2>
            <p>{text}</p>
            <a class="button" href=href>{label}</a>
        </div>
    }
    .into_any()
}

fn line(row: &IncidentSummary, now: Timestamp) -> AnyView {
    let secret = match row {
        row if row.revoked => "Revoked with the key",
        row if row.replaced => "Replaced",
        row if row.frozen => "Frozen",
        _ => "Not frozen",
    };
    let closed = row.closed_at.map(|at| view! { " "{moment(at, now)} });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address_of(&row.id)>{row.key_name.clone()}</a>
                <small class="mono">{row.key_hint.clone()}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=row.environment/></td>
            <td data-label="Suspected since">{moment(row.suspected_since, now)}</td>
            <td data-label="Opened"><span>{moment(row.opened_at, now)}" by "{row.opened_by.clone()}</span></td>
            <td data-label="The leaked secret">{secret}</td>
            <td data-label="Status"><span>{status_badge(row.status)}{closed}</span></td>
        </tr>
    }
    .into_any()
}
