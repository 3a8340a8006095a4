//! A name for each request, in its answer and in every log line about it.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::model::key_text::redacted_address;
use crate::server::http::state::AppState;
use crate::server::platform::rng::base62;

/// `req_` and twenty random characters; ours alone, whatever the client sent.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names the request, opens its span and writes the access log line. The query never enters the log.
pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = RequestId(format!("req_{}", base62(state.ctx.rng.as_ref(), 20)));
    let header = HeaderValue::from_str(id.as_str());
    let path = shown_path(request.uri().path());
    let span = tracing::info_span!("request", id = id.as_str(), method = %request.method(), path = %path);
    request.extensions_mut().insert(id);
    let started = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(header) = header {
        response.headers_mut().insert("x-request-id", header);
    }
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), duration_ms, "answered"));
    response
}

fn shown_path(path: &str) -> String {
    crate::model::text::shown(&redacted_address(path), 200)
}
