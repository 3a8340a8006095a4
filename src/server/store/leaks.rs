//! How often a key's secret was reported as found in public, so that its people are told once a day.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::KeyId;
use crate::model::time::Timestamp;

statements! {
    /// Holds the row until the transaction ends: of two reports at once one is the first.
    COUNT = "INSERT INTO leak_reports (key_id, outcome, since_at_ms, reports) VALUES ($1, $2, $3, 1)
        ON CONFLICT (key_id, outcome) DO UPDATE SET
        reports = CASE WHEN leak_reports.since_at_ms <= $4 THEN 1 ELSE leak_reports.reports + 1 END,
        since_at_ms = CASE WHEN leak_reports.since_at_ms <= $4 THEN excluded.since_at_ms ELSE leak_reports.since_at_ms END
        RETURNING reports";
    DELETE_BEFORE = "DELETE FROM leak_reports WHERE since_at_ms <= $1";
}

/// Counts a report with this outcome, and how many there were since the first one after `since`, this one included.
pub async fn count(
    tx: &mut Tx,
    key: &KeyId,
    outcome: &str,
    now: Timestamp,
    since: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT).bind(key.as_str()).bind(outcome).bind(now.ms()).bind(since.ms())
        .fetch_one(c).await)
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
