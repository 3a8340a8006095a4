//! Keys that somebody else made: many written at once, and found by the keyed hash of their digest.

use super::secured::{NewKey, SecuredKey, secured_columns};
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, KeyId, ProjectId};
use crate::model::time::Timestamp;
use crate::server::store::batch::{Batch, ask, batch, run};
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::RowPlace;
use crate::server::store::statements;

statements! {
    FIND_IMPORTED = "SELECT key_id FROM import_digests WHERE hash = $1";
    /// The keys of one import, a few at a time.
    LIST_OF_IMPORT = concat!("SELECT ", secured_columns!(), " FROM import_digests d JOIN api_keys k ON k.id = d.key_id
        WHERE d.import_id = $1 AND d.key_id > $2 ORDER BY d.key_id LIMIT 1000");
    LIST_MEMBER_ADDRESSES = "SELECT a.id, a.email_folded FROM active_membership m JOIN accounts a ON a.id = m.account_id
        WHERE m.org_id = $1";
}

const LIST_IMPORTED: Batch = batch!(
    "LIST_IMPORTED",
    "SELECT hash, key_id FROM import_digests WHERE hash IN (SELECT value ->> 0",
    ")"
);

/// `value` is `[project, environment, folded name]`.
const LIST_NAMES: Batch = batch!(
    "LIST_NAMES",
    "SELECT k.environment, k.name_folded FROM (SELECT value ->> 0 AS project_id, value ->> 1 AS environment, value ->> 2 AS name_folded",
    ") asked JOIN api_keys k ON k.project_id = asked.project_id AND k.environment = asked.environment
     AND k.name_folded = asked.name_folded AND k.status <> 'revoked'"
);

const INSERT_KEYS: Batch = batch!(
    "INSERT_KEYS",
    "INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose, owner_account_id,
     owner_team, scopes, status, expires_at_ms, created_by_type, created_by_id, created_at_ms, stored_at_ms, stored_note,
     revoked_note, version, row_mac, row_mac_key_id, secret_since_ms, rotation_days, rotation_due_at_ms, restrictions,
     not_before_ms, idle_since_ms)
     SELECT value -> 0 ->> 0, value -> 0 ->> 1, value -> 0 ->> 2, value -> 0 ->> 3, value -> 0 ->> 4, value -> 0 ->> 5,
     value -> 0 ->> 6, value -> 0 ->> 7, value -> 1 ->> 0, value -> 1 ->> 1, value -> 1 ->> 2, value -> 1 ->> 3,
     CAST(value -> 1 ->> 4 AS BIGINT), value -> 1 ->> 5, value -> 1 ->> 6, CAST(value -> 1 ->> 7 AS BIGINT),
     CAST(value -> 1 ->> 7 AS BIGINT), '', '', CAST(value -> 2 ->> 0 AS BIGINT), value -> 2 ->> 1, value -> 2 ->> 2,
     CAST(value -> 2 ->> 3 AS BIGINT), CAST(value -> 2 ->> 4 AS BIGINT), CAST(value -> 2 ->> 5 AS BIGINT),
     value -> 2 ->> 6, CAST(value -> 2 ->> 7 AS BIGINT), CAST(value -> 1 ->> 7 AS BIGINT)",
    ""
);

const INSERT_SECRETS: Batch = batch!(
    "INSERT_SECRETS",
    "INSERT INTO key_secrets (key_id, slot, hash, hash_alg, pepper_id, created_at_ms, number)
     SELECT value ->> 0, 'current', value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT)",
    ""
);

const INSERT_DIGESTS: Batch = batch!(
    "INSERT_DIGESTS",
    "INSERT INTO import_digests (hash, key_id, format_id, import_id)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3",
    ""
);

/// The batches for the test that prepares every statement.
pub(super) fn batches() -> [(&'static str, &'static str, &'static str); 5] {
    let all = [
        &LIST_IMPORTED,
        &LIST_NAMES,
        &INSERT_KEYS,
        &INSERT_SECRETS,
        &INSERT_DIGESTS,
    ];
    all.map(Batch::texts)
}

/// The key whose digest has this keyed hash, in whichever project it was made for.
pub async fn find_imported(tx: &mut Tx, hash: &str) -> Result<Option<KeyId>, StoreError> {
    let id: Option<String> =
        on!(tx, c => sqlx::query_scalar(FIND_IMPORTED).bind(hash).fetch_optional(c).await)?;
    id.map(|id| parsed(&id)).transpose()
}

fn parsed(id: &str) -> Result<KeyId, StoreError> {
    let place = RowPlace {
        table: "import_digests",
        id,
    };
    place.parsed("key_id", id)
}

/// Which of these keyed hashes are known, and of which keys.
pub async fn list_imported(tx: &mut Tx, hashes: &[&str]) -> Result<Vec<(String, KeyId)>, StoreError> {
    let rows: Vec<[&str; 1]> = hashes.iter().map(|hash| [*hash]).collect();
    let found = ask(tx, &LIST_IMPORTED, &rows).await?;
    found
        .into_iter()
        .map(|(hash, id)| Ok((hash, parsed(&id)?)))
        .collect()
}

/// Which of these names are taken in a project, each with its environment.
pub async fn list_names(
    tx: &mut Tx,
    project: &ProjectId,
    names: &[(&str, &str)],
) -> Result<Vec<(String, String)>, StoreError> {
    let rows: Vec<(&str, &str, &str)> = names
        .iter()
        .map(|(environment, name)| (project.as_str(), *environment, *name))
        .collect();
    ask(tx, &LIST_NAMES, &rows).await
}

/// Active members by their folded addresses.
pub async fn list_member_addresses(
    tx: &mut Tx,
    scope: &OrgScope,
) -> Result<Vec<(AccountId, String)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_MEMBER_ADDRESSES).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, email)| {
            let place = RowPlace {
                table: "accounts",
                id: &id,
            };
            Ok((place.parsed("id", &id)?, email))
        })
        .collect()
}

/// Keys of an import behind one of them, in the order of their ids, without their secrets.
pub async fn list_of_import(
    tx: &mut Tx,
    import_id: &str,
    after: &str,
) -> Result<Vec<SecuredKey>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_OF_IMPORT).bind(import_id).bind(after).fetch_all(c).await)
}

/// Writes keys with the one secret that each has, and where it is found. Whoever holds such a key has stored it already.
pub async fn insert_imported(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[(NewKey<'_>, &str)],
    (import_id, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    let key_values = |(new, _): &(NewKey<'_>, &str)| {
        let key = new.secured.clone();
        (
            (
                key.id,
                scope.org_id().as_str(),
                key.project_id,
                key.environment,
                key.prefix,
                key.name,
                new.name_folded.to_owned(),
                new.purpose.to_owned(),
            ),
            (
                key.owner_account_id,
                key.owner_team,
                key.scopes,
                key.status,
                key.expires_at_ms,
                new.created_by.0.to_owned(),
                new.created_by.1.to_owned(),
                now.ms(),
            ),
            (
                key.version,
                key.row_mac,
                key.row_mac_key_id,
                key.secret_since_ms,
                key.rotation_days,
                key.rotation_due_at_ms,
                key.restrictions,
                key.not_before_ms,
            ),
        )
    };
    run(tx, &INSERT_KEYS, keys.iter().map(key_values).collect()).await?;
    let secrets = keys.iter().flat_map(|(new, _)| {
        let key = new.secured;
        key.secrets.iter().map(|secret| {
            (
                key.id.as_str(),
                secret.hash.as_str(),
                secret.hash_alg.as_str(),
                secret.pepper_id.as_str(),
                secret.created_at_ms,
                secret.number,
            )
        })
    });
    run(tx, &INSERT_SECRETS, secrets.collect()).await?;
    let digests = keys.iter().flat_map(|(new, format)| {
        let key = new.secured;
        key.secrets
            .iter()
            .map(move |secret| (secret.hash.as_str(), key.id.as_str(), *format, import_id))
    });
    run(tx, &INSERT_DIGESTS, digests.collect()).await
}
