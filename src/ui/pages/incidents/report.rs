//! The report of an incident: to be printed, and taken away as a file.

use leptos::prelude::*;

use super::detail::read_findings;
use super::{address_of, checklist, incident_of_address, list_crumb, status_badge, timeline};
use crate::model::incident::{ChecklistItem, IncidentPage};
use crate::model::time::Timestamp;
use crate::ui::components::{PageHead, loaded};

#[component]
pub fn ReportPage() -> impl IntoView {
    loaded(incident_of_address(), |page| draw(&page))
}

fn draw(page: &IncidentPage) -> AnyView {
    let (incident, key) = (&page.incident, &page.key);
    let address = address_of(&incident.id);
    let mut crumbs = list_crumb();
    crumbs.push((key.summary.name.clone(), address.clone()));
    let lede = format!("{} · {}", page.organisation, page.now.exact_in_words());
    let export = format!("{address}/export");
    let actions = [
        ("json", "JSON"),
        ("markdown", "Markdown"),
        ("csv", "CSV of its use"),
    ]
    .map(|(format, label)| {
        view! { <button class="button" name="format" value=format>{label}</button> }
    });
    let actions = view! {
        <form class="button-row" method="post" action=export>{actions.collect_view()}</form>
        <span class="muted">"Or print this page."</span>
    };
    view! {
        <PageHead title=format!("Incident report: {}", key.summary.name) crumbs=crumbs lede=lede.into_any()
            beside=status_badge(incident.status) actions=actions.into_any()/>
        <article class="stack report">
            {facts(page)}
            <section class="section"><h2>"Findings"</h2>{read_findings(page)}</section>
            {timeline::chart(page, None)}
            {timeline::groups(page)}
            {timeline::siblings(page)}
            <section class="section"><h2>"Checklist"</h2><ul class="rows">{page.checklist.iter().map(|one| item(one, page.now)).collect_view()}</ul></section>
        </article>
    }
    .into_any()
}

fn facts(page: &IncidentPage) -> AnyView {
    let (incident, key) = (&page.incident, &page.key);
    let moment = |label: &'static str, at: Option<Timestamp>| {
        at.map(|at| view! { <div><dt>{label}</dt><dd>{at.exact_in_words()}</dd></div> })
    };
    let opened = format!(
        "{} by {}",
        incident.opened_at.exact_in_words(),
        incident.opened_by
    );
    let closed = incident
        .closed_at
        .zip(incident.closed_by.as_ref())
        .map(|(at, by)| format!("{} by {by}", at.exact_in_words()));
    let rules = key.restrictions.in_words();
    let scopes: Vec<&str> = key.summary.scopes.iter().map(|scope| scope.as_str()).collect();
    let rules =
        (!rules.is_empty()).then(|| view! { <div><dt>"Restrictions"</dt><dd>{rules.join(" ")}</dd></div> });
    view! {
        <dl class="facts">
            <div><dt>"Incident"</dt><dd class="mono">{incident.id.to_string()}</dd></div>
            <div><dt>"Key"</dt><dd>{key.summary.name.clone()}" · "<span class="mono">{key.summary.id.to_string()}</span>" · "{key.summary.environment.label()}" · "{key.summary.project_name.clone()}</dd></div>
            <div><dt>"Owner"</dt><dd>{key.summary.owner.shown().to_owned()}</dd></div>
            <div><dt>"Scopes"</dt><dd class="mono">{scopes.join(", ")}</dd></div>
            {rules}
            <div><dt>"Suspected since"</dt><dd>{incident.suspected_since.exact_in_words()}</dd></div>
            <div><dt>"Opened"</dt><dd>{opened}</dd></div>
            {moment("Frozen", incident.frozen_at)}
            {moment("Replaced", incident.replaced_at)}
            {moment("Revoked", key.revoked_at)}
            {closed.map(|closed| view! { <div><dt>"Closed"</dt><dd>{closed}</dd></div> })}
        </dl>
    }
    .into_any()
}

fn item(item: &ChecklistItem, now: Timestamp) -> AnyView {
    let said = if item.is_done() { "Done" } else { "Open" };
    let class = if item.is_done() { "badge ok" } else { "badge warn" };
    view! {
        <li>
            <span class=class>{said}</span>
            <div class="grow"><p><b>{item.text.clone()}</b></p>{checklist::standing(item, now)}</div>
        </li>
    }
    .into_any()
}
