//! Members: roles, leaving, acts on their accounts, the second factor asked of everybody.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, see_other};
use crate::model::actor::Actor;
use crate::model::error::{AppError, FieldError};
use crate::model::form::FormValues;
use crate::model::id::{AccountId, KeyId};
use crate::model::member::{Departure, KeyFate};
use crate::model::permission::Permission;
use crate::server::domain::accounts::administer::PasswordLink;
use crate::server::domain::members::offboard::{self, Decisions};
use crate::server::domain::members::{account_acts, roles, two_factor};
use crate::server::domain::{DomainError, orgs};
use crate::server::http::reveal::{self, LinkShown};
use crate::server::http::state::AppState;

/// `POST /settings/members/{id}/role`
pub async fn role(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let role = form.values.first("role").to_owned();
    act(&state, &id, form, "members.role", "saved", async |actor, id| {
        roles::change(&state.ctx, actor, id, &role).await
    })
    .await
}

/// `POST /settings/members/{id}/resume`
pub async fn resume(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        &id,
        form,
        "members.resume",
        "resumed",
        async |actor, id| roles::resume(&state.ctx, actor, id).await,
    )
    .await
}

/// `POST /settings/members/{id}/reset-factors`
pub async fn reset_factors(
    State(state): State<AppState>,
    Path(id): Path<String>,
    form: Submitted,
) -> Response {
    act(
        &state,
        &id,
        form,
        "members.reset_factors",
        "factors-reset",
        async |actor, id| account_acts::reset_factors(&state.ctx, actor, id).await,
    )
    .await
}

/// `POST /settings/members/{id}/sign-out`
pub async fn sign_out(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        &id,
        form,
        "members.sign_out",
        "signed-out",
        async |actor, id| account_acts::end_sessions(&state.ctx, actor, id).await,
    )
    .await
}

/// `POST /settings/members/{id}/unlock`
pub async fn unlock(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    act(
        &state,
        &id,
        form,
        "members.unlock",
        "unlocked",
        async |actor, id| account_acts::unlock(&state.ctx, actor, id).await,
    )
    .await
}

/// `POST /settings/members/{id}/password-link`: the answer shows the link, once.
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
    match account_acts::begin_password_reset(&state.ctx, &signed_in, &id).await {
        Ok(made) => {
            let shown = link_shown(&made, format!("/settings/members/{id}"));
            reveal::link(&state, &form.parts.headers, shown)
        }
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "members.password_link", error)
                .await
        }
    }
}

/// How a link for a new password is handed over.
pub(super) fn link_shown(made: &PasswordLink, back: String) -> LinkShown {
    LinkShown {
        title: format!("New password for {}", made.name),
        lede: if made.mailed {
            "A letter with this link is on its way. You can also hand it over yourself; it is shown once."
        } else {
            "Hand it over yourself: no mail server is set up. It is shown once."
        },
        link: made.link.expose().clone(),
        terms:
            "It works once, within an hour. Whoever opens it chooses the password; the second factor stays."
                .to_owned(),
        back,
    }
}

/// `POST /settings/members/{id}/offboard`
pub async fn offboard(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let decisions = decisions(&form.values);
    let done = match decisions.as_ref().map(|decisions| decisions.departure) {
        Ok(Departure::Suspend) => "suspended",
        _ => "removed",
    };
    act(&state, &id, form, "members.offboard", done, async |actor, id| {
        // Whoever may not is told that, not what else is wrong.
        actor.require(Permission::MembersManage)?;
        offboard::offboard(&state.ctx, actor, id, &decisions?)
            .await
            .map(drop)
    })
    .await
}

/// Fields named after keys say what becomes of each; `other_owned` and `other_made` say it for those not listed.
fn decisions(values: &FormValues) -> Result<Decisions, FieldError> {
    let departure = Departure::parse(values.first("departure"));
    let departure = departure.ok_or_else(|| {
        FieldError::new(
            "departure",
            "choice",
            "Choose whether to suspend or to remove the member.",
        )
    })?;
    let mut keys = HashMap::new();
    for (name, value) in values.pairs() {
        if let Ok(id) = name.parse::<KeyId>() {
            keys.insert(id, KeyFate::parse("keys", value)?);
        }
    }
    let common = |name: &'static str| match values.first(name) {
        "" => Ok(None),
        text => KeyFate::parse(name, text).map(Some),
    };
    Ok(Decisions {
        departure,
        keys,
        other_owned: common("other_owned")?,
        other_made: common("other_made")?,
        heir: values.first("heir").parse().ok(),
    })
}

/// `POST /settings/security`
pub async fn two_factor(State(state): State<AppState>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    let done = match form.values.first("two_factor") {
        "required" => two_factor::require(&state.ctx, actor, form.values.first("grace_days")).await,
        "optional" => two_factor::make_optional(&state.ctx, actor).await,
        _ => Err(FieldError::new("two_factor", "choice", "Choose whether two-factor is required.").into()),
    };
    match done {
        Ok(()) => see_other("/settings/security?done=saved"),
        Err(error) => {
            form.refused(&state, Some(actor), "security.two_factor", error)
                .await
        }
    }
}

/// `POST /settings/organisation`
pub async fn rename(State(state): State<AppState>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    match orgs::rename(&state.ctx, &signed_in.actor, form.values.first("name")).await {
        Ok(()) => see_other("/settings/organisation?done=saved"),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "organisation.rename", error)
                .await
        }
    }
}

async fn act(
    state: &AppState,
    id: &str,
    form: Submitted,
    what: &'static str,
    done: &'static str,
    act: impl AsyncFnOnce(&Actor, &AccountId) -> Result<(), DomainError>,
) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(state, error).await,
    };
    let Ok(id) = id.parse::<AccountId>() else {
        return form.again(state, AppError::not_found()).await;
    };
    match act(&signed_in.actor, &id).await {
        // Whoever has removed themselves may not see the page any more.
        Ok(()) if signed_in.actor.account_id() == Some(&id) => see_other("/"),
        Ok(()) => see_other(&format!("/settings/members/{id}?done={done}")),
        Err(error) => form.refused(state, Some(&signed_in.actor), what, error).await,
    }
}
