//! Mail of the installation: test it, try again, discard.

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, id_of, see_other};
use crate::model::actor::Actor;
use crate::server::domain::DomainError;
use crate::server::domain::mail::operate;
use crate::server::http::state::AppState;

/// The page of mail.
pub const PAGE: &str = "/instance/mail";

/// `POST /instance/mail`: sends a test mail and says at once what became of it.
pub async fn test(State(state): State<AppState>, form: Submitted) -> Response {
    let to = form.values.first("to").to_owned();
    act(
        &state,
        form,
        ("instance.mail_test", "mail_tested"),
        async |actor| operate::send_test(&state.ctx, actor, &to).await,
    )
    .await
}

/// `POST /instance/mail/retry`: everything.
pub async fn retry_all(State(state): State<AppState>, form: Submitted) -> Response {
    act(
        &state,
        form,
        ("instance.mail_retry", "mail_retried"),
        async |actor| operate::retry_all(&state.ctx, actor).await,
    )
    .await
}

/// `POST /instance/mail/{id}/retry`
pub async fn retry(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        form,
        ("instance.mail_retry", "mail_retried"),
        async |actor| operate::retry(&state.ctx, actor, &id_of(&id)?).await,
    )
    .await
}

/// `POST /instance/mail/{id}/discard`
pub async fn discard(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        form,
        ("instance.mail_discard", "mail_discarded"),
        async |actor| operate::discard(&state.ctx, actor, &id_of(&id)?).await,
    )
    .await
}

async fn act(
    state: &AppState,
    form: Submitted,
    (what, done): (&'static str, &str),
    act: impl AsyncFnOnce(&Actor) -> Result<(), DomainError>,
) -> Response {
    form.act(state, what, async |signed_in, _| {
        act(&signed_in.actor).await?;
        Ok(see_other(&format!("{PAGE}?done={done}")))
    })
    .await
}
