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
///
/// Nobody says of which project it is. A text that somebody else made is looked for in every project that declares a
/// format which it fits, and ends in each that it was imported into; the answer names one of them.
pub async fn self_revoke(
    ctx: &Context,
    text: &str,
    reason: RevocationReason,
    origin: Origin,
) -> Result<KeyId, DomainError> {
    let held = verification::find_held(ctx, text).await?;
    let first = held.first().ok_or(DomainError::NotFound)?.id;
    let from = origin.ip.as_deref().unwrap_or("an unknown address");
    let note = format!("By whoever holds it, from {from}.");
    for key in held.iter().filter(|key| key.status != KeyStatus::Revoked) {
        let actor = Actor::system(Some(key.org_id));
        lifecycle::revoke(ctx, &actor, &key.id, reason, &note).await?;
    }
    Ok(first)
}
