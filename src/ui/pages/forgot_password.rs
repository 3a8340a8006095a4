//! Asking for a link, without learning who exists.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::sign_in::{email_field, gate};
use crate::model::form::FormState;
use crate::rpc::doors::at_sign_in;
use crate::ui::components::{Icon, ask, loaded};
use crate::ui::form::{FormErrors, use_form_state};

#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let state = use_form_state();
    let sent = use_query_map().get_untracked().get("done").as_deref() == Some("sent");
    let door = ask(|| (), |()| at_sign_in());
    let body = loaded(door, move |door| match (door.mail, sent) {
        (false, _) => ask_somebody(),
        (true, true) => on_its_way(),
        (true, false) => form(&state),
    });
    gate("Forgot your password?", body)
}

fn form(state: &FormState) -> AnyView {
    view! {
        <p class="muted">"You get a link by mail with which you choose a new password."</p>
        <form class="form" method="post" action="/forgot-password" novalidate>
            <FormErrors state=state.clone()/>
            {email_field(state)}
            <button class="button primary wide">"Send the link"</button>
        </form>
        <a class="button quiet wide" href="/sign-in">"Back to sign-in"</a>
    }
    .into_any()
}

fn on_its_way() -> AnyView {
    view! {
        <div class="notice ok" role="status">
            <Icon name="ok"/>
            <div>
                <p>"If an account has this address, a letter is on its way. Its link works once, within the hour."</p>
                <p>"Nothing there in a few minutes? Look among the spam, or check the address and ask again. At most three letters an hour are sent."</p>
            </div>
        </div>
        <a class="button quiet wide" href="/sign-in">"Back to sign-in"</a>
    }
    .into_any()
}

fn ask_somebody() -> AnyView {
    view! {
        <div class="notice info">
            <Icon name="info"/>
            <div><p>"This installation sends no mail. Ask an administrator of your organisation for a link, or whoever runs the installation."</p></div>
        </div>
        <a class="button quiet wide" href="/sign-in">"Back to sign-in"</a>
    }
    .into_any()
}
