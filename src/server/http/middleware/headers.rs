//! Security headers on every answer (R39–R41). The content policy of a page has a fresh nonce, which the page takes from
//! the request's extensions; that of an answer to programs allows nothing at all.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use leptos::nonce::Nonce;

use crate::server::http::answer::is_data;

static FIXED: [(HeaderName, HeaderValue); 6] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), \
             geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
             picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()",
        ),
    ),
    (
        HeaderName::from_static("x-permitted-cross-domain-policies"),
        HeaderValue::from_static("none"),
    ),
];

/// One year; no preload, which is for whoever owns the domain to decide.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What answers to programs may do in a browser that shows them all the same: nothing.
const POLICY_OF_DATA: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// Makes the content policy of the answer to come; a page's has a fresh nonce, which the page finds in the request.
pub fn begin(request: &mut Request) -> HeaderValue {
    if is_data(request.uri().path()) {
        return POLICY_OF_DATA;
    }
    let nonce = Nonce::new();
    let policy = HeaderValue::from_str(&content_policy(&nonce));
    request.extensions_mut().insert(nonce);
    policy.unwrap_or(POLICY_OF_DATA)
}

/// Puts the headers on an answer.
pub fn finish(response: &mut Response, policy: HeaderValue, https: bool) {
    let headers = response.headers_mut();
    headers.reserve(FIXED.len() + 5);
    for (name, value) in &FIXED {
        headers.insert(name, value.clone());
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

fn content_policy(nonce: &Nonce) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}
