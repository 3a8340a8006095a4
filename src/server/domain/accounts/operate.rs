//! What the operator does for accounts at the command line: mail may be off, and a lost password must not be a lost
//! installation.

use std::collections::HashSet;

use serde_json::json;

use super::administer::{By, release};
use super::email_change;
use super::links::{self, Purpose};
use super::notices;
use super::password::{check_new, context_of};
use super::sessions::end_all_of;
use super::throttle::{self, LOCKED_FROM, account_bucket};
use crate::model::account::{AccountSummary, Email};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::notice::SecurityEvent;
use crate::model::text::folded;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::{accounts, factors, instance, throttles};

pub async fn list(ctx: &Context) -> Result<Vec<AccountSummary>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let mut all = accounts::list(&mut tx).await?;
    let locked: HashSet<String> = throttles::list_accounts_from(&mut tx, LOCKED_FROM)
        .await?
        .into_iter()
        .collect();
    for account in &mut all {
        account.locked = locked.contains(&account_bucket(ctx, &folded(&account.email)));
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
    let by = By {
        actor,
        org: None,
        now,
    };
    release(ctx, &mut tx, by, &account.id).await?;
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
    end_all_of(&mut tx, &account.id).await?;
    throttle::release(ctx, &mut tx, &email.folded).await?;
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
    email_change::hold_log(ctx, &mut tx, &account.id).await?;
    email_change::put_in_force(ctx, &mut tx, &account.id, (&old, &new), actor, None, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes somebody an administrator of the installation, or takes that away; in open sessions with their next request.
/// `false` when it was so before. Errors: it would leave the installation without one.
pub async fn set_administrator(
    ctx: &Context,
    actor: &Actor,
    email: &str,
    is_administrator: bool,
) -> Result<bool, DomainError> {
    let email = Email::parse("email", email)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    // Of two who are withdrawn at once the second is counted after the first.
    instance::hold(&mut tx).await?;
    let account = accounts::find_for_sign_in(&mut tx, &email.folded).await?;
    let account = account.ok_or(DomainError::NotFound)?;
    if is_administrator && !account.is_active {
        let message = "This account is switched off. It can administer nothing.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    if !is_administrator && accounts::count_other_administrators(&mut tx, &account.id).await? == 0 {
        let message = "Nobody else administers this installation. Appoint somebody else first.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    if !accounts::set_administrator(&mut tx, &account.id, is_administrator).await? {
        return Ok(false);
    }
    let act = match is_administrator {
        true => "account.administrator_appointed",
        false => "account.administrator_withdrawn",
    };
    let entry = Entry::new(act, "account", account.id.as_str());
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    tx.commit().await?;
    Ok(true)
}
