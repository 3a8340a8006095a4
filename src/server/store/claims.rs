//! Keys that wait for whoever collects their secret.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::handover::Handover;
use crate::model::id::{AccountId, KeyId, OrgId};
use crate::model::key::Environment;
use crate::model::time::Timestamp;
use crate::server::platform::crypto::password::StoredPassword;

statements! {
    PUT = "INSERT INTO claims (key_id, account_id, passphrase, passphrase_pepper_id, tries, made_by_type, made_by_id, made_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8) ON CONFLICT (key_id) DO UPDATE SET account_id = excluded.account_id,
        passphrase = excluded.passphrase, passphrase_pepper_id = excluded.passphrase_pepper_id, tries = 0,
        made_by_type = excluded.made_by_type, made_by_id = excluded.made_by_id, made_at_ms = excluded.made_at_ms,
        expires_at_ms = excluded.expires_at_ms";
    FIND_SHOWN = "SELECT c.made_at_ms, c.expires_at_ms, r.name AS recipient, CASE WHEN c.passphrase IS NULL THEN 0 ELSE 1 END AS has_passphrase,
        c.claimed_at_ms, b.name AS claimed_by, c.claimed_ip FROM claims c JOIN api_keys k ON k.id = c.key_id
        LEFT JOIN accounts r ON r.id = c.account_id LEFT JOIN accounts b ON b.id = c.claimed_by
        WHERE k.org_id = $1 AND c.key_id = $2";
    /// By the key alone: whoever holds the link need not belong to any organisation.
    FIND_OPEN = "SELECT k.org_id, o.name AS organisation, k.name AS key_name, p.name AS project_name, k.environment,
        c.account_id, c.passphrase, c.passphrase_pepper_id, c.made_by_type, c.made_by_id, m.name AS made_by_name
        FROM claims c JOIN api_keys k ON k.id = c.key_id JOIN organisations o ON o.id = k.org_id JOIN projects p ON p.id = k.project_id
        LEFT JOIN accounts m ON m.id = c.made_by_id WHERE c.key_id = $1 AND c.claimed_at_ms IS NULL";
    COUNT_TRY = "UPDATE claims SET tries = tries + 1 WHERE key_id = $1 AND claimed_at_ms IS NULL RETURNING tries";
    SET_CLAIMED = "UPDATE claims SET claimed_at_ms = $2, claimed_by = $3, claimed_ip = $4, passphrase = NULL,
        passphrase_pepper_id = NULL WHERE key_id = $1 AND claimed_at_ms IS NULL";
}

/// How a link to a key is bound.
pub struct NewClaim<'a> {
    pub key: &'a KeyId,
    pub account: Option<&'a AccountId>,
    pub passphrase: Option<&'a StoredPassword>,
    pub made_by: (&'a str, &'a str),
    pub expires_at: Timestamp,
}

/// Takes the place of what was said of an earlier link.
pub async fn put(tx: &mut Tx, new: &NewClaim<'_>, now: Timestamp) -> Result<(), StoreError> {
    let phc = new.passphrase.map(|stored| stored.phc.as_str());
    let pepper = new.passphrase.map(|stored| stored.pepper_id.as_str());
    on!(tx, c => sqlx::query(PUT).bind(new.key.as_str()).bind(new.account.map(AccountId::as_str)).bind(phc).bind(pepper)
        .bind(new.made_by.0).bind(new.made_by.1).bind(now.ms()).bind(new.expires_at.ms()).execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct ShownRow {
    made_at_ms: i64,
    expires_at_ms: i64,
    recipient: Option<String>,
    has_passphrase: i32,
    claimed_at_ms: Option<i64>,
    claimed_by: Option<String>,
    claimed_ip: Option<String>,
}

/// Where the hand-over of a key stands, if it has one.
pub async fn find_shown(tx: &mut Tx, scope: &OrgScope, key: &KeyId) -> Result<Option<Handover>, StoreError> {
    let row: Option<ShownRow> = on!(tx, c => sqlx::query_as(FIND_SHOWN).bind(scope.org_id().as_str()).bind(key.as_str())
        .fetch_optional(c).await)?;
    Ok(row.map(|row| Handover {
        made_at: Timestamp::from_ms(row.made_at_ms),
        expires_at: Timestamp::from_ms(row.expires_at_ms),
        recipient: row.recipient,
        has_passphrase: row.has_passphrase == 1,
        claimed_at: moment(row.claimed_at_ms),
        claimed_by: row.claimed_by,
        claimed_ip: row.claimed_ip,
    }))
}

#[derive(sqlx::FromRow)]
struct OpenRow {
    org_id: String,
    organisation: String,
    key_name: String,
    project_name: String,
    environment: String,
    account_id: Option<String>,
    passphrase: Option<String>,
    passphrase_pepper_id: Option<String>,
    made_by_type: String,
    made_by_id: String,
    made_by_name: Option<String>,
}

/// A claim that nobody has made use of.
pub struct OpenClaim {
    pub org_id: OrgId,
    pub organisation: String,
    pub key_name: String,
    pub project_name: String,
    pub environment: Environment,
    pub account: Option<AccountId>,
    pub passphrase: Option<StoredPassword>,
    /// Type, id and present name of who made the link.
    pub made_by: (String, String, Option<String>),
}

pub async fn find_open(tx: &mut Tx, key: &KeyId) -> Result<Option<OpenClaim>, StoreError> {
    let row: Option<OpenRow> =
        on!(tx, c => sqlx::query_as(FIND_OPEN).bind(key.as_str()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let place = RowPlace {
        table: "claims",
        id: key.as_str(),
    };
    let account = row.account_id.as_deref();
    Ok(Some(OpenClaim {
        org_id: place.parsed("org_id", &row.org_id)?,
        organisation: row.organisation,
        key_name: row.key_name,
        project_name: row.project_name,
        environment: place.required("environment", Environment::parse(&row.environment))?,
        account: account.map(|id| place.parsed("account_id", id)).transpose()?,
        passphrase: row
            .passphrase
            .zip(row.passphrase_pepper_id)
            .map(|(phc, pepper_id)| StoredPassword { phc, pepper_id }),
        made_by: (row.made_by_type, row.made_by_id, row.made_by_name),
    }))
}

/// Counts a passphrase before it is tried, and says how many were; none when the claim is over.
pub async fn count_try(tx: &mut Tx, key: &KeyId) -> Result<Option<i64>, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_TRY).bind(key.as_str()).fetch_optional(c).await)
}

/// Notes who collected, and forgets the passphrase.
pub async fn set_claimed(
    tx: &mut Tx,
    key: &KeyId,
    (by, ip): (Option<&AccountId>, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_CLAIMED).bind(key.as_str()).bind(now.ms()).bind(by.map(AccountId::as_str)).bind(ip)
        .execute(c).await.map(drop))
}
