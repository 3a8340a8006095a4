//! Inviting somebody, sending again, revoking.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{list_crumb, role_choices};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::member::InvitationSummary;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::rpc::members::get_invitation;
use crate::ui::components::{Loaded, PageHead, PageTitle, ask, loaded};
use crate::ui::form::{FormErrors, TextField, use_form_state};
use crate::ui::frame::for_whoever_may;

#[component]
pub fn InvitePage() -> impl IntoView {
    let state = use_form_state();
    for_whoever_may(Permission::MembersManage, move |session| {
        let own = session.role.unwrap_or(Role::Auditor);
        let grantable: Vec<Role> = Role::ALL
            .into_iter()
            .filter(|role| own.may_grant(*role))
            .collect();
        invite_form(&grantable, &state)
    })
}

fn invite_form(grantable: &[Role], state: &FormState) -> AnyView {
    let email = TextField {
        name: "email",
        label: "E-mail address",
        hint: "The invitation is for this address alone.",
        kind: "email",
        autocomplete: "off",
        placeholder: "grace@example.com",
        max: 254,
        ..TextField::default()
    };
    view! {
        <PageHead title="Invite a member" crumbs=list_crumb() lede="They get a link that works once, within seven days.".into_any()/>
        <form class="form" method="post" action="/settings/members/invite" novalidate>
            <FormErrors state=state.clone()/>
            {email.draw(state, "")}
            {role_choices(state, grantable, Role::Developer)}
            <div class="form-actions">
                <button class="button primary">"Invite"</button>
                <a class="button quiet" href="/settings/members">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// The invitation that the address names.
fn invitation_of_address() -> Loaded<InvitationSummary> {
    let id = || {
        use_params_map()
            .read_untracked()
            .get("id")
            .and_then(|id| id.parse().ok())
    };
    ask(id, async |id| match id {
        Some(id) => get_invitation(id).await,
        None => Err(AppError::not_found()),
    })
}

#[component]
pub fn ResendInvitationPage() -> impl IntoView {
    let state = use_form_state();
    let effect =
        "A new link takes the place of the old one, which no longer works, and is valid for seven days.";
    loaded(invitation_of_address(), move |invitation| {
        let title = format!("Send the invitation for {} again?", invitation.email);
        confirm(
            &invitation,
            (title, effect),
            ("resend", "Make a new link", "button primary"),
            &state,
        )
    })
}

#[component]
pub fn RevokeInvitationPage() -> impl IntoView {
    let state = use_form_state();
    let effect = "Its link no longer works. You can invite the address again at any time.";
    loaded(invitation_of_address(), move |invitation| {
        let title = format!("Revoke the invitation for {}?", invitation.email);
        confirm(
            &invitation,
            (title, effect),
            ("revoke", "Revoke invitation", "button primary danger"),
            &state,
        )
    })
}

fn confirm(
    invitation: &InvitationSummary,
    (title, effect): (String, &'static str),
    (path, button, class): (&'static str, &'static str, &'static str),
    state: &FormState,
) -> AnyView {
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title.clone()}</h1>
            <p>{effect}</p>
            <form class="form" method="post" action=format!("/settings/invitations/{}/{path}", invitation.id) novalidate>
                <FormErrors state=state.clone()/>
                <div class="form-actions">
                    <button class=class>{button}</button>
                    <a class="button quiet" href="/settings/members">"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}
