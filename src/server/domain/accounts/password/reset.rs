//! Setting a password anew by a single-use link: asked for at the sign-in page, or begun by an administrator, who never
//! sees or chooses it (R09, R14). The link does not sign in and does not stand for the second factor.

use serde_json::json;

use super::super::nobody;
use super::{check_new, context_of};
use crate::model::account::{Email, masked};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::id::AccountId;
use crate::model::notice::SecurityEvent;
use crate::model::password::{ContextWords, min_length};
use crate::model::profile::ResetForm;
use crate::model::time::{HOUR_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::administer::By;
use crate::server::domain::accounts::links::{self, Link, Purpose};
use crate::server::domain::accounts::notices;
use crate::server::domain::accounts::session::{Caller, SignedIn};
use crate::server::domain::accounts::sessions::end_all_of;
use crate::server::domain::accounts::throttle::{self, Door};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::{accounts, factors, orgs};

/// How long a link for a new password is good (R14).
const RESET_MS: i64 = HOUR_MS;

/// Sends a link to whoever has this address, if anybody has. Whether somebody does must show neither in the answer nor
/// in its time (R09): either way one transaction with the same work. At most three an hour reach an address; that they
/// are used up is not told either.
pub async fn ask(ctx: &Context, email: &str, caller: &Caller) -> Result<(), DomainError> {
    if !mail::is_on(ctx) {
        let message =
            "This installation sends no mail. Ask an administrator of your organisation for a link.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let email = Email::parse("email", email)?;
    throttle::admit(ctx, Door::Link, caller.ip).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let admitted = throttle::admit_letter(ctx, &mut tx, &email.folded, now).await?;
    let found = accounts::find_for_sign_in(&mut tx, &email.folded).await?;
    let known = found
        .filter(|account| account.is_active && admitted)
        .map(|account| account.id);
    // Nobody’s link is told nobody, and the next one takes its place.
    let account = known.map_or_else(nobody, Ok)?;
    let link = new_link(ctx, &mut tx, &account, now).await?;
    let org = orgs::first_of(&mut tx, &account).await?;
    let to = mail::recipient(&mut tx, &account).await?;
    let target = known.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let entry = Entry::new("account.password_reset_begun", "account", &target);
    let actor = Actor::anonymous(caller.origin(None));
    audit::record(ctx, &mut tx, org.as_ref(), &actor, entry, now).await?;
    match to {
        Some(to) => mail::enqueue(ctx, &mut tx, to, letter(None, &link, now), now).await?,
        None => mail::enqueue_for_nobody(ctx, &mut tx, &link, now).await?,
    }
    tx.commit().await?;
    Ok(())
}

async fn new_link(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    now: Timestamp,
) -> Result<SecretText, DomainError> {
    let expires_at = now.plus_ms(RESET_MS);
    links::make(
        ctx,
        tx,
        Purpose::PasswordReset,
        account.as_str(),
        (now, expires_at),
    )
    .await
}

fn letter(by: Option<&str>, link: &SecretText, now: Timestamp) -> Letter {
    Letter::PasswordReset {
        by: by.map(str::to_owned),
        link: link.expose().clone(),
        expires_at: now.plus_ms(RESET_MS),
    }
}

/// Begins a reset for somebody else, in the transaction of whoever decided that `by` may: gives the link, good for an
/// hour and once, and mails it where mail is on. Every earlier link is void. The password stays as it is until the link
/// is used. Errors: the account is over.
pub async fn begin_reset_for(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    by: By<'_>,
    by_name: &str,
) -> Result<SecretText, DomainError> {
    let now = by.now;
    let to = mail::recipient(tx, account).await?.ok_or(DomainError::NotFound)?;
    let link = new_link(ctx, tx, account, now).await?;
    let entry = Entry::new("account.password_reset_begun", "account", account.as_str());
    audit::record(ctx, tx, by.org, by.actor, entry, now).await?;
    mail::enqueue(ctx, tx, to, letter(Some(by_name), &link, now), now).await?;
    Ok(link)
}

struct Held {
    link: Link,
    account: AccountId,
    email: Email,
    has_factor: bool,
    context: ContextWords,
}

/// The account behind a link. Looking consumes nothing.
async fn held(ctx: &Context, token: &str) -> Result<Held, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let link = links::find(ctx, &mut tx, &[Purpose::PasswordReset], token).await?;
    let account: AccountId = link.subject_id.parse()?;
    let profile = accounts::find_profile(&mut tx, &account).await?;
    let profile = profile.ok_or_else(links::over)?;
    Ok(Held {
        has_factor: factors::find_totp(&mut tx, &account).await?.is_some(),
        context: context_of(&mut tx, &account).await?,
        email: Email {
            shown: profile.email,
            folded: profile.email_folded,
        },
        link,
        account,
    })
}

/// What a link's page shows. Errors: the link is over.
pub async fn look(
    ctx: &Context,
    token: &str,
    signed_in: Option<&SignedIn>,
) -> Result<ResetForm, DomainError> {
    let held = held(ctx, token).await?;
    Ok(ResetForm {
        masked_email: masked(&held.email.shown),
        min_length: min_length(held.has_factor),
        signed_in_as_other: signed_in.is_some_and(|who| who.actor.account_id() != Some(&held.account)),
    })
}

/// Sets the password by a link and uses the link up. Every session of the account ends and a lock is released; signing
/// in is as before, with the second factor where one is in force.
pub async fn reset(
    ctx: &Context,
    token: &str,
    password: SecretText,
    caller: &Caller,
) -> Result<(), DomainError> {
    let held = match held(ctx, token).await {
        Err(error @ DomainError::Refused(Code::LinkOver, _)) => {
            throttle::admit(ctx, Door::Link, caller.ip).await?;
            return Err(error);
        }
        held => held?,
    };
    check_new("new_password", &password, held.has_factor, &held.context)?;
    let hashed = ctx.passwords.hash(password).await?;
    let account = &held.account;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    links::take(&mut tx, &held.link, now).await?;
    accounts::set_password(&mut tx, account, &hashed, now).await?;
    end_all_of(&mut tx, account).await?;
    // Not the count of wrong codes: a mailbox must not buy more guesses at the second factor.
    throttle::release(ctx, &mut tx, &held.email.folded).await?;
    links::void(&mut tx, Purpose::PasswordReset, account.as_str()).await?;
    let event = SecurityEvent::PasswordReset;
    notices::tell(ctx, &mut tx, account, event, Some(caller), now).await?;
    let org = orgs::first_of(&mut tx, account).await?;
    let detail = json!({ "by": "link", "sessionsEnded": true });
    let entry = Entry::new("account.password_reset", "account", account.as_str()).with(detail);
    let actor = Actor::anonymous(caller.origin(None));
    audit::record(ctx, &mut tx, org.as_ref(), &actor, entry, now).await?;
    tx.commit().await?;
    Ok(())
}
