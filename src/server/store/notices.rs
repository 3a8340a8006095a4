//! What accounts are told about their own safety.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::id::{AccountId, NoticeId};
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO notices (id, account_id, kind, detail, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
    LIST_UNSEEN = "SELECT id, detail FROM notices WHERE account_id = $1 AND seen_at_ms IS NULL
        ORDER BY created_at_ms DESC, id LIMIT $2";
    SET_SEEN = "UPDATE notices SET seen_at_ms = $3 WHERE account_id = $1 AND id = $2 AND seen_at_ms IS NULL";
    HAS_SINCE = "SELECT EXISTS (SELECT 1 FROM notices WHERE account_id = $1 AND kind = $2 AND created_at_ms > $3)";
    DELETE_BEFORE = "DELETE FROM notices WHERE created_at_ms < $1";
}

/// `detail` is JSON.
pub async fn insert(
    tx: &mut Tx,
    id: &NoticeId,
    account: &AccountId,
    kind: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(id.as_str()).bind(account.as_str()).bind(kind).bind(detail).bind(now.ms())
        .execute(c).await.map(drop))
}

/// The newest notices that the account has not seen, newest first: id and JSON.
pub async fn list_unseen(
    tx: &mut Tx,
    account: &AccountId,
    most: i64,
) -> Result<Vec<(NoticeId, String)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_UNSEEN).bind(account.as_str()).bind(most).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, detail)| {
            let place = RowPlace {
                table: "notices",
                id: &id,
            };
            Ok((place.parsed("id", &id)?, detail))
        })
        .collect()
}

pub async fn set_seen(
    tx: &mut Tx,
    account: &AccountId,
    id: &NoticeId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_SEEN).bind(account.as_str()).bind(id.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

/// Whether the account was told of this kind after `since`, seen or not.
pub async fn has_since(
    tx: &mut Tx,
    account: &AccountId,
    kind: &str,
    since: Timestamp,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query_scalar(HAS_SINCE).bind(account.as_str()).bind(kind).bind(since.ms()).fetch_one(c).await)
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(drop))
}
