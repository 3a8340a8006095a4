//! Deny by default (R48): whoever is not completely signed in reaches what is on the list below and nothing
//! else. A new route is closed until it is put there.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::session::RequestSession;
use crate::model::account::SessionStage;
use crate::model::actor::Denied;
use crate::model::error::AppError;
use crate::server::http::answer;
use crate::server::http::forms::factors::second_half_at;
use crate::server::http::forms::see_other;
use crate::server::http::state::AppState;
use crate::server::platform::redaction::redacted_address;

/// What anybody may open, and why. A path ending in `/` stands for everything below it.
pub const PUBLIC: &[(&str, &str)] = &[
    ("/pkg/", "scripts and styles hold nothing of anybody’s"),
    ("/favicon.svg", "the site’s picture"),
    ("/icons.svg", "pictures of the sign-in page"),
    ("/wordmark.svg", "picture of the sign-in page"),
    ("/sign-in", "where one becomes somebody"),
    (
        "/sign-in/second-factor",
        "the second half of it; without the first it leads there",
    ),
    ("/sign-out", "leaving is open to everybody, half signed in or not"),
    (
        "/setup",
        "before the first account exists; closed by a one-time token, and for ever after",
    ),
    (
        "/invitation",
        "who opens it holds a single-use link, and may have no account yet",
    ),
    (
        "/forgot-password",
        "asks for a link by mail; silent about who exists",
    ),
    ("/reset-password", "closed by a single-use link"),
    ("/confirm-email", "closed by a single-use link"),
    (
        "/claim",
        "closed by a single-use link; who collects a key need not have an account",
    ),
    ("/claim/stored", "the same link, once it is used"),
    (
        "/settings/env-file",
        "gives back as a file what was posted to it, and nothing else",
    ),
    (
        "/found",
        "whoever found a key reports it; to hold it is the authority, as with `/v1/leaks`",
    ),
    ("/theme", "light or dark, kept in a cookie of the browser"),
    ("/styleguide", "only exists in development"),
];

#[must_use]
pub fn is_public(path: &str) -> bool {
    PUBLIC
        .iter()
        .any(|(open, _)| path == *open || (open.ends_with('/') && path.starts_with(open)))
}

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if is_public(request.uri().path()) {
        return next.run(request).await;
    }
    let signed_in = request
        .extensions()
        .get::<RequestSession>()
        .and_then(|session| session.signed_in.as_ref());
    match signed_in.map(|signed_in| signed_in.actor.stage()) {
        Some(SessionStage::Complete) if owes_enrolment(&request) => {
            let reading = request.method().is_safe() && answer::wants_html(request.uri(), request.headers());
            if reading {
                see_other(ENROLMENT)
            } else {
                answer::for_request(&state, &request, &Denied::EnrolmentDue.into())
            }
        }
        Some(SessionStage::Complete) => next.run(request).await,
        Some(SessionStage::SecondFactorDue)
            if request.method().is_safe() && answer::wants_html(request.uri(), request.headers()) =>
        {
            let target = request.uri().path_and_query();
            let target = target.map_or("/", |target| target.as_str());
            let location = second_half_at(carried_on(target));
            see_other(&location)
        }
        Some(SessionStage::SecondFactorDue) => {
            answer::for_request(&state, &request, &Denied::SecondFactorDue.into())
        }
        None if request.method().is_safe() && answer::wants_html(request.uri(), request.headers()) => {
            to_sign_in(
                request
                    .uri()
                    .path_and_query()
                    .map_or("/", |target| target.as_str()),
            )
        }
        None => answer::for_request(&state, &request, &AppError::unauthenticated()),
    }
}

/// Where somebody sets up the factor that their organisation asks for.
const ENROLMENT: &str = "/account/two-factor?required";

/// What is a person's own, and no organisation's: open without the factor that an organisation asks for (R24).
const PERSONAL: [&str; 7] = [
    "/account",
    "/session/",
    "/instance",
    "/api/account/",
    "/api/doors/",
    "/api/session/",
    "/api/instance/",
];

fn owes_enrolment(request: &Request) -> bool {
    let path = request.uri().path();
    let session = request.extensions().get::<RequestSession>();
    let owes = session
        .and_then(|session| session.signed_in.as_ref())
        .is_some_and(|signed_in| signed_in.actor.owes_enrolment());
    owes && !PERSONAL.iter().any(|open| path.starts_with(open))
}

/// Where somebody wanted to go. An address with a key in it is not carried on.
fn carried_on(target: &str) -> &str {
    match redacted_address(target) {
        std::borrow::Cow::Borrowed(target) => target,
        std::borrow::Cow::Owned(_) => "/",
    }
}

/// The address with every key in its query reduced to its id; `None` when there is none.
#[must_use]
pub fn without_secret(uri: &Uri) -> Option<String> {
    let query = uri.query()?;
    let std::borrow::Cow::Owned(_) = redacted_address(query) else {
        return None;
    };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let reduced: Vec<(String, String)> = pairs
        .into_iter()
        .map(|(name, value)| (name, redacted_address(value.trim()).into_owned()))
        .collect();
    let query = serde_urlencoded::to_string(reduced).unwrap_or_default();
    Some(format!("{}?{query}", uri.path()))
}

/// Off to the sign-in page, which leads back here afterwards.
pub fn to_sign_in(target: &str) -> Response {
    let target = carried_on(target);
    let next = percent_encoding::utf8_percent_encode(target, percent_encoding::NON_ALPHANUMERIC);
    let location = if target == "/" {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?next={next}")
    };
    let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static("/sign-in"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Whether `next` leads to a page of ours: one slash, then no second one, no backslash, nothing unprintable
/// (R45).
#[must_use]
pub fn is_own_path(next: &str) -> bool {
    let mut bytes = next.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && next.len() <= 2_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r45_only_own_relative_paths_are_followed() {
        assert!(is_own_path("/settings/api-keys?q=a%20b"));
        for bad in [
            "",
            "//evil.org",
            "/\\evil.org",
            "\\\\evil.org",
            "https://evil.org",
            "javascript:alert(1)",
            "/a\nb",
            "/a\tb",
            " /a",
            "evil.org",
            "/a\\b",
            "/\u{202e}",
            "data:text/html,x",
            "///evil.org",
        ] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }
}
