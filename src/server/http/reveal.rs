//! The page that shows a secret, once: the answer to the POST that made it, complete, not hydrated, not stored, not
//! compressed. Nothing of it is kept but the keyed hash.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::forms::Submitted;
use super::leptos::{self, AlreadyShown, Revealed};
use super::state::AppState;
use crate::model::id::AccountId;
use crate::server::domain::keys::issue::{self, Nonce, RevealedKey};
use crate::server::domain::tokens::RevealedToken;

pub fn key(state: &AppState, headers: &HeaderMap, key: &RevealedKey) -> Response {
    let origin = state.ctx.site.public_origin.as_str();
    let scope = key
        .project
        .scopes
        .first()
        .map_or("read", |scope| scope.name.as_str());
    show(
        state,
        headers,
        Revealed {
            what: "key",
            name: key.name.clone(),
            secret: key.secret.expose().clone(),
            variable: format!("{}_API_KEY", variable_stem(&key.project.slug)),
            expires: key.expires_at.map(|at| at.last_day_in_words()),
            confirm_at: format!("/settings/api-keys/{}/stored", key.id),
            takes_note: true,
            command: format!(
                "curl -sS {origin}/v1/keys/verify \\\n  -H \"Authorization: Bearer $KEYWRIGHT_TOKEN\" \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{{\"key\":\"{}\",\"permissions\":\"{scope}\"}}'",
                key.secret.expose(),
            ),
            command_hint: "Set KEYWRIGHT_TOKEN to a service token of this project; create one under Service tokens.",
        },
    )
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
            takes_note: false,
            command: format!(
                "curl -sS {origin}/v1/keys/verify \\\n  -H 'Authorization: Bearer {}' \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{{\"key\":\"'\"$API_KEY\"'\"}}'",
                token.secret.expose(),
            ),
            command_hint: "Set API_KEY to a key of this project.",
        },
    )
}

/// `image-api` → `IMAGE_API`.
fn variable_stem(slug: &str) -> String {
    slug.to_ascii_uppercase().replace('-', "_")
}

fn show(state: &AppState, headers: &HeaderMap, revealed: Revealed) -> Response {
    let html = leptos::reveal_page(state, headers, revealed);
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // Already encoded as itself: keeps the compression layer's hands off.
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
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
