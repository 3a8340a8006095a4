//! Telling people about the safety of their own account: a letter, and a notice in the frame until it is seen (R15).

use super::session::Caller;
use crate::model::device::device_of;
use crate::model::id::AccountId;
use crate::model::notice::{Happening, SecurityEvent};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::mail::{self, Letter, Recipient};
use crate::server::domain::{DomainError, mint};
use crate::server::store::db::Tx;
use crate::server::store::notices as store;

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
