//! Who disabled a key and why, as the audit log has it. Whoever sees the key may know this one fact of the log.

use serde_json::Value;

use super::read::actor_name;
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key_page::{Disabled, DisabledBecause};
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::store::audit;
use crate::server::store::db::Tx;

/// Of a key that was disabled at this moment; none where the log tells of another.
pub(super) async fn of(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    at: Timestamp,
) -> Result<Option<Disabled>, DomainError> {
    let newest = audit::find_newest(tx, scope, id.as_str(), "key.disabled").await?;
    let newest = newest.filter(|newest| newest.at_ms == at.ms());
    Ok(newest.map(|newest| Disabled {
        why: why(&newest.detail),
        by: actor_name((newest.actor_type, newest.actor_id, newest.actor_name)),
    }))
}

/// The reason, as those who disable note it.
fn why(detail: &str) -> DisabledBecause {
    let detail: Value = serde_json::from_str(detail).unwrap_or_default();
    let id = |name: &str| detail[name].as_str();
    if let Some(review) = id("review").and_then(|id| id.parse().ok()) {
        return DisabledBecause::Undecided(review);
    }
    if let Some(incident) = id("incident").and_then(|id| id.parse().ok()) {
        return DisabledBecause::Incident(incident);
    }
    match id("reason") {
        Some("unused") => DisabledBecause::Unused,
        _ => DisabledBecause::ByHand,
    }
}
