//! Where one becomes somebody.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::model::account::Ended;
use crate::model::form::FormState;
use crate::ui::components::{Icon, PageTitle};
use crate::ui::form::{FormErrors, TextField, field_error, typed_or_asked, use_form_state};
use crate::ui::islands::PasswordToggle;

/// The narrow card of pages before the frame.
pub(super) fn gate(title: &'static str, body: impl IntoView + 'static) -> impl IntoView {
    view! {
        <PageTitle text=title/>
        {gate_card(title, body)}
    }
}

/// The card itself, for pages that are not hydrated and name themselves.
pub(super) fn gate_card(title: &'static str, body: impl IntoView + 'static) -> impl IntoView {
    view! {
        <div class="gate-body">
            <main class="gate" id="main" tabindex="-1">
                <svg class="wordmark" role="img" aria-label="Keywright" viewBox="0 0 126 28"><use href="/wordmark.svg#wordmark"></use></svg>
                <div class="card">
                    <h1>{title}</h1>
                    {body}
                </div>
            </main>
        </div>
    }
}

/// The address one signs in with.
pub(super) fn email_field(state: &FormState) -> AnyView {
    let field = TextField {
        name: "email",
        label: "E-mail",
        kind: "email",
        autocomplete: "username",
        max: 254,
        ..TextField::default()
    };
    field.draw(state, "")
}

/// A password with a button that shows it; the button appears once it works.
pub(super) fn password_field(
    label: &'static str,
    hint: &'static str,
    autocomplete: &'static str,
    error: Option<AnyView>,
) -> AnyView {
    let invalid = error.is_some();
    let described = match (hint.is_empty(), invalid) {
        (true, false) => None,
        (false, false) => Some("password-hint"),
        (true, true) => Some("password-error"),
        (false, true) => Some("password-hint password-error"),
    };
    view! {
        <div class=if invalid { "field invalid" } else { "field" }>
            <label for="password">{label}</label>
            {(!hint.is_empty()).then(|| view! { <p class="hint" id="password-hint">{hint}</p> })}
            <div class="input-group">
                <input
                    id="password"
                    name="password"
                    type="password"
                    autocomplete=autocomplete
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=described
                />
                <PasswordToggle/>
            </div>
            {error}
        </div>
    }
    .into_any()
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let state = use_form_state();
    let next = typed_or_asked(&state, "next");
    let ended = use_query_map().get_untracked().get("ended");
    let ended = ended.and_then(|ended| Ended::parse(&ended)).map(|ended| {
        view! {
            <div class="notice warn" role="status">
                <Icon name="alert"/>
                <div><p>{ended.sentence()}</p></div>
            </div>
        }
    });
    let form = view! {
        {ended}
        <form class="form" method="post" action="/sign-in" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="next" value=next/>
            {email_field(&state)}
            {password_field("Password", "", "current-password", field_error(&state, "password"))}
            <button class="button primary wide">"Sign in"</button>
        </form>
    };
    gate("Sign in", form)
}
