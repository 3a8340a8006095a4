//! The site's own files, inside the binary: hashed names, compressed beforehand, kept by browsers for ever.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::model::error::AppError;
use crate::server::http::answer;
use crate::server::http::state::AppState;

/// One file in its three forms.
pub struct Asset {
    /// Its name without the hash, for whoever links to it.
    pub logical: &'static str,
    pub path: &'static str,
    pub media_type: &'static str,
    pub raw: &'static [u8],
    pub br: Option<&'static [u8]>,
    pub gzip: Option<&'static [u8]>,
}

/// Every file of the site.
pub struct Assets(&'static [Asset]);

/// What was embedded when this binary was built.
pub static EMBEDDED: Assets = Assets(include!(concat!(env!("OUT_DIR"), "/site.rs")));

impl Assets {
    /// The address of a file by its plain name; the plain name itself when the binary was built without a site.
    #[must_use]
    pub fn path_of(&self, logical: &str) -> String {
        self.by_logical(logical)
            .map_or_else(|| format!("/pkg/{logical}"), |asset| asset.path.to_owned())
    }

    fn by_logical(&self, logical: &str) -> Option<&'static Asset> {
        self.0.iter().find(|asset| asset.logical == logical)
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A file under its hashed name: immutable. Anything else below `/pkg/` is a 404, never a page (R41).
pub async fn hashed(State(state): State<AppState>, Path(file): Path<String>, request: Request) -> Response {
    let path = format!("/pkg/{file}");
    match state.assets.0.iter().find(|asset| asset.path == path) {
        Some(asset) => send(asset, request.headers(), "public, max-age=31536000, immutable"),
        None => answer::problem(&AppError::not_found()),
    }
}

/// A file that must keep its plain name (icons referenced by style and markup alike): kept for a day.
pub async fn plain(State(state): State<AppState>, request: Request) -> Response {
    match state
        .assets
        .by_logical(request.uri().path().trim_start_matches('/'))
    {
        Some(asset) => send(asset, request.headers(), "public, max-age=86400"),
        None => answer::problem(&AppError::not_found()),
    }
}

fn send(asset: &'static Asset, headers: &HeaderMap, cache: &'static str) -> Response {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepts = |coding: &str| accepted.split(',').any(|part| is_accepted(part, coding));
    let (body, coding) = match (asset.br, asset.gzip) {
        (Some(br), _) if accepts("br") => (br, Some("br")),
        (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
        _ => (asset.raw, None),
    };
    let mut response = (StatusCode::OK, Body::from(body)).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn is_accepted(part: &str, coding: &str) -> bool {
    let mut pieces = part.split(';').map(str::trim);
    pieces.next() == Some(coding)
        && !pieces.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
}
