//! Rotating a key: start (answers with the new secret), finish, extend, cancel.

use axum::extract::{Path, State};
use axum::response::Response;

use super::keys::{key_page, nonce_of};
use super::{Submitted, id_of, see_other};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::form::FormValues;
use crate::model::id::KeyId;
use crate::model::rotation::Overlap;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::session::SignedIn;
use crate::server::domain::keys::issue::RevealedKey;
use crate::server::domain::keys::looked::LookedAt;
use crate::server::domain::keys::rotation;
use crate::server::http::reveal;
use crate::server::http::state::AppState;

pub(super) fn overlap_of(values: &FormValues) -> Result<Overlap, DomainError> {
    let from_first_use = values.first("from_first_use") == "1";
    Ok(Overlap::parse(
        values.first("overlap"),
        values.first("overlap_hours"),
        from_first_use,
    )?)
}

/// Since when the secret exists that the page of a form told of.
pub(super) fn secret_seen(values: &FormValues) -> Option<Timestamp> {
    values.first("secret_since").parse().ok().map(Timestamp::from_ms)
}

fn looked_at<'a>(id: &'a KeyId, values: &FormValues) -> LookedAt<'a> {
    LookedAt {
        id,
        secret_since: secret_seen(values),
    }
}

/// `POST /settings/api-keys/{id}/rotate`: the answer is the only place the new secret is ever shown.
pub async fn start(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    let started = start_from(&state, &id, &form, &signed_in).await;
    shown(&state, form, actor, started).await
}

/// The new secret of a key, once; or what became of the form.
pub(super) async fn shown(
    state: &AppState,
    form: Submitted,
    actor: &Actor,
    made: Result<RevealedKey, DomainError>,
) -> Response {
    match made {
        Ok(revealed) => reveal::rotated_key(state, &form.parts.headers, &revealed),
        Err(DomainError::Refused(Code::AlreadyShown, detail)) => {
            reveal::already_shown(state, &form, actor.account_id(), detail).await
        }
        Err(error) => form.refused(state, Some(actor), "keys.rotate", error).await,
    }
}

async fn start_from(
    state: &AppState,
    id: &str,
    form: &Submitted,
    signed_in: &SignedIn,
) -> Result<RevealedKey, DomainError> {
    let actor = &signed_in.actor;
    let id: KeyId = id_of(id)?;
    // Whoever may not is told that, not what else is wrong.
    rotation::require(&state.ctx, actor, &id).await?;
    let account = actor
        .account_id()
        .ok_or(crate::model::actor::Denied::Unauthenticated)?;
    let overlap = overlap_of(&form.values)?;
    let key = looked_at(&id, &form.values);
    rotation::start(&state.ctx, actor, key, overlap, Some(nonce_of(form, account)?)).await
}

/// `POST /settings/api-keys/{id}/rotate/finish`
pub async fn finish(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.rotate", async |signed_in, values| {
        let key = id_of(&id)?;
        rotation::finish(&state.ctx, &signed_in.actor, looked_at(&key, values)).await?;
        Ok(see_other(&format!("{}?done=rotation-finished", key_page(&key))))
    })
    .await
}

/// `POST /settings/api-keys/{id}/rotate/extend`
pub async fn extend(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.rotate", async |signed_in, values| {
        let key = id_of(&id)?;
        rotation::require(&state.ctx, &signed_in.actor, &key).await?;
        let overlap = overlap_of(values)?;
        rotation::extend(&state.ctx, &signed_in.actor, looked_at(&key, values), overlap).await?;
        Ok(see_other(&format!("{}?done=rotation-extended", key_page(&key))))
    })
    .await
}

/// `POST /settings/api-keys/{id}/rotate/cancel`
pub async fn cancel(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.rotate", async |signed_in, values| {
        let key = id_of(&id)?;
        rotation::cancel(&state.ctx, &signed_in.actor, looked_at(&key, values)).await?;
        Ok(see_other(&format!("{}?done=rotation-cancelled", key_page(&key))))
    })
    .await
}
