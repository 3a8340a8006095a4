//! What is forgotten, and after how long.

use super::DomainError;
use super::accounts::session::IDLE_MS;
use super::accounts::throttle::LOCKED_FROM;
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::server::ctx::Context;
use crate::server::store::{changes, keys, sessions, throttles, usage};

/// Raw events and minutes are kept so long; hours and days stay.
pub const EVENTS_MS: i64 = 90 * DAY_MS;
/// Every node reads the change log each second; a node silent for an hour forgets everything when it comes back.
const CHANGES_MS: i64 = HOUR_MS;
const NONCES_MS: i64 = 90 * DAY_MS;
const THROTTLES_MS: i64 = DAY_MS;

/// What one clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub events: u64,
    pub sessions: u64,
}

/// Removes what is past its time. Each kind in a transaction of its own, so that none waits long for the writer.
pub async fn prune(ctx: &Context) -> Result<Pruned, DomainError> {
    let now = ctx.clock.now();
    let mut pruned = Pruned::default();
    let mut tx = ctx.db.begin_write().await?;
    pruned.events = usage::delete_events_before(&mut tx, now.minus_ms(EVENTS_MS)).await?;
    tx.commit().await?;
    let mut tx = ctx.db.begin_write().await?;
    usage::delete_minutes_before(&mut tx, now.minus_ms(EVENTS_MS)).await?;
    tx.commit().await?;
    let mut tx = ctx.db.begin_write().await?;
    pruned.sessions = sessions::delete_dead(&mut tx, now, now.minus_ms(IDLE_MS)).await?;
    changes::delete_before(&mut tx, now.minus_ms(CHANGES_MS)).await?;
    keys::delete_nonces_before(&mut tx, now.minus_ms(NONCES_MS)).await?;
    throttles::delete_before(&mut tx, now.minus_ms(THROTTLES_MS), LOCKED_FROM).await?;
    tx.commit().await?;
    Ok(pruned)
}
