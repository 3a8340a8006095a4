//! Collecting the secret of a key that was approved: once, by whoever asked for it.

use serde_json::json;

use super::decide::obstacle;
use super::{anothers, over};
use crate::model::actor::{Actor, Denied};
use crate::model::approval::{ApprovalKind, ApprovalState, COLLECT_MS};
use crate::model::error::Code;
use crate::model::id::ApprovalId;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::accounts::links::{self, Purpose};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::handover::{first_secret, refuse_collected};
use crate::server::domain::keys::issue::RevealedKey;
use crate::server::domain::keys::{require_manage, secured};
use crate::server::domain::{DomainError, orgs, policy};
use crate::server::store::approvals as store;
use crate::server::store::keys::SecuredKey;

/// Makes the secret and gives it. Of two requests at once one gets it; the secret of a live key needs a fresh proof (R26).
pub async fn collect(ctx: &Context, actor: &Actor, id: &ApprovalId) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysManageOwn)?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    let approval = store::find(&mut tx, &scope, id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    let summary = approval.summary;
    if summary.requested_by != *account {
        return Err(anothers(actor));
    }
    if summary.environment == Environment::Live {
        actor.require_proof(now)?;
    }
    let key_id = match (summary.kind, summary.state, summary.key_id) {
        (ApprovalKind::Create, ApprovalState::Approved, Some(key)) => key,
        (ApprovalKind::Create, ApprovalState::Waiting, _) => {
            let message = "This request is not decided yet, so there is no key to collect.";
            return Err(DomainError::refused(Code::Conflict, message));
        }
        (_, state, _) => return Err(over(state)),
    };
    if summary.collected_at.is_some() {
        let message = "The secret was collected already, and cannot be shown again. Another one takes a rotation; ask an admin where you may not begin one.";
        return Err(DomainError::refused(Code::AlreadyShown, message));
    }
    let key = secured::find(ctx, &mut tx, actor, &key_id).await?;
    // It may have been given to somebody else, and whoever asked may have less power, since it was approved.
    require_manage(actor, &key)?;
    refuse_collected(&key)?;
    refuse_too_late(&key, summary.decided_at, now)?;
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    if let Err(broken) = policy::enforce_on(&policy, &key) {
        let why = obstacle(&broken).unwrap_or_default();
        let message = format!(
            "The policy has changed since this was approved, and the key does not keep it. Edit the key first. {why}"
        );
        return Err(DomainError::refused(Code::Conflict, message));
    }
    // A link that somebody made for it meanwhile gives nothing any more.
    links::void(&mut tx, Purpose::Claim, key_id.as_str()).await?;
    let detail = json!({ "accountId": account.as_str(), "approvalId": id.as_str() });
    let entry = Entry::new("key.collected", "key", key_id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    let revealed = first_secret(ctx, &mut tx, &scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&key_id);
    Ok(revealed)
}

/// What was approved long ago is asked for anew.
pub(in crate::server::domain) fn refuse_too_late(
    key: &SecuredKey,
    decided_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let is_over = key.expires_at_ms.is_some_and(|end| end <= now.ms());
    let is_late = decided_at.is_none_or(|at| now.since_ms(at) >= COLLECT_MS);
    match is_over || is_late {
        true => {
            let message = "Nobody collected the secret within 14 days, or before the key ended. Revoke the key and ask anew.";
            Err(DomainError::refused(Code::Conflict, message))
        }
        false => Ok(()),
    }
}
