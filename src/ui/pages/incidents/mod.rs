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
use crate::model::form::FormState;
use crate::model::id::IncidentId;
use crate::model::incident::{IncidentPage, IncidentStatus};
use crate::model::usage::UsageRange;
use crate::rpc::incidents::get_incident;
use crate::ui::components::{Crumb, Loaded, ask};
use crate::ui::form::{area_text, error_id, field_class, field_error, typed};

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

/// A field of several lines of prose.
fn prose_field(
    state: &FormState,
    (name, label): (&'static str, &'static str),
    hint: &'static str,
    initial: &str,
    max: usize,
) -> AnyView {
    let hint_id = format!("{name}-hint");
    let described = match error_id(state, name) {
        Some(error) => format!("{hint_id} {error}"),
        None => hint_id.clone(),
    };
    view! {
        <div class=field_class(state, name)>
            <label for=name>{label}</label>
            <p class="hint" id=hint_id>{hint}</p>
            <textarea id=name name=name rows="3" maxlength=max.to_string()
                aria-invalid=error_id(state, name).map(|_| "true") aria-describedby=described
            >{area_text(&typed(state, name, initial))}</textarea>
            {field_error(state, name)}
        </div>
    }
    .into_any()
}
