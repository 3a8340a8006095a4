//! Members: roles, leaving, acts on their accounts, the second factor asked of everybody.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, id_of, see_other};
use crate::model::actor::Actor;
use crate::model::error::FieldError;
use crate::model::form::FormValues;
use crate::model::id::{AccountId, KeyId};
use crate::model::member::{Departure, KeyFate};
use crate::model::permission::Permission;
use crate::model::rotation::Overlap;
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
    let headers = form.parts.headers.clone();
    form.act(&state, "members.password_link", async |signed_in, _| {
        let made = account_acts::begin_password_reset(&state.ctx, signed_in, &id_of(&id)?).await?;
        let shown = link_shown(&made, format!("/settings/members/{id}"));
        Ok(reveal::link(&state, &headers, shown))
    })
    .await
}

/// How a link for a new password is handed over.
pub(super) fn link_shown(made: &PasswordLink, back: String) -> LinkShown {
    LinkShown {
        title: format!("New password for {}", made.name),
        lede: reveal::handed_over(made.mailed),
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
    let (other_owned, other_made) = (common("other_owned")?, common("other_made")?);
    let mut all = keys.values().copied().chain(other_owned).chain(other_made);
    let overlap = match all.any(|fate| fate == KeyFate::TransferAndRotate) {
        true => Overlap::parse(
            values.first("overlap"),
            values.first("overlap_hours"),
            values.first("from_first_use") == "1",
        )?,
        false => Overlap::NONE,
    };
    Ok(Decisions {
        departure,
        overlap,
        keys,
        other_owned,
        other_made,
        heir: values.first("heir").parse().ok(),
    })
}

/// `POST /settings/security`
pub async fn two_factor(State(state): State<AppState>, form: Submitted) -> Response {
    form.act(&state, "security.two_factor", async |signed_in, values| {
        let (ctx, actor) = (&state.ctx, &signed_in.actor);
        match values.first("two_factor") {
            "required" => two_factor::require(ctx, actor, values.first("grace_days")).await?,
            "optional" => two_factor::make_optional(ctx, actor).await?,
            _ => {
                let message = "Choose whether two-factor is required.";
                return Err(FieldError::new("two_factor", "choice", message).into());
            }
        }
        Ok(see_other("/settings/security?done=saved"))
    })
    .await
}

/// `POST /settings/organisation`
pub async fn rename(State(state): State<AppState>, form: Submitted) -> Response {
    form.act(&state, "organisation.rename", async |signed_in, values| {
        orgs::rename(&state.ctx, &signed_in.actor, values.first("name")).await?;
        Ok(see_other("/settings/organisation?done=saved"))
    })
    .await
}

async fn act(
    state: &AppState,
    id: &str,
    form: Submitted,
    what: &'static str,
    done: &'static str,
    act: impl AsyncFnOnce(&Actor, &AccountId) -> Result<(), DomainError>,
) -> Response {
    form.act(state, what, async |signed_in, _| {
        let id = id_of(id)?;
        act(&signed_in.actor, &id).await?;
        // Whoever has removed themselves may not see the page any more.
        let oneself = signed_in.actor.account_id() == Some(&id);
        let page = format!("/settings/members/{id}?done={done}");
        Ok(see_other(if oneself { "/" } else { &page }))
    })
    .await
}
