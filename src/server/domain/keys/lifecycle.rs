//! Disable, enable, revoke, confirm as stored.

use serde_json::json;

use super::looked::refuse_other_secret;
use super::{require_manage, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::KeyId;
use crate::model::key::{KeyStatus, RevocationReason};
use crate::model::text::{self, NOTE_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::links::{self, Purpose};
use crate::server::domain::audit::{self, Entry};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::incidents;
use crate::server::store::keys::{self as store, SecuredKey};

/// How a key is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop<'a> {
    /// For a while; `why` is told where nobody did it by hand.
    Disable { why: Option<&'static str> },
    /// For ever. The note was checked.
    Revoke { reason: RevocationReason, note: &'a str },
}

/// Stops a key that was read in this transaction and does not stand like that yet. Whoever calls tells every node, commits
/// and lets the cache forget.
pub(super) async fn stop_in(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    mut key: SecuredKey,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<(), DomainError> {
    match stop {
        Stop::Disable { why } => {
            let detail = why.map_or_else(|| json!({}), |why| json!({ "reason": why }));
            mark_disabled(ctx, tx, (actor, scope), &mut key, detail, now).await?;
        }
        Stop::Revoke { reason, note } => {
            secured::mark_revoked(&mut key, actor, reason, note, now);
            let detail = json!({ "reason": reason.as_str(), "note": note });
            record_revoked(ctx, tx, (actor, scope), &key, detail, now).await?;
        }
    }
    secured::write(ctx, tx, scope, key).await
}

/// Says of a key that is marked as revoked that it is, and voids the link by which its secret could still be collected.
async fn record_revoked(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    detail: serde_json::Value,
    now: Timestamp,
) -> Result<(), DomainError> {
    links::void(tx, Purpose::Claim, &key.id).await?;
    let entry = Entry::new("key.revoked", "key", &key.id).with(detail);
    Ok(audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?)
}

pub(in crate::server::domain) fn already_revoked() -> DomainError {
    DomainError::refused(
        Code::KeyAlreadyRevoked,
        "This key is revoked. A revoked key stays revoked; create a new one instead.",
    )
}

/// Marks the key as refused for now, and says so in the log; `detail` says why.
pub(in crate::server::domain) async fn mark_disabled(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &mut SecuredKey,
    detail: serde_json::Value,
    now: Timestamp,
) -> Result<(), DomainError> {
    KeyStatus::Disabled.as_str().clone_into(&mut key.status);
    key.disabled_at_ms = Some(now.ms());
    let entry = Entry::new("key.disabled", "key", &key.id).with(detail);
    Ok(audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?)
}

/// Refuses the key from the next request on. Doing it twice is no error.
pub async fn disable(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    set_enabled(ctx, actor, id, false).await
}

/// Lets a disabled key pass again.
pub async fn enable(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    set_enabled(ctx, actor, id, true).await
}

async fn set_enabled(ctx: &Context, actor: &Actor, id: &KeyId, enabled: bool) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let wanted = match enabled {
        true => KeyStatus::Active,
        false => KeyStatus::Disabled,
    };
    let mut tx = audit::begin(ctx, actor).await?;
    let mut key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    match KeyStatus::parse(&key.status) {
        Some(KeyStatus::Revoked) | None => return Err(already_revoked()),
        Some(status) if status == wanted => return Ok(()),
        Some(_) => {}
    }
    if enabled {
        refuse_frozen(&mut tx, &scope, &key).await?;
        key.status = wanted.as_str().to_owned();
        key.disabled_at_ms = None;
        store::set_enabled(&mut tx, id, now).await?;
        let entry = Entry::new("key.enabled", "key", id.as_str());
        audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
        secured::write(ctx, &mut tx, &scope, key).await?;
    } else {
        let stop = Stop::Disable { why: None };
        stop_in(ctx, &mut tx, (actor, &scope), key, stop, now).await?;
    }
    changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}

/// What an incident froze stays so while that is open: only its replaced secret ends the leak.
async fn refuse_frozen(tx: &mut Tx, scope: &OrgScope, key: &SecuredKey) -> Result<(), DomainError> {
    let Some(at) = key.disabled_at_ms.map(Timestamp::from_ms) else {
        return Ok(());
    };
    match incidents::is_frozen(tx, scope, &key.id.parse()?, at).await? {
        true => {
            let message = "An incident froze this key because it may have leaked. Replace its secret there, or close the incident first.";
            Err(DomainError::refused(Code::Conflict, message))
        }
        false => Ok(()),
    }
}

/// The same with the reason as it was typed; whoever may not is told that first.
pub async fn revoke_as_typed(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    reason: &str,
    note: &str,
) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    require_manage(actor, &secured::find(ctx, &mut tx, actor, id).await?)?;
    drop(tx);
    let choice = || FieldError::new("reason", "choice", "Choose why the key is revoked.");
    let reason = RevocationReason::parse(reason).ok_or_else(choice)?;
    revoke(ctx, actor, id, reason, note).await
}

/// Ends the key for ever. Its row stays, with who, when and why; its hash too, so that the answer can say `REVOKED`.
pub async fn revoke(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    reason: RevocationReason,
    note: &str,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    let note = text::line("note", "The note", note, 0, NOTE_MAX)?;
    if key.status == KeyStatus::Revoked.as_str() {
        return Err(already_revoked());
    }
    let stop = Stop::Revoke { reason, note: &note };
    stop_in(ctx, &mut tx, (actor, &scope), key, stop, now).await?;
    changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}

/// Saves a key that is marked as revoked, with what is told of it, and commits.
pub(in crate::server::domain) async fn save_revoked(
    ctx: &Context,
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: SecuredKey,
    detail: serde_json::Value,
    now: Timestamp,
) -> Result<(), DomainError> {
    let id: KeyId = key.id.parse()?;
    record_revoked(ctx, &mut tx, (actor, scope), &key, detail, now).await?;
    secured::save(ctx, &mut tx, scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&id);
    Ok(())
}

/// Notes that the secret is kept somewhere: the one that exists since the moment the page told, if it told one. Confirming
/// twice keeps the first time. Errors: another secret was made since.
pub async fn confirm_stored(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    note: &str,
    secret_since: Option<Timestamp>,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    let note = text::line("note", "The note", note, 0, NOTE_MAX)?;
    refuse_other_secret(&key, secret_since)?;
    if store::set_stored(&mut tx, &scope, id, &note, now).await? {
        let entry = Entry::new("key.stored", "key", id.as_str()).with(json!({ "note": note }));
        audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
