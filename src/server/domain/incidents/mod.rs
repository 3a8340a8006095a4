//! A key that may have leaked: stopped at once, looked at, replaced, written up, closed.
//!
//! A key has at most one open incident; the database sees to it. Acts on one incident hold its row, so that they come one
//! after the other. Whoever may manage the key may act; everybody of the organisation may look, and open one without freezing.

pub mod checklist;
pub mod export;
pub mod findings;
pub mod open;
pub mod reading;
pub mod replace;
mod tell;
mod timeline;
pub mod view;

pub(in crate::server::domain) use open::open_in;
pub use open::{OpenIncident, Opened, open};

use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::IncidentId;
use crate::model::incident::{Incident, IncidentStatus, LOOK_BACK_DAYS};
use crate::model::permission::Permission;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::domain::keys::require_manage;
use crate::server::domain::{DomainError, retention};
use crate::server::store::db::Tx;
use crate::server::store::incidents as store;
use crate::server::store::keys::{self, SecuredKey};

/// An incident that is held for an act of whoever may act on it.
struct Held {
    scope: OrgScope,
    incident: Incident,
    key: SecuredKey,
}

/// The incident, held, and its key. Errors: nobody of this organisation, or somebody who may not manage the key.
async fn hold(tx: &mut Tx, actor: &Actor, id: &IncidentId) -> Result<Held, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let row = store::hold(tx, &scope, id).await?;
    let incident = row.ok_or(DomainError::NotFound)?.incident;
    let key = keys::find_secured(tx, &scope, &incident.key_id).await?;
    let key = key.ok_or(DomainError::NotFound)?;
    Ok(Held { scope, incident, key })
}

/// The same of one that is open, for whoever may manage its key.
async fn hold_open(tx: &mut Tx, actor: &Actor, id: &IncidentId) -> Result<Held, DomainError> {
    let held = hold(tx, actor, id).await?;
    require_manage(actor, &held.key)?;
    refuse_closed(&held.incident)?;
    Ok(held)
}

/// Refuses whoever may not act on the incident, before anything they typed is looked at.
pub async fn require(
    ctx: &crate::server::ctx::Context,
    actor: &Actor,
    id: &IncidentId,
) -> Result<(), DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let row = store::find(&mut tx, &scope, id).await?;
    let key_id = row.ok_or(DomainError::NotFound)?.incident.key_id;
    let key = keys::find_secured(&mut tx, &scope, &key_id).await?;
    require_manage(actor, &key.ok_or(DomainError::NotFound)?).map(drop)
}

fn refuse_closed(incident: &Incident) -> Result<(), DomainError> {
    match incident.status {
        IncidentStatus::Open => Ok(()),
        IncidentStatus::Closed => {
            let message = "This incident is closed. An administrator can reopen it.";
            Err(DomainError::refused(Code::Conflict, message))
        }
    }
}

/// From when on the key's requests count: a while before the suspected moment, and while raw events are kept.
fn horizon(since: Timestamp, created: Timestamp, now: Timestamp) -> Timestamp {
    since
        .minus_ms(LOOK_BACK_DAYS * DAY_MS)
        .max(created)
        .max(now.minus_ms(retention::EVENTS_MS))
        .min(now)
}
