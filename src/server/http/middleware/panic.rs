//! A panic in a handler becomes a plain 500: it kills neither the process nor the connection, and tells nothing.

use std::any::Any;

use axum::body::Body;
use axum::http::Response;

use crate::model::error::AppError;
use crate::server::http::answer;

/// The answer in place of the one that panicked. The payload is not logged: it may quote what was sent.
pub fn answer_to(_payload: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a handler panicked");
    answer::problem(&AppError::internal())
}
