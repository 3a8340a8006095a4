//! The log of changes that verification must hear of, in the order of their commits.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::time::Timestamp;

statements! {
    NEXT_SEQ = "UPDATE change_seq SET seq = seq + 1 WHERE id = 1 RETURNING seq";
    FIND_SEQ = "SELECT seq FROM change_seq WHERE id = 1";
    INSERT = "INSERT INTO change_log (seq, kind, entity_id, at_ms) VALUES ($1, $2, $3, $4)";
    LIST_AFTER = "SELECT seq, kind, entity_id FROM change_log WHERE seq > $1 ORDER BY seq LIMIT 1000";
    DELETE_BEFORE = "DELETE FROM change_log WHERE at_ms < $1";
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Key,
    Token,
    /// Keys that were imported, or what they may look like: what is known of texts that are none of ours.
    Import,
    /// A project, a membership: anything that several keys hang on.
    Many,
}

impl ChangeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::Import => "import",
            Self::Many => "many",
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seq: i64,
    pub kind: ChangeKind,
    pub entity_id: String,
}

/// Notes a change. Call it last in the transaction: the counter's row stays locked until the commit.
pub async fn record(
    tx: &mut Tx,
    kind: ChangeKind,
    entity_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seq: i64 = on!(tx, c => sqlx::query_scalar(NEXT_SEQ).fetch_one(c).await)?;
    on!(tx, c => sqlx::query(INSERT).bind(seq).bind(kind.as_str()).bind(entity_id).bind(now.ms())
        .execute(c).await.map(drop))
}

pub async fn latest_seq(tx: &mut Tx) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(FIND_SEQ).fetch_one(c).await)
}

/// Up to 1,000 changes after `seq`, oldest first.
pub async fn list_after(tx: &mut Tx, seq: i64) -> Result<Vec<Change>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        on!(tx, c => sqlx::query_as(LIST_AFTER).bind(seq).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(seq, kind, entity_id)| {
            let kind = match kind.as_str() {
                "key" => ChangeKind::Key,
                "token" => ChangeKind::Token,
                "import" => ChangeKind::Import,
                _ => ChangeKind::Many,
            };
            Change { seq, kind, entity_id }
        })
        .collect())
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
