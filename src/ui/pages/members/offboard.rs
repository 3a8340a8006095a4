//! Somebody leaves: every key they own or made, and what becomes of each.

use leptos::prelude::*;

use super::{id_of_address, list_crumb, member_address};
use crate::model::calendar::{counted, grouped};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::key::Badge;
use crate::model::member::{Departure, HeldKey, KeyFate, MemberStatus, OffboardPage};
use crate::model::time::Timestamp;
use crate::rpc::members::get_leaving;
use crate::ui::components::{
    Column, EnvironmentTag, Icon, PageHead, ask, key_badge, loaded, moment, never, table,
};
use crate::ui::form::{
    FormErrors, error_id, field_class, field_error, typed, typed_or_asked, use_form_state,
};
use crate::ui::pages::keys::rotate::overlap_field;
use crate::ui::pages::problem::problem_section;

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Env"),
    Column::Number("Last 24 h"),
    Column::Text("Last used"),
    Column::Text("Status"),
    Column::Text("What becomes of it"),
];

const TOKEN_COLUMNS: &[Column] = &[
    Column::Text("Token"),
    Column::Text("Project"),
    Column::Text("Last used"),
    Column::Unseen("Revoke"),
];

#[component]
pub fn OffboardMemberPage() -> impl IntoView {
    let state = use_form_state();
    let departure = Departure::parse(&typed_or_asked(&state, "departure")).unwrap_or(Departure::Remove);
    let page = ask(id_of_address, async |id| match id {
        Some(id) => get_leaving(id).await,
        None => Err(AppError::not_found()),
    });
    loaded(page, move |page| match page.may_manage {
        true => draw(&page, departure, &state),
        false => problem_section(AppError::forbidden()),
    })
}

fn draw(page: &OffboardPage, departure: Departure, state: &FormState) -> AnyView {
    let member = &page.member;
    let address = member_address(&member.account_id);
    let action = format!("{address}/offboard");
    let mut crumbs = list_crumb();
    crumbs.push((member.name.clone(), address.clone()));
    let gone = member.status == MemberStatus::Removed;
    let (title, effect, button) = match departure {
        Departure::Remove if gone => (
            format!("Keys of {}", member.name),
            "They left; what they still own is refused until it is decided.",
            "Do this",
        ),
        Departure::Suspend => (
            format!("Suspend {}", member.name),
            "Nothing of this organisation opens for them until somebody resumes them.",
            "Suspend member",
        ),
        Departure::Remove => (
            format!("Remove {}", member.name),
            "Nothing of this organisation opens for them from then on. They keep their account and other organisations.",
            "Remove member",
        ),
    };
    if page.is_last_owner {
        return view! {
            <PageHead title=title crumbs=crumbs/>
            <div class="notice warn"><Icon name="warn"/><div><p>"They are the only owner. Make somebody else an owner first."</p></div></div>
        }
        .into_any();
    }
    view! {
        <PageHead title=title crumbs=crumbs lede=effect.into_any()/>
        <form class="form wide" method="post" action=action novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="departure" value=departure.as_str()/>
            {keys(page, state)}
            {made_tokens(page)}
            <div class="form-actions">
                <button class="button primary danger">{button}</button>
                <a class="button quiet" href=address>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn keys(page: &OffboardPage, state: &FormState) -> AnyView {
    let (owned, made): (Vec<&HeldKey>, Vec<&HeldKey>) = page.keys.iter().partition(|key| key.owned);
    if owned.is_empty() && made.is_empty() {
        let name = page.member.name.clone();
        return view! {
            <div class="notice ok"><Icon name="ok"/><div><p>{name}" owns no key and made none that is in use."</p></div></div>
        }
        .into_any();
    }
    view! {
        <div id="keys">{field_error(state, "keys")}</div>
        {(!owned.is_empty()).then(|| owned_section(page, &owned, state))}
        {(!made.is_empty()).then(|| made_section(page, &made, state))}
    }
    .into_any()
}

fn owned_section(page: &OffboardPage, owned: &[&HeldKey], state: &FormState) -> AnyView {
    let rows = owned.iter().map(|key| row(key, state, page.now)).collect_view();
    view! {
        <section class="form-section">
            <h2>"Keys they own"</h2>
            <p class="muted">"An owned key that is left is refused as long as its owner is no active member. What is transferred goes on and is due for rotation at once, because they may know its secret; whoever takes it over is told by mail. “Transfer and rotate” opens the rotation as well: whoever takes it over collects a new secret, and from then on the old one goes on only for as long as is chosen here."</p>
            {heir_field(page, state)}
            {overlap_field(
                state,
                "Transfer and rotate: how long an old secret goes on, once the new one is collected",
                &page.overlap.choices(),
                page.overlap.in_words(),
            )}
            {table("Keys they own", COLUMNS, rows)}
            {common("other_owned", page.more_owned, true, state)}
        </section>
    }
    .into_any()
}

fn made_section(page: &OffboardPage, made: &[&HeldKey], state: &FormState) -> AnyView {
    let rows = made.iter().map(|key| row(key, state, page.now)).collect_view();
    view! {
        <section class="form-section">
            <h2>"Keys they made for others"</h2>
            <p class="muted">"They saw these secrets once. A key that is left goes on working; revoke it, or have it replaced, if that worries you."</p>
            {table("Keys they made for others", COLUMNS, rows)}
            {common("other_made", page.more_made, false, state)}
        </section>
    }
    .into_any()
}

fn row(key: &HeldKey, state: &FormState, now: Timestamp) -> AnyView {
    let id = key.id.to_string();
    let used = match (key.last_used_at, key.last_used_ip.clone()) {
        (Some(at), Some(ip)) => view! { {moment(at, now)}<small class="mono">{ip}</small> }.into_any(),
        (Some(at), None) => moment(at, now),
        (None, _) => never(),
    };
    let beneath = if key.owned {
        key.project_name.clone()
    } else {
        format!("{} · {}", key.project_name, key.owner_name)
    };
    let chosen = typed(state, &id, suggested(key).as_str());
    let label = format!("What becomes of {}", key.name);
    view! {
        <tr>
            <th scope="row">
                <a href=format!("/settings/api-keys/{id}")>{key.name.clone()}</a>
                <small><span class="mono">{key.hint.clone()}</span>" · "{beneath}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Last 24 h" class="num">{grouped(key.requests_24h)}</td>
            <td data-label="Last used">{used}</td>
            <td data-label="Status">{key_badge(key.badge)}</td>
            <td data-label="Then">{fate_select(id, label, key.owned, &chosen)}</td>
        </tr>
    }
    .into_any()
}

/// What is chosen at first: in use, it goes on with somebody else; out of use, it ends; another's key stays.
fn suggested(key: &HeldKey) -> KeyFate {
    match (key.owned, key.badge) {
        (false, _) => KeyFate::Leave,
        (true, badge) if (badge.passes() || badge == Badge::OwnerInactive) && key.requests_24h > 0 => {
            KeyFate::TransferAndRotate
        }
        (true, _) => KeyFate::Revoke,
    }
}

fn fate_select(name: String, label: String, owned: bool, chosen: &str) -> AnyView {
    let words = |fate: KeyFate| match (fate, owned) {
        (KeyFate::Revoke, _) => "Revoke now",
        (KeyFate::Transfer, _) => "Transfer",
        (KeyFate::TransferAndRotate, _) => "Transfer and rotate",
        (KeyFate::Leave, true) => "Leave, refused",
        (KeyFate::Leave, false) => "Leave as it is",
    };
    let all = [
        KeyFate::TransferAndRotate,
        KeyFate::Transfer,
        KeyFate::Revoke,
        KeyFate::Leave,
    ];
    let options = all
        .into_iter()
        .filter(|fate| owned || !fate.transfers())
        .map(|fate| {
            let selected = fate.as_str() == chosen;
            view! { <option value=fate.as_str() selected=selected>{words(fate)}</option> }
        });
    view! { <select name=name aria-label=label>{options.collect_view()}</select> }.into_any()
}

/// One decision for all that are too many to be listed.
fn common(name: &'static str, more: i64, owned: bool, state: &FormState) -> Option<AnyView> {
    if more == 0 {
        return None;
    }
    let label = format!("And {} that are used less", counted(more, "more key"));
    let chosen = typed(state, name, KeyFate::Leave.as_str());
    let field = view! {
        <div class=field_class(state, name)>
            <span>{label.clone()}</span>
            {fate_select(name.to_owned(), label, owned, &chosen)}
            {field_error(state, name)}
        </div>
    };
    Some(field.into_any())
}

/// Tokens go on whoever made them has gone; nothing of that is silent.
fn made_tokens(page: &OffboardPage) -> Option<AnyView> {
    if page.tokens.is_empty() {
        return None;
    }
    let rows = page.tokens.iter().map(|token| {
        let used = token.last_used_at.map_or_else(never, |at| moment(at, page.now));
        let revoke = format!("/settings/service-tokens/{}/revoke", token.id);
        view! {
            <tr>
                <th scope="row">{token.name.clone()}</th>
                <td data-label="Project">{token.project_name.clone()}</td>
                <td data-label="Last used">{used}</td>
                <td class="action"><a href=revoke aria-label=format!("Revoke {}", token.name)>"Revoke"</a></td>
            </tr>
        }
    });
    let section = view! {
        <section class="form-section">
            <h2>"Service tokens they made"</h2>
            <p class="muted">"They saw these secrets once. Tokens belong to the organisation and go on; make a new one in your service first, then revoke the old one."</p>
            {table("Service tokens they made", TOKEN_COLUMNS, rows.collect_view())}
        </section>
    };
    Some(section.into_any())
}

fn heir_field(page: &OffboardPage, state: &FormState) -> AnyView {
    let mine = page.me.map(|me| me.to_string()).unwrap_or_default();
    let chosen = typed(state, "heir", &mine);
    let options = page.heirs.iter().map(|heir| {
        let id = heir.account_id.to_string();
        let selected = id == chosen;
        view! { <option value=id selected=selected>{heir.name.clone()}</option> }
    });
    view! {
        <div class=format!("{} short", field_class(state, "heir"))>
            <label for="heir">"Transfer to"</label>
            <select id="heir" name="heir" aria-invalid=error_id(state, "heir").map(|_| "true") aria-describedby=error_id(state, "heir")>
                {options.collect_view()}
            </select>
            {field_error(state, "heir")}
        </div>
    }
    .into_any()
}
