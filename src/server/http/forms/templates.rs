//! Create, edit and delete templates of keys.

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, id_of, see_other};
use crate::model::form::FormValues;
use crate::model::restriction::RestrictionsDraft;
use crate::model::scope_group::words;
use crate::server::domain::templates::{self, TemplateDraft};
use crate::server::http::state::AppState;

const PAGE: &str = "/settings/templates";

fn draft(values: &FormValues) -> TemplateDraft<'_> {
    TemplateDraft {
        name: values.first("name"),
        description: values.first("description"),
        project: values.first("project"),
        environment: values.first("environment"),
        preset: values.first("preset"),
        scopes: words(values.first("scopes")).collect(),
        restrictions: RestrictionsDraft::of_form(values),
        expiry: values.first("expiry"),
        rotation_days: values.first("rotation_days"),
    }
}

/// `POST /settings/templates/new`
pub async fn create(State(state): State<AppState>, form: Submitted) -> Response {
    form.act(&state, "templates.create", async |signed_in, values| {
        templates::create(&state.ctx, &signed_in.actor, &draft(values)).await?;
        Ok(see_other(&format!("{PAGE}?done=created")))
    })
    .await
}

/// `POST /settings/templates/{id}`
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "templates.edit", async |signed_in, values| {
        let version = values.first("version").parse().unwrap_or(-1);
        let draft = draft(values);
        templates::edit(&state.ctx, &signed_in.actor, &id_of(&id)?, version, &draft).await?;
        Ok(see_other(&format!("{PAGE}?done=saved")))
    })
    .await
}

/// `POST /settings/templates/{id}/delete`
pub async fn delete(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "templates.delete", async |signed_in, _| {
        templates::delete(&state.ctx, &signed_in.actor, &id_of(&id)?).await?;
        Ok(see_other(&format!("{PAGE}?done=template-deleted")))
    })
    .await
}
