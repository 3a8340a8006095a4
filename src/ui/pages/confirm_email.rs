//! Agreeing to a new e-mail address by a single-use link, from either end. Looking confirms nothing.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::sign_in::{gate, gated};
use crate::model::form::FormState;
use crate::model::profile::EmailForm;
use crate::rpc::doors::open_email_link;
use crate::ui::components::{Icon, ask};
use crate::ui::form::{FormErrors, typed_or_asked, use_form_state};

#[component]
pub fn ConfirmEmailPage() -> impl IntoView {
    let state = use_form_state();
    match use_query_map().get_untracked().get("done").as_deref() {
        Some("half") => return done("Agreed. The new address takes effect when the other end agrees too."),
        Some("whole") => return done("The new e-mail address is in force. Sign in with it from now on."),
        _ => {}
    }
    let token = typed_or_asked(&state, "token");
    let asked = token.clone();
    let form = ask(move || asked.clone(), open_email_link);
    gated(form, move |form| draw(&form, &state, &token))
}

fn done(text: &'static str) -> AnyView {
    let body = view! {
        <div class="notice ok" role="status"><Icon name="ok"/><div><p>{text}</p></div></div>
        <a class="button quiet wide" href="/account">"Go to your account"</a>
    };
    gate("E-mail address", body).into_any()
}

fn draw(form: &EmailForm, state: &FormState, token: &str) -> AnyView {
    let other = form.signed_in_as_other.then(|| {
        view! {
            <div class="notice info">
                <Icon name="info"/>
                <div><p>"You are signed in with another account in this browser. This changes the account below, not yours."</p></div>
            </div>
        }
    });
    let rest = match (form.other_confirmed, form.is_old) {
        (true, _) => "The other end has agreed already: the new address takes effect at once.",
        (false, true) => "The new address gets a link of its own; both have to agree.",
        (false, false) => "The present address gets a link of its own; both have to agree.",
    };
    let body = view! {
        {other}
        <FormErrors state=state.clone()/>
        <p>"The account "<b>{form.masked_old.clone()}</b>" is to have the address "<b>{form.new_email.clone()}</b>"."</p>
        <p class="muted">{rest}" If you did not ask for this, close the page: nothing happens."</p>
        <form class="form" method="post" action="/confirm-email">
            <input type="hidden" name="token" value=token.to_owned()/>
            <button class="button primary wide">"Agree to the new address"</button>
        </form>
    };
    gate("Change of e-mail address", body).into_any()
}
