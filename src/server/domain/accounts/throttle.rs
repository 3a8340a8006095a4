//! Slowing down guesses, per account and per network (R10–R12).
//!
//! An attempt counts as failed before it is tried, in one short transaction that holds the counter's row; success
//! takes it back. So parallel guesses cannot all slip through before the first failure is written. The global bound
//! is the queue in front of argon2: a counter over everybody would let a stranger lock everybody out.

use std::net::IpAddr;

use crate::model::id::AccountId;
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::keyring::Purpose;
use crate::server::store::throttles::{self as store, Counter};

/// Consecutive failures after which a password no longer signs in until somebody releases the account.
pub const LOCKED_FROM: i64 = 100;
/// Failures a network may have before its attempts are spaced: many people may share one address.
const NETWORK_GRACE: i64 = 10;
/// Wrong codes of second factors an account may have in an hour.
const CODES_AN_HOUR: i64 = 10;
/// Letters with a link that may be asked for in an hour, for one address or by one account.
const LETTERS_AN_HOUR: i64 = 3;
/// Unsigned reports of leaks that a network may send in a minute.
const REPORTS_A_MINUTE: i64 = 60;
/// A network's failures are forgotten after an hour without any.
const NETWORK_MEMORY_MS: i64 = HOUR_MS;

/// What is guessed at.
#[derive(Clone, Copy, Debug)]
pub enum Door<'a> {
    /// Password sign-in to the account of this folded address, whether it exists or not.
    SignIn { email_folded: &'a str },
    /// The password of somebody who is signed in, once more. Apart from signing in: strangers must not be able to close it.
    Proof { account: &'a AccountId },
    /// The set-up token.
    SetUp,
    /// A single-use link, or asking for one.
    Link,
}

impl Door<'_> {
    fn account_bucket(self, ctx: &Context) -> Option<String> {
        match self {
            Self::SignIn { email_folded } => Some(account_bucket(ctx, email_folded)),
            Self::Proof { account } => Some(format!("proof:{account}")),
            Self::SetUp | Self::Link => None,
        }
    }
}

/// The counter's name: a keyed digest, because people type keys and passwords into the wrong box.
#[must_use]
pub fn account_bucket(ctx: &Context, email_folded: &str) -> String {
    format!("account:{}", digest(ctx, email_folded))
}

fn digest(ctx: &Context, email_folded: &str) -> String {
    let parts = ["keywright-throttle-v1", email_folded];
    ctx.keyring.sign(Purpose::Row, &parts).mac
}

/// The network an address belongs to: itself for IPv4, its /64 for IPv6.
fn network_bucket(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => format!("network:{ip}"),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("network:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "network:unknown".to_owned(),
    }
}

/// How long the next attempt must wait after this many failures in a row. The first slip of a finger costs nothing.
const fn delay_ms(failures: i64) -> i64 {
    match failures {
        ..=1 => 0,
        2 => SECOND_MS,
        3..9 => 3 * SECOND_MS,
        9..25 => 5 * SECOND_MS,
        _ => 10 * SECOND_MS,
    }
}

/// An attempt that was let through; whether the door's account is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    pub locked: bool,
    /// This attempt, should it fail, is the one that locks the account.
    pub locks: bool,
}

/// Lets an attempt through and counts it as failed, or says how long to wait.
pub async fn admit(ctx: &Context, door: Door<'_>, ip: Option<IpAddr>) -> Result<Admitted, DomainError> {
    let now = ctx.clock.now();
    let network_bucket = network_bucket(ip);
    let mut tx = ctx.db.begin_write().await?;
    let mut network = store::take(&mut tx, &network_bucket, now).await?;
    if network.blocked_until < now.ms() - NETWORK_MEMORY_MS {
        network = Counter::default();
    }
    let account = match door.account_bucket(ctx) {
        Some(bucket) => Some((store::take(&mut tx, &bucket, now).await?, bucket)),
        None => None,
    };
    let blocked_until = network
        .blocked_until
        .max(account.as_ref().map_or(0, |(counter, _)| counter.blocked_until));
    let network_waits = network.failures > NETWORK_GRACE
        || account
            .as_ref()
            .is_some_and(|(counter, _)| counter.blocked_until > now.ms());
    if blocked_until > now.ms() && network_waits {
        return Err(DomainError::Throttled {
            retry_after_s: seconds_until(now, blocked_until),
        });
    }
    network.failures += 1;
    network.blocked_until = now.ms() + delay_ms(network.failures - NETWORK_GRACE);
    store::set(&mut tx, &network_bucket, network, now).await?;
    let mut admitted = Admitted {
        locked: false,
        locks: false,
    };
    let can_lock = matches!(door, Door::SignIn { .. });
    if let Some((counter, bucket)) = account {
        let failures = counter.failures.saturating_add(1);
        admitted = Admitted {
            locked: can_lock && counter.failures >= LOCKED_FROM,
            locks: can_lock && failures == LOCKED_FROM,
        };
        let counter = Counter {
            failures,
            blocked_until: now.ms() + delay_ms(failures),
        };
        store::set(&mut tx, &bucket, counter, now).await?;
    }
    tx.commit().await?;
    Ok(admitted)
}

/// Takes back what [`admit`] counted, after a success: the account's failures are forgotten, the network's are one less.
pub async fn forgive(
    ctx: &Context,
    tx: &mut crate::server::store::db::Tx,
    door: Door<'_>,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let bucket = network_bucket(ip);
    let network = store::take(tx, &bucket, now).await?;
    let fewer = Counter {
        failures: (network.failures - 1).max(0),
        blocked_until: network.blocked_until.min(now.ms()),
    };
    store::set(tx, &bucket, fewer, now).await?;
    if let Some(bucket) = door.account_bucket(ctx) {
        store::delete(tx, &bucket).await?;
    }
    Ok(())
}

/// Takes back one attempt that was never tried, and leaves earlier failures as they were.
pub async fn forgive_one(
    ctx: &Context,
    tx: &mut crate::server::store::db::Tx,
    door: Door<'_>,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), DomainError> {
    for bucket in [Some(network_bucket(ip)), door.account_bucket(ctx)]
        .into_iter()
        .flatten()
    {
        let counter = store::take(tx, &bucket, now).await?;
        let fewer = Counter {
            failures: (counter.failures - 1).max(0),
            ..counter
        };
        store::set(tx, &bucket, fewer, now).await?;
    }
    Ok(())
}

/// Where a code is asked for. Whoever knows the password may use up the codes of signing in, and must not thereby close
/// the door of a session that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeDoor {
    SignIn,
    /// By somebody who is signed in.
    Inside,
}

impl CodeDoor {
    fn bucket(self, account: &AccountId) -> String {
        match self {
            Self::SignIn => format!("factor:{account}"),
            Self::Inside => format!("factor:inside:{account}"),
        }
    }
}

/// Counts a code as wrong before it is tried, or says how long to wait: ten in an hour and account (R20). The row is
/// held until the transaction ends, so that parallel guesses queue up.
pub async fn admit_code(
    tx: &mut crate::server::store::db::Tx,
    account: &AccountId,
    door: CodeDoor,
    now: Timestamp,
) -> Result<(), DomainError> {
    let bucket = door.bucket(account);
    let mut counter = store::take(tx, &bucket, now).await?;
    // Here `blocked_until` is when the hour is over.
    if counter.blocked_until <= now.ms() {
        counter = Counter {
            failures: 0,
            blocked_until: now.ms() + HOUR_MS,
        };
    }
    if counter.failures >= CODES_AN_HOUR {
        return Err(DomainError::Throttled {
            retry_after_s: seconds_until(now, counter.blocked_until),
        });
    }
    counter.failures += 1;
    Ok(store::set(tx, &bucket, counter, now).await?)
}

/// After a right code, earlier ones are forgotten.
pub async fn forgive_codes(
    tx: &mut crate::server::store::db::Tx,
    account: &AccountId,
) -> Result<(), DomainError> {
    for door in [CodeDoor::SignIn, CodeDoor::Inside] {
        store::delete(tx, &door.bucket(account)).await?;
    }
    Ok(())
}

/// Counts a letter with a link that is asked for: three in an hour for an address, whether anybody has it or not, or by
/// an account. `false` when they are used up; who asks about an address must not be told.
pub async fn admit_letter(
    ctx: &Context,
    tx: &mut crate::server::store::db::Tx,
    subject: &str,
    now: Timestamp,
) -> Result<bool, DomainError> {
    let bucket = format!("letters:{}", digest(ctx, subject));
    let mut counter = store::take(tx, &bucket, now).await?;
    // As with codes, `blocked_until` is when the hour is over.
    if counter.blocked_until <= now.ms() {
        counter = Counter {
            failures: 0,
            blocked_until: now.ms() + HOUR_MS,
        };
    }
    counter.failures += 1;
    store::set(tx, &bucket, counter, now).await?;
    Ok(counter.failures <= LETTERS_AN_HOUR)
}

/// Counts an unsigned report of a leak, whatever it holds, or says how long to wait. Apart from sign-in: whoever finds
/// many keys must not close the door of everybody behind the same address.
pub async fn admit_report(ctx: &Context, ip: Option<IpAddr>) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let bucket = format!("{}:reports", network_bucket(ip));
    let mut tx = ctx.db.begin_write().await?;
    let mut counter = store::take(&mut tx, &bucket, now).await?;
    // As with codes, `blocked_until` is when the minute is over.
    if counter.blocked_until <= now.ms() {
        counter = Counter {
            failures: 0,
            blocked_until: now.ms() + MINUTE_MS,
        };
    }
    if counter.failures >= REPORTS_A_MINUTE {
        return Err(DomainError::Throttled {
            retry_after_s: seconds_until(now, counter.blocked_until),
        });
    }
    counter.failures += 1;
    store::set(&mut tx, &bucket, counter, now).await?;
    Ok(tx.commit().await?)
}

/// Lets whoever proved to be an account's owner by a link try again: the failures under its address are forgotten.
pub async fn release(
    ctx: &Context,
    tx: &mut crate::server::store::db::Tx,
    email_folded: &str,
) -> Result<(), DomainError> {
    store::delete(tx, &account_bucket(ctx, email_folded)).await?;
    Ok(())
}

/// Whether the password of this address no longer signs in.
pub async fn is_locked(
    ctx: &Context,
    tx: &mut crate::server::store::db::Tx,
    email_folded: &str,
) -> Result<bool, DomainError> {
    let counter = store::find(tx, &account_bucket(ctx, email_folded)).await?;
    Ok(counter.failures >= LOCKED_FROM)
}

fn seconds_until(now: Timestamp, until_ms: i64) -> u32 {
    u32::try_from((until_ms - now.ms() + SECOND_MS - 1) / SECOND_MS)
        .unwrap_or(1)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r10_a_network_is_an_address_or_a_slash_64() {
        let bucket = |text: &str| network_bucket(Some(text.parse().unwrap()));
        assert_eq!(bucket("203.0.113.7"), bucket("::ffff:203.0.113.7"));
        assert_eq!(bucket("2001:db8::1"), bucket("2001:db8::ffff"));
        assert_ne!(bucket("2001:db8::1"), bucket("2001:db8:0:1::1"));
    }

    #[test]
    fn r10_the_delay_grows() {
        let delays: Vec<i64> = [1, 2, 3, 9, 25, 99].into_iter().map(delay_ms).collect();
        assert_eq!(delays, [0, 1_000, 3_000, 5_000, 10_000, 10_000]);
    }
}
