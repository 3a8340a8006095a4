//! Settings › Audit log.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::model::audit::{ACTIONS, AuditFilter, AuditLine, action_label};
use crate::model::time::Timestamp;
use crate::rpc::audit::{AuditPage, list_audit};
use crate::ui::components::{Column, PageHead, Pager, ask, loaded, moment, table};
use crate::ui::islands::{FILTER_FORM, FilterComfort, SEARCH_BOX};

const HERE: &str = "/settings/audit-log";

fn asked(query: &ParamsMap) -> (AuditFilter, u32) {
    let text = |name: &str| {
        query
            .get(name)
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect::<String>()
    };
    let filter = AuditFilter {
        action: text("action"),
        actor: text("actor"),
        target: text("target"),
    };
    (filter, text("page").parse().unwrap_or(1))
}

fn address_of(filter: &AuditFilter, page: u32) -> String {
    let mut query = ParamsMap::new();
    let page = if page > 1 { page.to_string() } else { String::new() };
    for (name, value) in [
        ("action", &filter.action),
        ("actor", &filter.actor),
        ("target", &filter.target),
        ("page", &page),
    ] {
        if !value.is_empty() {
            query.insert(name, value.clone());
        }
    }
    format!("{HERE}{}", query.to_query_string())
}

const COLUMNS: &[Column] = &[
    Column::Text("What"),
    Column::Text("Who"),
    Column::Text("On"),
    Column::Text("When"),
    Column::Text("From"),
];

#[component]
pub fn AuditLogPage() -> impl IntoView {
    let query = use_query_map();
    let request = Memo::new(move |_| asked(&query.read()));
    let lines = ask(
        move || request.get(),
        async |(filter, page)| list_audit(filter, page).await,
    );
    loaded(lines, move |page| draw(&page, &request.get_untracked().0))
}

fn draw(page: &AuditPage, filter: &AuditFilter) -> AnyView {
    let lede = "Who did what, when and from where. Each event is chained to the one before; keywright audit verify checks them all.".into_any();
    let options = ACTIONS
        .iter()
        .map(|(name, label)| view! { <option value=*name selected=filter.action == *name>{*label}</option> });
    let rows = page
        .page
        .rows
        .iter()
        .map(|line| row(line, page.now))
        .collect_view();
    let body = if page.page.rows.is_empty() {
        view! {
            <div class="empty">
                <h2>"No event matches"</h2>
                <p>"Nothing in the log fits these filters."</p>
                <a class="button" href=HERE>"Clear filters"</a>
            </div>
        }
        .into_any()
    } else {
        view! {
            {table("Audit log", COLUMNS, rows)}
        }
        .into_any()
    };
    view! {
        <PageHead title="Audit log" lede=lede/>
        <form class="filters" method="get" action=HERE id=FILTER_FORM role="search">
            <FilterComfort/>
            <label>
                <span>"Action"</span>
                <select name="action"><option value="">"Any"</option>{options.collect_view()}</select>
            </label>
            <label><span>"Who"</span><input name="actor" value=filter.actor.clone() maxlength="200" autocomplete="off"/></label>
            <label><span>"On"</span><input name="target" id=SEARCH_BOX value=filter.target.clone() maxlength="200" autocomplete="off"/></label>
            <button class="button">"Apply"</button>
            {(!filter.is_empty()).then(|| view! { <a class="button quiet" href=HERE>"Clear"</a> })}
        </form>
        {body}
        <Pager
            number=page.page.number
            last=page.page.last_number()
            size=page.page.size
            shown=page.page.rows.len()
            total=page.page.total
            href=|number| address_of(filter, number)
        />
    }
    .into_any()
}

fn row(line: &AuditLine, now: Timestamp) -> AnyView {
    let who = line
        .actor_name
        .clone()
        .unwrap_or_else(|| match line.actor_type.as_str() {
            "operator" => format!("operator {}", line.actor_id),
            "system" => "Keywright".to_owned(),
            "anonymous" => "Nobody signed in".to_owned(),
            _ => line.actor_id.clone(),
        });
    let detail = (line.detail != "{}").then(|| line.detail.clone());
    view! {
        <tr>
            <th scope="row" class="wrap">
                {action_label(&line.action).to_owned()}
                {detail.map(|detail| view! { <details class="more-info"><summary>"Details"</summary><code>{detail}</code></details> })}
            </th>
            <td data-label="Who">{who}</td>
            <td data-label="On">{target(line)}</td>
            <td data-label="When">{moment(line.at, now)}</td>
            <td data-label="From"><span class="mono">{line.ip.clone().unwrap_or_else(|| "–".to_owned())}</span></td>
        </tr>
    }
    .into_any()
}

fn target(line: &AuditLine) -> AnyView {
    let name = line.target_name.clone().unwrap_or_else(|| line.target_id.clone());
    let href = match line.target_type.as_str() {
        "key" => Some(format!("/settings/api-keys/{}", line.target_id)),
        "project" => Some(format!("/settings/projects/{}", line.target_id)),
        "incident" => {
            let href = format!("/settings/incidents/{}", line.target_id);
            return view! { <a href=href>{name}</a> }.into_any();
        }
        _ => None,
    };
    match href {
        Some(href) if line.target_name.is_some() => view! { <a href=href>{name}</a> }.into_any(),
        _ => name.into_any(),
    }
}
