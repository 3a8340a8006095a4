//! The page that shows a secret, once: the answer to the POST that made it, complete, not hydrated, not stored, not
//! compressed. Nothing of it is kept but the keyed hash.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use qrcodegen::{QrCode, QrCodeEcc};

use super::forms::Submitted;
use super::leptos::{self, AlreadyShown, Picture, Revealed};

pub use super::leptos::LinkShown;
use super::state::AppState;
use crate::model::form::FormState;
use crate::model::id::AccountId;
use crate::model::snippet;
use crate::server::domain::accounts::enrolment::Enrolment;
use crate::server::domain::keys::issue::{self, Nonce, RevealedKey};
use crate::server::domain::tokens::RevealedToken;
use crate::server::platform::crypto::secret::SecretText;

pub fn key(state: &AppState, headers: &HeaderMap, key: &RevealedKey) -> Response {
    key_shown(state, headers, key, "key")
}

/// The new secret of a key that had one before.
pub fn rotated_key(state: &AppState, headers: &HeaderMap, key: &RevealedKey) -> Response {
    key_shown(state, headers, key, "new secret of the key")
}

/// The secret of a key that was handed over, for whoever collected it, member or not. The link they came by is used up.
pub fn claimed_key(state: &AppState, headers: &HeaderMap, key: &RevealedKey, token: &str) -> Response {
    let mut revealed = revealed_key(state, key, "key");
    "/claim/stored".clone_into(&mut revealed.confirm_at);
    revealed.claim = Some(token.to_owned());
    show(state, headers, revealed)
}

fn key_shown(state: &AppState, headers: &HeaderMap, key: &RevealedKey, what: &'static str) -> Response {
    show(state, headers, revealed_key(state, key, what))
}

fn revealed_key(state: &AppState, key: &RevealedKey, what: &'static str) -> Revealed {
    let origin = state.ctx.site.public_origin.as_str();
    let scope = key
        .project
        .scopes
        .first()
        .map_or("read", |scope| scope.name.as_str());
    {
        Revealed {
            what,
            name: key.name.clone(),
            secret: key.secret.expose().clone(),
            variable: snippet::variable(&key.project.slug),
            expires: key.expires_at.map(|at| at.last_day_in_words()),
            confirm_at: format!("/settings/api-keys/{}/stored", key.id),
            secret_since: Some(key.secret_since.ms()),
            claim: None,
            takes_note: true,
            command: format!(
                "curl -sS {origin}/v1/keys/verify \\\n  -H \"Authorization: Bearer $KEYWRIGHT_TOKEN\" \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{{\"key\":\"{}\",\"permissions\":\"{scope}\"}}'",
                key.secret.expose(),
            ),
            command_hint: "Set KEYWRIGHT_TOKEN to a service token of this project; create one under Service tokens.",
            goes_to: Some((key.project.slug.clone(), key.environment)),
        }
    }
}

pub fn token(state: &AppState, headers: &HeaderMap, token: &RevealedToken) -> Response {
    let origin = state.ctx.site.public_origin.as_str();
    show(
        state,
        headers,
        Revealed {
            what: "service token",
            name: token.name.clone(),
            secret: token.secret.expose().clone(),
            variable: "KEYWRIGHT_TOKEN".to_owned(),
            expires: token.expires_at.map(|at| at.last_day_in_words()),
            confirm_at: format!("/settings/service-tokens/{}/stored", token.id),
            secret_since: None,
            claim: None,
            takes_note: false,
            command: format!(
                "curl -sS {origin}/v1/keys/verify \\\n  -H 'Authorization: Bearer {}' \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{{\"key\":\"'\"$API_KEY\"'\"}}'",
                token.secret.expose(),
            ),
            command_hint: "Set API_KEY to a key of this project.",
            goes_to: None,
        },
    )
}

fn show(state: &AppState, headers: &HeaderMap, revealed: Revealed) -> Response {
    finish(leptos::reveal_page(state, headers, revealed))
}

fn finish(html: String) -> Response {
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // Already encoded as itself: keeps the compression layer's hands off.
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}

/// How a link reaches whom it is for.
#[must_use]
pub const fn handed_over(mailed: bool) -> &'static str {
    if mailed {
        "A letter with this link is on its way. You can also hand it over yourself; it is shown once."
    } else {
        "Hand it over yourself: no mail server is set up. It is shown once."
    }
}

/// A link that works once, for handing over.
pub fn link(state: &AppState, headers: &HeaderMap, shown: LinkShown) -> Response {
    finish(leptos::link_page(state, headers, shown))
}

/// An authenticator's secret, with a form for the code that proves it.
pub fn enrolment(state: &AppState, headers: &HeaderMap, enrolment: &Enrolment, form: FormState) -> Response {
    let picture = picture_of(enrolment.uri.expose());
    let secret = enrolment.secret.expose().clone();
    finish(leptos::enrolment_page(state, headers, secret, picture, form))
}

/// Recovery codes, once.
pub fn recovery_codes(state: &AppState, headers: &HeaderMap, codes: &[SecretText], first: bool) -> Response {
    let codes = codes.iter().map(|code| code.expose().clone()).collect();
    finish(leptos::codes_page(state, headers, codes, first))
}

/// The QR code with a margin of four, as the standard asks. `None` when the text is too long for one.
fn picture_of(text: &str) -> Option<Picture> {
    const MARGIN: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut path = String::new();
    for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
        if code.get_module(x, y) {
            let _ = write!(path, "M{},{}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    let side = size + 2 * MARGIN;
    Some(Picture { side, path })
}

/// 409: this form made its secret before; reloading does not bring it back.
pub async fn already_shown(
    state: &AppState,
    form: &Submitted,
    account: Option<&AccountId>,
    detail: String,
) -> Response {
    let nonce = account.map(|account| Nonce {
        text: form.values.first("nonce"),
        account,
    });
    let made = match nonce {
        Some(nonce) => issue::made_by_form(&state.ctx, &nonce).await.ok().flatten(),
        None => None,
    };
    let target = made.map(|(target, _)| target).unwrap_or_default();
    let page = AlreadyShown { detail, target };
    let html = leptos::already_shown_page(state, &form.parts.headers, page);
    (StatusCode::CONFLICT, Html(html)).into_response()
}
