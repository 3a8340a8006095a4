//! Telling people about the safety of their own account: a letter, and a notice in the frame until it is seen (R15).

use super::session::Caller;
use crate::model::actor::{Actor, Denied};
use crate::model::device::device_of;
use crate::model::id::{AccountId, NoticeId};
use crate::model::notice::{Happening, Notice, SecurityEvent};
use crate::model::time::{HOUR_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::mail::{self, Letter, Recipient};
use crate::server::domain::{DomainError, mint};
use crate::server::store::db::Tx;
use crate::server::store::notices as store;

/// Notices that the frame shows at a time.
pub const SHOWN_MAX: usize = 5;
/// Whoever guesses codes must not be able to fill somebody's mailbox.
const REFUSALS_EVERY_MS: i64 = HOUR_MS;

/// What the account has not seen yet, newest first, at most [`SHOWN_MAX`].
pub async fn unseen(ctx: &Context, actor: &Actor) -> Result<Vec<Notice>, DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let mut tx = ctx.db.begin_read().await?;
    let rows = store::list_unseen(&mut tx, account, SHOWN_MAX as i64).await?;
    let notice = |(id, detail): (NoticeId, String)| {
        // What another release wrote and this one cannot read is left out, rather than taking every page with it.
        let happening = serde_json::from_str(&detail).ok()?;
        Some(Notice { id, happening })
    };
    Ok(rows.into_iter().filter_map(notice).collect())
}

/// Notes that the account has seen these. Those that are not its own, or were seen before, stay as they are.
pub async fn see(ctx: &Context, actor: &Actor, seen: &[NoticeId]) -> Result<(), DomainError> {
    actor.require_complete()?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    for id in seen.iter().take(SHOWN_MAX) {
        store::set_seen(&mut tx, account, id, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Tells an account that its password was right and its second factor was not: once an hour at most. The caller holds
/// the account's counter of codes, so that of parallel attempts one tells.
pub(super) async fn tell_refused(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), DomainError> {
    let event = SecurityEvent::FactorRefused;
    let since = now.minus_ms(REFUSALS_EVERY_MS);
    if store::has_since(tx, account, event.kind(), since).await? {
        return Ok(());
    }
    tell(ctx, tx, account, event, Some(caller), now).await
}

/// Tells an account what happened, in the transaction in which it happens.
pub async fn tell(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    event: SecurityEvent,
    caller: Option<&Caller>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let happening = happening(event, caller, now);
    let detail = serde_json::to_string(&happening).map_err(|_| DomainError::Defect("a notice is no JSON"))?;
    let id = mint::notice_id(ctx)?;
    store::insert(tx, &id, account, happening.event.kind(), &detail, now).await?;
    let Some(to) = mail::recipient(tx, account).await? else {
        return Ok(());
    };
    mail::enqueue(ctx, tx, to, letter(ctx, happening), now).await
}

/// The letter alone, to an address that is the account's no longer.
pub async fn write_to(
    ctx: &Context,
    tx: &mut Tx,
    to: Recipient,
    event: SecurityEvent,
    caller: Option<&Caller>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let happening = happening(event, caller, now);
    mail::enqueue(ctx, tx, to, letter(ctx, happening), now).await
}

fn happening(event: SecurityEvent, caller: Option<&Caller>, now: Timestamp) -> Happening {
    Happening {
        event,
        at: now,
        ip: caller.and_then(|caller| caller.ip.map(|ip| ip.to_canonical().to_string())),
        device: caller.map_or_else(String::new, |caller| device_of(&caller.user_agent)),
    }
}

fn letter(ctx: &Context, happening: Happening) -> Letter {
    let link = format!("{}/account/sessions", ctx.site.public_origin.as_str());
    Letter::Security { happening, link }
}
