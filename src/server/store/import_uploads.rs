//! Files that were checked and wait to be imported, sealed. Each belongs to whoever sent it.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::AccountId;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO import_uploads (id, org_id, account_id, project_id, summary, sealed, created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT project_id, summary, sealed, created_at_ms FROM import_uploads
        WHERE org_id = $1 AND account_id = $2 AND id = $3 AND created_at_ms > $4";
    DELETE_OF = "DELETE FROM import_uploads WHERE account_id = $1";
    DELETE_BEFORE = "DELETE FROM import_uploads WHERE created_at_ms < $1";
}

pub struct NewUpload<'a> {
    pub id: &'a str,
    pub project_id: &'a str,
    pub summary: &'a str,
    pub sealed: &'a str,
}

#[derive(sqlx::FromRow)]
pub struct Upload {
    pub project_id: String,
    pub summary: String,
    pub sealed: String,
    pub created_at_ms: i64,
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    new: &NewUpload<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id).bind(scope.org_id().as_str()).bind(account.as_str()).bind(new.project_id)
        .bind(new.summary).bind(new.sealed).bind(now.ms()).execute(c).await.map(drop))
}

/// What an account sent after a moment; what is another's is as missing as what never was.
pub async fn find(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    id: &str,
    after: Timestamp,
) -> Result<Option<Upload>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(account.as_str()).bind(id).bind(after.ms())
        .fetch_optional(c).await)
}

/// Whatever waits for an account: one file at a time.
pub async fn delete_of(tx: &mut Tx, account: &AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_OF).bind(account.as_str()).execute(c).await.map(drop))
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
