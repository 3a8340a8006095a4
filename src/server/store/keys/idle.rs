//! Since when keys are not in use, kept with the key so that one index tells the longest unused.
//!
//! A use moves the moment when that is [`MOVED_AFTER_MS`] old or more: one write a day for a key that is always in use. The
//! exact last use is beside it, and less than that later; whoever asks looks there for keys near the limit only.

use std::collections::HashSet;

use super::super::batch::{Batch, ask, batch, run};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::statements;

/// How far the kept moment may be behind the last use; `idle!` and `LIST_BEHIND` say the same.
const MOVED_AFTER_MS: i64 = DAY_MS;
const _: () = assert!(MOVED_AFTER_MS == 86_400_000);

/// Keys that could be used at $2 and were not since $3; $1 is the organisation.
macro_rules! idle {
    () => {
        " FROM api_keys k WHERE k.org_id = $1 AND k.status = 'active' AND k.secret_count > 0 AND k.idle_since_ms <= $3
        AND (k.expires_at_ms IS NULL OR k.expires_at_ms > $2)
        AND k.project_id NOT IN (SELECT p.id FROM projects p WHERE p.org_id = $1 AND p.status = 'archived')
        AND (k.idle_since_ms <= $3 - 86400000
            OR NOT EXISTS (SELECT 1 FROM key_last_used u WHERE u.key_id = k.id AND u.at_ms > $3))"
    };
}
pub(super) use idle;

/// Which of some uses are the first for a day or more.
const LIST_BEHIND: Batch = batch!(
    "LIST_BEHIND",
    "SELECT k.id, k.org_id FROM (SELECT value ->> 0 AS id, CAST(value ->> 1 AS BIGINT) AS at_ms",
    ") used CROSS JOIN api_keys k WHERE k.id = used.id AND k.idle_since_ms <= used.at_ms - 86400000"
);

macro_rules! move_all {
    ($rows:literal) => {
        concat!(
            "UPDATE api_keys SET idle_since_ms = used.at_ms
             FROM (SELECT value ->> 0 AS id, CAST(value ->> 1 AS BIGINT) AS at_ms FROM ",
            $rows,
            ") used
             WHERE api_keys.id = used.id AND api_keys.idle_since_ms < used.at_ms"
        )
    };
}

/// On PostgreSQL it passes by what an act holds: two that wait for each other's keys would stop each other.
const MOVE: Batch = Batch {
    name: "MOVE",
    sqlite: move_all!("jsonb_each($1)"),
    postgres: concat!(
        move_all!("jsonb_array_elements(CAST($1 AS JSONB))"),
        " AND api_keys.id IN (SELECT k.id FROM api_keys k WHERE k.id IN
             (SELECT value ->> 0 FROM jsonb_array_elements(CAST($1 AS JSONB))) FOR NO KEY UPDATE SKIP LOCKED)"
    ),
};

statements! {
    MOVE_ONE = "UPDATE api_keys SET idle_since_ms = $2 WHERE id = $1 AND idle_since_ms < $2";
}

/// The batches for the test that prepares every statement.
pub(super) fn batches() -> [(&'static str, &'static str, &'static str); 2] {
    [&LIST_BEHIND, &MOVE].map(Batch::texts)
}

/// A key and when it was used.
pub type Use<'a> = (&'a str, i64);

/// Notes uses of keys. Returns those that an act holds, to be noted with another batch. The last that a transaction does: what
/// it holds after this nobody may have to wait for.
pub async fn set_all_in_use<'a>(tx: &mut Tx, uses: &[Use<'a>]) -> Result<Vec<Use<'a>>, StoreError> {
    let behind = behind(tx, uses).await?;
    if behind.is_empty() {
        return Ok(behind);
    }
    run(tx, &MOVE, behind.clone()).await?;
    self::behind(tx, &behind).await
}

/// Notes that a key is in use from now on: it was enabled, or has a secret at last.
pub async fn set_in_use(tx: &mut Tx, key: &str, at: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(MOVE_ONE).bind(key).bind(at.ms()).execute(c).await.map(drop))
}

/// Which of some uses are the first for a day or more.
async fn behind<'a>(tx: &mut Tx, uses: &[Use<'a>]) -> Result<Vec<Use<'a>>, StoreError> {
    let found = ask(tx, &LIST_BEHIND, uses).await?;
    let ids: HashSet<String> = found.into_iter().map(|(id, _)| id).collect();
    let is_behind = |used: &&Use<'a>| ids.contains(used.0);
    Ok(uses.iter().filter(is_behind).copied().collect())
}
