//! Accepting an invitation: with the account of that address, or with a new one.

use leptos::prelude::*;

use super::sign_in::{gate, gated};
use crate::model::form::FormState;
use crate::model::member::{InvitationPage as Invitation, InvitationStanding};
use crate::model::password::{ContextWords, MIN_ALONE};
use crate::rpc::members::look_at_invitation;
use crate::ui::components::{PasswordField, ask};
use crate::ui::form::{FormErrors, TextField, typed_or_asked, use_form_state};

#[component]
pub fn InvitationPage() -> impl IntoView {
    let state = use_form_state();
    let token = typed_or_asked(&state, "token");
    let asked = token.clone();
    let invitation = ask(move || asked.clone(), look_at_invitation);
    gated(invitation, move |invitation| {
        gate("Invitation", draw(&invitation, &token, &state)).into_any()
    })
}

fn draw(invitation: &Invitation, token: &str, state: &FormState) -> AnyView {
    let next = match &invitation.standing {
        InvitationStanding::Stranger => newcomer(invitation, token, state),
        InvitationStanding::Ready => ready(invitation, token, state),
        InvitationStanding::SomebodyElse { signed_in_as } => somebody_else(invitation, signed_in_as),
    };
    view! {
        <p>
            <b>{invitation.inviter.clone()}</b>" invites you to join "<b>{invitation.organisation.clone()}</b>" as "
            {invitation.role.label().to_lowercase()}". The link is valid until "{invitation.expires_at.date_in_words()}"."
        </p>
        {next}
    }
    .into_any()
}

fn newcomer(invitation: &Invitation, token: &str, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Your name",
        autocomplete: "name",
        optional: true,
        ..TextField::default()
    };
    let context = ContextWords::of([invitation.organisation.as_str()], "", &invitation.email);
    let password = PasswordField::new("password", "Password", MIN_ALONE, context);
    view! {
        <form class="form" method="post" action="/invitation" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="token" value=token.to_owned()/>
            <div class="field">
                <label for="email">"E-mail"</label>
                <input id="email" type="email" value=invitation.email.clone() autocomplete="username" readonly/>
            </div>
            {name.draw(state, "")}
            {password.draw(state)}
            <button class="button primary wide">"Create account and join"</button>
        </form>
        <p class="muted">"You have an account already? "<a href="/sign-in?next=%2Finvitation">"Sign in to join"</a></p>
    }
    .into_any()
}

fn ready(invitation: &Invitation, token: &str, state: &FormState) -> AnyView {
    view! {
        <form class="form" method="post" action="/invitation" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="token" value=token.to_owned()/>
            <button class="button primary wide">{format!("Join {}", invitation.organisation)}</button>
        </form>
    }
    .into_any()
}

fn somebody_else(invitation: &Invitation, signed_in_as: &str) -> AnyView {
    view! {
        <p>{format!("It is for {}, and you are signed in as {signed_in_as}.", invitation.email)}</p>
        <form class="form" method="post" action="/sign-out">
            <input type="hidden" name="next" value="/invitation"/>
            <button class="button primary wide">"Sign out and go on"</button>
        </form>
        <a class="button quiet wide" href="/">"Stay signed in"</a>
    }
    .into_any()
}
