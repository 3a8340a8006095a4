//! Asking for another e-mail address.

use leptos::prelude::*;

use super::account_crumb;
use crate::model::form::FormState;
use crate::model::profile::Profile;
use crate::rpc::account::my_profile;
use crate::ui::components::{Icon, PageHead, ask, loaded};
use crate::ui::form::{FormErrors, TextField, use_form_state};

#[component]
pub fn EmailPage() -> impl IntoView {
    let state = use_form_state();
    let profile = ask(|| (), |()| my_profile());
    loaded(profile, move |profile| draw(&profile, &state))
}

fn draw(profile: &Profile, state: &FormState) -> AnyView {
    let lede = format!("Now {}.", profile.email);
    view! {
        <PageHead title="E-mail address" root="Account" crumbs=account_crumb() lede=lede.into_any()/>
        {if profile.mail { form(state) } else { by_operator(profile) }}
    }
    .into_any()
}

fn form(state: &FormState) -> AnyView {
    let email = TextField {
        name: "email",
        label: "New e-mail address",
        hint: "It takes effect when both addresses have agreed: each gets a letter with a link, good for a day.",
        kind: "email",
        autocomplete: "email",
        max: 254,
        ..TextField::default()
    };
    view! {
        <form class="form" method="post" action="/account/email" novalidate>
            <FormErrors state=state.clone()/>
            {email.draw(state, "")}
            <div class="form-actions">
                <button class="button primary">"Send the letters"</button>
                <a class="button quiet" href="/account">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn by_operator(profile: &Profile) -> AnyView {
    let command = format!("keywright accounts set-email {} NEW", profile.email);
    view! {
        <div class="notice info">
            <Icon name="info"/>
            <div>
                <p>"This installation sends no mail, so a new address cannot be confirmed. Whoever runs it can change yours:"</p>
                <p><code>{command}</code></p>
            </div>
        </div>
    }
    .into_any()
}
