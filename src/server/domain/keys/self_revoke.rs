//! Whoever holds a key may end it: possession is the authority, and nobody is asked who they are.

use crate::model::actor::{Actor, Origin};
use crate::model::id::KeyId;
use crate::model::key::{KeyStatus, RevocationReason};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::verification;

use super::lifecycle;

/// Revokes the key whose present secret this is. One that is revoked already is no error. Errors: no such key, or another
/// secret; a secret that was replaced, whose holder must not end what others use.
pub async fn self_revoke(
    ctx: &Context,
    text: &str,
    reason: RevocationReason,
    origin: Origin,
) -> Result<KeyId, DomainError> {
    let held = verification::find_held(ctx, text).await?;
    let key = held.ok_or(DomainError::NotFound)?;
    if key.status == KeyStatus::Revoked {
        return Ok(key.id);
    }
    let from = origin.ip.as_deref().unwrap_or("an unknown address");
    let note = format!("By whoever holds it, from {from}.");
    let actor = Actor::system(Some(key.org_id));
    lifecycle::revoke(ctx, &actor, &key.id, reason, &note).await?;
    Ok(key.id)
}
