//! One key: its use, its facts, and what can be done with it.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::advice::least_privilege_card;
use super::countries::untold_notice;
use super::handover::handover_notice;
use super::openings::opened_notice;
use super::policy::broken;
use super::rotate::{rotation_card, secret_seen};
use super::stopped::{disabled_notice, unused_notice};
use super::{key_address, list_crumb};
use crate::model::calendar::counted;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::{IncidentId, KeyId};
use crate::model::key::{Badge, KeyDetail, KeyStatus, Owner};
use crate::model::key_link;
use crate::model::key_page::{Disabled, KeyPage};
use crate::model::project::Project;
use crate::model::resource::allowed_in_words;
use crate::model::time::Timestamp;
use crate::model::usage::UsageRange;
use crate::rpc::keys::get_key;
use crate::ui::charts::UsageChart;
use crate::ui::components::{
    EnvironmentTag, Icon, PageHead, ask, expiry, flash, key_badge, loaded, moment, never, snippet_list,
};
use crate::ui::frame::use_session;
use crate::ui::islands::KeySwitch;
use crate::ui::pages::approvals::ask::approval_notice;

#[component]
pub fn KeyDetailPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = move || {
        (
            params.read().get("id").unwrap_or_default(),
            UsageRange::parse(&query.read().get("range").unwrap_or_default()),
        )
    };
    let key = ask(asked, async |(id, range)| match id.parse::<KeyId>() {
        Ok(id) => get_key(id, range).await,
        Err(_) => Err(AppError::not_found()),
    });
    view! {
        {flash()}
        {loaded(key, draw)}
    }
}

fn draw(page: KeyPage) -> AnyView {
    let KeyPage {
        now,
        key,
        usage,
        project,
        incident,
        is_frozen,
        approval,
        least_privilege,
        unused,
        disabled,
        ..
    } = page;
    let summary = key.summary.clone();
    let address = key_address(&summary.id);
    let beside =
        view! { {key_badge(summary.badge)}<EnvironmentTag environment=summary.environment/> }.into_any();
    let lede = view! { <code class="mono">{summary.hint.clone()}</code>" · "{summary.project_name.clone()} }
        .into_any();
    let standing_of = (incident.is_some(), is_frozen);
    let actions = actions(&key, standing_of, &address);
    let range = usage.range;
    let tabs = UsageRange::ALL.map(|choice| {
        let current = (choice == range).then_some("page");
        view! { <a href=format!("{address}?range={}", choice.as_str()) aria-current=current>{choice.label()}</a> }
    });
    view! {
        <PageHead title=summary.name.clone() crumbs=list_crumb() beside=beside lede=lede actions=actions/>
        {incident.map(|id| incident_banner(id, is_frozen))}
        {standing(&key, disabled.as_ref(), now)}
        {unused.map(|notice| unused_notice(&notice, now))}
        {approval.map(|approval| approval_notice(&approval, now))}
        {untold_notice(&key)}
        {handover_notice(&key, now)}
        {opened_notice(&key, now)}
        {broken(&key.violations, key.may_manage.then(|| format!("{address}/edit")))}
        {key.rotation.as_ref().map(|rotation| rotation_card(&key, rotation, now))}
        <section class="card">
            <header class="card-head">
                <h2>"Requests"</h2>
                <nav class="tabs" aria-label="Range">{tabs.collect_view()}</nav>
            </header>
            <UsageChart series=usage/>
        </section>
        <div class="columns">
            {facts(&key, now)}
            {access(&key, &project)}
        </div>
        {least_privilege.map(|told| least_privilege_card(&key, &told, now))}
        {next(&key, &project)}
    }
    .into_any()
}

/// That the key may have leaked, and where that is dealt with.
fn incident_banner(id: IncidentId, is_frozen: bool) -> AnyView {
    let stands = match is_frozen {
        true => " It is frozen until the incident is dealt with.",
        false => " An incident is open.",
    };
    view! {
        <div class="notice danger" role="status">
            <Icon name="incident"/>
            <div><p><b>"This key may have leaked."</b>{stands}</p></div>
            <div class="actions"><a class="button small" href=format!("/settings/incidents/{id}")>"Go to the incident"</a></div>
        </div>
    }
    .into_any()
}

/// What somebody should know first: the state, when it is not plainly active.
fn standing(key: &KeyDetail, disabled: Option<&Disabled>, now: Timestamp) -> AnyView {
    let notice = |class: &'static str, icon: &'static str, body: AnyView| {
        view! { <div class=class><Icon name=icon/><div>{body}</div></div> }.into_any()
    };
    match key.summary.badge {
        Badge::Revoked => {
            let reason = key.revoked_reason.map_or("", |reason| reason.label());
            let who = key.revoked_by.clone().unwrap_or_default();
            let when = key.revoked_at.map(|at| moment(at, now));
            let note = (!key.revoked_note.is_empty()).then(|| view! { <p>{key.revoked_note.clone()}</p> });
            notice(
                "notice danger",
                "ban",
                view! { <p><b>"Revoked"</b>" by "{who}" "{when}". "{reason}"."</p>{note} }.into_any(),
            )
        }
        Badge::Disabled if key.project_archived => notice(
            "notice warn",
            "pause",
            view! { <p>"The project is archived, so the key is refused."</p> }.into_any(),
        ),
        Badge::Disabled => disabled_notice(key.disabled_at, disabled, now),
        Badge::Expired => notice(
            "notice warn",
            "clock",
            view! { <p>"The key has expired. Create another in its place."</p> }.into_any(),
        ),
        Badge::NotYetValid => {
            let when = key.restrictions.not_before.map(Timestamp::date_in_words);
            notice(
                "notice info",
                "clock",
                view! { <p>"The key is refused until "{when}"."</p> }.into_any(),
            )
        }
        Badge::OwnerInactive => notice(
            "notice warn",
            "user",
            view! { <p>"The owner is no longer an active member, so the key is refused."</p> }.into_any(),
        ),
        // Nobody confirms what somebody knows who is gone.
        Badge::RotationOverdue if key.handed_on_at.is_some() => overdue(key, now),
        badge if badge.passes() && key.summary.stored_at.is_none() && key.may_manage => not_confirmed(key),
        Badge::RotationOverdue => overdue(key, now),
        _ => ().into_any(),
    }
}

/// Since when another secret is due, and why.
fn overdue(key: &KeyDetail, now: Timestamp) -> AnyView {
    let due = key.summary.rotation_due_at.map(|at| moment(at, now));
    let why = match key.handed_on_at {
        Some(_) => "The key changed hands then, and who had it before knows the secret.",
        None => "A secret that stays the same for long is known to more and more.",
    };
    view! {
        <div class="notice warn">
            <Icon name="rotate"/>
            <div><p><b>"Rotation overdue."</b>" A new secret was due "{due}". "{why}</p></div>
        </div>
    }
    .into_any()
}

fn not_confirmed(key: &KeyDetail) -> AnyView {
    let address = key_address(&key.summary.id);
    let again = match &key.rotation {
        Some(_) => key.may_rotate.then_some(("rotate/cancel", "Cancel the rotation")),
        // It had another one before: its id need not change.
        None if key.secret_since > key.summary.created_at => {
            key.may_rotate.then_some(("rotate", "Rotate again"))
        }
        None => Some(("revoke?again=1", "Revoke and create again")),
    };
    let again = again.map(|(path, label)| {
        view! { <a class="button small" href=format!("{address}/{path}")>{label}</a> }
    });
    view! {
        <div class="notice warn">
            <Icon name="warn"/>
            <div><p><b>"Not confirmed."</b>" Nobody has said that the secret is stored. It cannot be shown again."</p></div>
            <div class="actions">
                <form method="post" action=format!("{address}/stored")>
                    {secret_seen(&FormState::default(), key)}
                    <button class="button small">"It is stored"</button>
                </form>
                {again}
            </div>
        </div>
    }
    .into_any()
}

fn actions(key: &KeyDetail, (has_incident, is_frozen): (bool, bool), address: &str) -> AnyView {
    let leaked = (!has_incident).then(
        || view! { <a class="button danger" href=format!("{address}/leaked")>"This may be leaked…"</a> },
    );
    if !key.may_manage || key.status == KeyStatus::Revoked {
        return leaked.into_any();
    }
    view! {
        <a class="button" href=format!("{address}/edit")>"Edit"</a>
        {can_rotate(key).then(|| view! { <a class="button" href=format!("{address}/rotate")>"Rotate…"</a> })}
        {(!is_frozen).then(|| view! { <KeySwitch key_id=key.summary.id enabled=key.status == KeyStatus::Active/> })}
        <a class="button danger" href=format!("{address}/revoke")>"Revoke…"</a>
        {leaked}
    }
    .into_any()
}

/// Whether another secret would make sense.
fn can_rotate(key: &KeyDetail) -> bool {
    key.may_rotate && key.rotation.is_none() && !key.project_archived && key.summary.badge != Badge::Expired
}

fn facts(key: &KeyDetail, now: Timestamp) -> AnyView {
    let used = match &key.summary.last_used {
        Some(used) => {
            let from = used
                .ip
                .clone()
                .map(|ip| view! { " from "<span class="mono">{ip}</span> });
            let place = used.country.map(|code| format!(", {}", code.name()));
            view! { {moment(used.at, now)}{from}{place} }.into_any()
        }
        None => never(),
    };
    let owner = match &key.summary.owner {
        Owner::Member { name, .. } => name.clone(),
        Owner::Team(label) => format!("{label} (team)"),
    };
    let stored = match (key.summary.stored_at, key.stored_note.is_empty()) {
        (None, _) => "Not confirmed".into_any(),
        (Some(at), true) => moment(at, now),
        (Some(at), false) => view! { {moment(at, now)}" · "{key.stored_note.clone()} }.into_any(),
    };
    let due = key
        .summary
        .rotation_due_at
        .filter(|_| key.status != KeyStatus::Revoked);
    let due = due.map(|at| match key.handed_on_at {
        Some(handed_on) if handed_on == at => view! {
            " · rotation due since "{moment(at, now)}": the key changed hands, and who had it before knows the secret"
        }
        .into_any(),
        _ => view! { " · rotation due "{moment(at, now)} }.into_any(),
    });
    let purpose = if key.purpose.is_empty() {
        view! { <span class="muted">"Not told"</span> }.into_any()
    } else {
        key.purpose.clone().into_any()
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>"About"</h2></header>
            <dl class="facts">
                <div><dt>"Last used"</dt><dd>{used}</dd></div>
                <div><dt>"Last hour"</dt><dd>{counted(key.requests_last_hour, "request")}</dd></div>
                <div><dt>"Expires"</dt><dd>{expiry(key.summary.expires_at, now)}</dd></div>
                <div><dt>"Secret since"</dt><dd>{moment(key.secret_since, now)}{due}</dd></div>
                <div><dt>"Owner"</dt><dd>{owner}</dd></div>
                <div><dt>"Purpose"</dt><dd>{purpose}</dd></div>
                <div><dt>"Stored"</dt><dd>{stored}</dd></div>
                <div><dt>"Created"</dt><dd>{moment(key.summary.created_at, now)}" by "{key.created_by.clone()}</dd></div>
                <div><dt>"Id"</dt><dd class="mono">{key.summary.id.to_string()}</dd></div>
            </dl>
        </section>
    }
    .into_any()
}

/// Where its secret goes, and the way to another like it.
fn next(key: &KeyDetail, project: &Project) -> AnyView {
    let link = format!(
        "{}?{}&copy=1",
        key_link::FORM,
        key_link::query(&key_link::values_of(key))
    );
    let comes_to_keys = use_session().is_some_and(|session| session.comes_to_keys);
    let link = comes_to_keys.then(|| view! { <a class="button" href=link>"Copy as link"</a> });
    view! {
        <section class="section">
            <div class="section-head">
                <h2>"Use it"</h2>
                {link}
            </div>
            <p class="muted">"Snippets with a placeholder: the secret is not here."</p>
            {snippet_list(&project.slug, key.summary.environment, false)}
        </section>
    }
    .into_any()
}

fn access(key: &KeyDetail, project: &Project) -> AnyView {
    let scopes = key
        .summary
        .scopes
        .iter()
        .map(|scope| view! { <li><code>{scope.to_string()}</code></li> })
        .collect_view();
    let mut rules = key.restrictions.in_words();
    rules.extend(allowed_in_words(&key.restrictions.resources, &project.resources));
    let place = key.summary.environment.as_str();
    let words = match key.summary.scopes.len() {
        0 => "It may identify itself and nothing else.".to_owned(),
        1 => format!("It holds one scope, on {place} only."),
        n => format!("It holds {n} scopes, on {place} only."),
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>"What it may do"</h2></header>
            <p>{words}</p>
            <ul class="rows">{scopes}</ul>
            {(!rules.is_empty()).then(|| view! { <h3>"Restrictions"</h3><ul class="rows">{rules.into_iter().map(|rule| view! { <li>{rule}</li> }).collect_view()}</ul> })}
        </section>
    }
    .into_any()
}
