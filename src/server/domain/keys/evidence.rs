//! What shows whether a rotation can end: how each of the two secrets was used.

use super::rotation::{CURRENT, PREVIOUS, runs_until};
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::rotation::{Rotation, SecretUse};
use crate::model::time::{HOUR_MS, Timestamp};
use crate::model::usage::LastUsed;
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, SecretHour};

/// The evidence of a rotation that is under way.
pub(super) async fn running(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    now: Timestamp,
) -> Result<Option<Rotation>, DomainError> {
    let Some(key) = store::find_secured(tx, scope, id).await? else {
        return Ok(None);
    };
    let Some(ends_at) = runs_until(&key, now) else {
        return Ok(None);
    };
    let started_at = Timestamp::from_ms(key.secret_since_ms);
    let uses = store::list_uses(tx, id, started_at.floor_to(HOUR_MS)).await?;
    let of = |slot: &str| {
        let secret = key.secrets.iter().find(|secret| secret.slot == slot);
        secret.map_or_else(SecretUse::default, |secret| use_of(&uses, secret.number, now))
    };
    let previous = key.secrets.iter().find(|secret| secret.slot == PREVIOUS);
    Ok(Some(Rotation {
        started_at,
        ends_at,
        countdown_ms: previous.and_then(|previous| previous.countdown_ms),
        current: of(CURRENT),
        previous: of(PREVIOUS),
    }))
}

/// The last 24 hours of one secret, and its last use of all.
fn use_of(uses: &[SecretHour], number: i64, now: Timestamp) -> SecretUse {
    let own = || uses.iter().filter(|hour| hour.number == number);
    let first = now.floor_to(HOUR_MS).minus_ms(23 * HOUR_MS);
    let in_hour = |n: i64| {
        let at = first.plus_ms(n * HOUR_MS).ms();
        own()
            .filter(|hour| hour.hour_at_ms == at)
            .map(|hour| hour.requests)
            .sum()
    };
    SecretUse {
        last: own().max_by_key(|hour| hour.last_at_ms).map(|hour| LastUsed {
            at: Timestamp::from_ms(hour.last_at_ms),
            ip: hour.last_ip.clone(),
            country: None,
        }),
        hours: (0..24).map(in_hour).collect(),
    }
}
