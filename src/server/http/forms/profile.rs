//! The account's own pages: profile, address, export, deletion.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::account::signed_out_at;
use super::factors::whole;
use super::{Submitted, see_other};
use crate::server::domain::DomainError;
use crate::server::domain::accounts::session::SignedIn;
use crate::server::domain::accounts::{deletion, email_change, export, profile};
use crate::server::http::state::AppState;

/// `POST /account`
pub async fn edit(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let field = |name: &str| form.values.first(name).to_owned();
    let (name, zone, language) = (field("name"), field("time_zone"), field("language"));
    let edited = profile::edit(&state.ctx, &signed_in, &name, &zone, &language).await;
    finish(&state, form, &signed_in, edited, "/account?done=saved").await
}

/// `POST /account/email`
pub async fn change_email(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let begun = email_change::begin(&state.ctx, &signed_in, form.values.first("email")).await;
    finish(&state, form, &signed_in, begun, "/account?done=email-begun").await
}

/// `POST /account/email/cancel`
pub async fn cancel_email(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let cancelled = email_change::cancel(&state.ctx, &signed_in).await;
    finish(
        &state,
        form,
        &signed_in,
        cancelled,
        "/account?done=email-cancelled",
    )
    .await
}

async fn finish(
    state: &AppState,
    form: Submitted,
    signed_in: &SignedIn,
    outcome: Result<(), DomainError>,
    then: &str,
) -> Response {
    match outcome {
        Ok(()) => see_other(then),
        Err(error) => {
            form.refused(state, Some(&signed_in.actor), "account", error)
                .await
        }
    }
}

/// `POST /confirm-email`: agrees for the end that the link came to.
pub async fn confirm_email(State(state): State<AppState>, form: Submitted) -> Response {
    let token = form.values.first("token").to_owned();
    let signed_in = whole(&form).ok().map(|(signed_in, _)| signed_in);
    match email_change::confirm(&state.ctx, &token, signed_in.as_ref(), &form.caller()).await {
        Ok(true) => see_other("/confirm-email?done=whole"),
        Ok(false) => see_other("/confirm-email?done=half"),
        Err(error) => form.refused(&state, None, "confirm-email", error).await,
    }
}

/// `POST /account/export`: everything about whoever asks, as a file.
pub async fn export(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let exported = match export::export(&state.ctx, &signed_in).await {
        Ok(exported) => exported,
        Err(error) => {
            return form
                .refused(&state, Some(&signed_in.actor), "account.export", error)
                .await;
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"keywright-export.json\"",
        ),
    ];
    let text = serde_json::to_string_pretty(&exported).unwrap_or_default();
    let mut response = (headers, text).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}

/// `POST /account/delete`
pub async fn delete(State(state): State<AppState>, form: Submitted) -> Response {
    let (signed_in, _) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    match deletion::delete(&state.ctx, &signed_in, form.values.first("email")).await {
        Ok(()) => signed_out_at(&state, "/sign-in?done=deleted"),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.delete", error)
                .await
        }
    }
}
