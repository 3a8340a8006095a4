//! What verification trusts of a key: read whole, written whole, under one MAC.

use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, KeyId, OrgId};
use crate::model::time::Timestamp;
use crate::server::platform::crypto::keyring::StoredMac;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::RowPlace;
use crate::server::store::statements;

macro_rules! secured_columns {
    () => {
        "k.id, k.org_id, k.project_id, k.environment, k.prefix, k.name, k.owner_account_id, k.owner_team, k.scopes,
        k.status, k.expires_at_ms, k.created_at_ms, k.disabled_at_ms, k.revoked_at_ms, k.revoked_by_type, k.revoked_by_id,
        k.revoked_reason, k.revoked_note, k.secret_since_ms, k.secret_count, k.overlap_until_ms, k.rotation_days, k.rotation_due_at_ms,
        k.handed_on_at_ms, k.restrictions, k.not_before_ms, k.version, k.row_mac, k.row_mac_key_id"
    };
}

pub(super) use secured_columns;

macro_rules! secret_columns {
    () => {
        "s.slot, s.hash, s.hash_alg, s.pepper_id, s.created_at_ms AS secret_created_at_ms,
        s.expires_at_ms AS secret_expires_at_ms, s.number AS secret_number, s.countdown_ms AS secret_countdown_ms,
        s.stored_at_ms AS secret_stored_at_ms, s.stored_note AS secret_stored_note"
    };
}

statements! {
    INSERT = "INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose,
        owner_account_id, owner_team, scopes, status, expires_at_ms, created_by_type, created_by_id, created_at_ms,
        stored_note, revoked_note, version, row_mac, row_mac_key_id, secret_since_ms, rotation_due_at_ms,
        restrictions, not_before_ms, secret_count, rotation_days, idle_since_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', '', $17, $18, $19, $20, $21, $22, $23, $24, $25, $16)";
    FIND_ORG = "SELECT org_id FROM api_keys WHERE id = $1";
    INSERT_SECRET = "INSERT INTO key_secrets (key_id, slot, hash, hash_alg, pepper_id, created_at_ms, expires_at_ms, number,
        countdown_ms, stored_at_ms, stored_note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    DELETE_SECRETS = "DELETE FROM key_secrets WHERE key_id = $1";
    /// Row and secrets in one statement: read one after the other they could be of before and after a change.
    FIND_SECURED = concat!("SELECT ", secured_columns!(), ", ", secret_columns!(), " FROM api_keys k
        LEFT JOIN key_secrets s ON s.key_id = k.id WHERE k.org_id = $1 AND k.id = $2 ORDER BY s.slot");
    /// By id alone: who may hear the answer is decided from the row, by the caller's token.
    FIND_VERIFIABLE = concat!("SELECT ", secured_columns!(), ", ", secret_columns!(), ", p.status AS project_status,
        (CASE WHEN k.owner_account_id IS NULL THEN 1 WHEN m.account_id IS NULL THEN 0 ELSE 1 END) AS owner_is_active
        FROM api_keys k JOIN projects p ON p.id = k.project_id
        LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        LEFT JOIN key_secrets s ON s.key_id = k.id WHERE k.id = $1 ORDER BY s.slot");
    /// Only over the version that was read: two writers at once do not undo each other.
    SAVE = "UPDATE api_keys SET status = $3, scopes = $4, expires_at_ms = $5, disabled_at_ms = $6, revoked_at_ms = $7,
        revoked_by_type = $8, revoked_by_id = $9, revoked_reason = $10, revoked_note = $11, version = $12, row_mac = $13,
        row_mac_key_id = $14, owner_account_id = $16, owner_team = $17, secret_since_ms = $18, overlap_until_ms = $19,
        rotation_days = $20, rotation_due_at_ms = $21, restrictions = $22, not_before_ms = $23,
        secret_count = $24, handed_on_at_ms = $25 WHERE org_id = $1 AND id = $2 AND version = $15";
    SET_DESCRIPTIVE = "UPDATE api_keys SET name = $3, name_folded = $4, purpose = $5 WHERE org_id = $1 AND id = $2";
    SET_STORED = "UPDATE api_keys SET stored_at_ms = $3, stored_note = $4 WHERE org_id = $1 AND id = $2 AND stored_at_ms IS NULL";
    FIND_STORED = "SELECT stored_at_ms, stored_note FROM api_keys WHERE org_id = $1 AND id = $2";
    REPLACE_STORED = "UPDATE api_keys SET stored_at_ms = $3, stored_note = $4 WHERE org_id = $1 AND id = $2";
    INSERT_NONCE = "INSERT INTO form_nonces (nonce, account_id, target_id, used_at_ms) VALUES ($1, $2, $3, $4)";
    FIND_NONCE = "SELECT target_id, used_at_ms FROM form_nonces WHERE nonce = $1 AND account_id = $2";
    DELETE_NONCES_BEFORE = "DELETE FROM form_nonces WHERE used_at_ms < $1";
}

/// A key as the database holds it, with what its MAC covers.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SecuredKey {
    pub id: String,
    pub org_id: String,
    pub project_id: String,
    pub environment: String,
    pub prefix: String,
    pub name: String,
    pub owner_account_id: Option<String>,
    pub owner_team: String,
    pub scopes: String,
    pub status: String,
    pub expires_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub disabled_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    pub revoked_by_type: Option<String>,
    pub revoked_by_id: Option<String>,
    pub revoked_reason: Option<String>,
    pub revoked_note: String,
    /// Since when the current secret exists.
    pub secret_since_ms: i64,
    /// How many secrets the key ever had.
    pub secret_count: i64,
    /// This and the three below tell and order; no decision rests on them.
    pub overlap_until_ms: Option<i64>,
    pub rotation_days: Option<i64>,
    pub rotation_due_at_ms: Option<i64>,
    /// When somebody who left handed it to another owner.
    pub handed_on_at_ms: Option<i64>,
    /// From where, for what and when the key passes, as JSON.
    pub restrictions: Option<String>,
    pub not_before_ms: Option<i64>,
    pub version: i64,
    pub row_mac: String,
    pub row_mac_key_id: String,
    #[sqlx(skip)]
    pub secrets: Vec<SecretRow>,
}

/// One stored secret: a keyed hash and what is needed to compare with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    pub slot: String,
    pub hash: String,
    pub hash_alg: String,
    pub pepper_id: String,
    pub created_at_ms: i64,
    pub expires_at_ms: Option<i64>,
    /// Which of the key's secrets it is, counted from 1.
    pub number: i64,
    /// A previous secret that goes on for so long after the first use of the current one, which has not come yet.
    pub countdown_ms: Option<i64>,
    /// What was said of where it is stored, of a previous one.
    pub stored_at_ms: Option<i64>,
    pub stored_note: Option<String>,
}

/// One of a key's secrets, beside the key in the same row; all absent for a key without any.
#[derive(sqlx::FromRow)]
struct SecretBeside {
    slot: Option<String>,
    hash: Option<String>,
    hash_alg: Option<String>,
    pepper_id: Option<String>,
    secret_created_at_ms: Option<i64>,
    secret_expires_at_ms: Option<i64>,
    secret_number: Option<i64>,
    secret_countdown_ms: Option<i64>,
    secret_stored_at_ms: Option<i64>,
    secret_stored_note: Option<String>,
}

impl SecretBeside {
    fn into_row(self) -> Option<SecretRow> {
        Some(SecretRow {
            slot: self.slot?,
            hash: self.hash?,
            hash_alg: self.hash_alg?,
            pepper_id: self.pepper_id?,
            created_at_ms: self.secret_created_at_ms?,
            expires_at_ms: self.secret_expires_at_ms,
            number: self.secret_number?,
            countdown_ms: self.secret_countdown_ms,
            stored_at_ms: self.secret_stored_at_ms,
            stored_note: self.secret_stored_note,
        })
    }
}

#[derive(sqlx::FromRow)]
struct KeyAndSecret {
    #[sqlx(flatten)]
    key: SecuredKey,
    #[sqlx(flatten)]
    secret: SecretBeside,
}

#[derive(sqlx::FromRow)]
struct VerifiableAndSecret {
    #[sqlx(flatten)]
    verifiable: Verifiable,
    #[sqlx(flatten)]
    secret: SecretBeside,
}

/// A key with what else decides about it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Verifiable {
    #[sqlx(flatten)]
    pub key: SecuredKey,
    pub project_status: String,
    /// 1 when the owner is a team or an active member.
    pub owner_is_active: i32,
}

/// What a key is born with beside its secured columns.
pub struct NewKey<'a> {
    pub secured: &'a SecuredKey,
    pub name_folded: &'a str,
    pub purpose: &'a str,
    pub created_by: (&'a str, &'a str),
}

impl SecuredKey {
    /// The texts the row's MAC is made over: every column of the key that a decision rests on (not its name, which is only
    /// shown). The order is part of the stored format. What came later stands at the end, under another label and only
    /// where there is any: rows from before need not be signed afresh, and to take it away breaks the MAC.
    #[must_use]
    pub fn mac_parts(&self) -> Vec<String> {
        let number = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let has_more = self.secrets.len() > 1 || self.restrictions.is_some() || self.not_before_ms.is_some();
        let label = match has_more {
            true => "keywright-key-row-v2",
            false => "keywright-key-row-v1",
        };
        let mut parts = vec![
            label.to_owned(),
            self.id.clone(),
            self.org_id.clone(),
            self.project_id.clone(),
            self.environment.clone(),
            self.prefix.clone(),
            self.owner_account_id.clone().unwrap_or_else(|| "-".to_owned()),
            self.owner_team.clone(),
            self.scopes.clone(),
            self.status.clone(),
            number(self.expires_at_ms),
            number(self.revoked_at_ms),
            self.version.to_string(),
        ];
        for secret in &self.secrets {
            parts.extend([
                secret.slot.clone(),
                secret.hash_alg.clone(),
                secret.pepper_id.clone(),
                secret.hash.clone(),
            ]);
            parts.push(number(secret.expires_at_ms));
        }
        if has_more {
            parts.push(self.restrictions.clone().unwrap_or_else(|| "-".to_owned()));
            parts.extend([
                number(self.not_before_ms),
                self.secret_since_ms.to_string(),
                self.secret_count.to_string(),
            ]);
            for secret in &self.secrets {
                let own = [
                    number(secret.countdown_ms),
                    secret.created_at_ms.to_string(),
                    secret.number.to_string(),
                ];
                parts.extend(own);
            }
        }
        parts
    }
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewKey<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = new.secured;
    on!(tx, c => sqlx::query(INSERT).bind(&key.id).bind(scope.org_id().as_str()).bind(&key.project_id).bind(&key.environment)
        .bind(&key.prefix).bind(&key.name).bind(new.name_folded).bind(new.purpose).bind(&key.owner_account_id)
        .bind(&key.owner_team).bind(&key.scopes).bind(&key.status).bind(key.expires_at_ms).bind(new.created_by.0)
        .bind(new.created_by.1).bind(now.ms()).bind(key.version).bind(&key.row_mac).bind(&key.row_mac_key_id)
        .bind(key.secret_since_ms).bind(key.rotation_due_at_ms).bind(&key.restrictions).bind(key.not_before_ms)
        .bind(key.secret_count).bind(key.rotation_days).execute(c).await.map(drop))?;
    insert_secrets(tx, key).await
}

/// Whose key it is, by its id alone: for whoever comes with a link and no organisation.
pub async fn find_org(tx: &mut Tx, id: &KeyId) -> Result<Option<OrgId>, StoreError> {
    let org: Option<String> =
        on!(tx, c => sqlx::query_scalar(FIND_ORG).bind(id.as_str()).fetch_optional(c).await)?;
    let place = RowPlace {
        table: "api_keys",
        id: id.as_str(),
    };
    org.map(|org| place.parsed("org_id", &org)).transpose()
}

async fn insert_secrets(tx: &mut Tx, key: &SecuredKey) -> Result<(), StoreError> {
    for secret in &key.secrets {
        on!(tx, c => sqlx::query(INSERT_SECRET).bind(&key.id).bind(&secret.slot).bind(&secret.hash).bind(&secret.hash_alg)
            .bind(&secret.pepper_id).bind(secret.created_at_ms).bind(secret.expires_at_ms).bind(secret.number)
            .bind(secret.countdown_ms).bind(secret.stored_at_ms).bind(&secret.stored_note).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Writes the key's secrets in the place of those that are stored. The key's row is saved after it, under one MAC.
pub async fn replace_secrets(tx: &mut Tx, key: &SecuredKey) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_SECRETS).bind(&key.id).execute(c).await.map(drop))?;
    insert_secrets(tx, key).await
}

pub async fn find_secured(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
) -> Result<Option<SecuredKey>, StoreError> {
    let rows: Vec<KeyAndSecret> = on!(tx, c => sqlx::query_as(FIND_SECURED).bind(scope.org_id().as_str()).bind(id.as_str())
        .fetch_all(c).await)?;
    Ok(rows.into_iter().fold(None, |whole: Option<SecuredKey>, row| {
        let mut key = whole.unwrap_or(row.key);
        key.secrets.extend(row.secret.into_row());
        Some(key)
    }))
}

/// For verification, which does not know the organisation yet.
pub async fn find_verifiable(tx: &mut Tx, id: &KeyId) -> Result<Option<Verifiable>, StoreError> {
    let rows: Vec<VerifiableAndSecret> =
        on!(tx, c => sqlx::query_as(FIND_VERIFIABLE).bind(id.as_str()).fetch_all(c).await)?;
    Ok(rows.into_iter().fold(None, |whole: Option<Verifiable>, row| {
        let mut found = whole.unwrap_or(row.verifiable);
        found.key.secrets.extend(row.secret.into_row());
        Some(found)
    }))
}

/// Writes the changeable secured columns with their new MAC over `read_version`. `false` when another writer was first.
pub async fn save_secured(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &SecuredKey,
    mac: &StoredMac,
    read_version: i64,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SAVE).bind(scope.org_id().as_str()).bind(&key.id).bind(&key.status).bind(&key.scopes)
        .bind(key.expires_at_ms).bind(key.disabled_at_ms).bind(key.revoked_at_ms).bind(&key.revoked_by_type)
        .bind(&key.revoked_by_id).bind(&key.revoked_reason).bind(&key.revoked_note).bind(key.version).bind(&mac.mac)
        .bind(&mac.key_id).bind(read_version).bind(&key.owner_account_id).bind(&key.owner_team)
        .bind(key.secret_since_ms).bind(key.overlap_until_ms).bind(key.rotation_days).bind(key.rotation_due_at_ms)
        .bind(&key.restrictions).bind(key.not_before_ms).bind(key.secret_count).bind(key.handed_on_at_ms).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Name and purpose: what people read and no decision rests on.
pub async fn set_descriptive(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    name: &str,
    folded: &str,
    purpose: &str,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_DESCRIPTIVE).bind(scope.org_id().as_str()).bind(id.as_str()).bind(name).bind(folded)
        .bind(purpose).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// `false` when it was confirmed before.
pub async fn set_stored(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    note: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_STORED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms()).bind(note)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// When and where the secret is said to be stored.
pub async fn find_stored(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
) -> Result<Option<(Option<i64>, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_STORED).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)
}

/// The same written over, because another secret is current.
pub async fn replace_stored(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    at_ms: Option<i64>,
    note: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REPLACE_STORED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(at_ms).bind(note)
        .execute(c).await.map(drop))
}

/// Uses up a form's nonce for what it made. `Taken` when the form was submitted before.
pub async fn insert_nonce(
    tx: &mut Tx,
    nonce: &str,
    account: &AccountId,
    target_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_NONCE).bind(nonce).bind(account.as_str()).bind(target_id).bind(now.ms())
        .execute(c).await.map(drop))
}

/// What a nonce was used for by this account, and when.
pub async fn find_nonce(
    tx: &mut Tx,
    nonce: &str,
    account: &AccountId,
) -> Result<Option<(String, Timestamp)>, StoreError> {
    let row: Option<(String, i64)> =
        on!(tx, c => sqlx::query_as(FIND_NONCE).bind(nonce).bind(account.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(target, at)| (target, Timestamp::from_ms(at))))
}

pub async fn delete_nonces_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_NONCES_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
