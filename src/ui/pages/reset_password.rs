//! Choosing a new password by a single-use link. Looking consumes nothing.

use leptos::prelude::*;

use super::sign_in::{gate, gated};
use crate::model::form::FormState;
use crate::model::password::ContextWords;
use crate::model::profile::ResetForm;
use crate::rpc::doors::open_reset_link;
use crate::ui::components::{Icon, PasswordField, ask};
use crate::ui::form::{FormErrors, typed_or_asked, use_form_state};

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let state = use_form_state();
    let token = typed_or_asked(&state, "token");
    let asked = token.clone();
    let form = ask(move || asked.clone(), open_reset_link);
    gated(form, move |form| draw(&form, &state, &token))
}

fn draw(form: &ResetForm, state: &FormState, token: &str) -> AnyView {
    // The words that belong to the person stay on the server: this page tells nobody whose account it is.
    let context = ContextWords::of_nobody();
    let password = PasswordField::new("new_password", "New password", form.min_length, context);
    let other = form.signed_in_as_other.then(|| {
        view! {
            <div class="notice info">
                <Icon name="info"/>
                <div><p>"You are signed in with another account in this browser. This sets the password of the account below, not yours."</p></div>
            </div>
        }
    });
    let body = view! {
        {other}
        <p>"For the account "<b>{form.masked_email.clone()}</b>". Its sessions end. You sign in afterwards, with your second factor if you have one."</p>
        <form class="form" method="post" action="/reset-password" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="token" value=token.to_owned()/>
            {password.draw(state)}
            <button class="button primary wide">"Set the password"</button>
        </form>
    };
    gate("Choose a new password", body).into_any()
}
