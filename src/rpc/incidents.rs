//! Incidents: the list, one with everything, and the form that opens one.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::{IncidentId, KeyId};
use crate::model::incident::{IncidentFilter, IncidentList, IncidentPage, LeakedForm};
use crate::model::usage::UsageRange;

#[server(endpoint = "incidents/list")]
pub async fn list_incidents(filter: IncidentFilter) -> Result<IncidentList, AppError> {
    use crate::server::{domain::incidents::view, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let filter = IncidentFilter {
        page: crate::model::page::PageRequest::clamped(filter.page.number, filter.page.size),
        ..filter
    };
    let listed = view::list(&ctx, &actor, &filter).await;
    rpc_edge::answer(&ctx, &actor, "incidents.list", listed).await
}

#[server(endpoint = "incidents/get")]
pub async fn get_incident(id: IncidentId, range: Option<UsageRange>) -> Result<IncidentPage, AppError> {
    use crate::server::{domain::incidents::view, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = view::page(&ctx, &actor, &id, range).await;
    rpc_edge::answer(&ctx, &actor, "incidents.read", page).await
}

/// What the form needs that opens an incident of a key.
#[server(endpoint = "incidents/form")]
pub async fn get_leaked_form(key: KeyId) -> Result<LeakedForm, AppError> {
    use crate::server::{domain::incidents::view, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = view::form(&ctx, &actor, &key).await;
    rpc_edge::answer(&ctx, &actor, "incidents.open", form).await
}
