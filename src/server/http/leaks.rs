//! `POST /v1/leaks` (docs/verification-api.md): the shape in which GitHub's secret scanning tells its partners.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::AppState;
use super::{answer, json};
use crate::model::error::{AppError, Code};
use crate::model::request_id::RequestId;
use crate::server::domain::accounts::session::Caller;
use crate::server::domain::accounts::throttle;
use crate::server::domain::keys::leaks::{self, Report};

/// Secrets that one report may hold.
const TOKENS_MAX: usize = 100;
const IDENTIFIER: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";

/// A secret that was found. Fields that are not listed here are passed over.
#[derive(Deserialize, ToSchema)]
pub struct LeakedToken {
    /// The whole secret.
    #[schema(example = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub")]
    token: String,
    /// What the finder calls this kind of secret; given back as it came.
    #[serde(rename = "type")]
    #[schema(example = "acme_api_key")]
    kind: Option<String>,
    /// Where it was found.
    #[schema(example = "https://github.com/acme/app/blob/main/.env")]
    url: Option<String>,
    /// What it was found in.
    #[schema(example = "commit")]
    source: Option<String>,
}

/// Whether it was one of ours.
#[derive(Serialize, ToSchema)]
pub struct LeakVerdict {
    token_raw: String,
    token_type: String,
    /// `true_positive` if the whole secret is, or was, one of a key; else `false_positive`.
    label: &'static str,
}

/// Takes a report of secrets that were found in public. A key whose secret is among them is revoked, or its people are
/// told, as the policy of its environment says.
#[utoipa::path(
    post,
    path = "/v1/leaks",
    tag = "Leaks",
    request_body = Vec<LeakedToken>,
    params(
        ("Github-Public-Key-Identifier" = Option<String>, Header, description = "Which key signed the report; needed where keys are configured"),
        ("Github-Public-Key-Signature" = Option<String>, Header, description = "ECDSA (P-256, SHA-256) over the body, DER in base64"),
    ),
    responses(
        (status = 200, description = "Each secret in its order", body = Vec<LeakVerdict>),
        (status = 400, description = "The request itself is wrong", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 401, description = "A signature is asked for and there is none", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 403, description = "The signature is not that of a configured key", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 429, description = "Too many unsigned reports from this network", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 503, description = "The database is needed and does not answer", body = answer::Problem<'static>, content_type = "application/problem+json"),
    ),
)]
pub async fn report(
    State(state): State<AppState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer_to(&state, &caller, &headers, &body).await {
        Ok(verdicts) => Json(verdicts).into_response(),
        Err(error) => answer::problem(&error.with_request_id(request_id.as_str())),
    }
}

async fn answer_to(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<LeakVerdict>, AppError> {
    if state.ctx.site.report_keys.is_empty() {
        throttle::admit_report(&state.ctx, caller.ip).await?;
    } else {
        require_signature(state, headers, body)?;
    }
    let tokens: Vec<LeakedToken> = json::list(headers, body)?;
    if tokens.len() > TOKENS_MAX {
        let message = format!(
            "{} secrets are too many at once; send {TOKENS_MAX} at most.",
            tokens.len()
        );
        return Err(AppError::new(Code::MalformedBody, message));
    }
    let origin = caller.origin(None);
    let mut verdicts = Vec::with_capacity(tokens.len());
    for found in tokens {
        let told = Report {
            token: &found.token,
            source: found.source.as_deref().unwrap_or_default(),
            url: found.url.as_deref().unwrap_or_default(),
        };
        let outcome = leaks::report(&state.ctx, &told, &origin).await?;
        verdicts.push(LeakVerdict {
            label: match outcome.is_ours() {
                true => "true_positive",
                false => "false_positive",
            },
            token_raw: found.token,
            token_type: found.kind.unwrap_or_default(),
        });
    }
    Ok(verdicts)
}

/// The signature is over the bytes as they came, so it is looked at before they are read.
fn require_signature(state: &AppState, headers: &HeaderMap, body: &[u8]) -> Result<(), AppError> {
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(identifier), Some(signature)) = (told(IDENTIFIER), told(SIGNATURE)) else {
        let message = "Reports are taken only with a signature, in Github-Public-Key-Identifier and Github-Public-Key-Signature.";
        return Err(AppError::new(Code::Unauthenticated, message));
    };
    if state.ctx.site.report_keys.is_signed(identifier, signature, body) {
        return Ok(());
    }
    let message = "The signature is not that of a key which this installation knows, over exactly this body.";
    Err(AppError::new(Code::Forbidden, message))
}
