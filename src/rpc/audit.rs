//! The audit log.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::audit::{AuditFilter, AuditLine};
use crate::model::error::AppError;
use crate::model::page::Page;
use crate::model::time::Timestamp;

/// One page of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    pub now: Timestamp,
    pub page: Page<AuditLine>,
}

#[server(endpoint = "audit/list")]
pub async fn list_audit(filter: AuditFilter, page: u32) -> Result<AuditPage, AppError> {
    use crate::server::{domain::audit, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = audit::list(
        &ctx,
        &actor,
        &filter,
        crate::model::page::PageRequest::clamped(page, 50),
    )
    .await;
    let listed = listed.map(|page| AuditPage {
        now: ctx.clock.now(),
        page,
    });
    rpc_edge::answer(&ctx, &actor, "audit.read", listed).await
}
