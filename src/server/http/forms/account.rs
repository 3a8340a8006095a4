//! Set-up, sign-in, sign-out, theme, organisation.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::factors::second_half_at;
use super::{Submitted, see_other};
use crate::model::account::SessionStage;
use crate::model::error::AppError;
use crate::model::id::OrgId;
use crate::model::project::parse_catalogue;
use crate::server::domain::accounts::set_up::{self, By, SetUpDraft};
use crate::server::domain::accounts::{session, sign_in};
use crate::server::http::middleware::access::is_own_path;
use crate::server::http::middleware::session::{begin_cookie, end_cookie};
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::{Secret, SecretText};

/// Where people land after signing in.
pub(super) const HOME: &str = "/settings/api-keys";

pub(super) fn signed_in_at(state: &AppState, location: &str, session_id: &SecretText) -> Response {
    let mut response = see_other(location);
    response
        .headers_mut()
        .append(header::SET_COOKIE, begin_cookie(state, session_id));
    response
}

/// `POST /setup`
pub async fn set_up(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let (token, caller) = (form.values.first("token").to_owned(), form.caller());
    let draft = SetUpDraft {
        email: form.values.first("email"),
        name: form.values.first("name"),
        organisation: form.values.first("organisation"),
        project: form.values.first("project"),
        prefix: form.values.first("prefix"),
        scopes: parse_catalogue(&form.values),
        password,
    };
    match set_up::set_up(
        &state.ctx,
        draft,
        By::Token {
            token: &token,
            caller: &caller,
        },
    )
    .await
    {
        Ok((_, Some(session_id))) => signed_in_at(&state, HOME, &session_id),
        Ok((_, None)) => see_other("/sign-in"),
        Err(error) => {
            let error = AppError::from(error);
            // For whoever comes later there is no such page (R13).
            let closed = error.code == crate::model::error::Code::AlreadySetUp;
            form.again(&state, if closed { AppError::not_found() } else { error })
                .await
        }
    }
}

/// `POST /sign-in`
pub async fn sign_in(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let caller = form.caller();
    match sign_in::sign_in(&state.ctx, form.values.first("email"), password, &caller).await {
        Ok(begun) => {
            end_former(&state, &form).await;
            let next = form.values.first("next");
            let next = if is_own_path(next) { next } else { HOME };
            let location = match begun.stage {
                SessionStage::Complete => next.to_owned(),
                SessionStage::SecondFactorDue => second_half_at(next),
            };
            signed_in_at(&state, &location, &begun.session_id)
        }
        Err(error) => form.refused(&state, None, "sign-in", error).await,
    }
}

/// A session that the browser already had ends: the new one has a new id and nothing of the old (R28).
async fn end_former(state: &AppState, form: &Submitted) {
    let session = form.session();
    if let (Some(former), Some(id)) = (&session.signed_in, &session.id)
        && let Err(error) = session::end(&state.ctx, &former.actor, id.expose()).await
    {
        tracing::warn!(error = %error, "a former session could not be ended");
    }
}

/// `POST /sign-out`
pub async fn sign_out(State(state): State<AppState>, form: Submitted) -> Response {
    let session = form.session();
    if let (Some(signed_in), Some(id)) = (&session.signed_in, &session.id)
        && let Err(error) = session::end(&state.ctx, &signed_in.actor, id.expose()).await
    {
        return form.refused(&state, None, "sign-out", error).await;
    }
    let next = form.values.first("next");
    signed_out_at(&state, if is_own_path(next) { next } else { "/sign-in" })
}

pub(super) fn signed_out_at(state: &AppState, location: &str) -> Response {
    let mut response = see_other(location);
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, end_cookie(state));
    // Not "cookies": that would sign people out of sibling sites (R31).
    headers.insert(
        "clear-site-data",
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    response
}

/// `POST /session/organisation`
pub async fn switch_organisation(State(state): State<AppState>, form: Submitted) -> Response {
    let session = form.session();
    let (Some(signed_in), Some(id)) = (session.signed_in, session.id) else {
        return form.again(&state, AppError::unauthenticated()).await;
    };
    let Ok(org) = form.values.first("organisation").parse::<OrgId>() else {
        return form.again(&state, AppError::not_found()).await;
    };
    match session::switch_org(&state.ctx, &signed_in, id.expose(), &org).await {
        Ok(()) => see_other(HOME),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "organisation", error)
                .await
        }
    }
}

/// `POST /theme`: a preference of the browser, not of the account.
pub async fn theme(State(state): State<AppState>, form: Submitted) -> Response {
    let theme = match form.values.first("theme") {
        theme @ ("light" | "dark") => theme,
        _ => "auto",
    };
    let secure = if state.ctx.site.public_origin.is_https() {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!("kw_theme={theme}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}");
    let mut response = see_other(&back(&state, &form));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The page the form stood on; a foreign Referer was removed before.
pub(super) fn back(state: &AppState, form: &Submitted) -> String {
    let referer = form
        .parts
        .headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let path = referer
        .strip_prefix(state.ctx.site.public_origin.as_str())
        .unwrap_or_default();
    if is_own_path(path) {
        path.to_owned()
    } else {
        HOME.to_owned()
    }
}
