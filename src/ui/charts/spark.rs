//! A week in seven small bars.

use leptos::prelude::*;

const HEIGHT: i64 = 16;

/// Seven counts, oldest first, each against the largest. Beside it stands the sum in words for screen readers.
#[must_use]
pub fn spark(counts: &[i64]) -> AnyView {
    let peak = counts.iter().copied().max().unwrap_or(0).max(1);
    let bars = counts.iter().enumerate().map(|(index, &count)| {
        let height = if count == 0 { 1 } else { (count * HEIGHT / peak).max(2) };
        view! { <rect class="bar" x=(index * 8).to_string() y=(HEIGHT - height).to_string() width="6" height=height.to_string()></rect> }
    });
    let total: i64 = counts.iter().sum();
    let words = format!("{} in 7 days", crate::model::calendar::counted(total, "request"));
    view! {
        <svg class="spark" viewBox="0 0 56 16" aria-hidden="true">{bars.collect_view()}</svg>
        <span class="vh">{words}</span>
    }
    .into_any()
}
