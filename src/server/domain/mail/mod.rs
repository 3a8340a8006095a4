//! Mail: written into the outbox in the transaction of what it tells, sent later by a job, sealed meanwhile.
//!
//! Without a mail server nothing is written, and links are shown to the administrator instead.

mod letter;
pub mod operate;
mod send;
mod templates;

pub use letter::{DueKey, LeakEnd, Letter, Recipient, WaitingRequest};
pub use send::{Turn, send_due, send_next};

use super::{DomainError, mint};
use crate::model::id::{AccountId, MailId};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::platform::crypto::seal::Place;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::{accounts, mails as store, throttles};

/// Whether letters go out at all.
#[must_use]
pub fn is_on(ctx: &Context) -> bool {
    ctx.mailer.is_some()
}

/// A letter as it lies in the outbox, under the seal.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Enveloped {
    pub to: Recipient,
    pub letter: Letter,
}

fn place_of(id: &MailId) -> Place<'_> {
    Place {
        table: "mails",
        column: "sealed",
        org: "instance",
        row: id.as_str(),
    }
}

/// Whom a letter to an account goes to; `None` when the account is over.
pub async fn recipient(tx: &mut Tx, account: &AccountId) -> Result<Option<Recipient>, DomainError> {
    let found = accounts::find_recipient(tx, account).await?;
    Ok(found.map(|(email, name, time_zone)| Recipient {
        email,
        name,
        time_zone,
    }))
}

/// Puts a letter into the outbox; without a mail server does nothing.
pub async fn enqueue(
    ctx: &Context,
    tx: &mut Tx,
    to: Recipient,
    letter: Letter,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !is_on(ctx) {
        return Ok(());
    }
    let id = mint::mail_id(ctx)?;
    let kind = letter.kind();
    let plain = serde_json::to_vec(&Enveloped { to, letter });
    let plain = zeroize::Zeroizing::new(plain.map_err(|_| DomainError::Defect("a letter is no JSON"))?);
    let sealed = ctx.seals.seal(place_of(&id), &plain);
    Ok(store::insert(tx, &id, kind, &sealed, now).await?)
}

/// The work of [`enqueue`] without a letter, where whether there is one must not show in the time of the answer:
/// something is sealed and a row written.
pub async fn enqueue_for_nobody(
    ctx: &Context,
    tx: &mut Tx,
    link: &SecretText,
    now: Timestamp,
) -> Result<(), DomainError> {
    let _ = ctx
        .seals
        .seal(place_of(&mint::mail_id(ctx)?), link.expose().as_bytes());
    // Of many, or all who ask about nobody would queue at one row and show it by that.
    let mut shard = [0_u8];
    ctx.rng.fill(&mut shard);
    let bucket = format!("letters:nobody:{}", shard[0]);
    Ok(throttles::set(tx, &bucket, throttles::Counter::default(), now).await?)
}

/// Every letter that waits, oldest first.
pub async fn waiting(ctx: &Context) -> Result<Vec<Enveloped>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let rows = store::list_all(&mut tx).await?;
    let opened = rows.into_iter().map(|(id, _, sealed)| open(ctx, &id, &sealed));
    opened.collect()
}

fn open(ctx: &Context, id: &str, sealed: &str) -> Result<Enveloped, DomainError> {
    let damaged = || DomainError::Defect("a letter in the outbox does not open");
    let id: MailId = id.parse().map_err(|_| damaged())?;
    let plain = ctx.seals.open(place_of(&id), sealed).map_err(|_| damaged())?;
    serde_json::from_slice(plain.expose()).map_err(|_| damaged())
}
