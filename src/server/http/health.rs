//! Alive and ready. They tell a status and nothing else.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::answer;
use super::state::AppState;
use crate::model::error::AppError;

/// The process runs; says nothing of the database.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers: 200, or 503 while it does not.
pub async fn readyz(State(state): State<AppState>, request: Request) -> Response {
    match state.ctx.db.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            answer::for_request(&state, &request, &AppError::unavailable())
        }
    }
}
