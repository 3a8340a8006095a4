//! Sending what waits: one mail is held, handed over, and deleted, or put back with a later try.
//!
//! A mail is held by one conditional UPDATE, so that of several processes one sends it. Who dies while holding one
//! leaves it to others after [`HOLD_MS`]; the server may then get it twice, under one Message-ID.

use super::templates::compose;
use super::{Enveloped, Letter, open};
use crate::model::id::MailId;
use crate::model::mail::MailState;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::mail::{Fault, MailError, Mailer, OutgoingMail};
use crate::server::store::mails::{self as store, MailRow};

/// Longer than any try takes.
const HOLD_MS: i64 = 3 * MINUTE_MS;
/// After so many tries, or so long, a mail is stuck.
const TRIES_MAX: i64 = 10;
const AGE_MAX_MS: i64 = DAY_MS;
/// Waits after the first, second, … failure; then [`HOUR_MS`] each.
const WAITS_MS: [i64; 5] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS];

/// What became of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is due, or there is no mail server.
    Idle,
    Sent,
    /// The mail waits, is stuck, or was dropped; others may do better.
    Kept,
    /// No mail can be sent right now.
    Unusable,
}

/// When the next try is, after `tries` failures; `None` when there is none.
#[must_use]
pub fn next_try(tries: i64, created_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if tries >= TRIES_MAX || now.since_ms(created_at) >= AGE_MAX_MS {
        return None;
    }
    let wait = usize::try_from(tries - 1).ok().and_then(|at| WAITS_MS.get(at));
    Some(now.plus_ms(wait.copied().unwrap_or(HOUR_MS)))
}

/// Sends all that is due, until there is nothing or the server cannot be used. How many were sent.
pub async fn send_due(ctx: &Context) -> Result<usize, DomainError> {
    let mut sent = 0;
    loop {
        match send_next(ctx).await? {
            Turn::Sent => sent += 1,
            Turn::Kept => {}
            Turn::Idle | Turn::Unusable => return Ok(sent),
        }
    }
}

/// Sends the mail that has been due the longest.
pub async fn send_next(ctx: &Context) -> Result<Turn, DomainError> {
    let Some(mailer) = ctx.mailer.as_deref() else {
        return Ok(Turn::Idle);
    };
    let Some((row, until)) = take_one(ctx).await? else {
        return Ok(Turn::Idle);
    };
    let id: MailId = row
        .id
        .parse()
        .map_err(|_| DomainError::Defect("a mail in the outbox has no id"))?;
    if row.tries > TRIES_MAX {
        let said = "It broke off ten times before the mail server answered.";
        return failed(ctx, &id, &row, until, &MailError::new(Fault::Refused, said)).await;
    }
    let Ok(envelope) = open(ctx, &row.id, &row.sealed) else {
        let said = "It cannot be opened with this installation’s master key.";
        return failed(ctx, &id, &row, until, &MailError::new(Fault::Refused, said)).await;
    };
    if envelope.letter.is_over(ctx.clock.now()) {
        delete(ctx, &id).await?;
        tracing::warn!(mail.id = %id, mail.kind = row.kind, "a mail was dropped: its link ran out before the server took it");
        return Ok(Turn::Kept);
    }
    match hand_over(ctx, mailer, id, &envelope).await {
        Ok(()) => {
            delete(ctx, &id).await?;
            tracing::debug!(mail.id = %id, mail.kind = row.kind, "mail sent");
            Ok(Turn::Sent)
        }
        Err(error) => failed(ctx, &id, &row, until, &error).await,
    }
}

/// The mail that is due the longest, held until the moment given; its tries count this one.
async fn take_one(ctx: &Context) -> Result<Option<(MailRow, Timestamp)>, DomainError> {
    loop {
        let now = ctx.clock.now();
        // Looking needs no turn of the one writer, and mostly there is nothing.
        let mut tx = ctx.db.begin_read().await?;
        let Some(mut row) = store::find_due(&mut tx, now).await? else {
            return Ok(None);
        };
        drop(tx);
        let until = now.plus_ms(HOLD_MS);
        let mut tx = ctx.db.begin_write().await?;
        let is_ours = store::hold(&mut tx, &row, now, until).await?;
        tx.commit().await?;
        if is_ours {
            row.tries += 1;
            return Ok(Some((row, until)));
        }
    }
}

/// Writes the mail and gives it to the server.
pub(super) async fn hand_over(
    ctx: &Context,
    mailer: &dyn Mailer,
    id: MailId,
    envelope: &Enveloped,
) -> Result<(), MailError> {
    let written = compose(&envelope.to, &envelope.letter, ctx.site.public_origin.as_str());
    let mail = OutgoingMail {
        id,
        at: ctx.clock.now(),
        to_email: envelope.to.email.clone(),
        to_name: envelope.to.name.clone(),
        subject: written.subject,
        text: written.text,
        html: written.html,
    };
    mailer.send(&mail).await
}

async fn delete(ctx: &Context, id: &MailId) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_write().await?;
    store::delete(&mut tx, id).await?;
    Ok(tx.commit().await?)
}

async fn failed(
    ctx: &Context,
    id: &MailId,
    row: &MailRow,
    until: Timestamp,
    error: &MailError,
) -> Result<Turn, DomainError> {
    let now = ctx.clock.now();
    let next = match error.fault() {
        Fault::Refused => None,
        Fault::NotNow | Fault::Unusable => next_try(row.tries, Timestamp::from_ms(row.created_at_ms), now),
    };
    let (state, next_at) = match next {
        Some(at) => (MailState::Waiting, at),
        None => (MailState::Stuck, now),
    };
    let mut tx = ctx.db.begin_write().await?;
    store::let_go(&mut tx, id, until, (state, next_at), &error.to_string()).await?;
    tx.commit().await?;
    tracing::warn!(
        mail.id = %id, mail.kind = row.kind, tries = row.tries, state = state.as_str(), error = %error,
        "a mail was not taken"
    );
    Ok(if error.fault() == Fault::Unusable {
        Turn::Unusable
    } else {
        Turn::Kept
    })
}

impl Letter {
    /// Whether its link has run out, so that nobody needs it any more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self {
            Self::Invitation { expires_at, .. }
            | Self::PasswordReset { expires_at, .. }
            | Self::EmailChangeOld { expires_at, .. }
            | Self::EmailChangeNew { expires_at, .. } => *expires_at <= now,
            Self::ReviewDue { deadline, .. } => *deadline <= now,
            Self::Security { .. }
            | Self::ReviewFinished { .. }
            | Self::MembershipEnded { .. }
            | Self::KeysTransferred { .. }
            | Self::TwoFactorRequired { .. }
            | Self::PolicyBreaks { .. }
            | Self::IncidentOpened { .. }
            | Self::IncidentItem { .. }
            | Self::KeyLeaked { .. }
            | Self::KeysUnused { .. }
            | Self::RotationDue { .. }
            | Self::ApprovalsWaiting { .. }
            | Self::ApprovalResult { .. }
            | Self::RotationsOpened { .. }
            | Self::Test => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_after_ten_tries_or_a_day() {
        let now = Timestamp::from_ms(1_795_255_200_000);
        let wait = |tries| next_try(tries, now, now).map(|at| at.since_ms(now) / MINUTE_MS);
        let waits: Vec<_> = (1..=11).map(wait).collect();
        let minutes = [1, 5, 30, 120, 360, 60, 60, 60, 60].map(Some);
        assert_eq!(waits[..9], minutes);
        assert_eq!(waits[9..], [None, None]);
        assert_eq!(next_try(2, now.minus_ms(DAY_MS), now), None);
    }
}
