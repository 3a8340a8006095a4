//! Keys that rotate or should, and how often each secret of one is used.

use super::hint;
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key::{Environment, Owner};
use crate::model::rotation::{LISTED_MAX, RotationEntry};
use crate::model::time::Timestamp;
use crate::model::usage::LastUsed;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

/// Keys that would pass now: what is stopped need not rotate.
macro_rules! passing {
    () => {
        " LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        WHERE k.org_id = $1 AND k.status = 'active' AND p.status <> 'archived' AND COALESCE(k.expires_at_ms, $2 + 1) > $2
        AND (k.owner_account_id IS NULL OR m.account_id IS NOT NULL)"
    };
}

macro_rules! entries_where {
    ($condition:literal) => {
        concat!(
            "SELECT k.id, k.name, k.prefix, k.environment, p.name AS project_name, k.owner_account_id, o.name AS owner_name,
            k.owner_team, k.rotation_due_at_ms, k.overlap_until_ms, u.at_ms AS used_at_ms, u.ip AS used_ip, ",
            import_prefix!(),
            " FROM api_keys k JOIN projects p ON p.id = k.project_id LEFT JOIN accounts o ON o.id = k.owner_account_id
            LEFT JOIN key_last_used u ON u.key_id = k.id",
            passing!(),
            " AND ",
            $condition
        )
    };
}

pub(super) use passing;

statements! {
    LIST_RUNNING = entries_where!("k.overlap_until_ms > $2 ORDER BY k.overlap_until_ms, k.id LIMIT $3");
    /// What rotates already is not due, and what was opened stands elsewhere.
    LIST_DUE = entries_where!("k.rotation_due_at_ms > $3 AND k.rotation_due_at_ms <= $4
        AND COALESCE(k.overlap_until_ms, 0) <= $2 AND NOT EXISTS (SELECT 1 FROM opened_rotations w WHERE w.key_id = k.id)
        ORDER BY k.rotation_due_at_ms, k.id LIMIT $5");
    /// How many are due at $2, and how many from then until $3: in one go, from an index alone.
    COUNT_DUE = "SELECT COUNT(*) FILTER (WHERE k.rotation_due_at_ms <= $2), COUNT(*) FILTER (WHERE k.rotation_due_at_ms > $2)
        FROM api_keys k WHERE k.org_id = $1 AND k.status = 'active' AND k.rotation_due_at_ms > 0 AND k.rotation_due_at_ms <= $3
        AND COALESCE(k.overlap_until_ms, 0) <= $2 AND COALESCE(k.expires_at_ms, $2 + 1) > $2
        AND k.project_id NOT IN (SELECT p.id FROM projects p WHERE p.org_id = $1 AND p.status = 'archived')
        AND (k.owner_account_id IS NULL OR k.owner_account_id IN (SELECT m.account_id FROM active_membership m WHERE m.org_id = $1))
        AND k.id NOT IN (SELECT w.key_id FROM opened_rotations w WHERE w.org_id = $1)";
    /// How many keys have two secrets, by the same rules as the list.
    COUNT_RUNNING = "SELECT COUNT(*) FROM api_keys k WHERE k.org_id = $1 AND k.overlap_until_ms > $2 AND k.status = 'active'
        AND COALESCE(k.expires_at_ms, $2 + 1) > $2
        AND k.project_id NOT IN (SELECT p.id FROM projects p WHERE p.org_id = $1 AND p.status = 'archived')
        AND (k.owner_account_id IS NULL OR k.owner_account_id IN (SELECT m.account_id FROM active_membership m WHERE m.org_id = $1))";
    LIST_USES = "SELECT number, hour_at_ms, requests, last_at_ms, last_ip FROM secret_uses
        WHERE key_id = $1 AND hour_at_ms >= $2 ORDER BY hour_at_ms";
    /// The oldest 5,000 or so.
    DELETE_USES_BEFORE = "DELETE FROM secret_uses WHERE hour_at_ms < $1 AND hour_at_ms <= COALESCE(
        (SELECT s.hour_at_ms FROM secret_uses s WHERE s.hour_at_ms < $1 ORDER BY s.hour_at_ms LIMIT 1 OFFSET 4999), $1)";
}

#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    id: String,
    name: String,
    prefix: String,
    import_prefix: Option<String>,
    environment: String,
    project_name: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    rotation_due_at_ms: Option<i64>,
    overlap_until_ms: Option<i64>,
    used_at_ms: Option<i64>,
    used_ip: Option<String>,
}

/// How often one secret was presented within one hour.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SecretHour {
    pub number: i64,
    pub hour_at_ms: i64,
    pub requests: i64,
    pub last_at_ms: i64,
    pub last_ip: Option<String>,
}

impl EntryRow {
    /// With the account that owns it, for whoever decides who may rotate it.
    pub(super) fn into_entry(self) -> Result<(RotationEntry, Owner), StoreError> {
        let place = RowPlace {
            table: "api_keys",
            id: &self.id,
        };
        let id: KeyId = place.parsed("id", &self.id)?;
        let environment = place.required("environment", Environment::parse(&self.environment))?;
        let owner = place.owner(self.owner_account_id.as_deref(), self.owner_name, self.owner_team)?;
        let entry = RotationEntry {
            hint: hint(&self.prefix, environment, &id, self.import_prefix.as_deref()),
            id,
            name: self.name,
            environment,
            project_name: self.project_name,
            owner: owner.shown().to_owned(),
            due_at: moment(self.rotation_due_at_ms),
            overlap_until: moment(self.overlap_until_ms),
            last_used: self.used_at_ms.map(|at| LastUsed {
                at: Timestamp::from_ms(at),
                ip: self.used_ip,
                country: None,
            }),
            may_rotate: false,
        };
        Ok((entry, owner))
    }
}

fn entries(rows: Vec<EntryRow>) -> Result<Vec<(RotationEntry, Owner)>, StoreError> {
    rows.into_iter().map(EntryRow::into_entry).collect()
}

/// Keys with two secrets, those that end first at the top.
pub async fn list_running(
    tx: &mut Tx,
    scope: &OrgScope,
    now: Timestamp,
) -> Result<Vec<(RotationEntry, Owner)>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(LIST_RUNNING).bind(scope.org_id().as_str()).bind(now.ms())
        .bind(LISTED_MAX).fetch_all(c).await)?;
    entries(rows)
}

/// How many such keys there are.
pub async fn count_running(tx: &mut Tx, scope: &OrgScope, now: Timestamp) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_RUNNING).bind(scope.org_id().as_str()).bind(now.ms()).fetch_one(c).await)
}

/// Keys whose rotation falls due after the one moment and not after the other, the longest due at the top.
pub async fn list_due(
    tx: &mut Tx,
    scope: &OrgScope,
    (after, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<(RotationEntry, Owner)>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(LIST_DUE).bind(scope.org_id().as_str()).bind(now.ms()).bind(after.ms()).bind(until.ms())
        .bind(LISTED_MAX).fetch_all(c).await)?;
    entries(rows)
}

/// How many such keys there are: overdue ones, and those that fall due until a moment.
pub async fn count_due(
    tx: &mut Tx,
    scope: &OrgScope,
    until: Timestamp,
    now: Timestamp,
) -> Result<(i64, i64), StoreError> {
    on!(tx, c => sqlx::query_as(COUNT_DUE).bind(scope.org_id().as_str()).bind(now.ms()).bind(until.ms()).fetch_one(c).await)
}

/// Uses of a key's secrets from a moment on, hour by hour. The key's tenant was checked before.
pub async fn list_uses(tx: &mut Tx, key: &KeyId, since: Timestamp) -> Result<Vec<SecretHour>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_USES).bind(key.as_str()).bind(since.ms()).fetch_all(c).await)
}

pub async fn delete_uses_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_USES_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
