//! From page to page of a list; the address says which.

use leptos::prelude::*;

use crate::model::calendar::grouped;

/// `1–50 of 128`, and where there is one, the page before and after. `href` makes the address of a page.
#[component]
pub fn Pager<F: Fn(u32) -> String>(
    number: u32,
    last: u32,
    size: u32,
    shown: usize,
    total: i64,
    href: F,
) -> impl IntoView {
    let first = i64::from(number.saturating_sub(1)) * i64::from(size) + 1;
    let end = first - 1 + i64::try_from(shown).unwrap_or(0);
    let step = |label: &'static str, rel: &'static str, target: Option<u32>| match target {
        Some(page) => view! { <a class="button small" rel=rel href=href(page)>{label}</a> }.into_any(),
        None => view! { <a class="button small" role="link" aria-disabled="true">{label}</a> }.into_any(),
    };
    let previous = step("Previous", "prev", (number > 1).then(|| number - 1));
    let next = step("Next", "next", (number < last).then(|| number + 1));
    (total > 0).then(|| {
        view! {
            <nav class="pager" aria-label="Pages">
                <p>{format!("{}–{} of {}", grouped(first), grouped(end), grouped(total))}</p>
                {previous}
                {next}
            </nav>
        }
    })
}
