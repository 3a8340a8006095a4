//! What of its access a key needed, and where it was used from. Written by the one writer of usage; read by the advisor.

use std::collections::HashMap;
use std::net::IpAddr;

use super::batch::{Batch, batch, run};
use super::db::{Connection, Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::advice::{ADDRESSES_SEEN_MAX, NotedUse, UseKind};
use crate::model::id::KeyId;
use crate::model::time::Timestamp;

statements! {
    WATCH_ANEW = "UPDATE api_keys SET watched_since_ms = $3 WHERE org_id = $1 AND id = $2";
    /// The oldest 5,000 or so.
    DELETE_BEFORE = "DELETE FROM key_uses WHERE last_at_ms < $1 AND last_at_ms <= COALESCE(
        (SELECT u.last_at_ms FROM key_uses u WHERE u.last_at_ms < $1 ORDER BY u.last_at_ms LIMIT 1 OFFSET 4999), $1)";
}

/// What a key holds bounds how many these are. One that was noted within the hour is left alone.
const NOTE: Batch = batch!(
    "NOTE",
    "INSERT INTO key_uses (key_id, kind, name, first_at_ms, last_at_ms)
     SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT)",
    "ON CONFLICT (key_id, kind, name) DO UPDATE SET last_at_ms = excluded.last_at_ms
     WHERE excluded.last_at_ms >= key_uses.last_at_ms + 3600000"
);
/// What services ask of wildcards has no bound: a hundred are kept of each key, and a batch brings no more.
const NOTE_CONCRETE: Batch = batch!(
    "NOTE_CONCRETE",
    "INSERT INTO key_uses (key_id, kind, name, first_at_ms, last_at_ms)
     SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT)",
    "AND (EXISTS (SELECT 1 FROM key_uses u WHERE u.key_id = value ->> 0 AND u.kind = value ->> 1 AND u.name = value ->> 2)
        OR (SELECT COUNT(*) FROM key_uses n WHERE n.key_id = value ->> 0 AND n.kind = 'concrete') < 100)
     ON CONFLICT (key_id, kind, name) DO UPDATE SET last_at_ms = excluded.last_at_ms
     WHERE excluded.last_at_ms >= key_uses.last_at_ms + 3600000"
);
/// That some of them were not kept.
const NOTE_MORE: Batch = batch!(
    "NOTE_MORE",
    "INSERT INTO key_uses (key_id, kind, name, first_at_ms, last_at_ms)
     SELECT value ->> 0, 'more', '', MIN(CAST(value ->> 3 AS BIGINT)), MAX(CAST(value ->> 4 AS BIGINT))",
    "AND NOT EXISTS (SELECT 1 FROM key_uses u WHERE u.key_id = value ->> 0 AND u.kind = value ->> 1 AND u.name = value ->> 2)
     GROUP BY value ->> 0
     ON CONFLICT (key_id, kind, name) DO UPDATE SET last_at_ms = excluded.last_at_ms
     WHERE excluded.last_at_ms >= key_uses.last_at_ms + 3600000"
);

/// Of many keys at once; $1 is a JSON array of arrays with an id each. The tenant was checked before.
const LIST_USES: [&str; 2] = [
    "SELECT key_id, kind, name, last_at_ms FROM key_uses WHERE key_id IN (SELECT value ->> 0 FROM jsonb_each($1)) AND last_at_ms >= $2",
    "SELECT key_id, kind, name, last_at_ms FROM key_uses WHERE key_id IN (SELECT value ->> 0 FROM jsonb_array_elements(CAST($1 AS JSONB))) AND last_at_ms >= $2",
];
const LIST_ADDRESSES: [&str; 2] = [
    "SELECT key_id, ip FROM (SELECT key_id, ip, ROW_NUMBER() OVER (PARTITION BY key_id ORDER BY ip) AS n FROM key_addresses
        WHERE key_id IN (SELECT value ->> 0 FROM jsonb_each($1)) AND last_at_ms >= $2) a WHERE a.n <= $3",
    "SELECT key_id, ip FROM (SELECT key_id, ip, ROW_NUMBER() OVER (PARTITION BY key_id ORDER BY ip) AS n FROM key_addresses
        WHERE key_id IN (SELECT value ->> 0 FROM jsonb_array_elements(CAST($1 AS JSONB))) AND last_at_ms >= $2) a WHERE a.n <= $3",
];
const LIST_WATCHED: [&str; 2] = [
    "SELECT k.id, k.created_at_ms, k.not_before_ms, k.watched_since_ms, u.at_ms FROM api_keys k LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE k.org_id = $2 AND k.id IN (SELECT value ->> 0 FROM jsonb_each($1))",
    "SELECT k.id, k.created_at_ms, k.not_before_ms, k.watched_since_ms, u.at_ms FROM api_keys k LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE k.org_id = $2 AND k.id IN (SELECT value ->> 0 FROM jsonb_array_elements(CAST($1 AS JSONB)))",
];

/// The batches and lists for the test that prepares every statement: name, then text for SQLite and for PostgreSQL.
#[must_use]
pub fn batches() -> [(&'static str, &'static str, &'static str); 6] {
    let lists = [
        ("LIST_USES", LIST_USES),
        ("LIST_ADDRESSES", LIST_ADDRESSES),
        ("LIST_WATCHED", LIST_WATCHED),
    ];
    let [a, b, c] = lists.map(|(name, [sqlite, postgres])| (name, sqlite, postgres));
    let [d, e, f] = [&NOTE, &NOTE_CONCRETE, &NOTE_MORE].map(Batch::texts);
    [a, b, c, d, e, f]
}

/// What a batch of requests needed of a key, and when first and last.
#[derive(Clone, Copy, Debug)]
pub struct NewUse<'a> {
    pub key_id: &'a str,
    pub kind: UseKind,
    pub name: &'a str,
    pub first_at_ms: i64,
    pub last_at_ms: i64,
}

impl<'a> NewUse<'a> {
    fn values(self) -> (&'a str, &'static str, &'a str, i64, i64) {
        (
            self.key_id,
            self.kind.as_str(),
            self.name,
            self.first_at_ms,
            self.last_at_ms,
        )
    }
}

/// Notes uses of what keys hold.
pub async fn note<'a>(tx: &mut Tx, uses: impl Iterator<Item = NewUse<'a>>) -> Result<(), StoreError> {
    run(tx, &NOTE, uses.map(NewUse::values).collect()).await
}

/// Notes what was asked for under wildcards, as far as there is room.
pub async fn note_concrete<'a>(
    tx: &mut Tx,
    uses: impl Iterator<Item = NewUse<'a>>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = uses.map(NewUse::values).collect();
    run(tx, &NOTE_CONCRETE, rows.clone()).await?;
    run(tx, &NOTE_MORE, rows).await
}

/// What is known of one key for the advisor.
#[derive(Clone, Debug, Default)]
pub struct KeyFacts {
    pub created_at: i64,
    pub not_before: Option<Timestamp>,
    pub watched_since: i64,
    pub last_used: Option<Timestamp>,
    pub uses: Vec<NotedUse>,
    pub addresses: Vec<IpAddr>,
}

/// Id, when it was made, its first valid moment, since when its access is watched, its last use.
type WatchedRow = (String, i64, Option<i64>, i64, Option<i64>);

/// The facts of many keys of the organisation in three queries; uses and addresses since a moment.
pub async fn facts_of(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[KeyId],
    since: Timestamp,
) -> Result<HashMap<String, KeyFacts>, StoreError> {
    let ids: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let ids = serde_json::to_string(&ids).map_err(|error| StoreError::Defect(error.to_string()))?;
    let most = i64::try_from(ADDRESSES_SEEN_MAX).unwrap_or(i64::MAX);
    let which = match tx.connection() {
        Connection::Sqlite(_) => 0,
        Connection::Postgres(_) => 1,
    };
    let watched: Vec<WatchedRow> = on!(tx, c =>
        sqlx::query_as(LIST_WATCHED[which]).bind(&ids).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    let uses: Vec<(String, String, String, i64)> = on!(tx, c =>
        sqlx::query_as(LIST_USES[which]).bind(&ids).bind(since.ms()).fetch_all(c).await)?;
    let addresses: Vec<(String, String)> = on!(tx, c =>
        sqlx::query_as(LIST_ADDRESSES[which]).bind(&ids).bind(since.ms()).bind(most).fetch_all(c).await)?;
    let mut facts: HashMap<String, KeyFacts> = HashMap::with_capacity(watched.len());
    for (id, created_at, not_before, watched_since, used) in watched {
        let known = KeyFacts {
            created_at,
            not_before: moment(not_before),
            watched_since,
            last_used: moment(used),
            ..KeyFacts::default()
        };
        facts.insert(id, known);
    }
    for (id, kind, name, last) in uses {
        let place = RowPlace {
            table: "key_uses",
            id: &id,
        };
        let kind = place.required("kind", UseKind::parse(&kind))?;
        let last_at = Timestamp::from_ms(last);
        if let Some(facts) = facts.get_mut(&id) {
            facts.uses.push(NotedUse { kind, name, last_at });
        }
    }
    for (id, ip) in addresses {
        let place = RowPlace {
            table: "key_addresses",
            id: &id,
        };
        let ip = place.parsed("ip", &ip)?;
        if let Some(facts) = facts.get_mut(&id) {
            facts.addresses.push(ip);
        }
    }
    Ok(facts)
}

/// From now on what the key may do is something else: what was seen before tells nothing.
pub async fn watch_anew(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(WATCH_ANEW).bind(scope.org_id().as_str()).bind(key.as_str()).bind(now.ms())
        .execute(c).await.map(drop))
}

pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEFORE).bind(before.ms()).execute(c).await.map(|done| done.rows_affected()))
}
