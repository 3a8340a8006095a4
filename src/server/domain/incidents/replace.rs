//! Ending the leaked secret for good: another secret under the same id, or no key any more.

use serde_json::json;

use super::{Held, hold_open};
use crate::model::actor::Actor;
use crate::model::id::{IncidentId, KeyId};
use crate::model::key::{KeyStatus, RevocationReason};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::issue::{Nonce, RevealedKey};
use crate::server::domain::keys::looked::refuse_other_secret;
use crate::server::domain::keys::{lifecycle, rotation, secured};
use crate::server::domain::{DomainError, orgs};
use crate::server::store::incidents as store;

/// Gives the key another secret without any overlap, and lets it pass again if this incident froze it. One row is
/// written: whoever sees that the key passes sees that the leaked secret has ended. It ends as of the moment the key was
/// frozen, so that a server whose clock is behind refuses it too. Of two who saw the same secret one replaces it (R63).
/// Asks for what a rotation asks for (R26).
pub async fn replace(
    ctx: &Context,
    actor: &Actor,
    (id, secret_since): (&IncidentId, Option<Timestamp>),
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let Held { incident, .. } = hold_open(&mut tx, actor, id).await?;
    let (mut key, scope) = rotation::open(ctx, &mut tx, actor, &incident.key_id, now).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    rotation::use_form(&mut tx, nonce.as_ref(), &incident.key_id, now).await?;
    rotation::refuse_over(&key, now)?;
    refuse_other_secret(&key, secret_since)?;
    let is_frozen_by_this = key.status == KeyStatus::Disabled.as_str()
        && key.disabled_at_ms.is_some()
        && key.disabled_at_ms == incident.frozen_at.map(Timestamp::ms);
    let ends_at = incident.frozen_at.filter(|_| is_frozen_by_this).unwrap_or(now);
    let (revealed, mut detail) =
        rotation::another_secret(ctx, &mut tx, &scope, &mut key, (ends_at, None), now).await?;
    detail["incident"] = json!(id.as_str());
    if is_frozen_by_this {
        KeyStatus::Active.as_str().clone_into(&mut key.status);
        key.disabled_at_ms = None;
        let entry = Entry::new("key.enabled", "key", &key.id).with(json!({ "incident": id.as_str() }));
        audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    }
    store::set_replaced(&mut tx, &scope, id, now).await?;
    let entry = Entry::new("incident.replaced", "incident", id.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    let told = (rotation::STARTED, detail);
    rotation::save(ctx, tx, (actor, &scope), key, told, now).await?;
    Ok(revealed)
}

/// Refuses whoever may not give the key another secret, or has not proved who they are.
pub async fn require(ctx: &Context, actor: &Actor, id: &IncidentId) -> Result<(), DomainError> {
    super::require(ctx, actor, id).await?;
    let scope = actor.require(crate::model::permission::Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let row = store::find(&mut tx, &scope, id).await?;
    let row = row.ok_or(DomainError::NotFound)?;
    drop(tx);
    rotation::require(ctx, actor, &row.incident.key_id).await
}

/// Revokes the key for good and says of which incident; gives its id, for a new one like it. Needs no fresh proof.
pub async fn revoke(ctx: &Context, actor: &Actor, id: &IncidentId) -> Result<KeyId, DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let Held { incident, scope, .. } = hold_open(&mut tx, actor, id).await?;
    let mut key = secured::find(ctx, &mut tx, actor, &incident.key_id).await?;
    if key.status == KeyStatus::Revoked.as_str() {
        return Err(lifecycle::already_revoked());
    }
    let (reason, note) = (RevocationReason::KeyCompromise, format!("Incident {id}"));
    secured::mark_revoked(&mut key, actor, reason, &note, now);
    let detail = json!({ "reason": reason.as_str(), "note": note, "incident": id.as_str() });
    lifecycle::save_revoked(ctx, tx, (actor, &scope), key, detail, now).await?;
    Ok(incident.key_id)
}
