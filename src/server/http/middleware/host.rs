//! The site answers under its own name only (R46): another Host is 421; on loopback, where the aliases
//! `localhost`, `127.0.0.1` and `[::1]` are one machine, a GET is sent to the configured one.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::model::error::{AppError, Code};
use crate::server::config::{host_of, is_loopback};
use crate::server::http::answer;
use crate::server::http::state::AppState;

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = &state.ctx.site.public_origin;
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let host = match (first.and_then(|host| host.to_str().ok()), second) {
        (Some(host), None) => host.to_ascii_lowercase(),
        _ => String::new(),
    };
    // An absolute request target must not say otherwise.
    let target_agrees = request
        .uri()
        .authority()
        .is_none_or(|target| target.as_str().eq_ignore_ascii_case(&host));
    if host == origin.authority() && target_agrees {
        return next.run(request).await;
    }
    let is_alias = is_loopback(host_of(&host)) && is_loopback(origin.host());
    if is_alias && target_agrees && request.method() == Method::GET {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        if let Ok(location) = HeaderValue::from_str(&format!("{}{path}", origin.as_str())) {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response();
        }
    }
    let detail = format!(
        "This site is served at {}. Open that address instead.",
        origin.as_str()
    );
    answer::for_request(&state, &request, &AppError::new(Code::MisdirectedRequest, detail))
}
