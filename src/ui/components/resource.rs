//! One way to wait for the server and to show what it refused.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::ui::pages::problem::problem_section;

/// What a page asked the server for.
pub type Loaded<T> = Resource<Result<T, AppError>>;

/// Draws what the server answered; while it is awaited a skeleton, and an error as a readable section with its status.
pub fn loaded<T>(resource: Loaded<T>, draw: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    view! {
        <Transition fallback=skeleton>
            {move || {
                resource.get().map(|answer| match answer {
                    Ok(value) => draw(value),
                    Err(error) => problem_section(error),
                })
            }}
        </Transition>
    }
    .into_any()
}

fn skeleton() -> AnyView {
    view! {
        <div class="skeleton" aria-hidden="true">
            <span class="title"></span>
            <span></span>
            <span></span>
            <span></span>
        </div>
        <p class="vh" role="status">"Loading…"</p>
    }
    .into_any()
}
