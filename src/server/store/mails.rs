//! Mail on its way.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::MailId;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO mails (id, kind, sealed, state, tries, next_try_at_ms, last_error, created_at_ms)
        VALUES ($1, $2, $3, 'waiting', 0, $4, '', $4)";
    LIST_ALL = "SELECT id, kind, sealed FROM mails ORDER BY created_at_ms, id";
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
