//! Access reviews: the list, one of them, the form for a new one.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::ReviewId;
use crate::model::key::KeyFilter;
use crate::model::review::{NewReviewForm, ReviewList, ReviewPage, Shown};

#[server(endpoint = "reviews/list")]
pub async fn list_reviews(page: u32) -> Result<ReviewList, AppError> {
    use crate::server::{domain::reviews, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = reviews::list(&ctx, &actor, page).await;
    rpc_edge::answer(&ctx, &actor, "reviews.list", listed).await
}

/// Without a page the review alone: no keys, and not how many are whose.
#[server(endpoint = "reviews/get")]
pub async fn get_review(
    id: ReviewId,
    shown: Option<Shown>,
    page: Option<u32>,
) -> Result<ReviewPage, AppError> {
    use crate::server::{domain::reviews, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = reviews::page(&ctx, &actor, &id, shown, page).await;
    rpc_edge::answer(&ctx, &actor, "reviews.read", page).await
}

#[server(endpoint = "reviews/form")]
pub async fn review_form(filter: KeyFilter) -> Result<NewReviewForm, AppError> {
    use crate::server::{domain::reviews, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = reviews::form(&ctx, &actor, filter).await;
    rpc_edge::answer(&ctx, &actor, "reviews.start", form).await
}
