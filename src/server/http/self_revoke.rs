//! `POST /v1/keys/self-revoke` (docs/verification-api.md).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::AppState;
use super::{answer, json};
use crate::model::error::{AppError, Code, FieldError};
use crate::model::key::RevocationReason;
use crate::model::request_id::RequestId;
use crate::server::domain::accounts::session::Caller;
use crate::server::domain::keys::self_revoke;

/// Which key is to end, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfRevokeBody {
    /// The whole key. To hold it is the authority.
    #[schema(example = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub")]
    key: String,
    /// One of the six reasons; `keyCompromise` when missing.
    #[schema(example = "keyCompromise")]
    reason: Option<String>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelfRevokeAnswer {
    key_id: String,
    /// Always `revoked`.
    status: &'static str,
}

/// Ends the key that is sent, for whoever holds it: after a leak, when a service is shut down. Twice is no error.
#[utoipa::path(
    post,
    path = "/v1/keys/self-revoke",
    tag = "Verification",
    request_body = SelfRevokeBody,
    responses(
        (status = 200, description = "It is revoked", body = SelfRevokeAnswer),
        (status = 400, description = "The request itself is wrong", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 404, description = "No such key, or another secret", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 503, description = "The database is needed and does not answer", body = answer::Problem<'static>, content_type = "application/problem+json"),
    ),
)]
pub async fn self_revoke(
    State(state): State<AppState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer_to(&state, &caller, &headers, &body).await {
        Ok(done) => Json(done).into_response(),
        Err(error) => answer::problem(&error.with_request_id(request_id.as_str())),
    }
}

async fn answer_to(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<SelfRevokeAnswer, AppError> {
    let body: SelfRevokeBody = json::object(headers, body)?;
    let reason = match body.reason.as_deref() {
        None => RevocationReason::KeyCompromise,
        Some(text) => RevocationReason::parse(text).ok_or_else(no_reason)?,
    };
    let id = self_revoke::self_revoke(&state.ctx, &body.key, reason, caller.origin(None)).await?;
    Ok(SelfRevokeAnswer {
        key_id: id.to_string(),
        status: "revoked",
    })
}

fn no_reason() -> AppError {
    let all: Vec<&str> = RevocationReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    let message = format!("The reason is one of {}.", all.join(", "));
    AppError {
        fields: vec![FieldError::new("reason", "choice", message.clone())],
        ..AppError::new(Code::MalformedBody, message)
    }
}
