//! Where one becomes somebody.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::problem::problem_page;
use crate::model::account::Ended;
use crate::model::form::FormState;
use crate::rpc::doors::{SignInDoor, at_sign_in};
use crate::ui::components::{Icon, Loaded, PageTitle, PasswordField, ask, loaded, loaded_or};
use crate::ui::form::{FormErrors, TextField, field_error, typed_or_asked, use_form_state};
use crate::ui::target::set_status;

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

/// A page before the frame that the server has to be asked about first; an error is a page of its own.
pub(super) fn gated<T: Send + 'static>(
    asked: Loaded<T>,
    draw: impl FnOnce(T) -> AnyView + Send + 'static,
) -> AnyView {
    loaded_or(asked, draw, |error| {
        set_status(error.status());
        let title = error.code.title();
        view! { <PageTitle text=title/>{problem_page(error)} }.into_any()
    })
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
    let field = PasswordField {
        name: "password",
        label,
        hint,
        autocomplete,
        measure: None,
    };
    field.draw_with(error)
}

/// What led here: only words of ours, the address says which.
fn arrival() -> Option<AnyView> {
    let done = use_query_map().get_untracked().get("done");
    let text = match done.as_deref() {
        Some("reset") => "Your new password is set. Sign in with it.",
        Some("deleted") => "Your account is deleted.",
        _ => return None,
    };
    let notice =
        view! { <div class="notice ok" role="status"><Icon name="ok"/><div><p>{text}</p></div></div> };
    Some(notice.into_any())
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
    let door = ask(|| (), |()| at_sign_in());
    let forgotten = |door: SignInDoor| {
        let link = view! { <p class="muted"><a href="/forgot-password">"Forgot your password?"</a></p> };
        door.mail.then_some(link).into_any()
    };
    let form = view! {
        {arrival()}
        {ended}
        <form class="form" method="post" action="/sign-in" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="next" value=next/>
            {email_field(&state)}
            {password_field("Password", "", "current-password", field_error(&state, "password"))}
            <button class="button primary wide">"Sign in"</button>
        </form>
        {loaded(door, forgotten)}
        <p class="muted"><a href="/found">"Found a key?"</a></p>
    };
    gate("Sign in", form)
}
