//! A name for each request, in its answer and in every log line about it.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::response::Response;
use tracing::Span;

use crate::model::request_id::RequestId;
use crate::model::text::shown;
use crate::server::platform::redaction::redacted_address;
use crate::server::platform::rng::Rng;

/// Names the request.
pub fn assign(rng: &dyn Rng, request: &mut Request) -> RequestId {
    let mut bytes = [0; 20];
    rng.fill(&mut bytes);
    let id = RequestId::from_random(bytes);
    request.extensions_mut().insert(id);
    id
}

/// The span of everything that is logged about the request. The query never enters the log.
pub fn span(id: &RequestId, request: &Request) -> Span {
    let path = shown(&redacted_address(request.uri().path()), 200);
    tracing::info_span!("request", id = id.as_str(), method = %request.method(), path)
}

pub fn tell(id: &RequestId, response: &mut Response) {
    if let Ok(header) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert("x-request-id", header);
    }
}
