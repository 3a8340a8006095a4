//! Collecting the secret of a key by a link that works once. Looking collects nothing.

use leptos::prelude::*;

use super::sign_in::{gate, gated};
use crate::model::form::FormState;
use crate::model::handover::{ClaimPage as Claim, ClaimStanding};
use crate::rpc::doors::look_at_claim;
use crate::ui::components::{EnvironmentTag, Icon, ask};
use crate::ui::form::{FormErrors, TextField, typed_or_asked, use_form_state};

#[component]
pub fn ClaimPage() -> impl IntoView {
    let state = use_form_state();
    let token = typed_or_asked(&state, "token");
    let asked = token.clone();
    let claim = ask(move || asked.clone(), look_at_claim);
    gated(claim, move |claim| draw(&claim, &state, &token))
}

fn draw(claim: &Claim, state: &FormState, token: &str) -> AnyView {
    let body = match &claim.standing {
        ClaimStanding::Ready => ready(claim, state, token),
        ClaimStanding::SignInFirst => view! {
            <p>"It is for one member of "{claim.organisation.clone()}" alone. Sign in, then open the link again."</p>
            <a class="button primary wide" href="/sign-in">"Sign in"</a>
        }
        .into_any(),
        ClaimStanding::SomebodyElse { signed_in_as } => view! {
            <p>{format!("It is for another account than {signed_in_as}. Sign out, then open the link again.")}</p>
            <form method="post" action="/sign-out"><button class="button wide">"Sign out"</button></form>
        }
        .into_any(),
    };
    let card = view! {
        <p>{format!("{} of {} hands you this key:", claim.made_by, claim.organisation)}</p>
        <p><b>{claim.key_name.clone()}</b>" "<EnvironmentTag environment=claim.environment/>" "<span class="muted">{claim.project_name.clone()}</span></p>
        {body}
    };
    gate("Collect an API key", card).into_any()
}

fn ready(claim: &Claim, state: &FormState, token: &str) -> AnyView {
    let passphrase = TextField {
        name: "passphrase",
        label: "Passphrase",
        hint: "Whoever sent the link tells it to you another way.",
        kind: "password",
        autocomplete: "off",
        max: 128,
        ..TextField::default()
    };
    let passphrase = claim.needs_passphrase.then(|| passphrase.draw(state, ""));
    let until = format!(
        "The link works once, until {}. The secret is made now and shown to you alone: have a place ready to store it.",
        claim.expires_at.exact_in_words()
    );
    view! {
        <p class="muted">{until}</p>
        <form class="form" method="post" action="/claim" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="token" value=token.to_owned()/>
            {passphrase}
            <button class="button primary wide">"Make and show the secret"</button>
        </form>
    }
    .into_any()
}

/// After the secret was stored: nothing is left to do.
#[component]
pub fn ClaimStoredPage() -> impl IntoView {
    let body = view! {
        <div class="notice ok"><Icon name="ok"/><div><p>"Noted that the secret is stored. You can close this page."</p></div></div>
    };
    gate("Thank you", body)
}
