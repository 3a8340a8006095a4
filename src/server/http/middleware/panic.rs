//! A panic in a handler becomes a plain 500: it kills neither the process nor the connection, and tells nothing.

use axum::response::Response;

use crate::model::error::AppError;
use crate::model::request_id::RequestId;
use crate::server::http::answer;

/// The answer in place of the one that panicked. The payload is not logged: it may quote what was sent.
pub fn answer(id: RequestId) -> Response {
    tracing::error!("a handler panicked");
    answer::problem(&AppError::internal().with_request_id(id.as_str()))
}
