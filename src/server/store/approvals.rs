//! Requests that a second person decides.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::approval::{
    ApprovalComment, ApprovalFilter, ApprovalKind, ApprovalState, ApprovalSummary, KeyApproval, Reason, Told,
};
use crate::model::form::FormValues;
use crate::model::id::{AccountId, ApprovalId, KeyId, OrgId, ProjectId};
use crate::model::key::Environment;
use crate::model::page::Page;
use crate::model::time::Timestamp;

/// Where a request stands at the moment `$2`.
macro_rules! state {
    () => {
        "CASE WHEN a.state = 'waiting' AND a.lapses_at_ms <= $2 THEN 'lapsed' ELSE a.state END"
    };
}

macro_rules! summary {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.kind, ", state!(), " AS state, a.key_id, a.key_name, p.name AS project_name, a.environment, a.reasons,
            a.requested_by, r.name AS requested_by_name, a.requested_at_ms, a.lapses_at_ms, d.name AS decided_by_name, a.decided_at_ms,
            a.collected_at_ms, ", $rest, "
            FROM approvals a JOIN projects p ON p.id = a.project_id JOIN accounts r ON r.id = a.requested_by
            LEFT JOIN accounts d ON d.id = a.decided_by WHERE a.org_id = $1"
        )
    };
}

/// Of one person, or everybody's for `''`; in one state, or in any for `''`.
macro_rules! listed {
    () => {
        concat!(
            " AND ($3 = '' OR a.requested_by = $3) AND ($4 = '' OR ",
            state!(),
            " = $4)"
        )
    };
}

statements! {
    INSERT = "INSERT INTO approvals (id, org_id, kind, state, key_id, project_id, environment, key_name, reasons, proposal, former,
        told, justification, requested_by, requested_at_ms, lapses_at_ms)
        VALUES ($1, $2, $3, 'waiting', $4, $5, $6, $7, $8, $9, $10, $15, $11, $12, $13, $14)";
    FIND = concat!(summary!("a.proposal, a.former, a.told, a.justification"), " AND a.id = $3");
    /// What was typed is not read for a list.
    LIST = concat!(summary!("'{}' AS proposal, '' AS former, '{\"said\":[],\"differences\":[]}' AS told, '' AS justification"), listed!(), " ORDER BY a.requested_at_ms DESC, a.id LIMIT $5 OFFSET $6");
    COUNT = concat!("SELECT COUNT(*) FROM approvals a WHERE a.org_id = $1", listed!());
    /// Those that wait, and those of the last day.
    COUNT_OF = "SELECT COALESCE(SUM(CASE WHEN state = 'waiting' AND lapses_at_ms > $3 THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN requested_at_ms > $4 THEN 1 ELSE 0 END), 0) FROM approvals
        WHERE org_id = $1 AND requested_by = $2 AND (state = 'waiting' OR requested_at_ms > $4)";
    /// Changes nothing and takes the row's lock, while it waits.
    HOLD = "UPDATE approvals SET state = state WHERE org_id = $1 AND id = $2 AND state = 'waiting' AND lapses_at_ms > $3";
    SET_TOLD_AS = "UPDATE approvals SET told = $3, reasons = $4 WHERE org_id = $1 AND id = $2";
    /// Whoever collected it, and in whatever way.
    SET_KEY_COLLECTED = "UPDATE approvals SET collected_at_ms = $3 WHERE org_id = $1 AND key_id = $2 AND kind = 'create' AND collected_at_ms IS NULL";
    FIND_REQUESTER = "SELECT requested_by, COALESCE(decided_at_ms, 0) FROM approvals WHERE org_id = $1 AND key_id = $2 AND kind = 'create' AND state = 'approved' AND collected_at_ms IS NULL";
    FIND_LAPSED_OF_KEY = "SELECT id FROM approvals WHERE org_id = $1 AND key_id = $2 AND kind = 'edit' AND state = 'waiting' AND lapses_at_ms <= $3";
    /// Only while it waits; whoever comes second changes nothing.
    END = "UPDATE approvals SET state = $4, decided_by = $5, decided_at_ms = $3 WHERE org_id = $1 AND id = $2 AND state = 'waiting' AND lapses_at_ms > $3";
    SET_KEY = "UPDATE approvals SET key_id = $3 WHERE org_id = $1 AND id = $2";
    INSERT_COMMENT = "INSERT INTO approval_comments (approval_id, number, account_id, at_ms, body)
        SELECT q.id, (SELECT COUNT(*) + 1 FROM approval_comments c WHERE c.approval_id = q.id), $3, $4, $5
        FROM approvals q WHERE q.org_id = $1 AND q.id = $2";
    COUNT_COMMENTS = "SELECT COUNT(*) FROM approval_comments c JOIN approvals q ON q.id = c.approval_id WHERE q.org_id = $1 AND q.id = $2";
    LIST_COMMENTS = "SELECT a.name, c.at_ms, c.body FROM approvals q JOIN approval_comments c ON c.approval_id = q.id
        JOIN accounts a ON a.id = c.account_id WHERE q.org_id = $1 AND q.id = $2 ORDER BY c.number";
    /// What concerns a key now: its change that waits, or its secret that waits to be collected.
    FIND_OF_KEY = "SELECT a.id, a.kind, r.name AS requested_by_name, a.requested_at_ms, a.requested_by FROM approvals a
        JOIN accounts r ON r.id = a.requested_by WHERE a.org_id = $1 AND a.key_id = $2
        AND ((a.kind = 'edit' AND a.state = 'waiting' AND a.lapses_at_ms > $3) OR (a.kind = 'create' AND a.state = 'approved' AND a.collected_at_ms IS NULL AND a.decided_at_ms > $3 - 1209600000))
        ORDER BY a.requested_at_ms DESC LIMIT 1";
    LIST_LAPSED = "SELECT org_id, id FROM approvals WHERE state = 'waiting' AND lapses_at_ms <= $1 ORDER BY lapses_at_ms, id LIMIT 1000";
    SET_LAPSED = "UPDATE approvals SET state = 'lapsed' WHERE org_id = $1 AND id = $2 AND state = 'waiting' AND lapses_at_ms <= $3";
    /// Organisations where something waits and nobody was told since `$2`.
    LIST_UNTOLD = "SELECT o.id, o.name FROM organisations o LEFT JOIN approval_digests d ON d.org_id = o.id
        WHERE (d.sent_at_ms IS NULL OR d.sent_at_ms <= $2)
        AND EXISTS (SELECT 1 FROM approvals a WHERE a.org_id = o.id AND a.state = 'waiting' AND a.lapses_at_ms > $1) ORDER BY o.id";
    /// Of two nodes one tells.
    SET_TOLD = "INSERT INTO approval_digests (org_id, sent_at_ms) VALUES ($1, $2)
        ON CONFLICT (org_id) DO UPDATE SET sent_at_ms = excluded.sent_at_ms WHERE approval_digests.sent_at_ms <= $3";
}

/// A request that begins.
pub struct NewApproval<'a> {
    pub id: &'a ApprovalId,
    pub kind: ApprovalKind,
    pub key: Option<&'a KeyId>,
    pub project: &'a ProjectId,
    pub environment: Environment,
    pub key_name: &'a str,
    pub reasons: &'a [Reason],
    pub proposal: &'a FormValues,
    pub former: &'a str,
    pub told: &'a Told,
    pub justification: &'a str,
    pub requested_by: &'a AccountId,
    pub lapses_at: Timestamp,
}

/// Errors: another change of the key waits already.
pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewApproval<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reasons = serde_json::to_string(new.reasons).unwrap_or_default();
    let proposal = serde_json::to_string(new.proposal).unwrap_or_default();
    let told = serde_json::to_string(new.told).unwrap_or_default();
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(scope.org_id().as_str()).bind(new.kind.as_str())
        .bind(new.key.map(KeyId::as_str)).bind(new.project.as_str()).bind(new.environment.as_str()).bind(new.key_name)
        .bind(&reasons).bind(&proposal).bind(new.former).bind(new.justification).bind(new.requested_by.as_str())
        .bind(now.ms()).bind(new.lapses_at.ms()).bind(&told).execute(c).await.map(drop))
}

/// A request with all that was typed.
pub struct Approval {
    pub summary: ApprovalSummary,
    pub proposal: FormValues,
    pub former: String,
    pub told: Told,
    pub justification: String,
}

#[derive(sqlx::FromRow)]
struct ApprovalRow {
    id: String,
    kind: String,
    state: String,
    key_id: Option<String>,
    key_name: String,
    project_name: String,
    environment: String,
    reasons: String,
    requested_by: String,
    requested_by_name: String,
    requested_at_ms: i64,
    lapses_at_ms: i64,
    decided_by_name: Option<String>,
    decided_at_ms: Option<i64>,
    collected_at_ms: Option<i64>,
    proposal: String,
    former: String,
    told: String,
    justification: String,
}

impl ApprovalRow {
    fn into_approval(self) -> Result<Approval, StoreError> {
        let place = RowPlace {
            table: "approvals",
            id: &self.id,
        };
        let key_id = self.key_id.as_deref().map(|id| place.parsed("key_id", id));
        let summary = ApprovalSummary {
            id: place.parsed("id", &self.id)?,
            kind: place.required("kind", ApprovalKind::parse(&self.kind))?,
            state: place.required("state", ApprovalState::parse(&self.state))?,
            key_id: key_id.transpose()?,
            environment: place.required("environment", Environment::parse(&self.environment))?,
            reasons: place.required("reasons", serde_json::from_str(&self.reasons).ok())?,
            requested_by: place.parsed("requested_by", &self.requested_by)?,
            requested_at: Timestamp::from_ms(self.requested_at_ms),
            lapses_at: Timestamp::from_ms(self.lapses_at_ms),
            decided_at: moment(self.decided_at_ms),
            collected_at: moment(self.collected_at_ms),
            key_name: self.key_name,
            project_name: self.project_name,
            requested_by_name: self.requested_by_name,
            decided_by_name: self.decided_by_name,
        };
        Ok(Approval {
            proposal: place.required("proposal", serde_json::from_str(&self.proposal).ok())?,
            told: place.required("told", serde_json::from_str(&self.told).ok())?,
            former: self.former,
            justification: self.justification,
            summary,
        })
    }
}

pub async fn find(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<Option<Approval>, StoreError> {
    let row: Option<ApprovalRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(now.ms())
        .bind(id.as_str()).fetch_optional(c).await)?;
    row.map(ApprovalRow::into_approval).transpose()
}

/// Requests, the newest first; of one person only their own.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    of: Option<&AccountId>,
    filter: &ApprovalFilter,
    now: Timestamp,
) -> Result<Page<ApprovalSummary>, StoreError> {
    let of = of.map_or("", |id| id.as_str());
    let (org, state) = (
        scope.org_id().as_str(),
        filter.state.map_or("", ApprovalState::as_str),
    );
    let rows: Vec<ApprovalRow> = on!(tx, c => sqlx::query_as(LIST).bind(org).bind(now.ms()).bind(of).bind(state)
        .bind(i64::from(filter.page.size)).bind(filter.page.offset()).fetch_all(c).await)?;
    let total = on!(tx, c => sqlx::query_scalar(COUNT).bind(org).bind(now.ms()).bind(of).bind(state).fetch_one(c).await)?;
    let rows = rows
        .into_iter()
        .map(|row| row.into_approval().map(|approval| approval.summary));
    Ok(Page {
        rows: rows.collect::<Result<_, _>>()?,
        total,
        number: filter.page.number,
        size: filter.page.size,
    })
}

/// How many requests of somebody wait, and how many were made since.
pub async fn count_of(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    (now, since): (Timestamp, Timestamp),
) -> Result<(i64, i64), StoreError> {
    on!(tx, c => sqlx::query_as(COUNT_OF).bind(scope.org_id().as_str()).bind(account.as_str()).bind(now.ms()).bind(since.ms())
        .fetch_one(c).await)
}

/// Holds a request that waits, so that nobody else decides it or talks about it; tells whether it still does.
pub async fn hold(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let held: u64 = on!(tx, c => sqlx::query(HOLD).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(held == 1)
}

/// Keeps what was approved, as it was then.
pub async fn set_told_as(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    (told, reasons): (&Told, &[Reason]),
) -> Result<(), StoreError> {
    let told = serde_json::to_string(told).unwrap_or_default();
    let reasons = serde_json::to_string(reasons).unwrap_or_default();
    on!(tx, c => sqlx::query(SET_TOLD_AS).bind(scope.org_id().as_str()).bind(id.as_str()).bind(&told).bind(&reasons)
        .execute(c).await.map(drop))
}

/// Notes that the first secret of a key exists, if a request made the key.
pub async fn set_key_collected(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_KEY_COLLECTED).bind(scope.org_id().as_str()).bind(key.as_str()).bind(now.ms())
        .execute(c).await.map(drop))
}

/// Whose the secret of a key is to collect, and since when, if a request made it and nobody has.
pub async fn find_requester(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
) -> Result<Option<(AccountId, Timestamp)>, StoreError> {
    let found: Option<(String, i64)> = on!(tx, c => sqlx::query_as(FIND_REQUESTER).bind(scope.org_id().as_str()).bind(key.as_str())
        .fetch_optional(c).await)?;
    let place = RowPlace {
        table: "approvals",
        id: key.as_str(),
    };
    found
        .map(|(id, decided)| Ok((place.parsed("requested_by", &id)?, Timestamp::from_ms(decided))))
        .transpose()
}

/// A change of a key that has lapsed and was not noted as such.
pub async fn find_lapsed_of_key(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    now: Timestamp,
) -> Result<Option<ApprovalId>, StoreError> {
    let found: Option<String> = on!(tx, c => sqlx::query_scalar(FIND_LAPSED_OF_KEY).bind(scope.org_id().as_str())
        .bind(key.as_str()).bind(now.ms()).fetch_optional(c).await)?;
    let place = RowPlace {
        table: "approvals",
        id: key.as_str(),
    };
    found.map(|id| place.parsed("id", &id)).transpose()
}

/// Ends a request that waits; tells whether nobody else was faster.
pub async fn end(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    (state, by): (ApprovalState, &AccountId),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed: u64 = on!(tx, c => sqlx::query(END).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .bind(state.as_str()).bind(by.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Notes the key that an approved request made.
pub async fn set_key(tx: &mut Tx, scope: &OrgScope, id: &ApprovalId, key: &KeyId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_KEY).bind(scope.org_id().as_str()).bind(id.as_str()).bind(key.as_str()).execute(c).await.map(drop))
}

pub async fn insert_comment(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    by: &AccountId,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_COMMENT).bind(scope.org_id().as_str()).bind(id.as_str()).bind(by.as_str()).bind(now.ms()).bind(body).execute(c).await.map(drop))
}

pub async fn count_comments(tx: &mut Tx, scope: &OrgScope, id: &ApprovalId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_COMMENTS).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_one(c).await)
}

/// In the order in which they were written.
pub async fn list_comments(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
) -> Result<Vec<ApprovalComment>, StoreError> {
    let rows: Vec<(String, i64, String)> = on!(tx, c => sqlx::query_as(LIST_COMMENTS).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_all(c).await)?;
    let comment = |(by, at, text)| ApprovalComment {
        by,
        at: Timestamp::from_ms(at),
        text,
    };
    Ok(rows.into_iter().map(comment).collect())
}

#[derive(sqlx::FromRow)]
struct KeyApprovalRow {
    id: String,
    kind: String,
    requested_by_name: String,
    requested_at_ms: i64,
    requested_by: String,
}

/// What concerns a key now, if anything.
pub async fn find_of_key(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &KeyId,
    me: Option<&AccountId>,
    now: Timestamp,
) -> Result<Option<KeyApproval>, StoreError> {
    let row: Option<KeyApprovalRow> = on!(tx, c => sqlx::query_as(FIND_OF_KEY).bind(scope.org_id().as_str()).bind(key.as_str())
        .bind(now.ms()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let place = RowPlace {
        table: "approvals",
        id: &row.id,
    };
    Ok(Some(KeyApproval {
        id: place.parsed("id", &row.id)?,
        kind: place.required("kind", ApprovalKind::parse(&row.kind))?,
        requested_by_name: row.requested_by_name,
        requested_at: Timestamp::from_ms(row.requested_at_ms),
        mine: me.is_some_and(|me| me.as_str() == row.requested_by),
    }))
}

/// Requests whose time is over and that nobody has noted as lapsed, some at a time.
pub async fn list_lapsed(tx: &mut Tx, now: Timestamp) -> Result<Vec<(OrgId, ApprovalId)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_LAPSED).bind(now.ms()).fetch_all(c).await)?;
    let parsed = rows.into_iter().map(|(org, id)| {
        let place = RowPlace {
            table: "approvals",
            id: &id,
        };
        Ok((place.parsed("org_id", &org)?, place.parsed("id", &id)?))
    });
    parsed.collect()
}

/// Notes that a request has lapsed; tells whether it was not noted before.
pub async fn set_lapsed(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed: u64 = on!(tx, c => sqlx::query(SET_LAPSED).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Organisations with requests that wait, whose people were last told before `since`.
pub async fn list_untold(
    tx: &mut Tx,
    now: Timestamp,
    since: Timestamp,
) -> Result<Vec<(OrgId, String)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_UNTOLD).bind(now.ms()).bind(since.ms()).fetch_all(c).await)?;
    let parsed = rows.into_iter().map(|(org, name)| {
        let place = RowPlace {
            table: "organisations",
            id: &org,
        };
        Ok((place.parsed("id", &org)?, name))
    });
    parsed.collect()
}

/// Notes that an organisation's people are told now; tells whether nobody else told them since.
pub async fn set_told(
    tx: &mut Tx,
    scope: &OrgScope,
    now: Timestamp,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let changed: u64 = on!(tx, c => sqlx::query(SET_TOLD).bind(scope.org_id().as_str()).bind(now.ms()).bind(since.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}
