//! Create and edit projects.

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, see_other};
use crate::model::error::AppError;
use crate::model::id::ProjectId;
use crate::model::import_format::parse_formats;
use crate::model::project::parse_catalogue;
use crate::model::resource::parse_resources;
use crate::server::domain::projects::{self, ProjectDraft, ProjectEdit};
use crate::server::http::state::AppState;

/// `POST /settings/projects/new`
pub async fn create(State(state): State<AppState>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let draft = ProjectDraft {
        name: form.values.first("name"),
        prefix: form.values.first("prefix"),
        scopes: parse_catalogue(&form.values),
    };
    match projects::create(&state.ctx, &signed_in.actor, draft).await {
        Ok(id) => see_other(&format!("/settings/projects/{id}?done=created")),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "projects.create", error)
                .await
        }
    }
}

/// `POST /settings/projects/{id}`
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let Ok(id) = id.parse::<ProjectId>() else {
        return form.again(&state, AppError::not_found()).await;
    };
    let version = form.values.first("version").parse().unwrap_or(-1);
    let edit = ProjectEdit {
        name: form.values.first("name"),
        scopes: parse_catalogue(&form.values),
        formats: parse_formats(&form.values),
        resources: form
            .values
            .has("resources")
            .then(|| parse_resources(form.values.first("resources"))),
    };
    match projects::edit(&state.ctx, &signed_in.actor, &id, version, edit).await {
        Ok(()) => see_other(&format!("/settings/projects/{id}?done=saved")),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "projects.edit", error)
                .await
        }
    }
}
