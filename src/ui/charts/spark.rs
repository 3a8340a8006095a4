//! A span of time in small bars: a week of days, a day of hours.

use leptos::prelude::*;

const HEIGHT: i64 = 16;
const PITCH: usize = 8;

/// Counts, oldest first, each against `peak` or the largest. Beside it stands the sum in words for screen readers;
/// `span` says of what: `7 days`.
#[must_use]
pub fn spark(counts: &[i64], span: &str, peak: i64) -> AnyView {
    let peak = counts.iter().copied().max().unwrap_or(0).max(peak).max(1);
    let bars = counts.iter().enumerate().map(|(index, &count)| {
        let height = if count == 0 { 1 } else { (count * HEIGHT / peak).max(2) };
        view! { <rect class="bar" x=(index * PITCH).to_string() y=(HEIGHT - height).to_string() width="6" height=height.to_string()></rect> }
    });
    let total: i64 = counts.iter().sum();
    let words = format!("{} in {span}", crate::model::calendar::counted(total, "request"));
    let width = counts.len() * PITCH;
    view! {
        <svg class="spark" viewBox=format!("0 0 {width} 16") width=width.to_string() aria-hidden="true">{bars.collect_view()}</svg>
        <span class="vh">{words}</span>
    }
    .into_any()
}
