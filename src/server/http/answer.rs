//! How an error leaves: RFC 9457 for programs, a readable page for people.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::leptos;
use super::state::AppState;
use crate::model::error::{AppError, Code};
use crate::model::request_id::RequestId;

/// A problem as RFC 9457 describes it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    /// A name for the kind of problem; not an address.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField<'a>>,
}

#[derive(Serialize, ToSchema)]
pub struct ProblemField<'a> {
    field: &'a str,
    code: &'a str,
    message: &'a str,
}

/// Whether the address only ever answers programs.
#[must_use]
pub fn is_data(path: &str) -> bool {
    path.starts_with("/v1/") || path == "/healthz" || path == "/readyz"
}

/// Whether a person is reading: a browser asks for `text/html`; `/v1` never speaks it.
#[must_use]
pub fn wants_html(uri: &Uri, headers: &HeaderMap) -> bool {
    let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|accept| accept.contains("text/html"));
    !is_data(uri.path())
        && !uri.path().starts_with("/api/")
        && headers.get_all(header::ACCEPT).iter().any(accepts)
}

/// The error in the language the request asks for.
pub fn for_request(state: &AppState, request: &Request, error: &AppError) -> Response {
    let error = with_request_id(request, error);
    render(state, wants_html(request.uri(), request.headers()), &error)
}

pub fn render(state: &AppState, html: bool, error: &AppError) -> Response {
    if html { page(state, error) } else { problem(error) }
}

fn with_request_id(request: &Request, error: &AppError) -> AppError {
    match request.extensions().get::<RequestId>() {
        Some(id) => error.clone().with_request_id(id.as_str()),
        None => error.clone(),
    }
}

fn page(state: &AppState, error: &AppError) -> Response {
    let html = leptos::problem_page(state, error);
    finish(Html(html).into_response(), error)
}

/// `application/problem+json`.
#[must_use]
pub fn problem(error: &AppError) -> Response<Body> {
    let errors = error
        .fields
        .iter()
        .map(|e| ProblemField {
            field: &e.field,
            code: &e.code,
            message: &e.message,
        })
        .collect();
    let body = Problem {
        kind: format!("urn:keywright:problem:{}", error.code.as_str()),
        title: error.code.title(),
        status: error.status(),
        code: error.code.as_str(),
        detail: &error.detail,
        request_id: error.request_id.as_deref(),
        errors,
    };
    let mut response = Json(body).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    finish(response, error)
}

fn finish(mut response: Response, error: &AppError) -> Response {
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = error.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.code == Code::Unauthenticated {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"keywright\""),
        );
    }
    response
}
