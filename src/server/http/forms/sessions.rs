//! Where one is signed in, ending that, and what one has been told.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;

use super::account::{back, sign_out};
use super::factors::whole;
use super::{Submitted, see_other};
use crate::model::actor::Denied;
use crate::model::id::NoticeId;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::{notices, sessions};
use crate::server::http::middleware::session::begin_cookie;
use crate::server::http::state::AppState;

pub const PAGE: &str = "/account/sessions";

/// `POST /account/sessions/{id}/end`: `id` is the public handle.
pub async fn end_one(State(state): State<AppState>, Path(handle): Path<String>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    if signed_in.actor.origin().session_id.as_deref() == Some(handle.as_str()) {
        return sign_out(State(state), form).await;
    }
    match sessions::end_one(&state.ctx, &signed_in, &handle).await {
        Ok(()) => see_other("/account/sessions?done=ended"),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.sessions", error)
                .await
        }
    }
}

/// `POST /account/sessions/end-others`
pub async fn end_others(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    match sessions::end_others(&state.ctx, &signed_in, id.expose(), &form.caller()).await {
        Ok(session_id) => {
            let mut response = see_other("/account/sessions?done=others-ended");
            response
                .headers_mut()
                .append(header::SET_COOKIE, begin_cookie(&state, &session_id));
            response
        }
        // Sent twice, or ended elsewhere meanwhile: whoever is still signed in sees the list, others the sign-in page.
        Err(DomainError::Denied(Denied::Unauthenticated)) => see_other(PAGE),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.sessions", error)
                .await
        }
    }
}

/// `POST /account/notices/seen`: those that the page showed.
pub async fn notices_seen(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let shown = form.values.all("notice").iter();
    let shown: Vec<NoticeId> = shown.filter_map(|id| id.parse().ok()).collect();
    match notices::see(&state.ctx, &signed_in.actor, &shown).await {
        Ok(()) => see_other(&back(&state, &form)),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.notices", error)
                .await
        }
    }
}
