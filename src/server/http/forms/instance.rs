//! What instance administrators do: make organisations, help anybody with their account.

use axum::extract::{Path, State};
use axum::response::Response;

use super::members::link_shown;
use super::{Submitted, see_other};
use crate::model::error::AppError;
use crate::model::id::AccountId;
use crate::server::domain::accounts::administer::{self, InstanceAct};
use crate::server::domain::orgs;
use crate::server::http::reveal;
use crate::server::http::state::AppState;

/// `POST /instance/organisations/new`
pub async fn create_organisation(State(state): State<AppState>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    match orgs::create(&state.ctx, &signed_in.actor, form.values.first("name")).await {
        Ok(_) => see_other("/instance/organisations?done=created"),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "instance.organisations", error)
                .await
        }
    }
}

/// `POST /instance/accounts/{id}/reset-factors`
pub async fn reset_factors(state: State<AppState>, id: Path<String>, form: Submitted) -> Response {
    act(state, id, form, InstanceAct::ResetFactors, "factors-reset").await
}

/// `POST /instance/accounts/{id}/sign-out`
pub async fn sign_out(state: State<AppState>, id: Path<String>, form: Submitted) -> Response {
    act(state, id, form, InstanceAct::SignOut, "signed-out").await
}

/// `POST /instance/accounts/{id}/unlock`
pub async fn unlock(state: State<AppState>, id: Path<String>, form: Submitted) -> Response {
    act(state, id, form, InstanceAct::Unlock, "unlocked").await
}

async fn act(
    State(state): State<AppState>,
    Path(id): Path<String>,
    form: Submitted,
    act: InstanceAct,
    done: &'static str,
) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let Ok(id) = id.parse::<AccountId>() else {
        return form.again(&state, AppError::not_found()).await;
    };
    match administer::act(&state.ctx, &signed_in.actor, &id, act).await {
        Ok(()) => see_other(&format!("/instance/accounts/{id}?done={done}")),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "instance.accounts", error)
                .await
        }
    }
}

/// `POST /instance/accounts/{id}/password-link`: the answer shows the link, once.
pub async fn password_link(
    State(state): State<AppState>,
    Path(id): Path<String>,
    form: Submitted,
) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let Ok(id) = id.parse::<AccountId>() else {
        return form.again(&state, AppError::not_found()).await;
    };
    match administer::begin_password_reset(&state.ctx, &signed_in, &id).await {
        Ok(made) => {
            let shown = link_shown(&made, format!("/instance/accounts/{id}"));
            reveal::link(&state, &form.parts.headers, shown)
        }
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "instance.accounts", error)
                .await
        }
    }
}
