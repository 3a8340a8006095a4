//! Where an account is used to signing in from, so that its owner is told of anywhere else (R15).
//!
//! A place is a network and a kind of device. The database has a keyed digest of each: it can say whether a place was
//! seen before, and not where somebody was.

use std::net::IpAddr;

use serde_json::json;

use super::notices;
use super::proof::note;
use super::session::Caller;
use crate::model::actor::{Actor, Denied};
use crate::model::device::device_of;
use crate::model::id::AccountId;
use crate::model::notice::SecurityEvent;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::keyring::Purpose;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::places as store;

/// What one is likely to keep when one's address changes: the /24 of an IPv4 address, the /48 of an IPv6 one.
fn network_of(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        None => "unknown".to_owned(),
    }
}

fn digest(ctx: &Context, account: &AccountId, caller: &Caller) -> String {
    let (network, device) = (network_of(caller.ip), device_of(&caller.user_agent));
    let parts = [
        "keywright-place-v1",
        account.as_str(),
        network.as_str(),
        device.as_str(),
    ];
    ctx.keyring.sign(Purpose::Row, &parts).mac
}

/// Remembers where a complete sign-in came from, or where an account was made. `true` when the account was seen elsewhere
/// before and never there.
pub(in crate::server::domain) async fn remember(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    caller: &Caller,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let place = digest(ctx, account, caller);
    if store::touch(tx, account, &place, now).await? {
        return Ok(false);
    }
    let is_new = store::has_any(tx, account).await?;
    store::insert(tx, account, &place, now).await?;
    Ok(is_new)
}

/// The same at the end of a sign-in: a new place is told and recorded.
pub(super) async fn arrive(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    if !remember(ctx, tx, account, caller, now).await? {
        return Ok(());
    }
    notices::tell(ctx, tx, account, SecurityEvent::NewPlace, Some(caller), now).await?;
    note(ctx, tx, actor, "account.new_place", json!({}), now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r15_a_place_is_a_slash_24_or_a_slash_48() {
        let network = |text: &str| network_of(Some(text.parse().unwrap()));
        assert_eq!(network("203.0.113.7"), network("::ffff:203.0.113.200"));
        assert_ne!(network("203.0.113.7"), network("203.0.114.7"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:ffff::9"));
        assert_ne!(network("2001:db8:1::1"), network("2001:db8:2::1"));
        assert_eq!(network_of(None), "unknown");
    }
}
