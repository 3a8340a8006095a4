//! Keys that nobody uses, since when that counts, and whether their people were told.

use super::hint;
use super::idle::{idle, set_in_use};
use crate::model::actor::OrgScope;
use crate::model::id::{KeyId, OrgId};
use crate::model::key::Environment;
use crate::model::key_page::UnusedKey;
use crate::model::time::Timestamp;
use crate::model::usage::LastUsed;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::RowPlace;
use crate::server::store::statements;

/// What it is counted from that a key is unused, and what is due.
macro_rules! idle_columns {
    () => {
        "k.id, k.name, k.owner_account_id, k.created_at_ms, k.secret_since_ms, k.not_before_ms, k.expires_at_ms, k.idle_since_ms,
        u.at_ms AS used_at_ms, n.enabled_at_ms, n.told_at_ms"
    };
}

/// Keys of the organisation $1 whose people were told, at $2, that they will be disabled, and that nothing has voided since:
/// no use, enabling or new secret, no other rule, no end before the week is over. Whoever shows a moment asks the rules of
/// the domain, which know the policy too. The first of the conditions on the time keep to keys of which somebody was told: they
/// are `Rule::tell_after_ms`.
macro_rules! told {
    () => {
        " FROM unused_rules r JOIN api_keys k ON k.org_id = r.org_id AND k.environment = r.environment
        JOIN unused_keys n ON n.key_id = k.id LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE r.org_id = $1 AND k.status = 'active' AND k.secret_count > 0
        AND r.since_at_ms <= $2 - (CASE WHEN r.days > 13 THEN r.days - 7 ELSE (r.days + 1) / 2 END) * 86400000
        AND k.idle_since_ms <= $2 - (CASE WHEN r.days > 13 THEN r.days - 7 ELSE (r.days + 1) / 2 END) * 86400000
        AND r.since_at_ms < n.told_at_ms AND k.idle_since_ms < n.told_at_ms AND k.secret_since_ms < n.told_at_ms
        AND COALESCE(k.not_before_ms, 0) < n.told_at_ms AND COALESCE(n.enabled_at_ms, 0) < n.told_at_ms
        AND COALESCE(u.at_ms, 0) < n.told_at_ms AND COALESCE(k.expires_at_ms, n.told_at_ms + 604800001) > n.told_at_ms + 604800000
        AND k.project_id NOT IN (SELECT x.id FROM projects x WHERE x.org_id = $1 AND x.status = 'archived')"
    };
}
pub(in crate::server::store) use told;

/// A week, above.
const _: () =
    assert!(crate::model::policy::UNUSED_NOTICE_DAYS as i64 * crate::model::time::DAY_MS == 604_800_000);

/// Keys as they are listed: which, and in what order.
macro_rules! unused_keys {
    ($which:expr, $order:literal) => {
        concat!(
            "SELECT ", idle_columns!(), ", k.prefix, k.environment, p.name AS project_name, o.name AS owner_name, k.owner_team,
            u.ip AS used_ip, ", import_prefix!(), " FROM (", $which, ") h
            JOIN api_keys k ON k.id = h.id JOIN projects p ON p.id = k.project_id LEFT JOIN accounts o ON o.id = k.owner_account_id
            LEFT JOIN key_last_used u ON u.key_id = k.id LEFT JOIN unused_keys n ON n.key_id = k.id ORDER BY ", $order
        )
    };
}

statements! {
    /// The longest unused first: chosen from one index, before anything else of them is read.
    LIST_UNUSED = unused_keys!(concat!("SELECT k.id, k.idle_since_ms AS place_ms", idle!(), " ORDER BY k.idle_since_ms, k.id LIMIT $4"),
        "CASE WHEN u.at_ms > h.place_ms THEN u.at_ms ELSE h.place_ms END, k.id");
    /// Those that will be disabled, the soonest first.
    LIST_TOLD = unused_keys!(concat!("SELECT k.id, n.told_at_ms AS place_ms", told!(), " ORDER BY n.told_at_ms, k.id LIMIT $3"), "h.place_ms, k.id");
    FIND_TOLD = concat!("SELECT ", idle_columns!(), told!(), " AND k.id = $3");
    COUNT_UNUSED = concat!("SELECT COUNT(*)", idle!());
    LIST_IDLE = concat!("SELECT ", idle_columns!(), "
        FROM (SELECT k.id", idle!(), " AND k.environment = $4 AND (k.idle_since_ms, k.id) > ($5, $6) ORDER BY k.idle_since_ms, k.id LIMIT $7) h
        JOIN api_keys k ON k.id = h.id LEFT JOIN key_last_used u ON u.key_id = k.id LEFT JOIN unused_keys n ON n.key_id = k.id
        ORDER BY k.idle_since_ms, k.id");
    /// Where the rule may hold, or held.
    LIST_RULED = "SELECT org_id, environment FROM policies UNION SELECT org_id, environment FROM unused_rules ORDER BY 1, 2";
    FIND_RULE = "SELECT days, since_at_ms FROM unused_rules WHERE org_id = $1 AND environment = $2";
    SET_RULE = "INSERT INTO unused_rules (org_id, environment, days, since_at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (org_id, environment) DO UPDATE SET days = excluded.days, since_at_ms = excluded.since_at_ms";
    DELETE_RULE = "DELETE FROM unused_rules WHERE org_id = $1 AND environment = $2";
    SET_ENABLED = "INSERT INTO unused_keys (key_id, enabled_at_ms) VALUES ($1, $2)
        ON CONFLICT (key_id) DO UPDATE SET enabled_at_ms = excluded.enabled_at_ms";
    /// Once for the time it has been unused: of several who tell at once, one does.
    SET_TOLD = "INSERT INTO unused_keys (key_id, told_at_ms) VALUES ($1, $2)
        ON CONFLICT (key_id) DO UPDATE SET told_at_ms = excluded.told_at_ms WHERE COALESCE(unused_keys.told_at_ms, 0) <= $3";
}

#[derive(sqlx::FromRow)]
struct UnusedRow {
    #[sqlx(flatten)]
    idle: IdleKey,
    prefix: String,
    import_prefix: Option<String>,
    environment: String,
    project_name: String,
    owner_name: Option<String>,
    owner_team: String,
    used_ip: Option<String>,
}

/// A key that may have been unused for long, with what that is counted from.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct IdleKey {
    pub id: String,
    pub name: String,
    pub owner_account_id: Option<String>,
    pub created_at_ms: i64,
    pub secret_since_ms: i64,
    pub not_before_ms: Option<i64>,
    pub expires_at_ms: Option<i64>,
    pub idle_since_ms: i64,
    pub used_at_ms: Option<i64>,
    pub enabled_at_ms: Option<i64>,
    pub told_at_ms: Option<i64>,
}

impl UnusedRow {
    fn into_key(self) -> Result<(UnusedKey, IdleKey), StoreError> {
        let idle = self.idle;
        let place = RowPlace {
            table: "api_keys",
            id: &idle.id,
        };
        let id: KeyId = place.parsed("id", &idle.id)?;
        let environment = place.required("environment", Environment::parse(&self.environment))?;
        let owner = place.owner(idle.owner_account_id.as_deref(), self.owner_name, self.owner_team)?;
        let key = UnusedKey {
            hint: hint(&self.prefix, environment, &id, self.import_prefix.as_deref()),
            id,
            name: idle.name.clone(),
            environment,
            project_name: self.project_name,
            owner,
            created_at: Timestamp::from_ms(idle.created_at_ms),
            last_used: idle.used_at_ms.map(|at| LastUsed {
                at: Timestamp::from_ms(at),
                ip: self.used_ip,
                country: None,
            }),
            notice: None,
            may_manage: false,
        };
        Ok((key, idle))
    }
}

/// Keys that could be used and were not since a moment, at most `most`, and what that is counted from.
pub async fn list_unused(
    tx: &mut Tx,
    scope: &OrgScope,
    (since, now): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<(UnusedKey, IdleKey)>, StoreError> {
    let org = scope.org_id().as_str();
    let rows: Vec<UnusedRow> = on!(tx, c => sqlx::query_as(LIST_UNUSED).bind(org).bind(now.ms()).bind(since.ms()).bind(most)
        .fetch_all(c).await)?;
    rows.into_iter().map(UnusedRow::into_key).collect()
}

/// Keys whose people were told that they will be disabled, at most `most`.
pub async fn list_told(
    tx: &mut Tx,
    scope: &OrgScope,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(UnusedKey, IdleKey)>, StoreError> {
    let rows: Vec<UnusedRow> = on!(tx, c => sqlx::query_as(LIST_TOLD).bind(scope.org_id().as_str()).bind(now.ms()).bind(most)
        .fetch_all(c).await)?;
    rows.into_iter().map(UnusedRow::into_key).collect()
}

/// The same of one key, if it is one of them.
pub async fn find_told(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    now: Timestamp,
) -> Result<Option<IdleKey>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_TOLD).bind(scope.org_id().as_str()).bind(now.ms()).bind(key.as_str())
        .fetch_optional(c).await)
}

/// How many keys could be used and were not since a moment.
pub async fn count_unused(
    tx: &mut Tx,
    scope: &OrgScope,
    (since, now): (Timestamp, Timestamp),
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_UNUSED).bind(scope.org_id().as_str()).bind(now.ms()).bind(since.ms())
        .fetch_one(c).await)
}

/// Some keys of an environment that were not used since a moment, the longest unused first, beginning after one: since when
/// it is idle, and its id.
pub async fn list_idle(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    (since, now): (Timestamp, Timestamp),
    ((after_ms, after), most): ((i64, &str), i64),
) -> Result<Vec<IdleKey>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_IDLE).bind(scope.org_id().as_str()).bind(now.ms()).bind(since.ms())
        .bind(environment.as_str()).bind(after_ms).bind(after).bind(most).fetch_all(c).await)
}

/// Every organisation and environment with a policy that may say when an unused key is disabled, or said so.
pub async fn list_ruled(tx: &mut Tx) -> Result<Vec<(OrgId, Environment)>, StoreError> {
    let rows: Vec<(String, String)> = on!(tx, c => sqlx::query_as(LIST_RULED).fetch_all(c).await)?;
    let parsed = rows.into_iter().map(|(org, environment)| {
        let place = RowPlace {
            table: "policies",
            id: &org,
        };
        let environment = place.required("environment", Environment::parse(&environment))?;
        Ok((place.parsed("org_id", &org)?, environment))
    });
    parsed.collect()
}

/// After how many days keys are disabled, and since when that holds.
pub async fn find_rule(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let row: Option<(i64, i64)> = on!(tx, c => sqlx::query_as(FIND_RULE).bind(scope.org_id().as_str())
        .bind(environment.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(days, since)| (days, Timestamp::from_ms(since))))
}

/// Notes that the rule holds from now on, or that there is none.
pub async fn set_rule(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    days: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (org, environment) = (scope.org_id().as_str(), environment.as_str());
    match days {
        Some(days) => {
            on!(tx, c => sqlx::query(SET_RULE).bind(org).bind(environment).bind(days).bind(now.ms()).execute(c).await.map(drop))
        }
        None => on!(tx, c => sqlx::query(DELETE_RULE).bind(org).bind(environment).execute(c).await.map(drop)),
    }
}

/// Notes that a key was enabled: what it was not used before does not count.
pub async fn set_enabled(tx: &mut Tx, key: &KeyId, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_ENABLED).bind(key.as_str()).bind(now.ms()).execute(c).await.map(drop))?;
    set_in_use(tx, key.as_str(), now).await
}

/// Notes that a key's people are told; `false` when they were already, since it was last in use.
pub async fn set_told(
    tx: &mut Tx,
    key: &str,
    idle_since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_TOLD).bind(key).bind(now.ms()).bind(idle_since.ms()).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
