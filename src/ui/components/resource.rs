//! One way to ask the server and to show what it refused.
//!
//! 2026-11: rejected `Resource` with `Suspense`. Pages are drawn once, on the server, and only islands hydrate, so nobody
//! needs the resource afterwards, and its copy in the page's data is one more place for what must not be there. Under
//! load it also misses its own end now and then: of some thousand pages one never came.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::ui::pages::problem::problem_section;

/// What a page asked the server for.
pub struct Loaded<T>(Pin<Box<dyn Future<Output = Result<T, AppError>> + Send>>);

/// Asks the server, with what the address says.
pub fn ask<K, T, F>(key: impl FnOnce() -> K, fetch: impl FnOnce(K) -> F) -> Loaded<T>
where
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    Loaded(Box::pin(fetch(untrack(key))))
}

/// Draws what the server answered, and an error as a readable section with its status.
pub fn loaded<T: Send + 'static>(
    asked: Loaded<T>,
    draw: impl FnOnce(T) -> AnyView + Send + 'static,
) -> AnyView {
    loaded_or(asked, draw, problem_section)
}

/// The same with an error drawn another way.
pub fn loaded_or<T: Send + 'static>(
    asked: Loaded<T>,
    draw: impl FnOnce(T) -> AnyView + Send + 'static,
    refused: impl FnOnce(AppError) -> AnyView + Send + 'static,
) -> AnyView {
    let drawn = Suspend::new(async move {
        match asked.0.await {
            Ok(value) => draw(value),
            Err(error) => refused(error),
        }
    });
    view! { {drawn} }.into_any()
}
