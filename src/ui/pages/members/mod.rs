//! Members, invitations, and the second factor asked of everybody.

pub mod acts;
pub mod detail;
pub mod invitations;
pub mod list;
pub mod offboard;
pub mod organisation;
pub mod security;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::AccountId;
use crate::model::member::{MemberPage, MemberStatus};
use crate::model::org::Role;
use crate::rpc::members::get_member;
use crate::ui::components::{Loaded, ask};
use crate::ui::form::{error_id, field_class, field_error, typed};

pub(super) fn member_address(id: &AccountId) -> String {
    format!("/settings/members/{id}")
}

fn list_crumb() -> Vec<(String, String)> {
    vec![("Members".to_owned(), "/settings/members".to_owned())]
}

/// The account that the address names.
fn id_of_address() -> Option<AccountId> {
    use_params_map()
        .read_untracked()
        .get("id")
        .and_then(|id| id.parse().ok())
}

/// The member that the address names.
fn member_of_address() -> Loaded<MemberPage> {
    ask(id_of_address, async |id| match id {
        Some(id) => get_member(id).await,
        None => Err(AppError::not_found()),
    })
}

fn status_badge(status: MemberStatus) -> AnyView {
    let class = match status {
        MemberStatus::Active => "badge ok",
        MemberStatus::Suspended => "badge warn",
        MemberStatus::Removed => "badge neutral",
    };
    view! { <span class=class>{status.label()}</span> }.into_any()
}

/// The roles that may be given, each with what it is for.
fn role_choices(state: &FormState, grantable: &[Role], initial: Role) -> AnyView {
    let chosen = typed(state, "role", initial.as_str());
    let radios = Role::ALL
        .into_iter()
        .filter(|role| grantable.contains(role))
        .map(|role| {
            let checked = role.as_str() == chosen;
            view! {
                <label>
                    <input type="radio" name="role" value=role.as_str() checked=checked/>
                    <span><b>{role.label()}</b><small>{role.description()}</small></span>
                </label>
            }
        });
    view! {
        <fieldset class=field_class(state, "role") id="role" aria-describedby=error_id(state, "role")>
            <legend>"Role"</legend>
            <div class="checks">{radios.collect_view()}</div>
            {field_error(state, "role")}
        </fieldset>
    }
    .into_any()
}
