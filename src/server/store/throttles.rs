//! Counters of failed credentials.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::time::Timestamp;

statements! {
    FIND = "SELECT failures, blocked_until_ms FROM throttles WHERE bucket = $1";
    UPSERT = "INSERT INTO throttles (bucket, failures, blocked_until_ms, updated_at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (bucket) DO UPDATE SET failures = excluded.failures, blocked_until_ms = excluded.blocked_until_ms,
        updated_at_ms = excluded.updated_at_ms";
    /// Takes the row's lock before it is read, so that parallel attempts queue up on it.
    TOUCH = "INSERT INTO throttles (bucket, failures, blocked_until_ms, updated_at_ms) VALUES ($1, 0, 0, $2)
        ON CONFLICT (bucket) DO UPDATE SET updated_at_ms = excluded.updated_at_ms";
    LIST_ACCOUNTS_FROM = "SELECT bucket FROM throttles WHERE bucket LIKE 'account:%' AND failures >= $1";
    DELETE = "DELETE FROM throttles WHERE bucket = $1";
    DELETE_NETWORKS_BEFORE = "DELETE FROM throttles WHERE updated_at_ms < $1
        AND (bucket LIKE 'network:%' OR bucket LIKE 'factor:%' OR bucket LIKE 'letters:%')";
    /// Locked accounts stay locked however long ago the last attempt was.
    DELETE_ACCOUNTS_BEFORE = "DELETE FROM throttles WHERE updated_at_ms < $1 AND bucket LIKE 'account:%' AND failures < $2";
}

/// Failures in a row and until when the bucket is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    pub failures: i64,
    pub blocked_until: i64,
}

/// Reads a counter and holds its row until the transaction ends.
pub async fn take(tx: &mut Tx, bucket: &str, now: Timestamp) -> Result<Counter, StoreError> {
    on!(tx, c => sqlx::query(TOUCH).bind(bucket).bind(now.ms()).execute(c).await.map(drop))?;
    find(tx, bucket).await
}

/// Reads a counter without holding it.
pub async fn find(tx: &mut Tx, bucket: &str) -> Result<Counter, StoreError> {
    let row: Option<(i64, i64)> = on!(tx, c => sqlx::query_as(FIND).bind(bucket).fetch_optional(c).await)?;
    Ok(row
        .map(|(failures, blocked_until)| Counter {
            failures,
            blocked_until,
        })
        .unwrap_or_default())
}

/// Names of the accounts' counters that stand at `failures` or more.
pub async fn list_accounts_from(tx: &mut Tx, failures: i64) -> Result<Vec<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(LIST_ACCOUNTS_FROM).bind(failures).fetch_all(c).await)
}

pub async fn set(tx: &mut Tx, bucket: &str, counter: Counter, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(UPSERT).bind(bucket).bind(counter.failures).bind(counter.blocked_until).bind(now.ms())
        .execute(c).await.map(drop))
}

/// `false` when there was nothing to clear.
pub async fn delete(tx: &mut Tx, bucket: &str) -> Result<bool, StoreError> {
    let rows =
        on!(tx, c => sqlx::query(DELETE).bind(bucket).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Forgets networks, wrong codes, and letters asked for, untouched since `before`.
pub async fn delete_networks_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_NETWORKS_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}

/// Forgets accounts untouched since `before`, but none with `keep_from` failures or more.
pub async fn delete_accounts_before(
    tx: &mut Tx,
    before: Timestamp,
    keep_from: i64,
) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_ACCOUNTS_BEFORE).bind(before.ms()).bind(keep_from)
        .execute(c).await.map(|done| done.rows_affected()))
}
