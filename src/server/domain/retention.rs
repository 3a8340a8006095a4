//! What is forgotten, and after how long.

use super::DomainError;
use super::accounts::session::IDLE_MS;
use super::accounts::throttle::LOCKED_FROM;
use crate::model::advice::UNDO_MS;
use crate::model::import::UPLOAD_MS;
use crate::model::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::store::{
    changes, email_changes, import_uploads, key_uses, keys, leaks, links, mails, notices, places, sessions,
    throttles, tightenings, usage,
};

/// Raw events and minutes are kept so long; hours and days stay.
pub const EVENTS_MS: i64 = 90 * DAY_MS;
/// Every node reads the change log each second; a node silent for an hour forgets everything when it comes back.
const CHANGES_MS: i64 = HOUR_MS;
const NONCES_MS: i64 = 90 * DAY_MS;
const NETWORKS_MS: i64 = DAY_MS;
/// A mail that nobody got sent or discarded: it names somebody, and may hold a link.
const MAILS_MS: i64 = 30 * DAY_MS;
/// Failures in a row count for a month, so that patience does not get round the lock.
const ACCOUNTS_MS: i64 = 30 * DAY_MS;
/// Seen or not: who comes back after a month has had the letter.
const NOTICES_MS: i64 = 30 * DAY_MS;
/// A network or device unseen for so long is a new one.
const PLACES_MS: i64 = 180 * DAY_MS;

/// What one clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub events: u64,
    pub sessions: u64,
}

/// Removes what is past its time, in small transactions, so that nothing waits long for the writer. One kind that fails
/// does not keep the others.
pub async fn prune(ctx: &Context) -> Result<Pruned, DomainError> {
    let before = ctx.clock.now().minus_ms(EVENTS_MS);
    let events = in_steps(ctx, Heap::Events, before).await;
    let rest = [Heap::Minutes, Heap::Addresses, Heap::SecretUses];
    let mut done = Vec::new();
    // Noted to the hour, and asked for the whole of ninety days.
    done.push(in_steps(ctx, Heap::KeyUses, before.minus_ms(DAY_MS)).await);
    for heap in rest {
        done.push(in_steps(ctx, heap, before).await);
    }
    let sessions = prune_small(ctx).await?;
    done.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Err(error) = ctx.db.learn().await {
        tracing::warn!(%error, "the database could not look at its tables; trying again in an hour");
    }
    Ok(Pruned {
        events: events?,
        sessions,
    })
}

/// What grows with every request.
#[derive(Clone, Copy)]
enum Heap {
    Events,
    Minutes,
    Addresses,
    SecretUses,
    KeyUses,
}

/// Deletes some at a time until nothing is left, so that nobody waits long for the writer.
async fn in_steps(ctx: &Context, what: Heap, before: Timestamp) -> Result<u64, DomainError> {
    let mut all = 0;
    loop {
        let mut tx = ctx.db.begin_write().await?;
        let deleted = match what {
            Heap::Events => usage::delete_events_before(&mut tx, before).await?,
            Heap::Minutes => usage::delete_minutes_before(&mut tx, before).await?,
            Heap::Addresses => usage::delete_addresses_before(&mut tx, before).await?,
            Heap::SecretUses => keys::delete_uses_before(&mut tx, before).await?,
            Heap::KeyUses => key_uses::delete_before(&mut tx, before).await?,
        };
        tx.commit().await?;
        all += deleted;
        if deleted == 0 {
            return Ok(all);
        }
        tokio::task::yield_now().await;
    }
}

async fn prune_small(ctx: &Context) -> Result<u64, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let ended = sessions::delete_dead(&mut tx, now, now.minus_ms(IDLE_MS)).await?;
    changes::delete_before(&mut tx, now.minus_ms(CHANGES_MS)).await?;
    links::delete_before(&mut tx, now.minus_ms(NETWORKS_MS)).await?;
    mails::delete_before(&mut tx, now.minus_ms(MAILS_MS)).await?;
    email_changes::delete_before(&mut tx, now).await?;
    import_uploads::delete_before(&mut tx, now.minus_ms(UPLOAD_MS)).await?;
    keys::delete_nonces_before(&mut tx, now.minus_ms(NONCES_MS)).await?;
    leaks::delete_before(&mut tx, now.minus_ms(DAY_MS)).await?;
    throttles::delete_networks_before(&mut tx, now.minus_ms(NETWORKS_MS)).await?;
    throttles::delete_accounts_before(&mut tx, now.minus_ms(ACCOUNTS_MS), LOCKED_FROM).await?;
    notices::delete_before(&mut tx, now.minus_ms(NOTICES_MS)).await?;
    places::delete_before(&mut tx, now.minus_ms(PLACES_MS)).await?;
    tightenings::delete_before(&mut tx, now.minus_ms(UNDO_MS)).await?;
    tx.commit().await?;
    Ok(ended)
}
