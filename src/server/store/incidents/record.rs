//! The incident itself.

use crate::model::actor::OrgScope;
use crate::model::id::{IncidentId, KeyId};
use crate::model::incident::{Incident, IncidentFilter, IncidentStatus, IncidentSummary};
use crate::model::key::Environment;
use crate::model::page::Page;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::keys::{hint, import_prefix};
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

macro_rules! narrowed {
    () => {
        " WHERE n.org_id = $1 AND ($2 = '' OR n.status = $2) AND ($3 = '' OR n.key_id = $3)"
    };
}

statements! {
    INSERT = "INSERT INTO incidents (id, org_id, key_id, status, suspected_since_ms, noticed, cause, impact, lessons,
        findings_version, opened_at_ms, opened_by_type, opened_by_id, horizon_ms, read_from_ms, read_until_ms)
        VALUES ($1, $2, $3, 'open', $4, $5, '', '', '', 1, $6, $7, $8, $9, $10, $10)";
    FIND = "SELECT n.id, n.key_id, n.status, n.suspected_since_ms, n.noticed, n.cause, n.impact, n.lessons, n.findings_version,
        n.frozen_at_ms, n.replaced_at_ms, n.opened_at_ms, n.opened_by_type, n.opened_by_id, o.name AS opened_by_name,
        n.closed_at_ms, n.closed_by_type, n.closed_by_id, c.name AS closed_by_name, n.horizon_ms, n.read_from_ms, n.read_until_ms
        FROM incidents n LEFT JOIN accounts o ON o.id = n.opened_by_id LEFT JOIN accounts c ON c.id = n.closed_by_id
        WHERE n.org_id = $1 AND n.id = $2";
    FIND_OPEN_OF = "SELECT id FROM incidents WHERE org_id = $1 AND key_id = $2 AND status = 'open'";
    IS_FROZEN = "SELECT COUNT(*) FROM incidents WHERE org_id = $1 AND key_id = $2 AND status = 'open' AND frozen_at_ms = $3";
    /// Changes nothing and takes the row's lock: acts on one incident come one after the other.
    HOLD = "UPDATE incidents SET status = status WHERE org_id = $1 AND id = $2";
    LIST = concat!("SELECT n.id, n.key_id, n.status, n.suspected_since_ms, n.opened_at_ms, n.opened_by_type, n.opened_by_id,
        o.name AS opened_by_name, n.closed_at_ms, n.frozen_at_ms, n.replaced_at_ms, k.name AS key_name, k.prefix, k.environment,
        k.status AS key_status, ", import_prefix!(), " FROM incidents n JOIN api_keys k ON k.id = n.key_id LEFT JOIN accounts o ON o.id = n.opened_by_id",
        narrowed!(), " ORDER BY n.status DESC, n.opened_at_ms DESC, n.id LIMIT $4 OFFSET $5");
    COUNT = concat!("SELECT COUNT(*) FROM incidents n", narrowed!());
    COUNT_OPEN = "SELECT COUNT(*) FROM incidents WHERE org_id = $1 AND status = 'open'";
    COUNT_OPENED_BY = "SELECT COUNT(*) FROM incidents WHERE org_id = $1 AND opened_by_id = $2 AND opened_at_ms > $3";
    SET_FROZEN = "UPDATE incidents SET frozen_at_ms = $3 WHERE org_id = $1 AND id = $2";
    SET_REPLACED = "UPDATE incidents SET replaced_at_ms = $3 WHERE org_id = $1 AND id = $2 AND replaced_at_ms IS NULL";
    SET_FINDINGS = "UPDATE incidents SET noticed = $4, cause = $5, impact = $6, lessons = $7, findings_version = findings_version + 1
        WHERE org_id = $1 AND id = $2 AND findings_version = $3";
    /// Reading begins anew: what was counted before may have been after, and the other way round.
    SET_SINCE = "UPDATE incidents SET suspected_since_ms = $3, horizon_ms = $4, read_from_ms = $5, read_until_ms = $5
        WHERE org_id = $1 AND id = $2";
    CLOSE = "UPDATE incidents SET status = 'closed', closed_at_ms = $3, closed_by_type = $4, closed_by_id = $5
        WHERE org_id = $1 AND id = $2 AND status = 'open'";
    REOPEN = "UPDATE incidents SET status = 'open', closed_at_ms = NULL, closed_by_type = NULL, closed_by_id = NULL
        WHERE org_id = $1 AND id = $2 AND status = 'closed'";
}

/// An incident as it is inserted.
pub struct NewIncident<'a> {
    pub id: &'a IncidentId,
    pub key: &'a KeyId,
    pub since: Timestamp,
    pub noticed: &'a str,
    /// Type and id of who opened it.
    pub by: (&'a str, &'a str),
    pub horizon: Timestamp,
    /// Where reading of its requests begins, in both directions.
    pub read_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct FullRow {
    id: String,
    key_id: String,
    status: String,
    suspected_since_ms: i64,
    noticed: String,
    cause: String,
    impact: String,
    lessons: String,
    findings_version: i64,
    frozen_at_ms: Option<i64>,
    replaced_at_ms: Option<i64>,
    opened_at_ms: i64,
    opened_by_type: String,
    opened_by_id: String,
    opened_by_name: Option<String>,
    closed_at_ms: Option<i64>,
    closed_by_type: Option<String>,
    closed_by_id: Option<String>,
    closed_by_name: Option<String>,
    horizon_ms: i64,
    read_from_ms: i64,
    read_until_ms: i64,
}

/// An incident, and how far its requests have been read.
#[derive(Clone, Debug)]
pub struct IncidentRow {
    pub incident: Incident,
    pub horizon: Timestamp,
    pub read_from: Timestamp,
    pub read_until: Timestamp,
}

/// Who it was, by the name of today.
pub(super) fn named(kind: &str, id: String, name: Option<String>) -> String {
    match (kind, name) {
        (_, Some(name)) => name,
        ("operator", None) => format!("operator {id}"),
        ("system", None) => "Keywright".to_owned(),
        _ => id,
    }
}

impl TryFrom<FullRow> for IncidentRow {
    type Error = StoreError;
    fn try_from(row: FullRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "incidents",
            id: &row.id,
        };
        let closed_by = row.closed_by_type.zip(row.closed_by_id);
        let incident = Incident {
            id: place.parsed("id", &row.id)?,
            key_id: place.parsed("key_id", &row.key_id)?,
            status: place.required("status", IncidentStatus::parse(&row.status))?,
            suspected_since: Timestamp::from_ms(row.suspected_since_ms),
            noticed: row.noticed,
            cause: row.cause,
            impact: row.impact,
            lessons: row.lessons,
            findings_version: row.findings_version,
            frozen_at: moment(row.frozen_at_ms),
            replaced_at: moment(row.replaced_at_ms),
            opened_at: Timestamp::from_ms(row.opened_at_ms),
            opened_by: named(&row.opened_by_type, row.opened_by_id, row.opened_by_name),
            closed_at: moment(row.closed_at_ms),
            closed_by: closed_by.map(|(kind, id)| named(&kind, id, row.closed_by_name)),
        };
        Ok(Self {
            incident,
            horizon: Timestamp::from_ms(row.horizon_ms),
            read_from: Timestamp::from_ms(row.read_from_ms),
            read_until: Timestamp::from_ms(row.read_until_ms),
        })
    }
}

/// Errors: `Taken` when the key has an open one.
pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewIncident<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(scope.org_id().as_str()).bind(new.key.as_str())
        .bind(new.since.ms()).bind(new.noticed).bind(now.ms()).bind(new.by.0).bind(new.by.1)
        .bind(new.horizon.ms()).bind(new.read_at.ms()).execute(c).await.map(drop))
}

pub async fn find(tx: &mut Tx, scope: &OrgScope, id: &IncidentId) -> Result<Option<IncidentRow>, StoreError> {
    let row: Option<FullRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(id.as_str())
        .fetch_optional(c).await)?;
    row.map(IncidentRow::try_from).transpose()
}

/// The open incident of a key.
pub async fn find_open_of(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
) -> Result<Option<IncidentId>, StoreError> {
    let id: Option<String> = on!(tx, c => sqlx::query_scalar(FIND_OPEN_OF).bind(scope.org_id().as_str()).bind(key.as_str())
        .fetch_optional(c).await)?;
    let place = RowPlace {
        table: "incidents",
        id: key.as_str(),
    };
    id.map(|id| place.parsed("id", &id)).transpose()
}

/// Whether a key that was disabled at a moment was so by an incident that is open still.
pub async fn is_frozen(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    disabled_at: Timestamp,
) -> Result<bool, StoreError> {
    let found: i64 = on!(tx, c => sqlx::query_scalar(IS_FROZEN).bind(scope.org_id().as_str()).bind(key.as_str())
        .bind(disabled_at.ms()).fetch_one(c).await)?;
    Ok(found > 0)
}

/// The incident, which nobody else changes until the transaction ends.
pub async fn hold(tx: &mut Tx, scope: &OrgScope, id: &IncidentId) -> Result<Option<IncidentRow>, StoreError> {
    on!(tx, c => sqlx::query(HOLD).bind(scope.org_id().as_str()).bind(id.as_str()).execute(c).await.map(drop))?;
    find(tx, scope, id).await
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: String,
    key_id: String,
    status: String,
    suspected_since_ms: i64,
    opened_at_ms: i64,
    opened_by_type: String,
    opened_by_id: String,
    opened_by_name: Option<String>,
    closed_at_ms: Option<i64>,
    frozen_at_ms: Option<i64>,
    replaced_at_ms: Option<i64>,
    key_name: String,
    prefix: String,
    import_prefix: Option<String>,
    environment: String,
    key_status: String,
}

impl TryFrom<SummaryRow> for IncidentSummary {
    type Error = StoreError;
    fn try_from(row: SummaryRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "incidents",
            id: &row.id,
        };
        let key_id: KeyId = place.parsed("key_id", &row.key_id)?;
        let environment = place.required("environment", Environment::parse(&row.environment))?;
        Ok(Self {
            id: place.parsed("id", &row.id)?,
            key_hint: hint(&row.prefix, environment, &key_id, row.import_prefix.as_deref()),
            key_id,
            key_name: row.key_name,
            environment,
            status: place.required("status", IncidentStatus::parse(&row.status))?,
            suspected_since: Timestamp::from_ms(row.suspected_since_ms),
            opened_at: Timestamp::from_ms(row.opened_at_ms),
            opened_by: named(&row.opened_by_type, row.opened_by_id, row.opened_by_name),
            closed_at: moment(row.closed_at_ms),
            frozen: row.frozen_at_ms.is_some(),
            replaced: row.replaced_at_ms.is_some(),
            revoked: row.key_status == "revoked",
        })
    }
}

/// One page: open ones first, then the newest.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &IncidentFilter,
) -> Result<Page<IncidentSummary>, StoreError> {
    let status = filter.status.map_or("", IncidentStatus::as_str);
    let key = filter.key.as_ref().map_or("", KeyId::as_str);
    let (page, org) = (filter.page, scope.org_id().as_str());
    let rows: Vec<SummaryRow> = on!(tx, c => sqlx::query_as(LIST).bind(org).bind(status).bind(key)
        .bind(i64::from(page.size)).bind(page.offset()).fetch_all(c).await)?;
    let total = on!(tx, c => sqlx::query_scalar(COUNT).bind(org).bind(status).bind(key).fetch_one(c).await)?;
    let rows: Result<Vec<_>, _> = rows.into_iter().map(IncidentSummary::try_from).collect();
    Ok(Page {
        rows: rows?,
        total,
        number: page.number,
        size: page.size,
    })
}

pub async fn count_open(tx: &mut Tx, scope: &OrgScope) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_OPEN).bind(scope.org_id().as_str()).fetch_one(c).await)
}

/// How many somebody opened after a moment.
pub async fn count_opened_by(
    tx: &mut Tx,
    scope: &OrgScope,
    who: &str,
    after: Timestamp,
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_OPENED_BY).bind(scope.org_id().as_str()).bind(who).bind(after.ms()).fetch_one(c).await)
}

pub async fn set_frozen(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &IncidentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_FROZEN).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

pub async fn set_replaced(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &IncidentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_REPLACED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

/// How it was noticed, cause, impact, lessons; over the version that was read. `false`: somebody else wrote since.
pub async fn set_findings(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &IncidentId,
    version: i64,
    texts: [&str; 4],
) -> Result<bool, StoreError> {
    let [noticed, cause, impact, lessons] = texts;
    let rows = on!(tx, c => sqlx::query(SET_FINDINGS).bind(scope.org_id().as_str()).bind(id.as_str()).bind(version)
        .bind(noticed).bind(cause).bind(impact).bind(lessons).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn set_since(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &IncidentId,
    (since, horizon): (Timestamp, Timestamp),
    read_at: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_SINCE).bind(scope.org_id().as_str()).bind(id.as_str()).bind(since.ms()).bind(horizon.ms())
        .bind(read_at.ms()).execute(c).await.map(drop))
}

pub async fn close(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &IncidentId,
    by: (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CLOSE).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms()).bind(by.0).bind(by.1)
        .execute(c).await.map(drop))
}

/// Errors: `Taken` when the key has got another open one since.
pub async fn reopen(tx: &mut Tx, scope: &OrgScope, id: &IncidentId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REOPEN).bind(scope.org_id().as_str()).bind(id.as_str()).execute(c).await.map(drop))
}
