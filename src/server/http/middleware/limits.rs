//! Sizes and times (R70, R71): target 8 KiB, headers 16 KiB, body 64 KiB, body within 15 s, answer within 10 s.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::model::error::{AppError, Code};
use crate::model::request_id::RequestId;
use crate::server::http::answer;
use crate::server::http::state::AppState;

pub const TARGET_MAX: usize = 8 * 1_024;
pub const HEADERS_MAX: usize = 16 * 1_024;
pub const BODY_MAX: usize = 64 * 1_024;
const BODY_TIME_MAX: Duration = Duration::from_secs(15);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

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
    let (parts, body) = request.into_parts();
    let read = match tokio::time::timeout(BODY_TIME_MAX, read(body)).await {
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
    let wants_html = answer::wants_html(&parts.uri, &parts.headers);
    let id = parts.extensions.get::<RequestId>().copied().unwrap_or_default();
    match tokio::time::timeout(
        ANSWER_TIME_MAX,
        next.run(Request::from_parts(parts, Body::from(body))),
    )
    .await
    {
        Ok(response) => response,
        Err(_) => {
            let error = AppError::unavailable().with_request_id(id.as_str());
            answer::render(state, wants_html, &error)
        }
    }
}

async fn read(body: Body) -> Result<Bytes, AppError> {
    match Limited::new(body, BODY_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(too_large("The body is larger than 64 KiB."))
        }
        Err(_) => Err(AppError::new(Code::MalformedBody, "The body broke off.")),
    }
}
