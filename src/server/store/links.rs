//! Links that work once.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO one_time_links (id, purpose, subject_id, hash, pepper_id, created_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND_OPEN = "SELECT id, purpose, subject_id, hash, pepper_id, expires_at_ms FROM one_time_links
        WHERE id = $1 AND used_at_ms IS NULL AND expires_at_ms > $2";
    FIND_USED = "SELECT id, purpose, subject_id, hash, pepper_id, expires_at_ms FROM one_time_links
        WHERE id = $1 AND used_at_ms IS NOT NULL";
    SET_USED = "UPDATE one_time_links SET used_at_ms = $2 WHERE id = $1 AND used_at_ms IS NULL AND expires_at_ms > $2";
    DELETE_FOR = "DELETE FROM one_time_links WHERE purpose = $1 AND subject_id = $2";
    DELETE_BEFORE = "DELETE FROM one_time_links WHERE expires_at_ms < $1";
}

/// A link as it is stored: a keyed hash and what it is bound to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LinkRow {
    pub id: String,
    pub purpose: String,
    pub subject_id: String,
    pub hash: String,
    pub pepper_id: String,
    pub expires_at_ms: i64,
}

pub async fn insert(tx: &mut Tx, link: &LinkRow, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(&link.id).bind(&link.purpose).bind(&link.subject_id).bind(&link.hash)
        .bind(&link.pepper_id).bind(now.ms()).bind(link.expires_at_ms).execute(c).await.map(drop))
}

/// A link that is neither used nor run out.
pub async fn find_open(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<LinkRow>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_OPEN).bind(id).bind(now.ms()).fetch_optional(c).await)
}

/// A link that was used, as long as it is remembered.
pub async fn find_used(tx: &mut Tx, id: &str) -> Result<Option<LinkRow>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_USED).bind(id).fetch_optional(c).await)
}

/// `false` when it was used meanwhile, or has run out.
pub async fn set_used(tx: &mut Tx, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_USED).bind(id).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn delete_for(tx: &mut Tx, purpose: &str, subject_id: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_FOR).bind(purpose).bind(subject_id).execute(c).await.map(drop))
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
