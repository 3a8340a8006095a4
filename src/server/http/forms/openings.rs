//! Rotations that are opened for others: first what it would do, then done to what was looked at; collected; called off.

use axum::extract::{Path, State};
use axum::response::Response;

use super::keys::{key_page, nonce_of};
use super::rotation::{overlap_of, shown};
use super::{Submitted, id_of, see_other};
use crate::model::actor::Denied;
use crate::model::bulk::Chosen;
use crate::model::form::FormState;
use crate::model::id::KeyId;
use crate::model::rotation::Overlap;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::session::SignedIn;
use crate::server::domain::keys::issue::RevealedKey;
use crate::server::domain::keys::{collecting, openings};
use crate::server::http::leptos::form_again;
use crate::server::http::state::AppState;

pub const PAGE: &str = "/settings/rotation/start";

/// `POST /settings/rotation/start`
pub async fn start(State(state): State<AppState>, form: Submitted) -> Response {
    let parts = form.parts.clone();
    let again = state.clone();
    form.act(&state, "keys.rotate", async move |signed_in, values| {
        let (ctx, actor) = (&again.ctx, &signed_in.actor);
        let chosen = Chosen::from_values(values);
        // Whoever may not is told that, not what else is wrong; and here, where the answer can say so.
        openings::preview(ctx, actor, &chosen, Overlap::typed(values)).await?;
        if values.first("step") != "apply" {
            if values.has("overlap") {
                overlap_of(values)?;
            }
            let looked_at = FormState {
                values: values.clone(),
                ..FormState::default()
            };
            return Ok(form_again(&again, &parts, looked_at, 200).await);
        }
        let overlap = overlap_of(values)?;
        let is_other = values.first("seen") != overlap.mark();
        let done = openings::apply(ctx, actor, &chosen, (overlap, is_other)).await?;
        Ok(see_other(&format!(
            "{PAGE}?done=opened&n={}&skipped={}&changed={}&missing={}",
            done.opened, done.skipped, done.changed, done.missing
        )))
    })
    .await
}

/// `POST /settings/api-keys/{id}/rotate/collect`: the answer is the only place the new secret is ever shown.
pub async fn collect(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    let collected = collect_from(&state, &id, &form, &signed_in).await;
    shown(&state, form, actor, collected).await
}

async fn collect_from(
    state: &AppState,
    id: &str,
    form: &Submitted,
    signed_in: &SignedIn,
) -> Result<RevealedKey, DomainError> {
    let actor = &signed_in.actor;
    let id: KeyId = id_of(id)?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let nonce = nonce_of(form, account);
    // A form that was sent twice is told so; whoever may not, that.
    match collecting::require(&state.ctx, actor, &id).await {
        Err(DomainError::Refused(..)) if nonce.is_ok() => {}
        other => other?,
    }
    collecting::collect(&state.ctx, actor, &id, Some(nonce?)).await
}

/// `POST /settings/api-keys/{id}/rotate/call-off`
pub async fn call_off(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.rotate", async |signed_in, _| {
        let key = id_of(&id)?;
        collecting::call_off(&state.ctx, &signed_in.actor, &key).await?;
        Ok(see_other(&format!("{}?done=rotation-called-off", key_page(&key))))
    })
    .await
}
