//! Access reviews.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, OrgId, ReviewId};
use crate::model::org::MemberName;
use crate::model::review::{Assignment, OnUndecided, Progress, ReviewStatus, ReviewSummary};
use crate::model::time::Timestamp;

macro_rules! summary {
    () => {
        "SELECT r.id, r.name, r.filter, r.assignment, r.on_undecided, r.status, r.started_at_ms, r.started_by, a.name AS started_by_name,
        r.deadline_ms, r.ended_at_ms FROM reviews r JOIN accounts a ON a.id = r.started_by WHERE r.org_id = $1"
    };
}

statements! {
    INSERT = "INSERT INTO reviews (id, org_id, name, filter, assignment, on_undecided, status, started_at_ms, started_by, deadline_ms,
        reminded_week_at_ms, reminded_day_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, $10, $11)";
    LIST = concat!(summary!(), " AND ($4 = '' OR EXISTS (SELECT 1 FROM review_items i WHERE i.review_id = r.id AND i.reviewer_id = $4))
        ORDER BY r.started_at_ms DESC, r.id LIMIT $2 OFFSET $3");
    COUNT = "SELECT COUNT(*) FROM reviews r WHERE r.org_id = $1
        AND ($2 = '' OR EXISTS (SELECT 1 FROM review_items i WHERE i.review_id = r.id AND i.reviewer_id = $2))";
    FIND = concat!(summary!(), " AND r.id = $2");
    /// Changes nothing and takes the row's lock, while the review runs.
    HOLD = "UPDATE reviews SET status = status WHERE org_id = $1 AND id = $2 AND status = 'running'";
    END = "UPDATE reviews SET status = $3, ended_at_ms = $4 WHERE org_id = $1 AND id = $2 AND status = 'running'";
    LIST_DUE = "SELECT org_id, id FROM reviews WHERE status = 'running' AND deadline_ms <= $1 ORDER BY deadline_ms, id LIMIT 100";
    LIST_REMINDABLE = "SELECT org_id, id, CASE WHEN deadline_ms <= $2 THEN 1 ELSE 0 END FROM reviews WHERE status = 'running' AND deadline_ms > $1
        AND ((deadline_ms <= $2 AND reminded_day_at_ms IS NULL) OR (deadline_ms <= $3 AND reminded_week_at_ms IS NULL))
        ORDER BY deadline_ms, id LIMIT 100";
    /// The later reminder says all that the earlier one would.
    SET_REMINDED_DAY = "UPDATE reviews SET reminded_day_at_ms = $3, reminded_week_at_ms = COALESCE(reminded_week_at_ms, $3)
        WHERE org_id = $1 AND id = $2 AND status = 'running' AND reminded_day_at_ms IS NULL";
    SET_REMINDED_WEEK = "UPDATE reviews SET reminded_week_at_ms = $3
        WHERE org_id = $1 AND id = $2 AND status = 'running' AND reminded_week_at_ms IS NULL";
    LIST_OWNERS = "SELECT account_id FROM active_membership WHERE org_id = $1 AND role = 'owner' ORDER BY account_id";
    /// Who may review everybody's keys.
    LIST_ADMINS = "SELECT a.id, a.name FROM active_membership m JOIN accounts a ON a.id = m.account_id
        WHERE m.org_id = $1 AND m.role IN ('owner', 'admin') ORDER BY a.name, a.id";
}

/// A review that begins.
pub struct NewReview<'a> {
    pub id: &'a ReviewId,
    pub name: &'a str,
    pub filter: &'a str,
    pub assignment: Assignment,
    pub on_undecided: OnUndecided,
    pub started_by: &'a AccountId,
    pub deadline: Timestamp,
    /// Reminders that would come too soon after the start, as sent.
    pub reminded: (Option<i64>, Option<i64>),
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewReview<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(scope.org_id().as_str()).bind(new.name).bind(new.filter)
        .bind(new.assignment.as_str()).bind(new.on_undecided.as_str()).bind(now.ms()).bind(new.started_by.as_str())
        .bind(new.deadline.ms()).bind(new.reminded.0).bind(new.reminded.1).execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: String,
    name: String,
    filter: String,
    assignment: String,
    on_undecided: String,
    status: String,
    started_at_ms: i64,
    started_by: String,
    started_by_name: String,
    deadline_ms: i64,
    ended_at_ms: Option<i64>,
}

impl SummaryRow {
    fn into_summary(self) -> Result<ReviewSummary, StoreError> {
        let place = RowPlace {
            table: "reviews",
            id: &self.id,
        };
        Ok(ReviewSummary {
            id: place.parsed("id", &self.id)?,
            status: place.required("status", ReviewStatus::parse(&self.status))?,
            started_at: Timestamp::from_ms(self.started_at_ms),
            started_by: place.parsed("started_by", &self.started_by)?,
            deadline: Timestamp::from_ms(self.deadline_ms),
            ended_at: moment(self.ended_at_ms),
            assignment: place.required("assignment", Assignment::parse(&self.assignment))?,
            on_undecided: place.required("on_undecided", OnUndecided::parse(&self.on_undecided))?,
            filter: place.required("filter", serde_json::from_str(&self.filter).ok())?,
            progress: Progress::default(),
            mine: 0,
            name: self.name,
            started_by_name: self.started_by_name,
        })
    }
}

/// Reviews, the newest first; of one person only those with items of theirs.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    of: Option<&AccountId>,
    (limit, offset): (i64, i64),
) -> Result<(Vec<ReviewSummary>, i64), StoreError> {
    let of = of.map_or("", |id| id.as_str());
    let rows: Vec<SummaryRow> = on!(tx, c => sqlx::query_as(LIST).bind(scope.org_id().as_str()).bind(limit).bind(offset).bind(of)
        .fetch_all(c).await)?;
    let total: i64 =
        on!(tx, c => sqlx::query_scalar(COUNT).bind(scope.org_id().as_str()).bind(of).fetch_one(c).await)?;
    let rows = rows
        .into_iter()
        .map(SummaryRow::into_summary)
        .collect::<Result<_, _>>()?;
    Ok((rows, total))
}

pub async fn find(tx: &mut Tx, scope: &OrgScope, id: &ReviewId) -> Result<Option<ReviewSummary>, StoreError> {
    let row: Option<SummaryRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)?;
    row.map(SummaryRow::into_summary).transpose()
}

/// Makes whoever acts next on this review wait. `false` when it does not run (any more).
pub async fn hold(tx: &mut Tx, scope: &OrgScope, id: &ReviewId) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(HOLD).bind(scope.org_id().as_str()).bind(id.as_str()).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// `false` when it had ended before.
pub async fn end(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewId,
    status: ReviewStatus,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(END).bind(scope.org_id().as_str()).bind(review.as_str()).bind(status.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

fn named(org: &str, review: &str) -> Result<(OrgId, ReviewId), StoreError> {
    let place = RowPlace {
        table: "reviews",
        id: review,
    };
    Ok((place.parsed("org_id", org)?, place.parsed("id", review)?))
}

/// Running reviews of every organisation whose deadline has come.
pub async fn list_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<(OrgId, ReviewId)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_DUE).bind(now.ms()).fetch_all(c).await)?;
    rows.iter().map(|(org, review)| named(org, review)).collect()
}

/// Running reviews that a reminder is due of, and whether it is the last one.
pub async fn list_remindable(
    tx: &mut Tx,
    now: Timestamp,
    (day, week): (Timestamp, Timestamp),
) -> Result<Vec<(OrgId, ReviewId, bool)>, StoreError> {
    let rows: Vec<(String, String, i32)> = on!(tx, c => sqlx::query_as(LIST_REMINDABLE).bind(now.ms()).bind(day.ms()).bind(week.ms())
        .fetch_all(c).await)?;
    let read = |(org, review, last): &(String, String, i32)| {
        let (org, review) = named(org, review)?;
        Ok((org, review, *last == 1))
    };
    rows.iter().map(read).collect()
}

/// `false` when somebody else has sent it.
pub async fn set_reminded(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewId,
    last: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = if last { SET_REMINDED_DAY } else { SET_REMINDED_WEEK };
    let rows = on!(tx, c => sqlx::query(statement).bind(scope.org_id().as_str()).bind(review.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub(super) fn account_of(id: &str) -> Result<AccountId, StoreError> {
    let place = RowPlace {
        table: "accounts",
        id,
    };
    place.parsed("id", id)
}

pub async fn list_owners(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<AccountId>, StoreError> {
    let ids: Vec<String> =
        on!(tx, c => sqlx::query_scalar(LIST_OWNERS).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    ids.iter().map(|id| account_of(id)).collect()
}

/// Who may review everybody's keys.
pub async fn list_admins(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<MemberName>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_ADMINS).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    let read = |(id, name): (String, String)| {
        Ok(MemberName {
            account_id: account_of(&id)?,
            name,
        })
    };
    rows.into_iter().map(read).collect()
}
