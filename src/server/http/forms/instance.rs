//! What instance administrators do: make organisations, help anybody with their account.

use axum::extract::{Path, State};
use axum::response::Response;

use super::members::link_shown;
use super::{Submitted, id_of, see_other};
use crate::server::domain::accounts::administer::{self, InstanceAct};
use crate::server::domain::orgs;
use crate::server::http::reveal;
use crate::server::http::state::AppState;

/// `POST /instance/organisations/new`
pub async fn create_organisation(State(state): State<AppState>, form: Submitted) -> Response {
    form.act(&state, "instance.organisations", async |signed_in, values| {
        orgs::create(&state.ctx, &signed_in.actor, values.first("name")).await?;
        Ok(see_other("/instance/organisations?done=created"))
    })
    .await
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
    form.act(&state, "instance.accounts", async |signed_in, _| {
        administer::act(&state.ctx, &signed_in.actor, &id_of(&id)?, act).await?;
        Ok(see_other(&format!("/instance/accounts/{id}?done={done}")))
    })
    .await
}

/// `POST /instance/accounts/{id}/password-link`: the answer shows the link, once.
pub async fn password_link(
    State(state): State<AppState>,
    Path(id): Path<String>,
    form: Submitted,
) -> Response {
    let headers = form.parts.headers.clone();
    form.act(&state, "instance.accounts", async |signed_in, _| {
        let made = administer::begin_password_reset(&state.ctx, signed_in, &id_of(&id)?).await?;
        let shown = link_shown(&made, format!("/instance/accounts/{id}"));
        Ok(reveal::link(&state, &headers, shown))
    })
    .await
}
