//! Other keys that were used from the same addresses. Bounded whatever the number of keys: some addresses, and of each
//! some keys.

use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key::Environment;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::keys::{hint, import_prefix};
use crate::server::store::statements;

/// The key's addresses since a moment, each with the number of keys of the organisation that used it since: 50 addresses,
/// the busiest, and at most 101 keys each. An address that more share says nothing of any of them.
macro_rules! counted {
    () => {
        "WITH mine AS (SELECT ip FROM key_addresses WHERE key_id = $2 AND last_at_ms >= $3 ORDER BY requests DESC, ip LIMIT 50),
        counted AS (SELECT mine.ip AS ip, (SELECT COUNT(*) FROM (SELECT 1 FROM key_addresses a JOIN api_keys k ON k.id = a.key_id
            WHERE a.ip = mine.ip AND a.last_at_ms >= $3 AND k.org_id = $1 LIMIT 101) shared) AS keys FROM mine)"
    };
}

statements! {
    LIST_COUNTED = concat!(counted!(), " SELECT ip, keys FROM counted ORDER BY ip");
    /// Those from the least shared addresses first.
    LIST_SIBLINGS = concat!(counted!(), " SELECT o.key_id, k.name, k.prefix, k.environment, k.status, k.owner_account_id, o.ip, ", import_prefix!(), ",
        counted.keys AS keys, o.requests, o.last_at_ms FROM counted JOIN key_addresses o ON o.ip = counted.ip
        JOIN api_keys k ON k.id = o.key_id
        WHERE counted.keys <= 100 AND o.key_id <> $2 AND o.last_at_ms >= $3 AND k.org_id = $1
        ORDER BY counted.keys, o.last_at_ms DESC, o.key_id LIMIT 2000");
}

/// A key at an address.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SiblingRow {
    pub key_id: String,
    pub name: String,
    pub prefix: String,
    pub import_prefix: Option<String>,
    pub environment: String,
    pub status: String,
    pub owner_account_id: Option<String>,
    pub ip: String,
    pub keys: i64,
    pub requests: i64,
    pub last_at_ms: i64,
}

impl SiblingRow {
    /// What is shown of its text.
    #[must_use]
    pub fn hint(&self, id: &KeyId, environment: Environment) -> String {
        hint(&self.prefix, environment, id, self.import_prefix.as_deref())
    }
}

/// Addresses of the key since a moment, each with how many keys used it since.
pub async fn list_counted(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    since: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_COUNTED).bind(scope.org_id().as_str()).bind(key.as_str()).bind(since.ms()).fetch_all(c).await)
}

pub async fn list_siblings(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    since: Timestamp,
) -> Result<Vec<SiblingRow>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_SIBLINGS).bind(scope.org_id().as_str()).bind(key.as_str()).bind(since.ms()).fetch_all(c).await)
}
