//! Somebody found a key and reports it, without an account.

use axum::extract::State;
use axum::response::Response;

use super::{Submitted, see_other};
use crate::model::error::FieldError;
use crate::model::form::FormValues;
use crate::model::key_text::redacted_address;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::throttle;
use crate::server::domain::keys::leaks::{self, Outcome};
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::{Secret, SecretText};

/// `POST /found`: what was pasted is taken out of the form at once, so that no page carries it back.
pub async fn found(State(state): State<AppState>, mut form: Submitted) -> Response {
    let text = Secret::new(form.values.take("text"));
    let url = form.values.take("url");
    let shown = redacted_address(&url).into_owned();
    form.values = FormValues::from_pairs([("url".to_owned(), shown)]);
    match report(&state, &form, &text, &url).await {
        Ok(outcome) => see_other(match outcome {
            Outcome::Revoked => "/found?done=revoked",
            Outcome::GoesOn => "/found?done=told",
            Outcome::RevokedBefore => "/found?done=over",
            Outcome::Replaced => "/found?done=replaced",
            Outcome::Unknown => "/found?done=unknown",
        }),
        Err(error) => form.refused(&state, None, "found", error).await,
    }
}

async fn report(
    state: &AppState,
    form: &Submitted,
    text: &SecretText,
    url: &str,
) -> Result<Outcome, DomainError> {
    if text.expose().trim().is_empty() {
        let message = "Paste the key, or the line it stands in.";
        return Err(FieldError::new("text", "required", message).into());
    }
    let caller = form.caller();
    throttle::admit_report(&state.ctx, caller.ip).await?;
    leaks::report_text(&state.ctx, text.expose(), url, &caller.origin(None)).await
}
