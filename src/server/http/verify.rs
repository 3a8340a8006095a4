//! `POST /v1/keys/verify` (docs/verification-api.md).

use std::net::IpAddr;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::state::AppState;
use super::{answer, json};
use crate::model::error::{AppError, Code, FieldError};
use crate::model::import_format::{HIDDEN, LENGTH_MIN};
use crate::model::key::Environment;
use crate::model::permission_query::PermissionQuery;
use crate::model::request_id::RequestId;
use crate::model::text::shown;
use crate::model::time::Timestamp;
use crate::model::verdict::VerdictCode;
use crate::server::domain::accounts::session::Caller;
use crate::server::domain::usage::Told;
use crate::server::domain::verification::{self, Answer, CallerError, Question, VerifyRequest};
use crate::server::platform::redaction::redacted;

const RESOURCE_MAX: usize = 256;
const TAGS_MAX: usize = 20;
const TAG_LENGTH_MAX: usize = 200;
const COST_MAX: i64 = 1_000_000_000;
/// What is kept of `userAgent`, `path` and `method`; longer ones are cut, not refused.
const KEPT_MAX: usize = 256;

/// The question: may this key pass?
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyBody {
    /// The whole key as the client presented it. Any text is answered; what is no key is `MALFORMED`.
    #[schema(example = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub")]
    key: String,
    /// Boolean query over concrete scopes: `images:read AND (images:write OR admin)`. At most 1,000 characters.
    permissions: Option<String>,
    /// What is accessed, at most 256 characters.
    resource: Option<String>,
    /// The client's address as the service sees it.
    client_ip: Option<String>,
    method: Option<String>,
    path: Option<String>,
    user_agent: Option<String>,
    /// `live` or `test`: refuses keys of the other one.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// Weight of this request, 0 to 1,000,000,000; 1 when missing.
    cost: Option<i64>,
    /// Up to 20 texts `name=value`.
    tags: Option<Vec<String>>,
    /// Answers without counting the request.
    dry_run: Option<bool>,
}

/// `style=http` answers with 401, 403 or 429 instead of 200 when the key may not pass.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read from the address")]
pub struct VerifyParameters {
    style: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAnswer<'a> {
    request_id: &'a str,
    valid: bool,
    /// `VALID`, or the one reason why not.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<DenialAnswer<'a>>,
}

/// Which secret was presented, while the key has two that are good.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationAnswer {
    /// `current`, or `previous`: then it is time to take the new one.
    secret: &'static str,
    /// When the older one ends, at the latest.
    previous_expires_at: String,
}

/// Why not, without echoing the key.
#[derive(Debug, Serialize, ToSchema)]
pub struct DenialAnswer<'a> {
    detail: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing: &'a [String],
}

/// Decides whether a key may pass. The answer is 200 whatever the verdict, unless `style=http`.
#[utoipa::path(
    post,
    path = "/v1/keys/verify",
    tag = "Verification",
    params(VerifyParameters),
    request_body = VerifyBody,
    responses(
        (status = 200, description = "The verdict", body = VerifyAnswer<'static>),
        (status = 400, description = "The question itself is wrong", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 401, description = "No valid service token, or `style=http` and the key is not accepted", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 403, description = "The token may not verify, or `style=http` and the key lacks something", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 413, description = "More than 64 KiB", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = answer::Problem<'static>, content_type = "application/problem+json"),
        (status = 503, description = "The database is needed and does not answer", body = answer::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("serviceToken" = []))
)]
pub async fn verify(
    State(state): State<AppState>,
    uri: Uri,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer_to(&state, &uri, request_id, &caller, &headers, &body).await {
        Ok(response) => response,
        Err(error) => answer::problem(&error.with_request_id(request_id.as_str())),
    }
}

async fn answer_to(
    state: &AppState,
    uri: &Uri,
    request_id: RequestId,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, AppError> {
    let ctx = &state.ctx;
    let token = verification::authenticate(ctx, bearer(headers)?)
        .await
        .map_err(caller_error)?;
    let http_style = parse_style(uri)?;
    let body = parse_body(headers, body)?;
    let permissions = body.permissions.as_deref().map(parse_permissions).transpose()?;
    let permissions = permissions.map(Box::new);
    let client_ip = body
        .client_ip
        .as_deref()
        .and_then(|text| text.trim().parse::<IpAddr>().ok());
    let others = (!token.formats.is_empty()).then_some(body.key.as_str());
    let kept = |text: &Option<String>| kept_text(text.as_deref().unwrap_or_default(), others);
    let question = Question {
        key: &body.key,
        request: VerifyRequest {
            environment: body.environment,
            client_ip,
            resource: body.resource.as_deref(),
        },
        permissions,
        told: Told {
            method: kept(&body.method),
            path: kept(&body.path),
            user_agent: kept(&body.user_agent),
            resource: kept(&body.resource),
        },
        dry_run: body.dry_run.unwrap_or(false),
        request_id,
        caller_ip: caller.ip,
    };
    let answer = verification::verify(ctx, &token, question)
        .await
        .map_err(AppError::from)?;
    Ok(respond(&answer, &request_id, http_style))
}

/// What the usage log keeps of a text: without any key that stands in it (before cutting, which could leave half of
/// one), on one line, not too long. Where keys of others are declared, the one asked about is known, whatever it looks
/// like.
fn kept_text(text: &str, asked_about: Option<&str>) -> String {
    match asked_about.filter(|key| key.len() >= LENGTH_MIN && text.contains(*key)) {
        Some(key) => shown(&redacted(&text.replace(key, HIDDEN)), KEPT_MAX),
        None => shown(&redacted(text), KEPT_MAX),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, AppError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => {
            let text = one.to_str().ok().and_then(|text| text.split_once(' '));
            text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim())
                .ok_or_else(no_token)
        }
        (None, _) => Err(no_token()),
        _ => Err(AppError::new(
            Code::MalformedBody,
            "The request has two Authorization headers. Send one.",
        )),
    }
}

fn no_token() -> AppError {
    AppError::new(
        Code::Unauthenticated,
        "Send a service token: Authorization: Bearer kwt_…",
    )
}

fn caller_error(error: CallerError) -> AppError {
    match error {
        CallerError::Unauthenticated => AppError::new(
            Code::Unauthenticated,
            "The service token is unknown, expired or revoked.",
        ),
        CallerError::Forbidden => AppError::new(
            Code::Forbidden,
            "The service token lacks the permission “verify”.",
        ),
        CallerError::Domain(error) => error.into(),
    }
}

fn parse_style(uri: &Uri) -> Result<bool, AppError> {
    match uri.query().unwrap_or_default() {
        "" => Ok(false),
        "style=http" => Ok(true),
        _ => Err(mistake(
            "style",
            "choice",
            "The only parameter is style=http.".to_owned(),
        )),
    }
}

fn mistake(field: &str, code: &str, message: String) -> AppError {
    let fields = vec![FieldError::new(field, code, message.clone())];
    AppError {
        fields,
        ..AppError::new(Code::MalformedBody, message)
    }
}

fn parse_body(headers: &HeaderMap, body: &[u8]) -> Result<VerifyBody, AppError> {
    let body: VerifyBody = json::object(headers, body)?;
    if body.cost.is_some_and(|cost| !(0..=COST_MAX).contains(&cost)) {
        return Err(mistake(
            "cost",
            "range",
            format!("The cost is between 0 and {COST_MAX}."),
        ));
    }
    if body
        .resource
        .as_ref()
        .is_some_and(|text| text.chars().count() > RESOURCE_MAX)
    {
        return Err(mistake(
            "resource",
            "too_long",
            format!("The resource has at most {RESOURCE_MAX} characters."),
        ));
    }
    let tags = body.tags.as_deref().unwrap_or_default();
    if tags.len() > TAGS_MAX
        || tags
            .iter()
            .any(|tag| !tag.contains('=') || tag.chars().count() > TAG_LENGTH_MAX)
    {
        return Err(mistake(
            "tags",
            "syntax",
            format!("At most {TAGS_MAX} tags, each name=value of {TAG_LENGTH_MAX} characters."),
        ));
    }
    Ok(body)
}

fn parse_permissions(text: &str) -> Result<PermissionQuery, AppError> {
    PermissionQuery::parse(text).map_err(|error| {
        mistake(
            "permissions",
            "permission_syntax",
            format!("Permission query, column {}: {}.", error.column, error.reason),
        )
    })
}

fn respond(answer: &Answer, request_id: &RequestId, http_style: bool) -> Response {
    let code = answer.verdict.code;
    let key = answer.key.as_deref();
    let body = VerifyAnswer {
        request_id: request_id.as_str(),
        valid: code == VerdictCode::Valid,
        code: code.as_str(),
        key_id: key.map(|key| key.id.as_str()),
        name: key.map(|key| &*key.name),
        project_id: key.map(|key| key.project_id.as_str()),
        environment: key.map(|key| key.environment.as_str()),
        owner_id: key.and_then(|key| key.owner.as_ref()).map(|owner| owner.as_str()),
        scopes: key.map(|key| key.scopes.iter().map(|scope| scope.as_str()).collect()),
        expires_at: key.and_then(|key| key.expires_at).map(Timestamp::rfc3339),
        rotation: answer.rotating.map(|rotating| RotationAnswer {
            secret: if rotating.is_current {
                "current"
            } else {
                "previous"
            },
            previous_expires_at: rotating.previous_ends_at.rfc3339(),
        }),
        denial: answer.verdict.denial.as_ref().map(|denial| DenialAnswer {
            detail: &denial.detail,
            missing: &denial.missing,
        }),
    };
    let mut response = Json(body).into_response();
    if http_style {
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::FORBIDDEN);
        *response.status_mut() = status;
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    response
}
