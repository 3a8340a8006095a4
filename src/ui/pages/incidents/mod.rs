//! Incidents: a key that may have leaked, from the first click to the report.

pub mod acts;
mod checklist;
pub mod close;
pub mod detail;
pub mod leaked;
pub mod list;
pub mod report;
mod timeline;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::model::error::AppError;
use crate::model::id::IncidentId;
use crate::model::incident::{IncidentPage, IncidentStatus};
use crate::model::usage::UsageRange;
use crate::rpc::incidents::get_incident;
use crate::ui::components::{Crumb, Loaded, ask};

fn list_crumb() -> Vec<Crumb> {
    vec![("Incidents".to_owned(), "/settings/incidents".to_owned())]
}

fn address_of(id: &IncidentId) -> String {
    format!("/settings/incidents/{id}")
}

/// The incident that the address names, with the chart's range if it names one.
fn incident_of_address() -> Loaded<IncidentPage> {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = move || {
        let range = query.read().get("range").map(|range| UsageRange::parse(&range));
        (params.read().get("id").unwrap_or_default(), range)
    };
    ask(asked, async |(id, range)| match id.parse::<IncidentId>() {
        Ok(id) => get_incident(id, range).await,
        Err(_) => Err(AppError::not_found()),
    })
}

fn status_badge(status: IncidentStatus) -> AnyView {
    let class = match status {
        IncidentStatus::Open => "badge danger",
        IncidentStatus::Closed => "badge neutral",
    };
    view! { <span class=class>{status.label()}</span> }.into_any()
}
