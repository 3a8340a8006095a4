//! Create (answers with the secret), revoke and confirm service tokens.

use axum::extract::{Path, State};
use axum::response::Response;

use super::keys::nonce_of;
use super::{Submitted, id_of, see_other};
use crate::model::actor::{Actor, Denied};
use crate::model::error::Code;
use crate::model::id::TokenId;
use crate::model::permission::Permission;
use crate::server::domain::DomainError;
use crate::server::domain::tokens::{self, RevealedToken, TokenDraft};
use crate::server::http::reveal;
use crate::server::http::state::AppState;

/// `POST /settings/service-tokens/new`: the answer is the only place the secret is ever shown.
pub async fn create(State(state): State<AppState>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    match create_from(&state, &form, &signed_in.actor).await {
        Ok(revealed) => reveal::token(&state, &form.parts.headers, &revealed),
        Err(DomainError::Refused(Code::AlreadyShown, detail)) => {
            let account = signed_in.actor.account_id().cloned();
            reveal::already_shown(&state, &form, account.as_ref(), detail).await
        }
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "tokens.create", error)
                .await
        }
    }
}

async fn create_from(
    state: &AppState,
    form: &Submitted,
    actor: &Actor,
) -> Result<RevealedToken, DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let project = form.values.first("project").parse().ok();
    let draft = TokenDraft {
        project: project.as_ref(),
        name: form.values.first("name"),
        permissions: form
            .values
            .all("permissions")
            .iter()
            .map(String::as_str)
            .collect(),
        expiry: form.values.first("expiry"),
        expiry_date: form.values.first("expiry_date"),
    };
    // Whoever may not is told that, not what else is wrong.
    actor.require(Permission::TokensManage)?;
    tokens::create(&state.ctx, actor, &draft, Some(nonce_of(form, account)?)).await
}

/// `POST /settings/service-tokens/{id}/revoke`
pub async fn revoke(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        &id,
        form,
        "tokens.revoke",
        "revoked",
        async |actor, id| tokens::revoke(&state.ctx, actor, id).await,
    )
    .await
}

/// `POST /settings/service-tokens/{id}/stored`
pub async fn stored(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(&state, &id, form, "tokens.stored", "stored", async |actor, id| {
        tokens::confirm_stored(&state.ctx, actor, id).await
    })
    .await
}

async fn act(
    state: &AppState,
    id: &str,
    form: Submitted,
    what: &'static str,
    done: &'static str,
    act: impl AsyncFnOnce(&Actor, &TokenId) -> Result<(), DomainError>,
) -> Response {
    form.act(state, what, async |signed_in, _| {
        act(&signed_in.actor, &id_of(id)?).await?;
        Ok(see_other(&format!("/settings/service-tokens?done={done}")))
    })
    .await
}
