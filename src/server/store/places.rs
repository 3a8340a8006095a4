//! Networks and devices that accounts have signed in from, as keyed digests.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::AccountId;
use crate::model::time::Timestamp;

statements! {
    HAS_ANY = "SELECT EXISTS (SELECT 1 FROM known_places WHERE account_id = $1)";
    TOUCH = "UPDATE known_places SET last_at_ms = $3 WHERE account_id = $1 AND place = $2";
    INSERT = "INSERT INTO known_places (account_id, place, first_at_ms, last_at_ms) VALUES ($1, $2, $3, $3)
        ON CONFLICT (account_id, place) DO UPDATE SET last_at_ms = excluded.last_at_ms";
    /// An account's newest place stays however old: a stranger who comes after a long silence must not look like the
    /// first sign-in of all.
    DELETE_BEFORE = "DELETE FROM known_places WHERE last_at_ms < $1 AND EXISTS (SELECT 1 FROM known_places newer
        WHERE newer.account_id = known_places.account_id AND newer.last_at_ms > known_places.last_at_ms)";
}

/// Whether the account was ever seen anywhere.
pub async fn has_any(tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query_scalar(HAS_ANY).bind(account.as_str()).fetch_one(c).await)
}

/// Notes that a place was seen again. `false` when the account does not know it.
pub async fn touch(
    tx: &mut Tx,
    account: &AccountId,
    place: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(TOUCH).bind(account.as_str()).bind(place).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

pub async fn insert(tx: &mut Tx, account: &AccountId, place: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(account.as_str()).bind(place).bind(now.ms()).execute(c).await.map(drop))
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(drop))
}
