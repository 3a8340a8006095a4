//! What the installation's administrators do about mail: look, test, try again, discard.

use std::time::Duration;

use serde_json::json;

use super::send::hand_over;
use super::templates::about;
use super::{Enveloped, Letter, Recipient, open, recipient};
use crate::model::account::Email;
use crate::model::actor::{Actor, Denied};
use crate::model::error::{Code, FieldError};
use crate::model::id::MailId;
use crate::model::mail::{MailOverview, MailState, SHOWN_MAX, WaitingMail, masked_address};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::{DomainError, mint};
use crate::server::store::mails::{self as store, MailRow};

/// Somebody watches, and the answer to a form has ten seconds in all.
const TEST_MAX: Duration = Duration::from_secs(8);

/// Where mail goes, and what has not gone yet.
pub async fn overview(ctx: &Context, actor: &Actor) -> Result<MailOverview, DomainError> {
    actor.require_instance()?;
    let mut tx = ctx.db.begin_read().await?;
    let rows = store::list(&mut tx, SHOWN_MAX).await?;
    let (waiting, stuck) = store::counts(&mut tx).await?;
    let own = match actor.account_id() {
        Some(account) => recipient(&mut tx, account).await?,
        None => None,
    };
    let mails = rows.into_iter().map(|row| shown(ctx, row));
    Ok(MailOverview {
        now: ctx.clock.now(),
        server: ctx.mailer.as_ref().map(|mailer| mailer.server()),
        mails: mails.collect::<Result<_, _>>()?,
        waiting,
        stuck,
        own_address: own.map(|own| own.email).unwrap_or_default(),
    })
}

fn shown(ctx: &Context, row: MailRow) -> Result<WaitingMail, DomainError> {
    let envelope = open(ctx, &row.id, &row.sealed).ok();
    let id = row.id.parse();
    Ok(WaitingMail {
        id: id.map_err(|_| DomainError::Defect("a mail in the outbox has no id"))?,
        about: about(&row.kind).to_owned(),
        to: envelope
            .as_ref()
            .map(|envelope| masked_address(&envelope.to.email)),
        state: if row.state == MailState::Stuck.as_str() {
            MailState::Stuck
        } else {
            MailState::Waiting
        },
        tries: row.tries,
        created_at: Timestamp::from_ms(row.created_at_ms),
        next_try_at: Timestamp::from_ms(row.next_try_at_ms),
        last_error: row.last_error,
        is_over: envelope.is_some_and(|envelope| envelope.letter.is_over(ctx.clock.now())),
    })
}

/// Sends a mail at once, past the outbox. Errors: what the server said, beside the field `to`.
pub async fn send_test(ctx: &Context, actor: &Actor, to: &str) -> Result<(), DomainError> {
    actor.require_instance()?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let Some(mailer) = ctx.mailer.as_deref() else {
        let detail = "No mail server is configured. Set KEYWRIGHT_SMTP_HOST and KEYWRIGHT_MAIL_FROM, then start the server again.";
        return Err(DomainError::refused(Code::Conflict, detail));
    };
    let to = Email::parse("to", to)?;
    let mut tx = ctx.db.begin_write().await?;
    let own = recipient(&mut tx, account).await?;
    let own = own.filter(|own| Email::parse("to", &own.email).is_ok_and(|own| own.folded == to.folded));
    let detail = json!({ "to": if own.is_some() { "own" } else { "other" } });
    let entry = Entry::new("instance.mail_tested", "mail", "-").with(detail);
    audit::record(ctx, &mut tx, None, actor, entry, ctx.clock.now()).await?;
    tx.commit().await?;
    let envelope = Enveloped {
        to: own.unwrap_or_else(|| Recipient::stranger(&to.shown)),
        letter: Letter::Test,
    };
    let id = mint::mail_id(ctx)?;
    let refused = |said: String| FieldError::new("to", "mail", said);
    match tokio::time::timeout(TEST_MAX, hand_over(ctx, mailer, id, &envelope)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(refused(format!("The mail was not taken. {error}")).into()),
        Err(_) => Err(refused(format!(
            "{} did not take the mail within {} seconds. It may be the wrong port, a firewall, or a slow server.",
            mailer.server().address,
            TEST_MAX.as_secs()
        ))
        .into()),
    }
}

/// Tries one mail again at once, and begins to count anew.
pub async fn retry(ctx: &Context, actor: &Actor, id: &MailId) -> Result<(), DomainError> {
    actor.require_instance()?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    if !store::try_again(&mut tx, id, now).await? {
        return Err(DomainError::NotFound);
    }
    let entry = Entry::new("instance.mail_retried", "mail", id.as_str());
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// The same with everything that waits or is stuck.
pub async fn retry_all(ctx: &Context, actor: &Actor) -> Result<(), DomainError> {
    actor.require_instance()?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let count = store::try_all_again(&mut tx, now).await?;
    let entry = Entry::new("instance.mail_retried", "mail", "-").with(json!({ "count": count }));
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// Gives a mail up: it is never sent.
pub async fn discard(ctx: &Context, actor: &Actor, id: &MailId) -> Result<(), DomainError> {
    actor.require_instance()?;
    let mut tx = ctx.db.begin_write().await?;
    let kind = store::find_kind(&mut tx, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    store::delete(&mut tx, id).await?;
    let detail = json!({ "kind": kind });
    let entry = Entry::new("instance.mail_discarded", "mail", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, None, actor, entry, ctx.clock.now()).await?;
    Ok(tx.commit().await?)
}
