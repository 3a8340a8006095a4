//! What happened, why, and what to do next.

use leptos::prelude::*;

use crate::model::error::{AppError, Code};
use crate::ui::components::PageTitle;
use crate::ui::target::set_status;

fn next_step(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::Unauthenticated => ("/sign-in", "Sign in"),
        // Signed in or not: the way in knows.
        Code::LinkOver => ("/", "Go to Keywright"),
        _ => ("/settings/api-keys", "Go to API keys"),
    }
}

fn body(error: &AppError) -> impl IntoView + use<> {
    let (href, label) = next_step(error.code);
    let retry = matches!(
        error.code,
        Code::Unavailable | Code::Busy | Code::Conflict | Code::Internal
    );
    let request = error
        .request_id
        .clone()
        .map(|id| view! { <p class="meta">"Request "<code>{id}</code></p> });
    view! {
        <p class="code-no">{error.status().to_string()}</p>
        <h1>{error.code.title()}</h1>
        <p>{error.detail.clone()}</p>
        {request}
        <div class="button-row">
            {retry.then(|| view! { <a class="button primary" href="">"Try again"</a> })}
            <a class="button" href=href>{label}</a>
        </div>
    }
}

/// An error as a page of its own; never hydrated.
pub fn problem_page(error: AppError) -> impl IntoView {
    view! { <main class="problem" id="main" tabindex="-1">{body(&error)}</main> }
}

/// An error in the place of a page's content, with its status for whoever asked.
pub fn problem_section(error: AppError) -> AnyView {
    set_status(error.status());
    view! {
        <PageTitle text=error.code.title()/>
        <section class="problem">{body(&error)}</section>
    }
    .into_any()
}

/// The answer to an address that no page has.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    let error = AppError::new(
        Code::NotFound,
        "There is no page at this address. It may have moved, or the link was cut short.",
    );
    view! {
        <PageTitle text="Not found"/>
        <main class="problem" id="main" tabindex="-1">{body(&error)}</main>
    }
}
