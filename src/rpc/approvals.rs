//! Approvals: the list of requests, and one of them.

use leptos::prelude::*;

use crate::model::approval::{ApprovalFilter, ApprovalList, ApprovalPage};
use crate::model::error::AppError;
use crate::model::id::ApprovalId;

#[server(endpoint = "approvals/list")]
pub async fn list_approvals(filter: ApprovalFilter) -> Result<ApprovalList, AppError> {
    use crate::server::{domain::approvals, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let filter = ApprovalFilter {
        page: crate::model::page::PageRequest::clamped(filter.page.number, filter.page.size),
        ..filter
    };
    let listed = approvals::list(&ctx, &actor, &filter).await;
    rpc_edge::answer(&ctx, &actor, "approvals.list", listed).await
}

#[server(endpoint = "approvals/get")]
pub async fn get_approval(id: ApprovalId) -> Result<ApprovalPage, AppError> {
    use crate::server::{domain::approvals, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = approvals::page(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "approvals.read", page).await
}
