//! Moments: relative in text, exact for tooltips and screen readers.

use leptos::prelude::*;

use crate::model::time::Timestamp;

/// `2 minutes ago`, with the exact moment behind it.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp) -> AnyView {
    let text = if at > now { at.ahead(now) } else { at.ago(now) };
    view! { <time datetime=at.rfc3339() title=at.exact_in_words()>{text}</time> }.into_any()
}

#[must_use]
pub fn never() -> AnyView {
    view! { <span class="muted">"Never"</span> }.into_any()
}

/// When something ends: `in 61 days`, `never`.
#[must_use]
pub fn expiry(at: Option<Timestamp>, now: Timestamp) -> AnyView {
    at.map_or_else(never, |at| moment(at, now))
}
