//! Service tokens: create, list, revoke. Shown once, like keys.

use serde_json::json;

use super::DomainError;
use super::audit::{self, Entry, actor_columns};
use super::keys::issue::{Nonce, refuse_used, use_up};
use super::mint::{self, Credential};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::{ProjectId, TokenId};
use crate::model::key::Lifetime;
use crate::model::key_text::TokenKind;
use crate::model::permission::Permission;
use crate::model::project::{Project, ProjectStatus};
use crate::model::text::{self, NAME_MAX};
use crate::model::time::Timestamp;
use crate::model::token::{TokenFormMaterial, TokenPermissions, TokenSummary};
use crate::server::ctx::Context;
use crate::server::platform::crypto::keyring::{Keyring, Purpose, StoredMac};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::tokens::{self as store, NewToken, SecuredToken};
use crate::server::store::{keys, projects};

/// A new token as typed or given on the command line.
pub struct TokenDraft<'a> {
    pub project: Option<&'a ProjectId>,
    pub name: &'a str,
    pub permissions: Vec<&'a str>,
    pub expiry: &'a str,
    pub expiry_date: &'a str,
}

/// A new token with its secret, for the one answer that shows it.
pub struct RevealedToken {
    pub id: TokenId,
    pub name: String,
    pub project: Project,
    pub expires_at: Option<Timestamp>,
    pub secret: SecretText,
}

fn sign(keyring: &Keyring, token: &SecuredToken) -> StoredMac {
    keyring.sign(Purpose::Row, &token.mac_parts())
}

/// Whether the row is one that this application wrote.
#[must_use]
pub fn is_intact(keyring: &Keyring, token: &SecuredToken) -> bool {
    keyring.is_signed(
        Purpose::Row,
        &token.row_mac_key_id,
        &token.mac_parts(),
        &token.row_mac,
    )
}

pub async fn list(ctx: &Context, actor: &Actor) -> Result<Vec<TokenSummary>, DomainError> {
    let scope = actor.require(Permission::TokensRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list(&mut tx, &scope, None, ctx.clock.now()).await?)
}

/// Projects to choose from and a fresh nonce.
pub async fn form_material(ctx: &Context, actor: &Actor) -> Result<TokenFormMaterial, DomainError> {
    actor.require(Permission::TokensManage)?;
    let projects = super::projects::choices(ctx, actor).await?;
    let active = projects
        .into_iter()
        .filter(|project| project.status == ProjectStatus::Active);
    Ok(TokenFormMaterial {
        now: ctx.clock.now(),
        nonce: mint::form_nonce(ctx),
        projects: active.map(|project| (project.id, project.name)).collect(),
    })
}

/// Creates a token. With a nonce that was used before, `AlreadyShown`.
pub async fn create(
    ctx: &Context,
    actor: &Actor,
    draft: &TokenDraft<'_>,
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedToken, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::TokensManage, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    super::orgs::hold_membership(&mut tx, actor, &scope).await?;
    if let Some(nonce) = &nonce {
        refuse_used(&keys::find_nonce(&mut tx, nonce.text, nonce.account).await?)?;
    }
    let mut errors = Vec::new();
    let name = text::line("name", "The name", draft.name, 1, NAME_MAX)
        .map_err(|error| errors.push(error))
        .ok();
    let permissions = TokenPermissions::parse("permissions", draft.permissions.iter().copied())
        .map_err(|error| errors.push(error))
        .ok();
    let lifetime = Lifetime::parse(draft.expiry, draft.expiry_date, now)
        .map_err(|error| errors.push(error))
        .ok();
    let project = match draft.project {
        Some(id) => projects::find(&mut tx, &scope, id).await?,
        None => None,
    };
    if project.is_none() {
        errors.push(FieldError::new(
            "project",
            "choice",
            "Choose one of your organisation’s projects.",
        ));
    }
    let (Some(name), Some(permissions), Some(lifetime), Some(project)) =
        (name, permissions, lifetime, project)
    else {
        return Err(DomainError::Invalid(errors));
    };
    let minted = mint::credential(ctx, TokenKind::Service.prefix());
    let id = mint::token_id(&minted.kid)?;
    let expires_at = lifetime.expires_at(now);
    let hashed = mint::hashed(
        ctx,
        Credential::Token {
            org_id: scope.org_id().as_str(),
            token_id: id.as_str(),
        },
        &minted.text,
    );
    let mut token = SecuredToken {
        id: id.as_str().to_owned(),
        org_id: scope.org_id().as_str().to_owned(),
        project_id: project.id.as_str().to_owned(),
        permissions: permissions.stored(),
        hash: hashed.hash,
        hash_alg: hashed.hash_alg,
        pepper_id: hashed.pepper_id,
        expires_at_ms: expires_at.map(Timestamp::ms),
        revoked_at_ms: None,
        row_mac: String::new(),
        row_mac_key_id: String::new(),
    };
    let mac = sign(&ctx.keyring, &token);
    (token.row_mac, token.row_mac_key_id) = (mac.mac, mac.key_id);
    let new = NewToken {
        secured: &token,
        name: &name,
        name_folded: &text::folded(&name),
        created_by: actor_columns(actor),
    };
    if let Some(nonce) = &nonce {
        use_up(&mut tx, nonce, id.as_str(), now).await?;
    }
    let message = "Another service token of this project has this name. Choose another, or revoke that one.";
    store::insert(&mut tx, &scope, &new, now)
        .await
        .map_err(|error| DomainError::from(error).taken("name", message))?;
    let detail = json!({
        "name": name, "projectId": project.id.as_str(), "permissions": permissions,
        "expiresAt": expires_at.map(Timestamp::rfc3339),
    });
    audit::record(
        ctx,
        &mut tx,
        Some(scope.org_id()),
        actor,
        Entry::new("token.created", "token", id.as_str()).with(detail),
        now,
    )
    .await?;
    changes::record(&mut tx, ChangeKind::Token, id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_token(&id);
    Ok(RevealedToken {
        id,
        name,
        project,
        expires_at,
        secret: minted.text,
    })
}

/// Ends a token for ever, from the next request on.
pub async fn revoke(ctx: &Context, actor: &Actor, id: &TokenId) -> Result<(), DomainError> {
    let scope = actor.require(Permission::TokensManage)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let mut token = store::find(&mut tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    if !is_intact(&ctx.keyring, &token) {
        let message = "This token’s record was changed outside Keywright, so it is refused everywhere.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    token.revoked_at_ms = Some(now.ms());
    if store::set_revoked(&mut tx, &scope, id, &sign(&ctx.keyring, &token), now).await? {
        audit::record(
            ctx,
            &mut tx,
            Some(scope.org_id()),
            actor,
            Entry::new("token.revoked", "token", id.as_str()),
            now,
        )
        .await?;
        changes::record(&mut tx, ChangeKind::Token, id.as_str(), now).await?;
    }
    tx.commit().await?;
    ctx.key_cache.forget_token(id);
    Ok(())
}

pub async fn confirm_stored(ctx: &Context, actor: &Actor, id: &TokenId) -> Result<(), DomainError> {
    let scope = actor.require(Permission::TokensManage)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    store::find(&mut tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    if store::set_stored(&mut tx, &scope, id, now).await? {
        audit::record(
            ctx,
            &mut tx,
            Some(scope.org_id()),
            actor,
            Entry::new("token.stored", "token", id.as_str()),
            now,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
