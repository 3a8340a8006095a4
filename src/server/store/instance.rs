//! The installation: peppers, set-up tokens, whether it is set up.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::time::Timestamp;

statements! {
    LIST_SECRETS = "SELECT id, purpose, sealed, active FROM server_secrets ORDER BY created_at_ms, id";
    INSERT_SECRET = "INSERT INTO server_secrets (id, purpose, sealed, active, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
    INSERT_INSTANCE = "INSERT INTO instance (id, created_at_ms) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
    FIND_SET_UP_AT = "SELECT set_up_at_ms FROM instance WHERE id = 1";
    /// Only one of two racing set-ups finds the column empty.
    SET_SET_UP = "UPDATE instance SET set_up_at_ms = $1 WHERE id = 1 AND set_up_at_ms IS NULL";
    /// Changes nothing and takes the row's lock.
    HOLD = "UPDATE instance SET created_at_ms = created_at_ms WHERE id = 1";
    DELETE_SETUP_TOKENS = "DELETE FROM setup_tokens";
    INSERT_SETUP_TOKEN = "INSERT INTO setup_tokens (id, hash, pepper_id, created_at_ms) VALUES ($1, $2, $3, $4)";
    FIND_SETUP_TOKEN = "SELECT hash, pepper_id FROM setup_tokens WHERE id = $1";
}

/// A pepper or MAC key as it lies in the database.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SealedSecret {
    pub id: String,
    pub purpose: String,
    pub sealed: String,
    pub active: bool,
}

pub async fn list_secrets(tx: &mut Tx) -> Result<Vec<SealedSecret>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_SECRETS).fetch_all(c).await)
}

pub async fn insert_secret(tx: &mut Tx, secret: &SealedSecret, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_SECRET).bind(&secret.id).bind(&secret.purpose).bind(&secret.sealed)
        .bind(secret.active).bind(now.ms()).execute(c).await.map(drop))
}

/// Makes the instance's row if there is none. Taking it first serialises racing first starts.
pub async fn insert_instance(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_INSTANCE).bind(now.ms()).execute(c).await.map(drop))
}

pub async fn is_set_up(tx: &mut Tx) -> Result<bool, StoreError> {
    let at: Option<Option<i64>> = on!(tx, c => sqlx::query_scalar(FIND_SET_UP_AT).fetch_optional(c).await)?;
    Ok(at.flatten().is_some())
}

/// Marks the installation as set up. `false` when somebody else was first.
pub async fn set_set_up(tx: &mut Tx, now: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_SET_UP).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Makes whoever asks next wait until this transaction ends: for counting who administers the installation.
pub async fn hold(tx: &mut Tx) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(HOLD).execute(c).await.map(drop))
}

pub async fn delete_setup_tokens(tx: &mut Tx) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_SETUP_TOKENS).execute(c).await.map(drop))
}

pub async fn insert_setup_token(
    tx: &mut Tx,
    id: &str,
    hash: &str,
    pepper_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_SETUP_TOKEN).bind(id).bind(hash).bind(pepper_id).bind(now.ms()).execute(c).await.map(drop))
}

/// Hash and pepper id of a set-up token.
pub async fn find_setup_token(tx: &mut Tx, id: &str) -> Result<Option<(String, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_SETUP_TOKEN).bind(id).fetch_optional(c).await)
}
