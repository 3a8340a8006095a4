//! New addresses that wait to be confirmed: at most one per account.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::account::Email;
use crate::model::id::AccountId;
use crate::model::time::Timestamp;

statements! {
    REPLACE = "INSERT INTO email_changes (account_id, email, email_folded, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (account_id) DO UPDATE SET email = excluded.email, email_folded = excluded.email_folded,
        old_confirmed_at_ms = NULL, new_confirmed_at_ms = NULL, created_at_ms = excluded.created_at_ms,
        expires_at_ms = excluded.expires_at_ms";
    FIND_OPEN = "SELECT email, email_folded, old_confirmed_at_ms, new_confirmed_at_ms, expires_at_ms FROM email_changes
        WHERE account_id = $1 AND expires_at_ms > $2";
    CONFIRM_OLD = "UPDATE email_changes SET old_confirmed_at_ms = $2 WHERE account_id = $1";
    CONFIRM_NEW = "UPDATE email_changes SET new_confirmed_at_ms = $2 WHERE account_id = $1";
    DELETE = "DELETE FROM email_changes WHERE account_id = $1";
    DELETE_BEFORE = "DELETE FROM email_changes WHERE expires_at_ms < $1";
}

/// A change that is under way.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EmailChangeRow {
    pub email: String,
    pub email_folded: String,
    pub old_confirmed_at_ms: Option<i64>,
    pub new_confirmed_at_ms: Option<i64>,
    pub expires_at_ms: i64,
}

/// Begins a change; one that was begun before is forgotten.
pub async fn replace(
    tx: &mut Tx,
    account: &AccountId,
    email: &Email,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REPLACE).bind(account.as_str()).bind(&email.shown).bind(&email.folded).bind(now.ms())
        .bind(expires_at.ms()).execute(c).await.map(drop))
}

/// A change that has not run out.
pub async fn find_open(
    tx: &mut Tx,
    account: &AccountId,
    now: Timestamp,
) -> Result<Option<EmailChangeRow>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_OPEN).bind(account.as_str()).bind(now.ms()).fetch_optional(c).await)
}

/// Notes that the old address, or else the new one, agrees; holds the row.
pub async fn confirm(
    tx: &mut Tx,
    account: &AccountId,
    is_old: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = if is_old { CONFIRM_OLD } else { CONFIRM_NEW };
    on!(tx, c => sqlx::query(statement).bind(account.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

/// `false` when none was under way.
pub async fn delete(tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(DELETE).bind(account.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Forgets what nobody agreed to in time.
pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
