//! How the key of an incident was used: raw events read in slices by their moment, folded into few rows.

use crate::model::actor::OrgScope;
use crate::model::id::{IncidentId, KeyId};
use crate::model::incident::UseKind;
use crate::model::time::Timestamp;
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

statements! {
    /// Incidents of every organisation whose requests are still to be read.
    LIST_TO_READ = "SELECT id, key_id, suspected_since_ms, closed_at_ms, horizon_ms, read_from_ms, read_until_ms FROM incidents
        WHERE closed_at_ms IS NULL OR read_until_ms < closed_at_ms OR read_from_ms > horizon_ms ORDER BY opened_at_ms LIMIT 200";
    /// Over the marks that were read: of two processes that read the same slice one writes it down.
    SET_READ = "UPDATE incidents SET read_from_ms = $5, read_until_ms = $6
        WHERE id = $1 AND read_from_ms = $2 AND read_until_ms = $3 AND suspected_since_ms = $4";
    LAST_HOUR_BEFORE = "SELECT MAX(bucket_at_ms) FROM usage_rollups WHERE key_id = $1 AND grain = 'hour' AND bucket_at_ms < $2";
    FIRST_MINUTE = "SELECT MIN(bucket_at_ms) FROM usage_rollups WHERE key_id = $1 AND grain = 'minute'
        AND bucket_at_ms >= $2 AND bucket_at_ms < $3";
    EVENT_BEFORE = "SELECT at_ms FROM usage_events WHERE at_ms < $1 ORDER BY at_ms DESC LIMIT 1 OFFSET $2";
    EVENT_AFTER = "SELECT at_ms FROM usage_events WHERE at_ms >= $1 ORDER BY at_ms LIMIT 1 OFFSET $2";
    LIST_RAW = "SELECT at_ms, code, ip, country, told FROM usage_events WHERE at_ms >= $1 AND at_ms < $2 AND key_id = $3 LIMIT $4";
    LIST_USES = "SELECT kind, value, first_at_ms, last_at_ms, requests_before, requests_after, refused_after FROM incident_uses
        WHERE incident_id = $1";
    KNOWN_VALUES = "SELECT kind, value FROM incident_uses WHERE incident_id = $1";
    ADD_USE = "INSERT INTO incident_uses (incident_id, kind, value, first_at_ms, last_at_ms, requests_before, requests_after, refused_after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (incident_id, kind, value) DO UPDATE SET
        first_at_ms = CASE WHEN excluded.first_at_ms < incident_uses.first_at_ms THEN excluded.first_at_ms ELSE incident_uses.first_at_ms END,
        last_at_ms = CASE WHEN excluded.last_at_ms > incident_uses.last_at_ms THEN excluded.last_at_ms ELSE incident_uses.last_at_ms END,
        requests_before = incident_uses.requests_before + excluded.requests_before,
        requests_after = incident_uses.requests_after + excluded.requests_after,
        refused_after = incident_uses.refused_after + excluded.refused_after";
    DELETE_USES = "DELETE FROM incident_uses WHERE incident_id = $1";
    /// When addresses were first seen of all, those that were before a moment; the busiest.
    LIST_FIRST_SEEN = "SELECT ip, country, first_at_ms FROM key_addresses WHERE key_id = $1 AND first_at_ms < $2
        ORDER BY requests DESC, ip LIMIT 2000";
    /// The same of countries, all of them.
    LIST_COUNTRIES_SEEN = "SELECT country, MIN(first_at_ms) FROM key_addresses WHERE key_id = $1 AND first_at_ms < $2
        AND country IS NOT NULL GROUP BY country";
    LIST_CELLS = "SELECT bucket_at_ms, code, CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE org_id = $1 AND key_id = $2
        AND grain = $3 AND bucket_at_ms >= $4 AND bucket_at_ms < $5 GROUP BY bucket_at_ms, code";
}

/// How far the requests of an incident have been read.
#[derive(Clone, Debug)]
pub struct Reading {
    pub id: IncidentId,
    pub key: KeyId,
    pub since: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub horizon: Timestamp,
    pub read_from: Timestamp,
    pub read_until: Timestamp,
}

#[derive(sqlx::FromRow)]
struct ReadingRow {
    id: String,
    key_id: String,
    suspected_since_ms: i64,
    closed_at_ms: Option<i64>,
    horizon_ms: i64,
    read_from_ms: i64,
    read_until_ms: i64,
}

/// A raw event of the key.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RawUse {
    pub at_ms: i64,
    pub code: String,
    pub ip: Option<String>,
    /// Two letters.
    pub country: Option<String>,
    /// JSON, what the service told of the request.
    pub told: Option<String>,
}

/// Requests that have one thing in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUse {
    pub kind: UseKind,
    pub value: String,
    pub first_at_ms: i64,
    pub last_at_ms: i64,
    pub before: i64,
    pub after: i64,
    pub refused: i64,
}

/// Incidents whose requests are still to be read, the oldest first; for the job that reads.
pub async fn list_to_read(tx: &mut Tx) -> Result<Vec<Reading>, StoreError> {
    let rows: Vec<ReadingRow> = on!(tx, c => sqlx::query_as(LIST_TO_READ).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            let place = RowPlace {
                table: "incidents",
                id: &row.id,
            };
            Ok(Reading {
                id: place.parsed("id", &row.id)?,
                key: place.parsed("key_id", &row.key_id)?,
                since: Timestamp::from_ms(row.suspected_since_ms),
                closed_at: moment(row.closed_at_ms),
                horizon: Timestamp::from_ms(row.horizon_ms),
                read_from: Timestamp::from_ms(row.read_from_ms),
                read_until: Timestamp::from_ms(row.read_until_ms),
            })
        })
        .collect()
}

/// Moves the marks. `false`: somebody else has, and what was read is not to be counted again.
pub async fn set_read(
    tx: &mut Tx,
    reading: &Reading,
    from: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_READ).bind(reading.id.as_str()).bind(reading.read_from.ms())
        .bind(reading.read_until.ms()).bind(reading.since.ms()).bind(from.ms()).bind(until.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The start of the last hour before a moment in which the key was used.
pub async fn last_hour_before(
    tx: &mut Tx,
    key: &KeyId,
    before: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = on!(tx, c => sqlx::query_scalar(LAST_HOUR_BEFORE).bind(key.as_str()).bind(before.ms()).fetch_one(c).await)?;
    Ok(moment(at))
}

/// The start of the first minute within a span in which the key was used.
pub async fn first_minute(
    tx: &mut Tx,
    key: &KeyId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let from = from.floor_to(Grain::Minute.width_ms());
    let at: Option<i64> = on!(tx, c => sqlx::query_scalar(FIRST_MINUTE).bind(key.as_str()).bind(from.ms()).bind(until.ms())
        .fetch_one(c).await)?;
    Ok(moment(at))
}

/// The moment of the `n`th event before, of whichever key.
pub async fn event_bound_before(
    tx: &mut Tx,
    before: Timestamp,
    n: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> =
        on!(tx, c => sqlx::query_scalar(EVENT_BEFORE).bind(before.ms()).bind(n).fetch_optional(c).await)?;
    Ok(moment(at))
}

/// The moment of the `n`th event from a moment on, of whichever key.
pub async fn event_bound_after(
    tx: &mut Tx,
    from: Timestamp,
    n: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> =
        on!(tx, c => sqlx::query_scalar(EVENT_AFTER).bind(from.ms()).bind(n).fetch_optional(c).await)?;
    Ok(moment(at))
}

/// The key's raw events of a span, which is half-open; at most so many. The key's tenant was checked before.
pub async fn list_raw(
    tx: &mut Tx,
    key: &KeyId,
    (from, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<RawUse>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_RAW).bind(from.ms()).bind(until.ms()).bind(key.as_str()).bind(most).fetch_all(c).await)
}

type UseRow = (String, String, i64, i64, i64, i64, i64);

pub async fn list_uses(tx: &mut Tx, incident: &IncidentId) -> Result<Vec<StoredUse>, StoreError> {
    let rows: Vec<UseRow> =
        on!(tx, c => sqlx::query_as(LIST_USES).bind(incident.as_str()).fetch_all(c).await)?;
    let place = RowPlace {
        table: "incident_uses",
        id: incident.as_str(),
    };
    rows.into_iter()
        .map(|(kind, value, first_at_ms, last_at_ms, before, after, refused)| {
            Ok(StoredUse {
                kind: place.required("kind", UseKind::parse(&kind))?,
                value,
                first_at_ms,
                last_at_ms,
                before,
                after,
                refused,
            })
        })
        .collect()
}

/// What is kept apart already: kind and value.
pub async fn known_values(tx: &mut Tx, incident: &IncidentId) -> Result<Vec<(String, String)>, StoreError> {
    on!(tx, c => sqlx::query_as(KNOWN_VALUES).bind(incident.as_str()).fetch_all(c).await)
}

pub async fn add_use(tx: &mut Tx, incident: &IncidentId, used: &StoredUse) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_USE).bind(incident.as_str()).bind(used.kind.as_str()).bind(used.value.as_str())
        .bind(used.first_at_ms).bind(used.last_at_ms).bind(used.before).bind(used.after).bind(used.refused)
        .execute(c).await.map(drop))
}

pub async fn delete_uses(tx: &mut Tx, incident: &IncidentId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_USES).bind(incident.as_str()).execute(c).await.map(drop))
}

/// Countries that the key was used from before a moment, as far as they were told then, with when first.
pub async fn list_countries_seen(
    tx: &mut Tx,
    key: &KeyId,
    before: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_COUNTRIES_SEEN).bind(key.as_str()).bind(before.ms()).fetch_all(c).await)
}

/// Addresses that the key was used from before a moment, with the country if it was told then, and when first.
pub async fn list_first_seen(
    tx: &mut Tx,
    key: &KeyId,
    before: Timestamp,
) -> Result<Vec<(String, Option<String>, i64)>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_FIRST_SEEN).bind(key.as_str()).bind(before.ms()).fetch_all(c).await)
}

/// Counted cells of a key within a span, in no order.
pub async fn list_cells(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    grain: Grain,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(Timestamp, VerdictCode, i64)>, StoreError> {
    let rows: Vec<(i64, String, i64)> = on!(tx, c => sqlx::query_as(LIST_CELLS).bind(scope.org_id().as_str()).bind(key.as_str())
        .bind(grain.as_str()).bind(from.ms()).bind(until.ms()).fetch_all(c).await)?;
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
