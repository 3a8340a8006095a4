//! Usage: raw events, roll-ups, last use. Written in batches by one writer; read by charts.

use super::db::{Connection, Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::time::Timestamp;
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;

statements! {
    ROLL_UP = "INSERT INTO usage_rollups (key_id, grain, bucket_at_ms, code, org_id, project_id, requests)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (key_id, grain, bucket_at_ms, code) DO UPDATE SET requests = usage_rollups.requests + excluded.requests";
    SET_KEY_USED = "INSERT INTO key_last_used (key_id, at_ms, ip) VALUES ($1, $2, $3)
        ON CONFLICT (key_id) DO UPDATE SET at_ms = excluded.at_ms, ip = excluded.ip WHERE key_last_used.at_ms <= excluded.at_ms";
    SET_TOKEN_USED = "INSERT INTO token_last_used (token_id, at_ms, ip) VALUES ($1, $2, $3)
        ON CONFLICT (token_id) DO UPDATE SET at_ms = excluded.at_ms, ip = excluded.ip WHERE token_last_used.at_ms <= excluded.at_ms";
    /// A key's cells of one grain from a moment on; the tenant is checked on the roll-up itself.
    LIST_FOR_KEY = "SELECT bucket_at_ms, code, CAST(SUM(requests) AS BIGINT) FROM usage_rollups
        WHERE org_id = $1 AND key_id = $2 AND grain = $3 AND bucket_at_ms >= $4 GROUP BY bucket_at_ms, code";
    COUNT_FOR_KEY = "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT) FROM usage_rollups
        WHERE org_id = $1 AND key_id = $2 AND grain = $3 AND bucket_at_ms >= $4";
    /// The oldest 5,000 or so: those up to the moment of the 5,000th.
    DELETE_EVENTS_BEFORE = "DELETE FROM usage_events WHERE at_ms < $1 AND at_ms <= COALESCE(
        (SELECT e.at_ms FROM usage_events e WHERE e.at_ms < $1 ORDER BY e.at_ms LIMIT 1 OFFSET 4999), $1)";
    DELETE_MINUTES_BEFORE = "DELETE FROM usage_rollups WHERE grain = 'minute' AND bucket_at_ms < $1 AND bucket_at_ms <= COALESCE(
        (SELECT r.bucket_at_ms FROM usage_rollups r WHERE r.grain = 'minute' AND r.bucket_at_ms < $1
        ORDER BY r.bucket_at_ms LIMIT 1 OFFSET 4999), $1)";
    COUNT_EVENTS = "SELECT COUNT(*) FROM usage_events";
}

const INSERT_EVENTS: &str = "INSERT INTO usage_events (request_id, org_id, project_id, key_id, token_id, at_ms, code, ip, method, \
     path, user_agent, resource) ";
const LIST_DAYS: &str = "SELECT key_id, bucket_at_ms, CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE grain = 'day' AND org_id = ";
/// SQLite allows 32,766 parameters in a statement and PostgreSQL 65,535.
const EVENTS_PER_STATEMENT: usize = 2_000;

/// One verification of a known key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    pub request_id: String,
    pub org_id: String,
    pub project_id: String,
    pub key_id: String,
    pub token_id: String,
    pub at_ms: i64,
    pub code: VerdictCode,
    pub ip: Option<String>,
    pub method: String,
    pub path: String,
    pub user_agent: String,
    pub resource: String,
}

/// How often one verdict was given for one key in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollUp<'a> {
    pub key_id: &'a str,
    pub org_id: &'a str,
    pub project_id: &'a str,
    pub grain: Grain,
    pub bucket_at_ms: i64,
    pub code: VerdictCode,
    pub requests: i64,
}

pub async fn insert_events(tx: &mut Tx, events: &[EventRow]) -> Result<(), StoreError> {
    macro_rules! insert_into {
        ($db:ty, $c:expr, $chunk:expr) => {{
            let mut query = sqlx::QueryBuilder::<$db>::new(INSERT_EVENTS);
            query.push_values($chunk, |mut row, e: &EventRow| {
                row.push_bind(e.request_id.as_str())
                    .push_bind(e.org_id.as_str())
                    .push_bind(e.project_id.as_str());
                row.push_bind(e.key_id.as_str())
                    .push_bind(e.token_id.as_str())
                    .push_bind(e.at_ms);
                row.push_bind(e.code.as_str())
                    .push_bind(e.ip.as_deref())
                    .push_bind(e.method.as_str());
                row.push_bind(e.path.as_str())
                    .push_bind(e.user_agent.as_str())
                    .push_bind(e.resource.as_str());
            });
            query.build().execute($c).await.map(drop)?;
        }};
    }
    for chunk in events.chunks(EVENTS_PER_STATEMENT) {
        match tx.connection() {
            Connection::Sqlite(c) => insert_into!(sqlx::Sqlite, c, chunk),
            Connection::Postgres(c) => insert_into!(sqlx::Postgres, c, chunk),
        }
    }
    Ok(())
}

pub async fn roll_up(tx: &mut Tx, cell: &RollUp<'_>) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ROLL_UP).bind(cell.key_id).bind(cell.grain.as_str()).bind(cell.bucket_at_ms)
        .bind(cell.code.as_str()).bind(cell.org_id).bind(cell.project_id).bind(cell.requests).execute(c).await.map(drop))
}

pub async fn set_key_used(tx: &mut Tx, key_id: &str, at_ms: i64, ip: Option<&str>) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_KEY_USED).bind(key_id).bind(at_ms).bind(ip).execute(c).await.map(drop))
}

pub async fn set_token_used(
    tx: &mut Tx,
    token_id: &str,
    at_ms: i64,
    ip: Option<&str>,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_TOKEN_USED).bind(token_id).bind(at_ms).bind(ip).execute(c).await.map(drop))
}

/// Counted cells of a key from `since` on, in no order.
pub async fn list_for_key(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    grain: Grain,
    since: Timestamp,
) -> Result<Vec<(Timestamp, VerdictCode, i64)>, StoreError> {
    let rows: Vec<(i64, String, i64)> = on!(tx, c => sqlx::query_as(LIST_FOR_KEY).bind(scope.org_id().as_str())
        .bind(key.as_str()).bind(grain.as_str()).bind(since.ms()).fetch_all(c).await)?;
    let place = RowPlace {
        table: "usage_rollups",
        id: key.as_str(),
    };
    rows.into_iter()
        .map(|(at, code, n)| {
            Ok((
                Timestamp::from_ms(at),
                place.required("code", VerdictCode::parse(&code))?,
                n,
            ))
        })
        .collect()
}

pub async fn count_for_key(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    grain: Grain,
    since: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_FOR_KEY).bind(scope.org_id().as_str()).bind(key.as_str()).bind(grain.as_str())
        .bind(since.ms()).fetch_one(c).await)
}

/// Requests a day for the keys of one page, in one query: `(key, start of day, count)`, in no order.
pub async fn list_days(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[&KeyId],
    since: Timestamp,
) -> Result<Vec<(String, Timestamp, i64)>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    macro_rules! select_from {
        ($db:ty, $c:expr) => {{
            let mut query = sqlx::QueryBuilder::<$db>::new(LIST_DAYS);
            query
                .push_bind(scope.org_id().as_str())
                .push(" AND bucket_at_ms >= ")
                .push_bind(since.ms())
                .push(" AND key_id IN (");
            let mut ids = query.separated(", ");
            for key in keys {
                ids.push_bind(key.as_str());
            }
            query.push(") GROUP BY key_id, bucket_at_ms");
            query.build_query_as().fetch_all($c).await?
        }};
    }
    let rows: Vec<(String, i64, i64)> = match tx.connection() {
        Connection::Sqlite(c) => select_from!(sqlx::Sqlite, c),
        Connection::Postgres(c) => select_from!(sqlx::Postgres, c),
    };
    Ok(rows
        .into_iter()
        .map(|(key, at, n)| (key, Timestamp::from_ms(at), n))
        .collect())
}

/// Deletes some of what is older; ask again until nothing is left, so that nobody waits long for the writer.
pub async fn delete_events_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_EVENTS_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}

/// The same for roll-ups of single minutes.
pub async fn delete_minutes_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_MINUTES_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}

pub async fn count_events(tx: &mut Tx) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_EVENTS).fetch_one(c).await)
}
