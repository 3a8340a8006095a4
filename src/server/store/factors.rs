//! Second factors and recovery codes.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::id::{AccountId, FactorId};
use crate::model::time::Timestamp;

statements! {
    DELETE_ENROLMENT = "DELETE FROM factors WHERE account_id = $1 AND confirmed_at_ms IS NULL";
    INSERT = "INSERT INTO factors (id, account_id, kind, sealed, last_step, created_at_ms, session_sha256, replaces_id)
        VALUES ($1, $2, 'totp', $3, 0, $4, $5, $6)";
    FIND_ENROLMENT = "SELECT id, sealed, confirmed_at_ms, used_at_ms, replaces_id FROM factors
        WHERE account_id = $1 AND kind = 'totp' AND confirmed_at_ms IS NULL AND session_sha256 = $2 AND created_at_ms > $3";
    FIND_TOTP = "SELECT id, sealed, confirmed_at_ms, used_at_ms, replaces_id FROM factors
        WHERE account_id = $1 AND kind = 'totp' AND confirmed_at_ms IS NOT NULL";
    CONFIRM = "UPDATE factors SET confirmed_at_ms = $3, last_step = $4, used_at_ms = $3
        WHERE account_id = $1 AND id = $2 AND confirmed_at_ms IS NULL";
    /// One statement, so that of parallel attempts with one code one wins, whatever each of them read before (R18).
    TAKE_STEP = "UPDATE factors SET last_step = $3, used_at_ms = $4
        WHERE account_id = $1 AND id = $2 AND confirmed_at_ms IS NOT NULL AND last_step < $3";
    DELETE_ONE = "DELETE FROM factors WHERE account_id = $1 AND id = $2";
    DELETE_ALL = "DELETE FROM factors WHERE account_id = $1";
    INSERT_CODE = "INSERT INTO recovery_codes (account_id, mac, pepper_id, created_at_ms) VALUES ($1, $2, $3, $4)";
    DELETE_CODES = "DELETE FROM recovery_codes WHERE account_id = $1";
    LIST_UNUSED_CODES = "SELECT mac, pepper_id FROM recovery_codes WHERE account_id = $1 AND used_at_ms IS NULL";
    USE_CODE = "UPDATE recovery_codes SET used_at_ms = $3 WHERE account_id = $1 AND mac = $2 AND used_at_ms IS NULL";
    COUNT_UNUSED_CODES = "SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1 AND used_at_ms IS NULL";
}

/// An authenticator app, confirmed or still being enrolled.
pub struct TotpRow {
    pub id: FactorId,
    pub sealed: String,
    pub confirmed_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
    /// The app in force that this one is to take the place of.
    pub replaces: Option<FactorId>,
}

#[derive(sqlx::FromRow)]
struct StoredTotp {
    id: String,
    sealed: String,
    confirmed_at_ms: Option<i64>,
    used_at_ms: Option<i64>,
    replaces_id: Option<String>,
}

/// What an enrolment begins with.
pub struct NewEnrolment<'a> {
    pub id: &'a FactorId,
    pub sealed: &'a str,
    /// The session that is shown the secret.
    pub session_sha256: &'a str,
    pub replaces: Option<&'a FactorId>,
}

/// Begins an enrolment; one that was begun before is forgotten.
pub async fn replace_enrolment(
    tx: &mut Tx,
    account: &AccountId,
    new: NewEnrolment<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_ENROLMENT).bind(account.as_str()).execute(c).await.map(drop))?;
    let replaces = new.replaces.map(FactorId::as_str);
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(account.as_str()).bind(new.sealed).bind(now.ms())
        .bind(new.session_sha256).bind(replaces).execute(c).await.map(drop))
}

/// The enrolment that this session began after `since`.
pub async fn find_enrolment(
    tx: &mut Tx,
    account: &AccountId,
    session_sha256: &str,
    since: Timestamp,
) -> Result<Option<TotpRow>, StoreError> {
    let row = on!(tx, c => sqlx::query_as(FIND_ENROLMENT).bind(account.as_str()).bind(session_sha256).bind(since.ms())
        .fetch_optional(c).await)?;
    read(row)
}

/// The app in force.
pub async fn find_totp(tx: &mut Tx, account: &AccountId) -> Result<Option<TotpRow>, StoreError> {
    let row = on!(tx, c => sqlx::query_as(FIND_TOTP).bind(account.as_str()).fetch_optional(c).await)?;
    read(row)
}

fn read(row: Option<StoredTotp>) -> Result<Option<TotpRow>, StoreError> {
    let Some(row) = row else {
        return Ok(None);
    };
    let place = RowPlace {
        table: "factors",
        id: &row.id,
    };
    let replaces = row.replaces_id.as_ref().map(|id| place.parsed("replaces_id", id));
    Ok(Some(TotpRow {
        id: place.parsed("id", &row.id)?,
        replaces: replaces.transpose()?,
        confirmed_at: moment(row.confirmed_at_ms),
        used_at: moment(row.used_at_ms),
        sealed: row.sealed,
    }))
}

/// Puts an enrolment in force, with the step that confirmed it taken. `false` when it was confirmed or replaced
/// meanwhile.
pub async fn confirm(
    tx: &mut Tx,
    account: &AccountId,
    id: &FactorId,
    step: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(CONFIRM).bind(account.as_str()).bind(id.as_str()).bind(now.ms()).bind(step)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes a step. `false` when it, or a later one, was taken before.
pub async fn take_step(
    tx: &mut Tx,
    account: &AccountId,
    id: &FactorId,
    step: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(TAKE_STEP).bind(account.as_str()).bind(id.as_str()).bind(step).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Removes the app that another takes the place of.
pub async fn delete_one(tx: &mut Tx, account: &AccountId, id: &FactorId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_ONE).bind(account.as_str()).bind(id.as_str()).execute(c).await.map(drop))
}

/// Removes every factor and every recovery code of an account.
pub async fn delete_all(tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(DELETE_CODES).bind(account.as_str()).execute(c).await.map(drop))?;
    let rows = on!(tx, c => sqlx::query(DELETE_ALL).bind(account.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Replaces the recovery codes: `(mac, pepper)` each.
pub async fn replace_codes(
    tx: &mut Tx,
    account: &AccountId,
    codes: &[(String, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_CODES).bind(account.as_str()).execute(c).await.map(drop))?;
    for (mac, pepper) in codes {
        on!(tx, c => sqlx::query(INSERT_CODE).bind(account.as_str()).bind(mac).bind(pepper).bind(now.ms())
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Keyed hashes and pepper names of the codes that are left.
pub async fn list_unused_codes(
    tx: &mut Tx,
    account: &AccountId,
) -> Result<Vec<(String, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_UNUSED_CODES).bind(account.as_str()).fetch_all(c).await)
}

/// `false` when it was used meanwhile.
pub async fn use_code(
    tx: &mut Tx,
    account: &AccountId,
    mac: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(USE_CODE).bind(account.as_str()).bind(mac).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn count_unused_codes(tx: &mut Tx, account: &AccountId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_UNUSED_CODES).bind(account.as_str()).fetch_one(c).await)
}
