//! Invitations: made, sent again, revoked, accepted.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;

use super::account::{HOME, signed_in_at};
use super::{Submitted, id_of, see_other};
use crate::model::error::{AppError, Code};
use crate::server::domain::DomainError;
use crate::server::domain::members::accept;
use crate::server::domain::members::invite::{self, Invited};
use crate::server::http::middleware::session::{invitation_cookie, invitation_of};
use crate::server::http::reveal::{self, LinkShown};
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::{Secret, SecretText};

const MEMBERS: &str = "/settings/members";

fn shown(invited: &Invited) -> LinkShown {
    LinkShown {
        title: format!("Invitation for {}", invited.email),
        lede: reveal::handed_over(invited.mailed),
        link: invited.link.expose().clone(),
        terms: format!(
            "It works once, for this address alone, until {}.",
            invited.expires_at.date_in_words()
        ),
        back: MEMBERS.to_owned(),
    }
}

/// `POST /settings/members/invite`: the answer shows the link, once.
pub async fn invite(State(state): State<AppState>, form: Submitted) -> Response {
    let headers = form.parts.headers.clone();
    form.act(&state, "members.invite", async |signed_in, values| {
        let (email, role) = (values.first("email"), values.first("role"));
        let invited = invite::invite(&state.ctx, &signed_in.actor, email, role).await?;
        Ok(reveal::link(&state, &headers, shown(&invited)))
    })
    .await
}

/// `POST /settings/invitations/{id}/resend`: the answer shows the new link, once.
pub async fn resend(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let headers = form.parts.headers.clone();
    form.act(&state, "members.invite", async |signed_in, _| {
        let invited = invite::resend(&state.ctx, &signed_in.actor, &id_of(&id)?).await?;
        Ok(reveal::link(&state, &headers, shown(&invited)))
    })
    .await
}

/// `POST /settings/invitations/{id}/revoke`
pub async fn revoke(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "members.invite", async |signed_in, _| {
        invite::revoke(&state.ctx, &signed_in.actor, &id_of(&id)?).await?;
        Ok(see_other("/settings/members?done=invitation-revoked"))
    })
    .await
}

/// `POST /invitation`: joins, with the account that is signed in or with a new one.
pub async fn accept(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let token = token_of(&form);
    let (session, caller) = (form.session(), form.caller());
    let joined = match (&session.signed_in, &session.id) {
        (Some(signed_in), Some(id)) => {
            let joined = accept::join(&state.ctx, token.expose(), signed_in, id.expose(), &caller).await;
            joined.map(|()| see_other(HOME))
        }
        _ => {
            let name = form.values.first("name");
            let joined = accept::join_as_newcomer(&state.ctx, token.expose(), name, password, &caller).await;
            joined.map(|session_id| signed_in_at(&state, HOME, &session_id))
        }
    };
    match joined {
        Ok(mut response) => {
            let forgotten = invitation_cookie(&state, "");
            response.headers_mut().append(header::SET_COOKIE, forgotten);
            response
        }
        Err(error) => refused(&state, form, error).await,
    }
}

/// A link that is over has no form to come back to.
async fn refused(state: &AppState, form: Submitted, error: DomainError) -> Response {
    let error = AppError::from(error);
    let stays = error.code != Code::LinkOver;
    let mut response = form.again(state, error).await;
    if !stays {
        let forgotten = invitation_cookie(state, "");
        response.headers_mut().append(header::SET_COOKIE, forgotten);
    }
    response
}

fn token_of(form: &Submitted) -> SecretText {
    match form.values.first("token") {
        "" => invitation_of(&form.parts.headers).unwrap_or_else(|| SecretText::new(String::new())),
        token => SecretText::new(token.to_owned()),
    }
}
