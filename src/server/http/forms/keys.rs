//! Create (answers with the secret), edit, revoke, confirm as stored.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::handover::{claim_of, passphrase_of, shown};
use super::{Submitted, id_of, see_other};
use crate::model::error::{AppError, Code, FieldError};
use crate::model::form::FormValues;
use crate::model::id::{AccountId, KeyId};
use crate::model::key_text::{TokenKind, parse_key, parse_token};
use crate::model::restriction::{HoursDraft, RestrictionsDraft};
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::keys::edit::{self, AccessEdit, KeyEdit};
use crate::server::domain::keys::issue::{self, KeyDraft, Nonce};
use crate::server::domain::keys::{handover, lifecycle};
use crate::server::http::reveal;
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::SecretText;

/// `POST /settings/api-keys/new`: the answer is the only place the secret is ever shown.
pub async fn create(State(state): State<AppState>, mut form: Submitted) -> Response {
    let passphrase = passphrase_of(&mut form, "claim_passphrase");
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    match issue_from(&state, &form, &signed_in, &passphrase).await {
        Ok(response) => response,
        Err(DomainError::Refused(Code::AlreadyShown, detail)) => {
            let account = actor.account_id().cloned();
            reveal::already_shown(&state, &form, account.as_ref(), detail).await
        }
        Err(error) => form.refused(&state, Some(actor), "keys.create", error).await,
    }
}

/// A form's nonce must look like one that a page gave out.
pub(super) fn nonce_of<'a>(form: &'a Submitted, account: &'a AccountId) -> Result<Nonce<'a>, DomainError> {
    let text = form.values.first("nonce");
    if text.len() == 24 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(Nonce { text, account });
    }
    Err(FieldError::new(
        "nonce",
        "missing",
        "The form lost its one-time mark. Reload the page and try again.",
    )
    .into())
}

/// Scopes that were ticked, and those that were typed.
fn scopes_of(values: &FormValues) -> Vec<&str> {
    let typed = values.first("other_scopes").split([' ', ',', '\n']);
    let typed = typed.filter(|scope| !scope.is_empty());
    values
        .all("scopes")
        .iter()
        .map(String::as_str)
        .chain(typed)
        .collect()
}

/// From where, for what and when, as it was typed; addresses also as they were ticked.
fn restrictions_of(values: &FormValues) -> RestrictionsDraft<'_> {
    let ticked = values.all("ip_more").iter().map(String::as_str);
    RestrictionsDraft {
        ip_allow: std::iter::once(values.first("ip_allow")).chain(ticked).collect(),
        ip_deny: vec![values.first("ip_deny")],
        resource_allow: vec![values.first("resource_allow")],
        resource_deny: vec![values.first("resource_deny")],
        hours: HoursDraft {
            days: values.all("hours_days").iter().map(String::as_str).collect(),
            from: values.first("hours_from"),
            to: values.first("hours_to"),
            zone: values.first("hours_zone"),
        },
        not_before: values.first("not_before"),
    }
}

async fn issue_from(
    state: &AppState,
    form: &Submitted,
    signed_in: &crate::server::domain::accounts::session::SignedIn,
    passphrase: &SecretText,
) -> Result<Response, DomainError> {
    let actor = &signed_in.actor;
    let account = actor
        .account_id()
        .ok_or(crate::model::actor::Denied::Unauthenticated)?;
    let values = &form.values;
    let project = values.first("project").parse().ok();
    let team = format!("team:{}", values.first("owner_team"));
    let owner = match values.first("owner") {
        "" => "me",
        "team" => &team,
        owner => owner,
    };
    let draft = KeyDraft {
        project: project.as_ref(),
        environment: values.first("environment"),
        name: values.first("name"),
        purpose: values.first("purpose"),
        owner,
        scopes: scopes_of(values),
        expiry: values.first("expiry"),
        expiry_date: values.first("expiry_date"),
        rotation_days: "",
        restrictions: restrictions_of(values),
        extend_catalogue: false,
        scopes_required: true,
    };
    // Whoever may not is told that, not what else is wrong.
    actor.require(issue::permission_for(draft.environment))?;
    let (headers, nonce) = (&form.parts.headers, Some(nonce_of(form, account)?));
    Ok(match values.first("handover") {
        "link" => {
            let claim = (claim_of(values), passphrase);
            let made = handover::issue(&state.ctx, actor, &draft, nonce, claim).await?;
            reveal::link(state, headers, shown(&made))
        }
        _ => reveal::key(
            state,
            headers,
            &issue::issue(&state.ctx, actor, &draft, nonce).await?,
        ),
    })
}

pub(super) fn key_page(id: &KeyId) -> String {
    format!("/settings/api-keys/{id}")
}

/// `POST /settings/api-keys/{id}/edit`
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.edit", async |signed_in, values| {
        let key = id_of(&id)?;
        let access = (values.first("access") == "1").then(|| AccessEdit {
            scopes: scopes_of(values),
            restrictions: restrictions_of(values),
            expiry: values.first("expiry"),
            expiry_date: values.first("expiry_date"),
        });
        let edit = KeyEdit {
            name: values.first("name"),
            purpose: values.first("purpose"),
            rotation_days: values.first("rotation_days"),
            access,
        };
        edit::save(&state.ctx, &signed_in.actor, &key, &edit).await?;
        Ok(see_other(&format!("{}?done=saved", key_page(&key))))
    })
    .await
}

/// `POST /settings/api-keys/{id}/revoke`
pub async fn revoke(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.revoke", async |signed_in, values| {
        let key = id_of(&id)?;
        let (reason, note) = (values.first("reason"), values.first("note"));
        lifecycle::revoke_as_typed(&state.ctx, &signed_in.actor, &key, reason, note).await?;
        Ok(see_other(&match values.first("again") {
            "1" => format!("/settings/api-keys/new?from={key}"),
            _ => format!("{}?done=revoked", key_page(&key)),
        }))
    })
    .await
}

/// `POST /settings/api-keys/{id}/stored`
pub async fn stored(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.stored", async |signed_in, values| {
        let key = id_of(&id)?;
        let since = values.first("secret_since").parse().ok().map(Timestamp::from_ms);
        lifecycle::confirm_stored(&state.ctx, &signed_in.actor, &key, values.first("note"), since).await?;
        Ok(see_other(&format!("{}?done=stored", key_page(&key))))
    })
    .await
}

/// `POST /settings/env-file`: gives back, as a file, the secret that the page just showed. Nothing is looked up or
/// kept; it exists so that the download works without a script and without the secret in an address.
pub async fn env_file(State(state): State<AppState>, form: Submitted) -> Response {
    let (variable, secret) = (form.values.first("variable"), form.values.first("secret"));
    let is_name = !variable.is_empty()
        && variable.len() <= 60
        && variable.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_secret = parse_key(secret).is_some() || parse_token(TokenKind::Service, secret).is_some();
    if !(is_name && is_secret) {
        let detail = "This is not a secret that Keywright just showed.";
        return form
            .again(&state, AppError::new(Code::MalformedBody, detail))
            .await;
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\".env\""),
    ];
    let mut response = (headers, format!("{variable}={secret}\n")).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}
