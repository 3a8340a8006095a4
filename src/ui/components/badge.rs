//! States, in colour and word.

use leptos::prelude::*;

use crate::model::key::{Badge, Environment};
use crate::model::token::TokenStatus;

fn badge(class: &'static str, label: &'static str) -> AnyView {
    view! { <span class=class>{label}</span> }.into_any()
}

#[must_use]
pub fn key_badge(state: Badge) -> AnyView {
    let class = match state {
        Badge::Revoked => "badge danger",
        Badge::Pending | Badge::Disabled | Badge::Expired | Badge::NotYetValid => "badge neutral",
        Badge::OwnerInactive | Badge::RotationOverdue => "badge warn",
        Badge::Rotating => "badge info",
        Badge::Active => "badge ok",
    };
    badge(class, state.label())
}

#[must_use]
pub fn token_badge(status: TokenStatus) -> AnyView {
    let class = match status {
        TokenStatus::Active => "badge ok",
        TokenStatus::Expired => "badge neutral",
        TokenStatus::Revoked => "badge danger",
    };
    badge(class, status.label())
}

#[component]
pub fn EnvironmentTag(environment: Environment) -> impl IntoView {
    let class = match environment {
        Environment::Live => "tag live",
        Environment::Test => "tag test",
    };
    view! { <span class=class>{environment.as_str()}</span> }
}
