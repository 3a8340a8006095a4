//! What the operator does for accounts at the command line: there is no mail yet, and a lost password must not be a
//! lost installation.

use serde_json::json;

use super::throttle::{LOCKED_FROM, account_bucket, forgive_codes};
use crate::model::account::{AccountSummary, Email, check_new_password};
use crate::model::actor::Actor;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::{accounts, throttles};

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
    check_new_password("password", password.expose())?;
    let hashed = ctx.passwords.hash(password).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let account = accounts::find_for_sign_in(&mut tx, &email.folded)
        .await?
        .ok_or(DomainError::NotFound)?;
    accounts::set_password(&mut tx, &account.id, &hashed).await?;
    accounts::raise_session_epoch(&mut tx, &account.id).await?;
    throttles::delete(&mut tx, &account_bucket(ctx, &email.folded)).await?;
    let entry = Entry::new("account.password_reset", "account", account.id.as_str())
        .with(json!({ "sessionsEnded": true }));
    audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    tx.commit().await?;
    Ok(())
}
