//! Create (answers with the secret), edit, revoke, confirm as stored.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::handover::{claim_of, passphrase_of, shown};
use super::rotation::secret_seen;
use super::{Submitted, id_of, see_other};
use crate::model::actor::{Actor, Denied};
use crate::model::error::{AppError, Code, FieldError};
use crate::model::form::FormValues;
use crate::model::id::{AccountId, ApprovalId, KeyId, ProjectId};
use crate::model::key_text::{TokenKind, parse_key, parse_token};
use crate::model::project::Project;
use crate::model::{key_link, scope_group};
use crate::server::domain::keys::edit::{self, KeyEdit};
use crate::server::domain::keys::issue::{self, KeyDraft, Nonce};
use crate::server::domain::keys::{handover, lifecycle, read, review};
use crate::server::domain::{DomainError, approvals, projects};
use crate::server::http::reveal;
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::SecretText;

/// `POST /settings/api-keys/new`: the answer is the only place the secret is ever shown. Asked for a review or a link, it
/// makes nothing.
pub async fn create(State(state): State<AppState>, mut form: Submitted) -> Response {
    let passphrase = passphrase_of(&mut form, "claim_passphrase");
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(&state, error).await,
    };
    let actor = &signed_in.actor;
    match form.values.first("step") {
        "review" => return review_form(&state, form, actor).await,
        "ask" => return ask(&state, form, actor).await,
        "link" => return link_to(&state, form, actor).await,
        _ => {}
    }
    match issue_from(&state, &form, actor, &passphrase).await {
        Ok(response) => response,
        Err(DomainError::Refused(Code::AlreadyShown, detail)) => {
            let account = actor.account_id().cloned();
            if let Some(id) = asked_before(&state, &form, account.as_ref()).await {
                return see_other(&format!("/settings/approvals/{id}?done=asked"));
            }
            reveal::already_shown(&state, &form, account.as_ref(), detail).await
        }
        Err(error) => form.refused(&state, Some(actor), "keys.create", error).await,
    }
}

/// The request that a form made when it was sent before: then no secret was ever shown.
async fn asked_before(state: &AppState, form: &Submitted, account: Option<&AccountId>) -> Option<ApprovalId> {
    let nonce = nonce_of(form, account?).ok()?;
    let (made, _) = issue::made_by_form(&state.ctx, &nonce).await.ok()??;
    made.parse().ok()
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

/// The project that a form of keys is about, with its catalogue: presets are expanded by it.
async fn project_of(state: &AppState, actor: &Actor, id: Option<&ProjectId>) -> Option<Project> {
    match id {
        Some(id) => projects::find(&state.ctx, actor, id).await.ok(),
        None => None,
    }
}

/// The scopes that the create form means.
async fn chosen_scopes(state: &AppState, actor: &Actor, values: &FormValues) -> Vec<String> {
    let id = values.first("project").parse().ok();
    let project = project_of(state, actor, id.as_ref()).await;
    scope_group::chosen(values, project.as_ref())
}

/// Gives the filled-in form to `act`, with the scopes it means.
async fn with_draft<T>(
    state: &AppState,
    actor: &Actor,
    values: &FormValues,
    act: impl AsyncFnOnce(&KeyDraft<'_>) -> Result<T, DomainError>,
) -> Result<T, DomainError> {
    // Whoever may not is told that, not what else is wrong.
    issue::require_may_ask(actor, values.first("environment"))?;
    let project = values.first("project").parse().ok();
    let scopes = chosen_scopes(state, actor, values).await;
    let owner = issue::owner_of(values);
    act(&KeyDraft::of_form(values, project.as_ref(), &owner, &scopes)).await
}

/// Asks a second person for the key of the form; nothing is made.
async fn ask(state: &AppState, form: Submitted, actor: &Actor) -> Response {
    let asked = async {
        issue::require_may_ask(actor, form.values.first("environment"))?;
        let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
        let nonce = nonce_of(&form, account)?;
        let scopes = chosen_scopes(state, actor, &form.values).await;
        approvals::ask_for_key(&state.ctx, actor, (&form.values, &scopes), nonce).await
    };
    match asked.await {
        Ok(id) => see_other(&format!("/settings/approvals/{id}?done=asked")),
        Err(error) => form.refused(state, Some(actor), "keys.create", error).await,
    }
}

async fn issue_from(
    state: &AppState,
    form: &Submitted,
    actor: &Actor,
    passphrase: &SecretText,
) -> Result<Response, DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let values = &form.values;
    with_draft(state, actor, values, async |draft| {
        let (headers, nonce) = (&form.parts.headers, Some(nonce_of(form, account)?));
        Ok(match values.first("handover") {
            "link" => {
                let claim = (claim_of(values), passphrase);
                let made = handover::issue(&state.ctx, actor, draft, nonce, claim).await?;
                reveal::link(state, headers, shown(&made))
            }
            _ => reveal::key(
                state,
                headers,
                &issue::issue(&state.ctx, actor, draft, nonce).await?,
            ),
        })
    })
    .await
}

/// The form again with what it means; nothing is made.
async fn review_form(state: &AppState, form: Submitted, actor: &Actor) -> Response {
    let said = with_draft(state, actor, &form.values, async |draft| {
        review::review(&state.ctx, actor, draft).await
    });
    match said.await {
        Ok(said) => form.reviewed(state, said).await,
        Err(error) => form.refused(state, Some(actor), "keys.create", error).await,
    }
}

/// The address that begins with the same form, shown for copying; nothing is made.
async fn link_to(state: &AppState, form: Submitted, actor: &Actor) -> Response {
    let scopes = chosen_scopes(state, actor, &form.values).await;
    let query = key_link::query(&key_link::values_of_form(&form.values, &scopes));
    if query.len() > key_link::QUERY_MAX {
        let message = format!(
            "This form is too long for a link: {} characters, and at most {} fit. Leave addresses or scopes out.",
            query.len(),
            key_link::QUERY_MAX
        );
        let error = FieldError::new("copy", "too_long", message);
        return form.again(state, AppError::from(error)).await;
    }
    see_other(&format!("{}?{query}&copy=1", key_link::FORM))
}

/// The scopes that the form for editing a key means.
async fn edited_scopes(
    state: &AppState,
    actor: &Actor,
    key: &KeyId,
    values: &FormValues,
) -> Result<Vec<String>, DomainError> {
    let key = read::find(&state.ctx, actor, key).await?;
    let project = project_of(state, actor, Some(&key.summary.project_id)).await;
    Ok(scope_group::chosen(values, project.as_ref()))
}

pub(super) fn key_page(id: &KeyId) -> String {
    format!("/settings/api-keys/{id}")
}

/// `POST /settings/api-keys/{id}/edit`
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "keys.edit", async |signed_in, values| {
        let key = id_of(&id)?;
        let scopes = edited_scopes(&state, &signed_in.actor, &key, values).await?;
        let actor = &signed_in.actor;
        if values.first("step") == "ask" {
            let id = approvals::ask_for_change(&state.ctx, actor, &key, (values, &scopes)).await?;
            return Ok(see_other(&format!("/settings/approvals/{id}?done=asked")));
        }
        let edit = KeyEdit::of_form(values, &scopes);
        edit::save(&state.ctx, actor, &key, &edit).await?;
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
        let since = secret_seen(values);
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
