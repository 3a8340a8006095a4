//! Sizes and times (R70, R71): target 8 KiB, headers 16 KiB, body 64 KiB, body within 15 s, answer within 10 s. Forms
//! that hold the rules of a key take 512 KiB: a thousand allowed and a thousand denied networks are more than 64. One address
//! takes a file (`forms::import`): 5 MiB, and a minute for all of it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::model::error::{AppError, Code};
use crate::model::request_id::RequestId;
use crate::server::http::answer;
use crate::server::http::forms::import;
use crate::server::http::state::AppState;

pub const TARGET_MAX: usize = 8 * 1_024;
pub const HEADERS_MAX: usize = 16 * 1_024;
pub const BODY_MAX: usize = 64 * 1_024;
/// Of a form with the rules of a key. Written out, the longest networks that its lists take are some 150 KiB, and the longest
/// patterns for resources as much again.
pub const RULES_MAX: usize = 512 * 1_024;
const BODY_TIME_MAX: Duration = Duration::from_secs(15);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// A file of keys is read, checked and written within this.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(60);

fn too_large(what: &str) -> AppError {
    AppError::new(Code::TooLarge, format!("{what} Send less at once."))
}

/// Reads the body whole, within its limits, so that no handler waits on a slow sender; then bounds the handler.
pub async fn within(state: &AppState, request: Request, next: Next) -> Response {
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if target > TARGET_MAX || headers > HEADERS_MAX {
        return answer::for_request(
            state,
            &request,
            &too_large("The address or the headers are longer than allowed."),
        );
    }
    if is_upload(&request) {
        return bounded(state, request, next, UPLOAD_TIME_MAX).await;
    }
    let most = match holds_rules(&request) {
        true => RULES_MAX,
        false => BODY_MAX,
    };
    let (parts, body) = request.into_parts();
    let read = match tokio::time::timeout(BODY_TIME_MAX, read(body, most)).await {
        Ok(read) => read,
        Err(_) => Err(AppError::new(
            Code::MalformedBody,
            "The body did not arrive within 15 seconds.",
        )),
    };
    let body = match read {
        Ok(body) => body,
        Err(error) => return answer::for_request(state, &Request::from_parts(parts, Body::empty()), &error),
    };
    let request = Request::from_parts(parts, Body::from(body));
    bounded(state, request, next, ANSWER_TIME_MAX).await
}

/// Whether the body is a file. Whoever takes it reads it, within limits of its own, after it is known who sends it.
fn is_upload(request: &Request) -> bool {
    request.method() == Method::POST
        && request.uri().path() == import::PAGE
        && import::is_multipart(request.headers())
}

/// Whether the body is a form that holds the rules of a key: of a new one, of one that is edited, or of a template.
fn holds_rules(request: &Request) -> bool {
    let Some(path) = request.uri().path().strip_prefix("/settings/") else {
        return false;
    };
    let segments: Vec<&str> = path.split('/').collect();
    let is_form = matches!(
        segments[..],
        ["api-keys", "new"] | ["api-keys", _, "edit"] | ["templates", _]
    );
    is_form && request.method() == Method::POST
}

async fn bounded(state: &AppState, request: Request, next: Next, longest: Duration) -> Response {
    let wants_html = answer::wants_html(request.uri(), request.headers());
    let id = request.extensions().get::<RequestId>().copied();
    let id = id.unwrap_or_default();
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = AppError::unavailable().with_request_id(id.as_str());
            answer::render(state, wants_html, &error)
        }
    }
}

async fn read(body: Body, most: usize) -> Result<Bytes, AppError> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large(&format!(
            "The body is larger than {} KiB.",
            most / 1_024
        ))),
        Err(_) => Err(AppError::new(Code::MalformedBody, "The body broke off.")),
    }
}
