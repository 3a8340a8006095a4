//! Taking away from a key what nothing needs, and undoing it.

use axum::extract::{Path, State};
use axum::response::Response;

use super::keys::key_page;
use super::{Submitted, id_of, see_other};
use crate::server::domain::keys::advice;
use crate::server::http::state::AppState;

/// `POST /settings/api-keys/{id}/tighten`
pub async fn tighten(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.tighten", async |signed_in, values| {
        let key = id_of(&id)?;
        let chosen: Vec<&str> = values.all("advice").iter().map(String::as_str).collect();
        advice::tighten(&state.ctx, &signed_in.actor, &key, &chosen).await?;
        Ok(see_other(&format!("{}?done=tightened", key_page(&key))))
    })
    .await
}

/// `POST /settings/api-keys/{id}/tighten/undo`
pub async fn undo(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.tighten", async |signed_in, _| {
        let key = id_of(&id)?;
        advice::undo(&state.ctx, &signed_in.actor, &key).await?;
        Ok(see_other(&format!("{}?done=tightening-undone", key_page(&key))))
    })
    .await
}
