//! Incidents: open, freeze, replace (answers with the new secret), revoke, write up, close, reopen, take away.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::keys::nonce_of;
use super::rotation::secret_seen;
use super::{Submitted, id_of, see_other};
use crate::model::actor::Denied;
use crate::model::error::{Code, FieldError};
use crate::model::form::FormValues;
use crate::model::id::{IncidentId, KeyId};
use crate::server::domain::DomainError;
use crate::server::domain::accounts::session::SignedIn;
use crate::server::domain::incidents::findings::{self, Findings};
use crate::server::domain::incidents::{self, checklist, export, open, replace};
use crate::server::domain::keys::issue::RevealedKey;
use crate::server::http::reveal;
use crate::server::http::state::AppState;

fn page_of(id: &IncidentId, done: &str) -> String {
    format!("/settings/incidents/{id}?done={done}")
}

/// `POST /settings/api-keys/{id}/leaked`
pub async fn opened(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.open", async |signed_in, values| {
        let key: KeyId = id_of(&id)?;
        let when = (values.first("when"), values.first("since"));
        let (noticed, freeze) = (values.first("noticed"), values.first("freeze") == "1");
        let actor = &signed_in.actor;
        let opened = open::open_as_typed(&state.ctx, actor, &key, when, noticed, freeze).await?;
        let done = match (opened.already, freeze, opened.by_bystander) {
            (true, _, _) => "incident-there",
            (false, true, _) => "incident-frozen",
            (false, false, false) => "incident-opened",
            (false, false, true) => "incident-told",
        };
        Ok(see_other(&page_of(&opened.id, done)))
    })
    .await
}

fn findings_of(values: &FormValues) -> Findings<'_> {
    Findings {
        noticed: values.first("noticed"),
        cause: values.first("cause"),
        impact: values.first("impact"),
        lessons: values.first("lessons"),
        version: values.first("version").parse().ok(),
    }
}

/// `POST /settings/incidents/{id}`: what was found out so far.
pub async fn findings(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.edit", async |signed_in, values| {
        let id = id_of(&id)?;
        findings::save(&state.ctx, &signed_in.actor, &id, findings_of(values)).await?;
        Ok(see_other(&page_of(&id, "saved")))
    })
    .await
}

/// `POST /settings/incidents/{id}/since`: another suspected moment.
pub async fn since(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.edit", async |signed_in, values| {
        let id = id_of(&id)?;
        incidents::require(&state.ctx, &signed_in.actor, &id).await?;
        findings::suspect_since(&state.ctx, &signed_in.actor, &id, values.first("since")).await?;
        Ok(see_other(&page_of(&id, "saved")))
    })
    .await
}

/// `POST /settings/incidents/{id}/freeze`
pub async fn freeze(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.freeze", async |signed_in, _| {
        let id = id_of(&id)?;
        open::freeze_now(&state.ctx, &signed_in.actor, &id).await?;
        Ok(see_other(&page_of(&id, "incident-frozen")))
    })
    .await
}

/// `POST /settings/incidents/{id}/replace`: the answer is the only place the new secret is ever shown.
pub async fn replaced(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    match replace_from(&state, &id, &form, &signed_in).await {
        Ok(revealed) => reveal::rotated_key(&state, &form.parts.headers, &revealed),
        Err(DomainError::Refused(Code::AlreadyShown, detail)) => {
            reveal::already_shown(&state, &form, actor.account_id(), detail).await
        }
        Err(error) => {
            form.refused(&state, Some(actor), "incidents.replace", error)
                .await
        }
    }
}

async fn replace_from(
    state: &AppState,
    id: &str,
    form: &Submitted,
    signed_in: &SignedIn,
) -> Result<RevealedKey, DomainError> {
    let actor = &signed_in.actor;
    let id: IncidentId = id_of(id)?;
    // Whoever may not is told that, not what else is wrong.
    replace::require(&state.ctx, actor, &id).await?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let seen = (&id, secret_seen(&form.values));
    replace::replace(&state.ctx, actor, seen, Some(nonce_of(form, account)?)).await
}

/// `POST /settings/incidents/{id}/revoke`: the key ends; the form for another like it follows, if asked for.
pub async fn revoked(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.revoke", async |signed_in, values| {
        let id = id_of(&id)?;
        let key = replace::revoke(&state.ctx, &signed_in.actor, &id).await?;
        Ok(see_other(&match values.first("again") {
            "1" => format!("/settings/api-keys/new?from={key}"),
            _ => page_of(&id, "revoked"),
        }))
    })
    .await
}

/// `POST /settings/incidents/{id}/checklist`: `act` says what, `item` to which.
pub async fn checklist(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.checklist", async |signed_in, values| {
        let id = id_of(&id)?;
        let number = tick(&state, &signed_in.actor, &id, values).await?;
        Ok(see_other(&format!("/settings/incidents/{id}#item-{number}")))
    })
    .await
}

/// Does it, and gives the number of an item to look at.
async fn tick(
    state: &AppState,
    actor: &crate::model::actor::Actor,
    id: &IncidentId,
    values: &FormValues,
) -> Result<i64, DomainError> {
    let ctx = &state.ctx;
    if values.first("act") == "add" {
        return checklist::add(ctx, actor, id, values.first("text")).await;
    }
    // Not a number of any.
    let number = values.first("item").parse().unwrap_or(0);
    match values.first("act") {
        "done" => checklist::set_done(ctx, actor, id, number, true).await?,
        "undone" => checklist::set_done(ctx, actor, id, number, false).await?,
        "save" => {
            let typed = (values.first("assignee"), values.first("note"));
            checklist::save(ctx, actor, id, number, typed).await?;
        }
        "remove" => checklist::remove(ctx, actor, id, number).await?,
        _ => {
            incidents::require(ctx, actor, id).await?;
            return Err(FieldError::new("act", "choice", "Choose what to do with the item.").into());
        }
    }
    Ok(number)
}

/// `POST /settings/incidents/{id}/close`
pub async fn closed(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.close", async |signed_in, values| {
        let id = id_of(&id)?;
        let (typed, anyway) = (findings_of(values), values.first("anyway") == "1");
        findings::close(&state.ctx, &signed_in.actor, &id, typed, anyway).await?;
        Ok(see_other(&page_of(&id, "incident-closed")))
    })
    .await
}

/// `POST /settings/incidents/{id}/reopen`
pub async fn reopened(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.reopen", async |signed_in, _| {
        let id = id_of(&id)?;
        findings::reopen(&state.ctx, &signed_in.actor, &id).await?;
        Ok(see_other(&page_of(&id, "incident-reopened")))
    })
    .await
}

/// `POST /settings/incidents/{id}/export`: the report as a file.
pub async fn exported(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "incidents.export", async |signed_in, values| {
        let id: IncidentId = id_of(&id)?;
        let format = values.first("format");
        let (format, text) = export::export(&state.ctx, &signed_in.actor, &id, format).await?;
        let name = format!(
            "attachment; filename=\"incident-{}.{}\"",
            id.random_part(),
            format.extension()
        );
        let name = HeaderValue::from_str(&name).map_err(|_| DomainError::Defect("an id is no header"))?;
        let mut response = ([(header::CONTENT_TYPE, format.media_type())], text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, name);
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    })
    .await
}
