//! Access reviews: list, start, one review, its ends and its export.

pub mod acts;
pub mod detail;
pub mod list;
pub mod new;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::error::AppError;
use crate::model::id::ReviewId;
use crate::model::review::{Progress, ReviewPage, ReviewStatus};
use crate::rpc::reviews::get_review;
use crate::ui::components::{Crumb, Loaded, ask};

const HERE: &str = "/settings/reviews";

fn list_crumb() -> Vec<Crumb> {
    vec![("Reviews".to_owned(), HERE.to_owned())]
}

fn address_of(id: &ReviewId) -> String {
    format!("{HERE}/{id}")
}

/// The review that the address names, without its keys.
fn review_of_address() -> Loaded<ReviewPage> {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    ask(id, async |id| match id.parse::<ReviewId>() {
        Ok(id) => get_review(id, None, None).await,
        Err(_) => Err(AppError::not_found()),
    })
}

fn status_badge(status: ReviewStatus) -> AnyView {
    let class = match status {
        ReviewStatus::Running => "badge info",
        ReviewStatus::Finished => "badge ok",
        ReviewStatus::Cancelled => "badge neutral",
    };
    view! { <span class=class>{status.label()}</span> }.into_any()
}

/// How much is decided, as a bar with words.
fn progress_meter(progress: Progress) -> AnyView {
    let (done, all) = (progress.all - progress.open, progress.all.max(1));
    let label = format!("{done} of {} done", progress.all);
    view! {
        <div class="review-progress">
            <progress class="meter" value=done.to_string() max=all.to_string() aria-label=label.clone()></progress>
            <small class="muted">{label.clone()}</small>
        </div>
    }
    .into_any()
}
