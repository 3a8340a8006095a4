//! What somebody who leaves holds: keys they own, and keys they made for others.

use super::hint;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Environment, KeyStatus, Standing, badge};
use crate::model::member::HeldKey;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

/// Keys of the organisation $1 that $2 owns (place 0), and those that they made for others (1): each from an index alone.
macro_rules! held {
    () => {
        "(SELECT k.id, 0 AS place FROM api_keys k WHERE k.owner_account_id = $2 AND k.org_id = $1 AND k.status IN ('active', 'disabled')
        UNION ALL SELECT k.id, 1 AS place FROM api_keys k WHERE k.created_by_id = $2 AND k.org_id = $1
            AND k.status IN ('active', 'disabled') AND k.created_by_type = 'account'
            AND (k.owner_account_id IS NULL OR k.owner_account_id <> $2)) k"
    };
}

statements! {
    /// With the requests of the hours since $3, the busiest first: chosen before anything else of them is read. What was not
    /// used since has none.
    LIST_HELD = concat!("SELECT k.id, ", import_prefix!(), ", k.name, k.prefix, k.environment, k.status, k.expires_at_ms, k.not_before_ms,
        k.overlap_until_ms, k.rotation_due_at_ms, k.secret_count, p.name AS project_name, p.status AS project_status,
        k.owner_account_id, k.owner_team, o.name AS owner_name, m.account_id AS member_id, u.at_ms AS used_at_ms, u.ip AS used_ip,
        h.requests
        FROM (SELECT k.id, k.place, l.at_ms,
                CASE WHEN l.at_ms >= $3 THEN COALESCE((SELECT CAST(SUM(r.requests) AS BIGINT) FROM usage_rollups r
                    WHERE r.key_id = k.id AND r.grain = 'hour' AND r.bucket_at_ms >= $3), 0) ELSE 0 END AS requests
            FROM ", held!(), " LEFT JOIN key_last_used l ON l.key_id = k.id
            ORDER BY k.place, requests DESC, l.at_ms DESC NULLS LAST, k.id LIMIT $4) h
        JOIN api_keys k ON k.id = h.id JOIN projects p ON p.id = k.project_id LEFT JOIN accounts o ON o.id = k.owner_account_id
        LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        LEFT JOIN key_last_used u ON u.key_id = k.id
        ORDER BY h.place, h.requests DESC, h.at_ms DESC NULLS LAST, h.id");
    COUNT_HELD = concat!("SELECT CAST(COALESCE(SUM(1 - k.place), 0) AS BIGINT), COUNT(*) FROM ", held!());
    LIST_HELD_IDS = concat!("SELECT k.id, 1 - k.place FROM ", held!(), " ORDER BY k.id");
}

#[derive(sqlx::FromRow)]
struct HeldRow {
    id: String,
    name: String,
    prefix: String,
    import_prefix: Option<String>,
    environment: String,
    status: String,
    expires_at_ms: Option<i64>,
    not_before_ms: Option<i64>,
    overlap_until_ms: Option<i64>,
    rotation_due_at_ms: Option<i64>,
    secret_count: i64,
    project_name: String,
    project_status: String,
    owner_account_id: Option<String>,
    owner_team: String,
    owner_name: Option<String>,
    member_id: Option<String>,
    used_at_ms: Option<i64>,
    used_ip: Option<String>,
    requests: i64,
}

/// Keys that an account owns, then those it only made, the busiest since `since` first; at most `most`.
pub async fn list_held(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    (since, now): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<HeldKey>, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows: Vec<HeldRow> = on!(tx, c => sqlx::query_as(LIST_HELD).bind(scope.org_id().as_str()).bind(account.as_str())
        .bind(since.ms()).bind(most).fetch_all(c).await)?;
    rows.into_iter().map(|row| held(row, account, now)).collect()
}

fn held(row: HeldRow, account: &AccountId, now: Timestamp) -> Result<HeldKey, StoreError> {
    let place = RowPlace {
        table: "api_keys",
        id: &row.id,
    };
    let standing = Standing {
        status: place.required("status", KeyStatus::parse(&row.status))?,
        has_secret: row.secret_count > 0,
        project_archived: row.project_status == "archived",
        expires_at: moment(row.expires_at_ms),
        not_before: moment(row.not_before_ms),
        owner_active: row.owner_account_id.is_none() || row.member_id.is_some(),
        overlap_until: moment(row.overlap_until_ms),
        rotation_due_at: moment(row.rotation_due_at_ms),
    };
    let environment = place.required("environment", Environment::parse(&row.environment))?;
    let id: KeyId = place.parsed("id", &row.id)?;
    Ok(HeldKey {
        hint: hint(&row.prefix, environment, &id, row.import_prefix.as_deref()),
        badge: badge(standing, now),
        owned: row.owner_account_id.as_deref() == Some(account.as_str()),
        owner_name: row.owner_name.unwrap_or(row.owner_team),
        last_used_at: moment(row.used_at_ms),
        last_used_ip: row.used_ip,
        requests_24h: row.requests,
        id,
        name: row.name,
        project_name: row.project_name,
        environment,
    })
}

/// How many keys an account owns, and how many it owns or made; revoked ones do not count.
pub async fn count_held(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
) -> Result<(i64, i64), StoreError> {
    on!(tx, c => sqlx::query_as(COUNT_HELD).bind(scope.org_id().as_str()).bind(account.as_str()).fetch_one(c).await)
}

/// Every key that an account holds, and whether it owns it.
pub async fn list_held_ids(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
) -> Result<Vec<(KeyId, bool)>, StoreError> {
    let rows: Vec<(String, i32)> = on!(tx, c => sqlx::query_as(LIST_HELD_IDS).bind(scope.org_id().as_str()).bind(account.as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, owned)| {
            let place = RowPlace {
                table: "api_keys",
                id: &id,
            };
            Ok((place.parsed("id", &id)?, owned == 1))
        })
        .collect()
}
