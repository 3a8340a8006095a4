//! Accounts.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::account::{AccountSummary, Email};
use crate::model::id::AccountId;
use crate::model::time::Timestamp;
use crate::server::platform::crypto::password::StoredPassword;

statements! {
    INSERT = "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status,
        is_instance_admin, session_epoch, created_at_ms, password_set_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, 0, $8, $8)";
    FIND_FOR_SIGN_IN = "SELECT id, password_hash, password_pepper_id, status, session_epoch FROM accounts WHERE email_folded = $1";
    FIND_SUMMARY = "SELECT id, email, name, is_instance_admin, created_at_ms, last_sign_in_at_ms FROM accounts
        WHERE id = $1 AND deleted_at_ms IS NULL";
    LIST = "SELECT id, email, name, is_instance_admin, created_at_ms, last_sign_in_at_ms FROM accounts
        WHERE deleted_at_ms IS NULL ORDER BY email_folded";
    SET_PASSWORD = "UPDATE accounts SET password_hash = $2, password_pepper_id = $3, password_set_at_ms = $4 WHERE id = $1";
    /// Only in the place of the one that was proved: a reset meanwhile must not be undone.
    REPLACE_PASSWORD = "UPDATE accounts SET password_hash = $2, password_pepper_id = $3, password_set_at_ms = $4
        WHERE id = $1 AND password_hash = $5";
    /// Only over the hash that was checked: a reset meanwhile must not be undone.
    RENEW_PASSWORD = "UPDATE accounts SET password_hash = $2, password_pepper_id = $3 WHERE id = $1 AND password_hash = $4";
    RAISE_EPOCH = "UPDATE accounts SET session_epoch = session_epoch + 1 WHERE id = $1";
    /// Only from the epoch of the one session that goes on, and the account's row before any session's: two sessions that
    /// end each other wait here instead of for each other.
    NEXT_EPOCH = "UPDATE accounts SET session_epoch = session_epoch + 1
        WHERE id = $1 AND session_epoch = (SELECT s.session_epoch FROM sessions s WHERE s.id_sha256 = $2 AND s.account_id = $1)
        RETURNING session_epoch";
    FIND_EMAIL = "SELECT email, email_folded FROM accounts WHERE id = $1";
    FIND_RECIPIENT = "SELECT email, name, time_zone FROM accounts WHERE id = $1 AND status = 'active'";
    FIND_PROFILE = "SELECT email, email_folded, name, language, time_zone, is_instance_admin, created_at_ms, last_sign_in_at_ms,
        password_set_at_ms FROM accounts WHERE id = $1 AND status = 'active'";
    SET_PROFILE = "UPDATE accounts SET name = $2, time_zone = $3, language = $4 WHERE id = $1";
    SET_EMAIL = "UPDATE accounts SET email = $2, email_folded = $3 WHERE id = $1 AND status = 'active'";
    SET_ADMINISTRATOR = "UPDATE accounts SET is_instance_admin = $2 WHERE id = $1 AND is_instance_admin <> $2";
    COUNT_OTHER_ADMINISTRATORS = "SELECT COUNT(*) FROM accounts WHERE is_instance_admin AND status = 'active' AND id <> $1";
    SET_SIGNED_IN = "UPDATE accounts SET last_sign_in_at_ms = $2 WHERE id = $1";
}

/// An account at the door.
pub struct SignInRow {
    pub id: AccountId,
    pub password: StoredPassword,
    pub is_active: bool,
    pub session_epoch: i64,
}

pub struct NewAccount<'a> {
    pub id: &'a AccountId,
    pub email: &'a Email,
    pub name: &'a str,
    pub password: &'a StoredPassword,
    pub is_instance_admin: bool,
}

pub async fn insert(tx: &mut Tx, new: &NewAccount<'_>, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(&new.email.shown).bind(&new.email.folded).bind(new.name)
        .bind(&new.password.phc).bind(&new.password.pepper_id).bind(new.is_instance_admin).bind(now.ms())
        .execute(c).await.map(drop))
}

pub async fn find_for_sign_in(tx: &mut Tx, email_folded: &str) -> Result<Option<SignInRow>, StoreError> {
    let row: Option<(String, String, String, String, i64)> =
        on!(tx, c => sqlx::query_as(FIND_FOR_SIGN_IN).bind(email_folded).fetch_optional(c).await)?;
    let Some((id, phc, pepper_id, status, session_epoch)) = row else {
        return Ok(None);
    };
    let place = RowPlace {
        table: "accounts",
        id: &id,
    };
    Ok(Some(SignInRow {
        id: place.parsed("id", &id)?,
        password: StoredPassword { phc, pepper_id },
        is_active: status == "active",
        session_epoch,
    }))
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    email: String,
    name: String,
    is_instance_admin: bool,
    created_at_ms: i64,
    last_sign_in_at_ms: Option<i64>,
}

/// Every account of the installation; for the operator. Whether one is locked is known elsewhere.
pub async fn list(tx: &mut Tx) -> Result<Vec<AccountSummary>, StoreError> {
    let rows: Vec<AccountRow> = on!(tx, c => sqlx::query_as(LIST).fetch_all(c).await)?;
    rows.into_iter().map(AccountSummary::try_from).collect()
}

/// The same of one; `None` for one that was deleted, too.
pub async fn find_summary(tx: &mut Tx, id: &AccountId) -> Result<Option<AccountSummary>, StoreError> {
    let row: Option<AccountRow> =
        on!(tx, c => sqlx::query_as(FIND_SUMMARY).bind(id.as_str()).fetch_optional(c).await)?;
    row.map(AccountSummary::try_from).transpose()
}

impl TryFrom<AccountRow> for AccountSummary {
    type Error = StoreError;
    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "accounts",
            id: &row.id,
        };
        Ok(Self {
            id: place.parsed("id", &row.id)?,
            email: row.email,
            name: row.name,
            is_instance_admin: row.is_instance_admin,
            locked: false,
            created_at: Timestamp::from_ms(row.created_at_ms),
            last_sign_in_at: moment(row.last_sign_in_at_ms),
        })
    }
}

pub async fn set_password(
    tx: &mut Tx,
    id: &AccountId,
    password: &StoredPassword,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_PASSWORD).bind(id.as_str()).bind(&password.phc).bind(&password.pepper_id).bind(now.ms())
        .execute(c).await.map(drop))
}

/// `false` when the password was changed since `proved` was read.
pub async fn replace_password(
    tx: &mut Tx,
    id: &AccountId,
    proved: &StoredPassword,
    new: &StoredPassword,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(REPLACE_PASSWORD).bind(id.as_str()).bind(&new.phc).bind(&new.pepper_id)
        .bind(now.ms()).bind(&proved.phc).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Stores the same password hashed anew, unless it was changed since `checked` was read.
pub async fn renew_password(
    tx: &mut Tx,
    id: &AccountId,
    checked: &StoredPassword,
    renewed: &StoredPassword,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(RENEW_PASSWORD).bind(id.as_str()).bind(&renewed.phc).bind(&renewed.pepper_id)
        .bind(&checked.phc).execute(c).await.map(drop))
}

/// Ends every session of the account, on every node, with the next request.
pub async fn raise_session_epoch(tx: &mut Tx, id: &AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(RAISE_EPOCH).bind(id.as_str()).execute(c).await.map(drop))
}

/// Ends every session of the account, those that are just being made too, and gives the epoch of the one that goes on.
/// `None` when that one is over itself.
pub async fn next_epoch(
    tx: &mut Tx,
    id: &AccountId,
    session_sha256: &str,
) -> Result<Option<i64>, StoreError> {
    on!(tx, c => sqlx::query_scalar(NEXT_EPOCH).bind(id.as_str()).bind(session_sha256).fetch_optional(c).await)
}

pub async fn find_email(tx: &mut Tx, id: &AccountId) -> Result<Option<Email>, StoreError> {
    let row: Option<(String, String)> =
        on!(tx, c => sqlx::query_as(FIND_EMAIL).bind(id.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(shown, folded)| Email { shown, folded }))
}

/// Whom a letter to the account goes to; `None` when the account is over.
pub async fn find_recipient(
    tx: &mut Tx,
    id: &AccountId,
) -> Result<Option<(String, String, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_RECIPIENT).bind(id.as_str()).fetch_optional(c).await)
}

pub async fn set_signed_in(tx: &mut Tx, id: &AccountId, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_SIGNED_IN).bind(id.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

/// An account as its own pages show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProfileRow {
    pub email: String,
    pub email_folded: String,
    pub name: String,
    pub language: String,
    pub time_zone: String,
    pub is_instance_admin: bool,
    pub created_at_ms: i64,
    pub last_sign_in_at_ms: Option<i64>,
    pub password_set_at_ms: Option<i64>,
}

/// `None` when the account is over.
pub async fn find_profile(tx: &mut Tx, id: &AccountId) -> Result<Option<ProfileRow>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_PROFILE).bind(id.as_str()).fetch_optional(c).await)
}

pub async fn set_profile(
    tx: &mut Tx,
    id: &AccountId,
    name: &str,
    time_zone: &str,
    language: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_PROFILE).bind(id.as_str()).bind(name).bind(time_zone).bind(language)
        .execute(c).await.map(drop))
}

/// Errors: [`StoreError::Taken`]. `false` when the account is over.
pub async fn set_email(tx: &mut Tx, id: &AccountId, email: &Email) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_EMAIL).bind(id.as_str()).bind(&email.shown).bind(&email.folded)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// How many others administer the installation.
pub async fn count_other_administrators(tx: &mut Tx, id: &AccountId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_OTHER_ADMINISTRATORS).bind(id.as_str()).fetch_one(c).await)
}

/// `false` when it was so before.
pub async fn set_administrator(
    tx: &mut Tx,
    id: &AccountId,
    is_administrator: bool,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_ADMINISTRATOR).bind(id.as_str()).bind(is_administrator)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
