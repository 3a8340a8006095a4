//! The security checklist.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::security::Checklist;

#[server(endpoint = "security/checks")]
pub async fn get_security_checks() -> Result<Checklist, AppError> {
    use crate::server::{domain::security, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let checks = security::checks(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "security.read", checks).await
}
