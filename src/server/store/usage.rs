//! Usage: raw events, roll-ups, last use. Written in batches by one writer; read by charts.

use std::collections::HashMap;
use std::net::IpAddr;

use super::batch::{Batch, batch, run};
use super::db::{Connection, Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::country::CountryCode;
use crate::model::id::KeyId;
use crate::model::time::Timestamp;
use crate::model::usage::{Grain, SeenAddress};
use crate::model::verdict::VerdictCode;

statements! {
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
    /// The busiest first.
    LIST_ADDRESSES = "SELECT ip, country, first_at_ms, last_at_ms, requests FROM key_addresses
        WHERE key_id = $1 AND last_at_ms >= $2 ORDER BY requests DESC, ip LIMIT $3";
    DELETE_ADDRESSES_BEFORE = "DELETE FROM key_addresses WHERE last_at_ms < $1 AND last_at_ms <= COALESCE(
        (SELECT a.last_at_ms FROM key_addresses a WHERE a.last_at_ms < $1 ORDER BY a.last_at_ms LIMIT 1 OFFSET 4999), $1)";
    COUNT_EVENTS = "SELECT COUNT(*) FROM usage_events";
}

const INSERT_EVENTS: Batch = batch!(
    "INSERT_EVENTS",
    "INSERT INTO usage_events (at_ms, request_id, key_id, token_id, code, ip, told, country)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
     value ->> 7",
    ""
);
const ROLL_UP: Batch = batch!(
    "ROLL_UP",
    "INSERT INTO usage_rollups (key_id, grain, bucket_at_ms, code, org_id, project_id, requests)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3, value ->> 4, value ->> 5, CAST(value ->> 6 AS BIGINT)",
    "ON CONFLICT (key_id, grain, bucket_at_ms, code) DO UPDATE SET requests = usage_rollups.requests + excluded.requests"
);
const SET_KEYS_USED: Batch = batch!(
    "SET_KEYS_USED",
    "INSERT INTO key_last_used (key_id, at_ms, ip, country, org_id) SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3,
        value ->> 4",
    "ON CONFLICT (key_id) DO UPDATE SET at_ms = excluded.at_ms, ip = excluded.ip, country = excluded.country,
        org_id = excluded.org_id WHERE key_last_used.at_ms <= excluded.at_ms"
);
const SET_TOKENS_USED: Batch = batch!(
    "SET_TOKENS_USED",
    "INSERT INTO token_last_used (token_id, at_ms, ip) SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2",
    "ON CONFLICT (token_id) DO UPDATE SET at_ms = excluded.at_ms, ip = excluded.ip WHERE token_last_used.at_ms <= excluded.at_ms"
);

const ADD_SECRET_USES: Batch = batch!(
    "ADD_SECRET_USES",
    "INSERT INTO secret_uses (key_id, number, hour_at_ms, requests, last_at_ms, last_ip)
     SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
     CAST(value ->> 4 AS BIGINT), value ->> 5",
    "ON CONFLICT (key_id, number, hour_at_ms) DO UPDATE SET requests = secret_uses.requests + excluded.requests,
     last_ip = CASE WHEN excluded.last_at_ms >= secret_uses.last_at_ms THEN excluded.last_ip ELSE secret_uses.last_ip END,
     last_at_ms = CASE WHEN excluded.last_at_ms >= secret_uses.last_at_ms THEN excluded.last_at_ms ELSE secret_uses.last_at_ms END"
);

const ADD_ADDRESSES: Batch = batch!(
    "ADD_ADDRESSES",
    "INSERT INTO key_addresses (key_id, ip, first_at_ms, last_at_ms, requests, country)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT),
     value ->> 5",
    "ON CONFLICT (key_id, ip) DO UPDATE SET country = COALESCE(excluded.country, key_addresses.country), requests = key_addresses.requests + excluded.requests,
     first_at_ms = CASE WHEN excluded.first_at_ms < key_addresses.first_at_ms THEN excluded.first_at_ms ELSE key_addresses.first_at_ms END,
     last_at_ms = CASE WHEN excluded.last_at_ms > key_addresses.last_at_ms THEN excluded.last_at_ms ELSE key_addresses.last_at_ms END"
);

const COUNT_KEYS: &str = "SELECT key_id, CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE grain = ";
const LIST_DAYS: &str = "SELECT key_id, bucket_at_ms, CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE grain = 'day' AND org_id = ";

/// The batches for the test that prepares every statement: name, then text for SQLite and for PostgreSQL.
#[must_use]
pub fn batches() -> [(&'static str, &'static str, &'static str); 6] {
    let all = [
        &INSERT_EVENTS,
        &ROLL_UP,
        &SET_KEYS_USED,
        &SET_TOKENS_USED,
        &ADD_SECRET_USES,
        &ADD_ADDRESSES,
    ];
    all.map(Batch::texts)
}

/// One verification of a known key.
#[derive(Clone, Debug)]
pub struct EventRow<'a> {
    pub at_ms: i64,
    pub request_id: &'a str,
    pub key_id: &'a str,
    pub token_id: &'a str,
    pub code: VerdictCode,
    pub ip: Option<IpAddr>,
    /// What the service told of the request, as a JSON object.
    pub told: Option<String>,
    /// Where the address is, if that can be told.
    pub country: Option<CountryCode>,
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

/// When and from where a key or a token was used last.
#[derive(Clone, Copy, Debug)]
pub struct LastUse<'a> {
    pub id: &'a str,
    pub at_ms: i64,
    pub ip: Option<IpAddr>,
    /// This and the organisation are kept of keys, not of tokens and single secrets.
    pub country: Option<CountryCode>,
    pub org_id: Option<&'a str>,
}

/// How often one secret of a rotating key was presented within one hour.
#[derive(Clone, Copy, Debug)]
pub struct SecretUses<'a> {
    pub number: u32,
    pub hour_at_ms: i64,
    pub requests: i64,
    /// Of the key by this secret.
    pub last: LastUse<'a>,
}

/// An address that a key was used from.
#[derive(Clone, Copy, Debug)]
pub struct AddressUses<'a> {
    pub key_id: &'a str,
    pub ip: IpAddr,
    pub first_at_ms: i64,
    pub last_at_ms: i64,
    pub requests: i64,
    pub country: Option<CountryCode>,
}

pub async fn insert_events<'a>(
    tx: &mut Tx,
    events: impl Iterator<Item = EventRow<'a>>,
) -> Result<(), StoreError> {
    let values = |e: EventRow<'a>| {
        (
            e.at_ms,
            e.request_id,
            e.key_id,
            e.token_id,
            e.code.as_str(),
            e.ip.map(|ip| ip.to_canonical()),
            e.told,
            e.country,
        )
    };
    run(tx, &INSERT_EVENTS, events.map(values).collect()).await
}

/// Adds counts to their cells.
pub async fn roll_up<'a>(tx: &mut Tx, cells: impl Iterator<Item = &'a RollUp<'a>>) -> Result<(), StoreError> {
    let values = |cell: &'a RollUp<'a>| {
        (
            cell.key_id,
            cell.grain.as_str(),
            cell.bucket_at_ms,
            cell.code.as_str(),
            cell.org_id,
            cell.project_id,
            cell.requests,
        )
    };
    run(tx, &ROLL_UP, cells.map(values).collect()).await
}

/// Notes last uses of keys; an older one than is known changes nothing.
pub async fn set_keys_used<'a>(
    tx: &mut Tx,
    uses: impl Iterator<Item = LastUse<'a>>,
) -> Result<(), StoreError> {
    let values = |uses: LastUse<'a>| {
        let (key_id, at_ms, ip) = uses.values();
        (key_id, at_ms, ip, uses.country, uses.org_id)
    };
    run(tx, &SET_KEYS_USED, uses.map(values).collect()).await
}

/// The same of service tokens.
pub async fn set_tokens_used<'a>(
    tx: &mut Tx,
    uses: impl Iterator<Item = LastUse<'a>>,
) -> Result<(), StoreError> {
    run(tx, &SET_TOKENS_USED, uses.map(LastUse::values).collect()).await
}

/// Adds uses of single secrets to their hours.
pub async fn add_secret_uses<'a>(
    tx: &mut Tx,
    uses: impl Iterator<Item = SecretUses<'a>>,
) -> Result<(), StoreError> {
    let values = |uses: SecretUses<'a>| {
        let (key_id, at_ms, ip) = uses.last.values();
        (key_id, uses.number, uses.hour_at_ms, uses.requests, at_ms, ip)
    };
    run(tx, &ADD_SECRET_USES, uses.map(values).collect()).await
}

/// Adds what keys were used from.
pub async fn add_addresses<'a>(
    tx: &mut Tx,
    uses: impl Iterator<Item = AddressUses<'a>>,
) -> Result<(), StoreError> {
    let values = |uses: AddressUses<'a>| {
        let ip = uses.ip.to_canonical();
        (
            uses.key_id,
            ip,
            uses.first_at_ms,
            uses.last_at_ms,
            uses.requests,
            uses.country,
        )
    };
    run(tx, &ADD_ADDRESSES, uses.map(values).collect()).await
}

impl<'a> LastUse<'a> {
    fn values(self) -> (&'a str, i64, Option<IpAddr>) {
        (self.id, self.at_ms, self.ip.map(|ip| ip.to_canonical()))
    }
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

/// Requests of several keys since a moment, by the key's id; keys without any are left out.
pub async fn count_for_keys(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[&KeyId],
    grain: Grain,
    since: Timestamp,
) -> Result<HashMap<String, i64>, StoreError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    macro_rules! select_from {
        ($db:ty, $c:expr) => {{
            let mut query = sqlx::QueryBuilder::<$db>::new(COUNT_KEYS);
            query
                .push_bind(grain.as_str())
                .push(" AND org_id = ")
                .push_bind(scope.org_id().as_str())
                .push(" AND bucket_at_ms >= ")
                .push_bind(since.ms())
                .push(" AND key_id IN (");
            let mut ids = query.separated(", ");
            for key in keys {
                ids.push_bind(key.as_str());
            }
            query.push(") GROUP BY key_id");
            query.build_query_as().fetch_all($c).await?
        }};
    }
    let rows: Vec<(String, i64)> = match tx.connection() {
        Connection::Sqlite(c) => select_from!(sqlx::Sqlite, c),
        Connection::Postgres(c) => select_from!(sqlx::Postgres, c),
    };
    Ok(rows.into_iter().collect())
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

/// Addresses a key was used from since a moment, the busiest first. The key's tenant was checked before.
pub async fn list_addresses(
    tx: &mut Tx,
    key: &KeyId,
    since: Timestamp,
    most: i64,
) -> Result<Vec<SeenAddress>, StoreError> {
    let rows: Vec<(String, Option<String>, i64, i64, i64)> = on!(tx, c => sqlx::query_as(LIST_ADDRESSES).bind(key.as_str()).bind(since.ms())
        .bind(most).fetch_all(c).await)?;
    let seen = |(ip, country, first, last, requests): (_, Option<String>, _, _, _)| SeenAddress {
        ip,
        country: country.as_deref().and_then(CountryCode::from_letters),
        first_at: Timestamp::from_ms(first),
        last_at: Timestamp::from_ms(last),
        requests,
    };
    Ok(rows.into_iter().map(seen).collect())
}

pub async fn delete_addresses_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_ADDRESSES_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
