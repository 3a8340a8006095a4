//! What accounts are told about their own safety.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::{AccountId, NoticeId};
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO notices (id, account_id, kind, detail, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
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
