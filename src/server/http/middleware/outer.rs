//! What every request passes before anything else, people's and programs' alike: a name, headers, a net under
//! panics, limits, and who calls.
//!
//! One layer, not five: each layer of axum boxes its future and clones all that lies inside it for every request,
//! which cost a verification more than the verification.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::Instrument;

use super::{client_ip, headers, limits, panic, request_id};
use crate::server::http::state::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let site = &state.ctx.site;
    let id = request_id::assign(state.ctx.rng.as_ref(), &mut request);
    let span = request_id::span(&id, &request);
    let policy = headers::begin(&mut request);
    client_ip::note(&mut request, &site.trusted_proxies, id);
    let started = Instant::now();
    let answered = async {
        let bounded = AssertUnwindSafe(limits::within(&state, request, next)).catch_unwind();
        let response = bounded.await.unwrap_or_else(|_| panic::answer(id));
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(status = response.status().as_u16(), duration_ms, "answered");
        response
    };
    let mut response = answered.instrument(span).await;
    headers::finish(&mut response, policy, site.public_origin.is_https());
    request_id::tell(&id, &mut response);
    response
}
