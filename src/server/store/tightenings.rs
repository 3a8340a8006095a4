//! What the advisor took away from keys, for whoever undoes it.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO key_tightenings (key_id, org_id, at_ms, by_type, by_id, before, after, mac, mac_key_id, key_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND_LATEST = "SELECT t.key_id, t.key_version, t.org_id, t.at_ms, t.by_type, t.by_id, t.before, t.after, t.mac, t.mac_key_id, a.name AS by_name
        FROM key_tightenings t LEFT JOIN accounts a ON a.id = t.by_id
        WHERE t.org_id = $1 AND t.key_id = $2 AND t.undone_at_ms IS NULL AND t.at_ms > $3 ORDER BY t.key_version DESC LIMIT 1";
    SET_UNDONE = "UPDATE key_tightenings SET undone_at_ms = $4
        WHERE org_id = $1 AND key_id = $2 AND key_version = $3 AND undone_at_ms IS NULL";
    DELETE_BEFORE = "DELETE FROM key_tightenings WHERE at_ms < $1";
}

/// A tightening as it is stored; `before` and `after` are access as JSON.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Tightening {
    pub key_id: String,
    /// The version of the key that it began from.
    pub key_version: i64,
    pub org_id: String,
    pub at_ms: i64,
    pub by_type: String,
    pub by_id: String,
    pub before: String,
    pub after: String,
    pub mac: String,
    pub mac_key_id: String,
    /// The name of the account today.
    pub by_name: Option<String>,
}

impl Tightening {
    /// What its MAC is made over: undoing signs the key afresh, so nobody else may say what comes back.
    #[must_use]
    pub fn mac_parts(&self) -> Vec<String> {
        vec![
            "keywright-tightening-v1".to_owned(),
            self.org_id.clone(),
            self.key_id.clone(),
            self.key_version.to_string(),
            self.at_ms.to_string(),
            self.before.clone(),
            self.after.clone(),
        ]
    }
}

pub async fn insert(tx: &mut Tx, row: &Tightening) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(&row.key_id).bind(&row.org_id).bind(row.at_ms).bind(&row.by_type).bind(&row.by_id)
        .bind(&row.before).bind(&row.after).bind(&row.mac).bind(&row.mac_key_id).bind(row.key_version).execute(c).await.map(drop))
}

/// The newest after a moment that was not undone.
pub async fn find_latest(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    after: Timestamp,
) -> Result<Option<Tightening>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_LATEST).bind(scope.org_id().as_str()).bind(key.as_str()).bind(after.ms())
        .fetch_optional(c).await)
}

/// `false` when it was undone before.
pub async fn set_undone(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    key_version: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_UNDONE).bind(scope.org_id().as_str()).bind(key.as_str()).bind(key_version).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Forgets those that can no longer be undone; the audit log keeps what they did.
pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
