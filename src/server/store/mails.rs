//! Mail on its way.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::MailId;
use crate::model::mail::MailState;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO mails (id, kind, sealed, state, tries, next_try_at_ms, last_error, created_at_ms)
        VALUES ($1, $2, $3, 'waiting', 0, $4, '', $4)";
    LIST_ALL = "SELECT id, kind, sealed FROM mails ORDER BY created_at_ms, id";
    LIST = "SELECT id, kind, sealed, state, tries, next_try_at_ms, last_error, created_at_ms FROM mails
        ORDER BY state, created_at_ms, id LIMIT $1";
    COUNTS = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0) AS BIGINT),
        CAST(COALESCE(SUM(CASE WHEN state = 'stuck' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM mails";
    FIND_DUE = "SELECT id, kind, sealed, state, tries, next_try_at_ms, last_error, created_at_ms FROM mails
        WHERE state = 'waiting' AND next_try_at_ms <= $1 AND (held_until_ms IS NULL OR held_until_ms <= $1)
        ORDER BY next_try_at_ms, id LIMIT 1";
    HOLD = "UPDATE mails SET held_until_ms = $3, tries = tries + 1
        WHERE id = $1 AND tries = $4 AND state = 'waiting' AND next_try_at_ms <= $2
        AND (held_until_ms IS NULL OR held_until_ms <= $2)";
    LET_GO = "UPDATE mails SET state = $3, next_try_at_ms = $4, last_error = $5, held_until_ms = NULL
        WHERE id = $1 AND held_until_ms = $2";
    FIND_KIND = "SELECT kind FROM mails WHERE id = $1";
    TRY_AGAIN = "UPDATE mails SET state = 'waiting', tries = 0, next_try_at_ms = $2 WHERE id = $1";
    TRY_ALL_AGAIN = "UPDATE mails SET state = 'waiting', tries = 0, next_try_at_ms = $1";
    DELETE = "DELETE FROM mails WHERE id = $1";
    DELETE_BEFORE = "DELETE FROM mails WHERE created_at_ms < $1";
}

/// A mail as it lies there, sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MailRow {
    pub id: String,
    pub kind: String,
    pub sealed: String,
    pub state: String,
    pub tries: i64,
    pub next_try_at_ms: i64,
    pub last_error: String,
    pub created_at_ms: i64,
}

pub async fn insert(
    tx: &mut Tx,
    id: &MailId,
    kind: &str,
    sealed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(id.as_str()).bind(kind).bind(sealed).bind(now.ms()).execute(c).await.map(drop))
}

/// Id, kind and sealed content of everything that waits, oldest first.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<(String, String, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_ALL).fetch_all(c).await)
}

/// At most `limit`, stuck ones first, then by age.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<MailRow>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST).bind(limit).fetch_all(c).await)
}

/// How many wait, and how many are stuck.
pub async fn counts(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    on!(tx, c => sqlx::query_as(COUNTS).fetch_one(c).await)
}

/// The mail that has been due the longest and that nobody holds.
pub async fn find_due(tx: &mut Tx, now: Timestamp) -> Result<Option<MailRow>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_DUE).bind(now.ms()).fetch_optional(c).await)
}

/// Takes a due mail for oneself and counts the try. `false` when somebody else was faster.
pub async fn hold(tx: &mut Tx, mail: &MailRow, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(HOLD).bind(&mail.id).bind(now.ms()).bind(until.ms()).bind(mail.tries)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Puts a held mail back, with what became of the try. Nothing happens when it is no longer held since `until`.
pub async fn let_go(
    tx: &mut Tx,
    id: &MailId,
    until: Timestamp,
    (state, next_try_at): (MailState, Timestamp),
    last_error: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LET_GO).bind(id.as_str()).bind(until.ms()).bind(state.as_str()).bind(next_try_at.ms())
        .bind(last_error).execute(c).await.map(drop))
}

pub async fn find_kind(tx: &mut Tx, id: &MailId) -> Result<Option<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(FIND_KIND).bind(id.as_str()).fetch_optional(c).await)
}

/// Begins anew with a mail; whoever holds it finishes first.
pub async fn try_again(tx: &mut Tx, id: &MailId, now: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(TRY_AGAIN).bind(id.as_str()).bind(now.ms()).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The same with all of them; how many.
pub async fn try_all_again(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(TRY_ALL_AGAIN).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))
}

pub async fn delete(tx: &mut Tx, id: &MailId) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(DELETE).bind(id.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
