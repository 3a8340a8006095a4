//! Where server functions meet the server: who calls, with what context, and with which HTTP status errors leave.
//!
//! During server rendering a server function is a plain call and no middleware runs, so each body begins with
//! [`caller`], which denies whoever is not completely signed in.

use axum::http::StatusCode;
use axum::http::request::Parts;
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use super::ctx::Ctx;
use super::domain::DomainError;
use super::domain::accounts::session::{Caller, SignedIn};
use super::http::middleware::session::{RequestSession, invitation_of};
use super::platform::crypto::secret::SecretText;
use crate::model::account::SessionStage;
use crate::model::actor::{Actor, Denied};
use crate::model::error::{AppError, Code};

/// The context and who calls. Errors: nobody is signed in, or the second factor is due.
pub fn caller() -> Result<(Ctx, Actor), AppError> {
    let (ctx, signed_in) = signed_in()?;
    Ok((ctx, signed_in.actor))
}

/// The same with what the frame of a page shows of the person.
pub fn signed_in() -> Result<(Ctx, SignedIn), AppError> {
    let ctx = expect_context::<Ctx>();
    let session = use_context::<Parts>().and_then(|parts| parts.extensions.get::<RequestSession>().cloned());
    let signed_in = session
        .and_then(|session| session.signed_in)
        .ok_or_else(|| finish(Denied::Unauthenticated.into()))?;
    match signed_in.actor.stage() {
        SessionStage::Complete => Ok((ctx, signed_in)),
        SessionStage::SecondFactorDue => Err(finish(Denied::SecondFactorDue.into())),
    }
}

/// Whoever calls, signed in or not, for pages that a link opens.
pub fn anyone() -> (Ctx, Option<SignedIn>, Caller, Option<SecretText>) {
    let parts = use_context::<Parts>();
    let extension = |parts: &Parts| {
        parts
            .extensions
            .get::<RequestSession>()
            .cloned()
            .unwrap_or_default()
    };
    let session = parts.as_ref().map(extension).unwrap_or_default();
    let caller = parts
        .as_ref()
        .and_then(|parts| parts.extensions.get::<Caller>().cloned());
    let invitation = parts.as_ref().and_then(|parts| invitation_of(&parts.headers));
    (
        expect_context::<Ctx>(),
        session.signed_in,
        caller.unwrap_or_default(),
        invitation,
    )
}

/// The context and whoever asks, if anybody is signed in: for pages that are open to strangers.
pub fn visitor() -> (Ctx, Option<SignedIn>) {
    let (ctx, signed_in, ..) = anyone();
    (ctx, signed_in)
}

/// The error as it leaves: with the request's id and, for programs, its status. A browser without wasm is redirected by
/// Leptos, which a status would break.
pub fn finish(error: AppError) -> AppError {
    let Some(parts) = use_context::<Parts>() else {
        return error;
    };
    let accepts_html = parts
        .headers
        .get("accept")
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|w| w == b"text/html"));
    if !accepts_html
        && let (Some(options), Ok(status)) = (
            use_context::<ResponseOptions>(),
            StatusCode::from_u16(error.status()),
        )
    {
        options.set_status(status);
    }
    match parts.extensions.get::<crate::model::request_id::RequestId>() {
        Some(id) => error.with_request_id(id.as_str()),
        None => error,
    }
}

/// Ends a server function: the one mapping of domain errors, and a note of denials.
pub async fn answer<T>(
    ctx: &Ctx,
    actor: &Actor,
    what: &'static str,
    result: Result<T, DomainError>,
) -> Result<T, AppError> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => {
            let error = AppError::from(error);
            if error.code == Code::Forbidden {
                super::domain::audit::record_denial(ctx, actor, what).await;
            }
            Err(finish(error))
        }
    }
}
