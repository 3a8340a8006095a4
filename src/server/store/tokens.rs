//! Service tokens.

use super::db::{Tx, on};
use super::error::StoreError;
use super::import_formats::{FormatRow, format_columns};
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, TokenId};
use crate::model::import_format::ImportFormat;
use crate::model::time::Timestamp;
use crate::model::token::{TokenPermissions, TokenStatus, TokenSummary};
use crate::server::platform::crypto::keyring::StoredMac;

statements! {
    INSERT = "INSERT INTO service_tokens (id, org_id, project_id, name, name_folded, permissions, hash, hash_alg, pepper_id,
        expires_at_ms, created_by_type, created_by_id, created_at_ms, row_mac, row_mac_key_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    /// By id alone: a token says itself which organisation it belongs to.
    FIND_ANY = concat!("SELECT t.id, t.org_id, t.project_id, t.permissions, t.hash, t.hash_alg, t.pepper_id, t.expires_at_ms,
        t.revoked_at_ms, t.row_mac, t.row_mac_key_id, ", format_columns!(), " FROM service_tokens t
        LEFT JOIN import_formats f ON f.project_id = t.project_id WHERE t.id = $1 ORDER BY f.place, f.id");
    FIND = "SELECT id, org_id, project_id, permissions, hash, hash_alg, pepper_id, expires_at_ms, revoked_at_ms,
        row_mac, row_mac_key_id FROM service_tokens WHERE org_id = $1 AND id = $2";
    LIST = "SELECT t.id, t.name, t.project_id, p.name AS project_name, t.permissions, t.created_at_ms, t.expires_at_ms,
        t.stored_at_ms, t.revoked_at_ms, u.at_ms AS used_at_ms, u.ip AS used_ip
        FROM service_tokens t JOIN projects p ON p.id = t.project_id LEFT JOIN token_last_used u ON u.token_id = t.id
        WHERE t.org_id = $1 AND (CAST($2 AS TEXT) IS NULL OR (t.created_by_type = 'account' AND t.created_by_id = $2))
        ORDER BY t.created_at_ms DESC, t.id LIMIT 500";
    SET_REVOKED = "UPDATE service_tokens SET revoked_at_ms = $3, row_mac = $4, row_mac_key_id = $5
        WHERE org_id = $1 AND id = $2 AND revoked_at_ms IS NULL";
    SET_STORED = "UPDATE service_tokens SET stored_at_ms = $3 WHERE org_id = $1 AND id = $2 AND stored_at_ms IS NULL";
}

/// A token as the database holds it, with what its MAC covers.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SecuredToken {
    pub id: String,
    pub org_id: String,
    pub project_id: String,
    pub permissions: String,
    pub hash: String,
    pub hash_alg: String,
    pub pepper_id: String,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    pub row_mac: String,
    pub row_mac_key_id: String,
}

impl SecuredToken {
    /// The texts the row's MAC is made over; the order is part of the stored format.
    #[must_use]
    pub fn mac_parts(&self) -> Vec<String> {
        let number = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        vec![
            "keywright-token-row-v1".to_owned(),
            self.id.clone(),
            self.org_id.clone(),
            self.project_id.clone(),
            self.permissions.clone(),
            self.hash_alg.clone(),
            self.pepper_id.clone(),
            self.hash.clone(),
            number(self.expires_at_ms),
            number(self.revoked_at_ms),
        ]
    }
}

pub struct NewToken<'a> {
    pub secured: &'a SecuredToken,
    pub name: &'a str,
    pub name_folded: &'a str,
    pub created_by: (&'a str, &'a str),
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: String,
    name: String,
    project_id: String,
    project_name: String,
    permissions: String,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    stored_at_ms: Option<i64>,
    revoked_at_ms: Option<i64>,
    used_at_ms: Option<i64>,
    used_ip: Option<String>,
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewToken<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let token = new.secured;
    on!(tx, c => sqlx::query(INSERT).bind(&token.id).bind(scope.org_id().as_str()).bind(&token.project_id).bind(new.name)
        .bind(new.name_folded).bind(&token.permissions).bind(&token.hash).bind(&token.hash_alg).bind(&token.pepper_id)
        .bind(token.expires_at_ms).bind(new.created_by.0).bind(new.created_by.1).bind(now.ms()).bind(&token.row_mac)
        .bind(&token.row_mac_key_id).execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct TokenAndFormat {
    #[sqlx(flatten)]
    token: SecuredToken,
    #[sqlx(flatten)]
    format: FormatRow,
}

/// For authentication, which learns the organisation from the token; with what its project declares of keys that others
/// made, in the same statement.
pub async fn find_any(
    tx: &mut Tx,
    id: &TokenId,
) -> Result<Option<(SecuredToken, Vec<ImportFormat>)>, StoreError> {
    let rows: Vec<TokenAndFormat> =
        on!(tx, c => sqlx::query_as(FIND_ANY).bind(id.as_str()).fetch_all(c).await)?;
    let mut whole: Option<(SecuredToken, Vec<ImportFormat>)> = None;
    for row in rows {
        let format = row.format.into_format()?.map(|(_, format)| format);
        let (_, formats) = whole.get_or_insert_with(|| (row.token, Vec::new()));
        formats.extend(format);
    }
    Ok(whole)
}

pub async fn find(tx: &mut Tx, scope: &OrgScope, id: &TokenId) -> Result<Option<SecuredToken>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)
}

/// Newest first, at most 500; all, or what one person made.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    made_by: Option<&AccountId>,
    now: Timestamp,
) -> Result<Vec<TokenSummary>, StoreError> {
    let maker = made_by.map(AccountId::as_str);
    let rows: Vec<SummaryRow> =
        on!(tx, c => sqlx::query_as(LIST).bind(scope.org_id().as_str()).bind(maker).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            let place = RowPlace {
                table: "service_tokens",
                id: &row.id,
            };
            let status = match (row.revoked_at_ms, row.expires_at_ms) {
                (Some(_), _) => TokenStatus::Revoked,
                (None, Some(at)) if at <= now.ms() => TokenStatus::Expired,
                _ => TokenStatus::Active,
            };
            Ok(TokenSummary {
                id: place.parsed("id", &row.id)?,
                name: row.name.clone(),
                project_id: place.parsed("project_id", &row.project_id)?,
                project_name: row.project_name.clone(),
                permissions: place.required(
                    "permissions",
                    TokenPermissions::parse("", row.permissions.split(' ')).ok(),
                )?,
                status,
                created_at: Timestamp::from_ms(row.created_at_ms),
                expires_at: moment(row.expires_at_ms),
                last_used_at: moment(row.used_at_ms),
                last_used_ip: row.used_ip.clone(),
                stored_at: moment(row.stored_at_ms),
                revoked_at: moment(row.revoked_at_ms),
            })
        })
        .collect()
}

/// `false` when it is revoked already.
pub async fn set_revoked(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &TokenId,
    mac: &StoredMac,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_REVOKED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .bind(&mac.mac).bind(&mac.key_id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn set_stored(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &TokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_STORED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
