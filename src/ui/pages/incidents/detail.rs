//! One incident: what stands, what happened, what is to be done, what was found out.

use leptos::prelude::*;

use super::close::finding_fields;
use super::{address_of, checklist, incident_of_address, list_crumb, status_badge, timeline};
use crate::model::form::FormState;
use crate::model::incident::{Fact, IncidentPage, IncidentStatus, ItemKind};
use crate::model::key::KeyStatus;
use crate::model::text::NOTE_MAX;
use crate::ui::components::{EnvironmentTag, Icon, PageHead, flash, key_badge, loaded, moment};
use crate::ui::form::{FormErrors, looked_at, prose_field, use_form_state};

#[component]
pub fn IncidentDetailPage() -> impl IntoView {
    let state = use_form_state();
    view! {
        {flash()}
        {loaded(incident_of_address(), move |page| draw(&page, &state))}
    }
}

fn draw(page: &IncidentPage, state: &FormState) -> AnyView {
    let (incident, key) = (&page.incident, &page.key);
    let address = address_of(&incident.id);
    let beside =
        view! { {status_badge(incident.status)}<EnvironmentTag environment=key.summary.environment/> };
    let since = moment(incident.suspected_since, page.now);
    let lede = view! { <code class="mono">{key.summary.hint.clone()}</code>" · "{key.summary.project_name.clone()}" · suspected since "{since} };
    view! {
        <PageHead title=format!("{} may have leaked", key.summary.name) crumbs=list_crumb() beside=beside.into_any()
            lede=lede.into_any() actions=actions(page, &address)/>
        <FormErrors state=state.clone()/>
        {standing(page, &address)}
        <div class="main-aside">
            <div>
                {timeline::chart(page, Some(&address))}
                {timeline::groups(page)}
                {timeline::siblings(page)}
                {findings(page, state, &address)}
            </div>
            <div>
                {checklist::card(page, state)}
                {facts(page, &address)}
            </div>
        </div>
    }
    .into_any()
}

fn actions(page: &IncidentPage, address: &str) -> AnyView {
    let link = |class: &'static str, path: &str, label: &'static str| {
        view! { <a class=class href=format!("{address}/{path}")>{label}</a> }.into_any()
    };
    let key = &page.key;
    let report = link("button", "report", "Report");
    if page.incident.status == IncidentStatus::Closed {
        let reopen = page.may_reopen.then(|| link("button", "reopen", "Reopen…"));
        return view! { {report}{reopen} }.into_any();
    }
    let is_replaced = page.incident.replaced_at.is_some();
    let freeze = (page.may_manage && key.status == KeyStatus::Active)
        .then(|| link("button danger", "freeze", "Freeze the key…"));
    let replace = (key.may_rotate && key.status != KeyStatus::Revoked).then(|| {
        let class = if is_replaced { "button" } else { "button primary" };
        link(class, "replace", "Replace the secret…")
    });
    let revoke = (page.may_manage && key.status != KeyStatus::Revoked)
        .then(|| link("button danger", "revoke", "Revoke…"));
    let close = page.may_manage.then(|| link("button", "close", "Close…"));
    view! { {report}{close}{revoke}{freeze}{replace} }.into_any()
}

/// Whether the leaked secret still opens anything.
fn standing(page: &IncidentPage, address: &str) -> AnyView {
    let (incident, key, now) = (&page.incident, &page.key, page.now);
    let notice = |class: &'static str, icon: &'static str, body: AnyView| {
        view! { <div class=class><Icon name=icon/><div>{body}</div></div> }.into_any()
    };
    if let Some((at, by)) = incident.closed_at.zip(incident.closed_by.clone()) {
        let body = view! { <p><b>"Closed"</b>" "{moment(at, now)}" by "{by}"."</p> };
        return notice("notice info", "ok", body.into_any());
    }
    match Fact::of(ItemKind::Freeze, incident, key) {
        Some(Fact::Revoked) => {
            let at = key.revoked_at.map(|at| moment(at, now));
            let again = format!("/settings/api-keys/new?from={}", key.summary.id);
            let body = view! {
                <p><b>"Revoked"</b>" "{at}". The leaked secret opens nothing any more. "
                    <a href=again>"Create another key with the same restrictions"</a></p>
            };
            notice("notice ok", "ok", body.into_any())
        }
        Some(Fact::Replaced) => {
            let at = incident.replaced_at.unwrap_or(key.secret_since);
            let body = view! { <p><b>"Replaced"</b>" "{moment(at, now)}". The leaked secret is refused; the new one passes where the key does."</p> };
            notice("notice ok", "ok", body.into_any())
        }
        Some(Fact::Frozen) => {
            let at = key.disabled_at.map(|at| moment(at, now));
            let body = view! { <p><b>"Frozen"</b>" "{at}". Every request with the key is refused. Replace the secret to let it pass again."</p> };
            notice("notice warn", "freeze", body.into_any())
        }
        None => {
            let freeze = page.may_manage.then(|| {
                view! {
                    <form class="actions" method="post" action=format!("{address}/freeze")>
                        <button class="button small danger">"Freeze now"</button>
                    </form>
                }
            });
            view! {
                <div class="notice danger" role="status"><Icon name="alert"/>
                    <div><p><b>"The leaked secret still passes."</b>" Whoever has it can use it."</p></div>
                    {freeze}
                </div>
            }
            .into_any()
        }
    }
}

fn facts(page: &IncidentPage, address: &str) -> AnyView {
    let (incident, key, now) = (&page.incident, &page.key, page.now);
    let change = (page.may_manage && incident.status == IncidentStatus::Open)
        .then(|| view! { " "<a href=format!("{address}/since")>"Change"</a> });
    let row = |label: &'static str, at: Option<crate::model::time::Timestamp>| {
        at.map(|at| view! { <div><dt>{label}</dt><dd>{moment(at, now)}</dd></div> })
    };
    let noticed = (!incident.noticed.is_empty() && !can_write(page))
        .then(|| view! { <div><dt>"Noticed"</dt><dd class="lines">{incident.noticed.clone()}</dd></div> });
    let key_page = format!("/settings/api-keys/{}", key.summary.id);
    view! {
        <section class="card">
            <header class="card-head"><h2>"About"</h2></header>
            <dl class="facts">
                <div><dt>"Key"</dt><dd><a href=key_page>{key.summary.name.clone()}</a>" "{key_badge(key.summary.badge)}</dd></div>
                <div><dt>"Owner"</dt><dd>{key.summary.owner.shown().to_owned()}</dd></div>
                <div><dt>"Suspected since"</dt><dd>{incident.suspected_since.exact_in_words()}{change}</dd></div>
                <div><dt>"Opened"</dt><dd>{moment(incident.opened_at, now)}" by "{incident.opened_by.clone()}</dd></div>
                {row("Frozen", incident.frozen_at)}
                {row("Replaced", incident.replaced_at)}
                {noticed}
                <div><dt>"Id"</dt><dd class="mono">{incident.id.to_string()}</dd></div>
            </dl>
        </section>
    }
    .into_any()
}

fn can_write(page: &IncidentPage) -> bool {
    page.may_manage && page.incident.status == IncidentStatus::Open
}

/// How it was noticed, cause, impact, lessons: to be written, or to be read.
fn findings(page: &IncidentPage, state: &FormState, address: &str) -> AnyView {
    let incident = &page.incident;
    if !can_write(page) {
        return view! {
            <section class="section" aria-labelledby="findings">
                <h2 id="findings">"What was found out"</h2>
                {read_findings(page)}
            </section>
        }
        .into_any();
    }
    view! {
        <section class="card" aria-labelledby="findings">
            <header class="card-head"><h2 id="findings">"What was found out"</h2></header>
            <form class="form wide" method="post" action=address.to_owned() novalidate>
                {looked_at(state, "version", &incident.findings_version.to_string())}
                {prose_field(state, ("noticed", "How it was noticed"), "Where it was seen, who said so, what looked wrong.", &incident.noticed, NOTE_MAX)}
                {finding_fields(page, state)}
                <div class="form-actions"><button class="button">"Save"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// The same as text.
pub(super) fn read_findings(page: &IncidentPage) -> AnyView {
    let incident = &page.incident;
    let told = [
        ("How it was noticed", &incident.noticed),
        ("Cause", &incident.cause),
        ("Impact", &incident.impact),
        ("What was learnt", &incident.lessons),
    ];
    let parts = told.map(|(label, text)| {
        let text = match text.is_empty() {
            true => view! { <span class="muted">"Not told"</span> }.into_any(),
            false => view! { <span class="lines">{text.clone()}</span> }.into_any(),
        };
        view! { <div><dt>{label}</dt><dd>{text}</dd></div> }
    });
    view! { <dl class="facts">{parts.collect_view()}</dl> }.into_any()
}
