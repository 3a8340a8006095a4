//! What the operator does for accounts at the command line: mail may be off, and a lost password must not be a lost
//! installation.

use serde_json::json;

use super::email_change;
use super::links::{self, Purpose};
use super::notices;
use super::password::{check_new, context_of};
use super::throttle::{LOCKED_FROM, account_bucket, forgive_codes};
use crate::model::account::{AccountSummary, Email};
use crate::model::actor::Actor;
use crate::model::notice::SecurityEvent;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::{accounts, factors, throttles};

pub async fn list(ctx: &Context) -> Result<Vec<AccountSummary>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let mut all = accounts::list(&mut tx).await?;
    for account in &mut all {
        let bucket = account_bucket(ctx, &crate::model::text::folded(&account.email));
        account.locked = throttles::find(&mut tx, &bucket).await?.failures >= LOCKED_FROM;
    }
    Ok(all)
}

/// Lets a locked account try again. Unlocking one that is not locked is no error.
pub async fn unlock(ctx: &Context, actor: &Actor, email: &str) -> Result<(), DomainError> {
    let email = Email::parse("email", email)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let account = accounts::find_for_sign_in(&mut tx, &email.folded)
        .await?
        .ok_or(DomainError::NotFound)?;
    throttles::delete(&mut tx, &account_bucket(ctx, &email.folded)).await?;
    forgive_codes(&mut tx, &account.id).await?;
    let entry = Entry::new("account.unlocked", "account", account.id.as_str());
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets a new password, ends the account's sessions and releases a lock.
pub async fn reset_password(
    ctx: &Context,
    actor: &Actor,
    email: &str,
    password: SecretText,
) -> Result<(), DomainError> {
    let email = Email::parse("email", email)?;
    let mut tx = ctx.db.begin_read().await?;
    let account = accounts::find_for_sign_in(&mut tx, &email.folded).await?;
    let account = account.ok_or(DomainError::NotFound)?;
    let has_factor = factors::find_totp(&mut tx, &account.id).await?.is_some();
    let context = context_of(&mut tx, &account.id).await?;
    drop(tx);
    check_new("password", &password, has_factor, &context)?;
    let hashed = ctx.passwords.hash(password).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    accounts::set_password(&mut tx, &account.id, &hashed, now).await?;
    accounts::raise_session_epoch(&mut tx, &account.id).await?;
    throttles::delete(&mut tx, &account_bucket(ctx, &email.folded)).await?;
    links::void(&mut tx, Purpose::PasswordReset, account.id.as_str()).await?;
    let entry = Entry::new("account.password_reset", "account", account.id.as_str())
        .with(json!({ "sessionsEnded": true }));
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    let event = SecurityEvent::PasswordSetByOperator;
    notices::tell(ctx, &mut tx, &account.id, event, None, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives an account another address at once, for installations without mail. Errors: another account has it.
pub async fn set_email(ctx: &Context, actor: &Actor, old: &str, new: &str) -> Result<(), DomainError> {
    let old = Email::parse("email", old)?;
    let new = Email::parse("email", new)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let account = accounts::find_for_sign_in(&mut tx, &old.folded).await?;
    let account = account.ok_or(DomainError::NotFound)?;
    email_change::put_in_force(ctx, &mut tx, &account.id, (&old, &new), actor, None, now).await?;
    tx.commit().await?;
    Ok(())
}
