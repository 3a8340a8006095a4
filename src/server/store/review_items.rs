//! The keys of access reviews: whose turn each is, and what was decided.

use super::batch::{Batch, batch, run};
use super::db::{Tx, on};
use super::error::StoreError;
use super::keys::{badge, from_keys, hint, import_prefix};
use super::members::others_than;
use super::reviews::account_of;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, KeyId, ReviewId};
use crate::model::key::{Badge, Environment};
use crate::model::review::{Decision, Outcome, Progress, ReviewItem, ReviewSummary};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::usage::LastUsed;

/// Whether the chosen reviewer of an item may decide it: whoever looks after all keys any, a developer their own. People are
/// looked up once, not for each item.
macro_rules! able {
    () => {
        "(i.reviewer_id IN (SELECT t.account_id FROM active_membership t WHERE t.org_id = $1 AND t.role IN ('owner', 'admin'))
            OR (i.reviewer_id IN (SELECT t.account_id FROM active_membership t WHERE t.org_id = $1 AND t.role = 'developer')
                AND EXISTS (SELECT 1 FROM api_keys q WHERE q.id = i.key_id AND q.owner_account_id = i.reviewer_id)))"
    };
}

macro_rules! is_open {
    () => {
        "i.decided_at_ms IS NULL AND i.outcome IS NULL"
    };
}

/// Whose turn an item is: its reviewer's; or, when the reviewer may not decide it (any more), who began the review.
macro_rules! turn {
    ($starter:literal) => {
        concat!(
            "CASE WHEN ",
            able!(),
            " THEN i.reviewer_id ELSE ",
            $starter,
            " END"
        )
    };
}

/// Items with their keys. They are cut out by their ids, in an order, before keys and people are looked at: $1 is the
/// organisation, $2 now, $4 who began the review, $5 the review.
macro_rules! items_of {
    ($which:expr, $order:expr) => {
        concat!(
            "SELECT i.key_id, i.reviewer_id, t.id AS turn, i.decision, i.note, i.decided_at_ms, i.outcome, i.evidence,
            t.name AS turn_name, d.name AS decided_by_name, k.name, k.prefix, k.environment, p.name AS project_name,
            k.owner_account_id, o.name AS owner_name, k.owner_team, k.scopes, k.restrictions, k.not_before_ms, k.created_at_ms, ",
            import_prefix!(),
            ", ",
            badge!(),
            " AS badge, u.at_ms AS used_at_ms, u.ip AS used_ip",
            from_keys!(),
            " JOIN (SELECT i.key_id FROM review_items i WHERE i.review_id = $5 AND ",
            $which,
            ") h ON h.key_id = k.id JOIN review_items i ON i.review_id = $5 AND i.key_id = h.key_id
            JOIN accounts t ON t.id = ",
            turn!("$4"),
            " LEFT JOIN accounts d ON d.id = i.decided_by
            LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN key_last_used u ON u.key_id = k.id
            WHERE k.org_id = $1",
            $order
        )
    };
}

/// What is undecided first, then what whoever looks ($6) was chosen for.
macro_rules! undecided_first {
    () => {
        concat!(
            " ORDER BY CASE WHEN ",
            is_open!(),
            " THEN 0 ELSE 1 END, CASE WHEN i.reviewer_id = $6 THEN 0 ELSE 1 END, i.key_id"
        )
    };
}

statements! {
    /// By decision and outcome.
    PROGRESS = "SELECT COUNT(*), COUNT(*) FILTER (WHERE decision = 'keep'), COUNT(*) FILTER (WHERE decision = 'tighten'),
        COUNT(*) FILTER (WHERE decision = 'revoke'), COUNT(*) FILTER (WHERE outcome = 'disabled'),
        COUNT(*) FILTER (WHERE decided_at_ms IS NULL AND outcome IS NULL) FROM review_items WHERE review_id = $1";
    /// Undecided items of $3, who may decide them.
    COUNT_OWN = concat!("SELECT COUNT(*) FROM (SELECT 1 FROM review_items i WHERE i.review_id = $2 AND i.reviewer_id = $3 AND ",
        is_open!(), " AND ", able!(), " LIMIT $4) c");
    /// Undecided items of others who may not decide them (any more): found person by person, of whom there are few.
    COUNT_LEFT = concat!("SELECT COUNT(*) FROM (SELECT 1 FROM ", others_than!("'owner', 'admin'"), " t CROSS JOIN review_items i
        WHERE t.account_id <> $3 AND i.review_id = $2 AND i.reviewer_id = t.account_id AND ", is_open!(), " AND NOT EXISTS (SELECT 1
            FROM api_keys q WHERE q.id = i.key_id AND q.owner_account_id = t.account_id
            AND t.account_id IN (SELECT a.account_id FROM active_membership a WHERE a.org_id = $1 AND a.role = 'developer')) LIMIT $4) c");
    HAS_ITEMS_OF = "SELECT COUNT(*) FROM (SELECT 1 FROM review_items WHERE review_id = $1 AND reviewer_id = $2 LIMIT 1) i";
    /// The same items as they are counted, in the order of their index.
    LIST_OWN = items_of!(concat!("i.reviewer_id = $3 AND ", is_open!(), " AND ", able!(), " ORDER BY i.key_id LIMIT $6 OFFSET $7"),
        " ORDER BY i.key_id");
    LIST_LEFT = items_of!(concat!("i.reviewer_id <> $3 AND ", is_open!(), " AND NOT ", able!(), " ORDER BY i.key_id LIMIT $6 OFFSET $7"),
        " ORDER BY i.key_id");
    /// Of those that $3 was chosen for, or of all.
    LIST_ITEMS = items_of!(concat!("($3 = '' OR i.reviewer_id = $3) AND ($7 = 'all' OR ($7 = 'open' AND ", is_open!(), ") OR ($7 = 'decided' AND NOT (",
        is_open!(), ")))", undecided_first!(), " LIMIT $8 OFFSET $9"), undecided_first!());
    COUNT_ITEMS = concat!("SELECT COUNT(*) FROM review_items i WHERE i.review_id = $1 AND i.reviewer_id = $2
        AND ($3 = 'all' OR ($3 = 'open' AND ", is_open!(), ") OR ($3 = 'decided' AND NOT (", is_open!(), ")))");
    FIND_ITEM = items_of!("i.key_id = $3", "");
    /// Keys that nobody has decided about.
    LIST_OPEN = "SELECT key_id FROM review_items WHERE review_id = $1 AND decided_at_ms IS NULL AND outcome IS NULL ORDER BY key_id LIMIT $2";
    COUNT_OPEN = "SELECT COUNT(*) FROM review_items WHERE review_id = $1 AND decided_at_ms IS NULL AND outcome IS NULL";
    DECIDE = "UPDATE review_items SET decision = $3, note = $4, decided_at_ms = $5, decided_by = $6, evidence = $7
        WHERE review_id = $1 AND key_id = $2";
    SET_OUTCOME = "UPDATE review_items SET outcome = $3, evidence = $4
        WHERE review_id = $1 AND key_id = $2 AND decided_at_ms IS NULL AND outcome IS NULL";
    /// Keys that were revoked elsewhere need no decision.
    SET_REVOKED = "UPDATE review_items SET outcome = 'revoked' WHERE review_id = $1 AND decided_at_ms IS NULL AND outcome IS NULL
        AND key_id IN (SELECT k.id FROM api_keys k WHERE k.org_id = $2 AND k.status = 'revoked')";
    /// Whose turn how many items are.
    LIST_TURNS = concat!("SELECT j.turn, COUNT(*) FROM (SELECT ", turn!("$3"), " AS turn FROM review_items i WHERE i.review_id = $2
        AND ", is_open!(), ") j GROUP BY j.turn ORDER BY j.turn");
}

const INSERT_ITEMS: Batch = batch!(
    "INSERT_ITEMS",
    "INSERT INTO review_items (review_id, key_id, reviewer_id) SELECT value ->> 0, value ->> 1, value ->> 2",
    ""
);

/// The batch for the test that prepares every statement: name, then text for SQLite and for PostgreSQL.
#[must_use]
pub fn batches() -> [(&'static str, &'static str, &'static str); 1] {
    [INSERT_ITEMS.texts()]
}

/// Its keys and who reviews each, a thousand at a time.
pub async fn insert_items(
    tx: &mut Tx,
    review: &ReviewId,
    items: &[(String, String)],
) -> Result<(), StoreError> {
    let rows = items
        .iter()
        .map(|(key, reviewer)| (review.as_str(), key, reviewer));
    run(tx, &INSERT_ITEMS, rows.collect()).await
}

/// How many of its items are where. The tenant was checked before.
pub async fn progress(tx: &mut Tx, id: &ReviewId) -> Result<Progress, StoreError> {
    let (all, kept, tightened, revoked, disabled, open): (i64, i64, i64, i64, i64, i64) =
        on!(tx, c => sqlx::query_as(PROGRESS).bind(id.as_str()).fetch_one(c).await)?;
    Ok(Progress {
        all,
        kept,
        tightened,
        revoked,
        disabled,
        open,
    })
}

/// Whether somebody was chosen for any of its items.
pub async fn has_items_of(tx: &mut Tx, review: &ReviewId, account: &AccountId) -> Result<bool, StoreError> {
    let found: i64 = on!(tx, c => sqlx::query_scalar(HAS_ITEMS_OF).bind(review.as_str()).bind(account.as_str()).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Open items whose turn is this account's; no more than `most` are counted.
pub async fn count_turn(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    account: &AccountId,
    most: i64,
) -> Result<i64, StoreError> {
    let own = count_part(tx, scope, review, (COUNT_OWN, account, most)).await?;
    // What others cannot decide is left to whoever began the review.
    match review.started_by == *account && own < most {
        true => Ok(own + count_part(tx, scope, review, (COUNT_LEFT, account, most - own)).await?),
        false => Ok(own),
    }
}

async fn count_part(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    (statement, account, most): (&'static str, &AccountId, i64),
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(statement).bind(scope.org_id().as_str()).bind(review.id.as_str()).bind(account.as_str())
        .bind(most).fetch_one(c).await)
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    key_id: String,
    reviewer_id: String,
    turn: String,
    decision: Option<String>,
    note: String,
    decided_at_ms: Option<i64>,
    outcome: Option<String>,
    evidence: Option<String>,
    turn_name: Option<String>,
    decided_by_name: Option<String>,
    name: String,
    prefix: String,
    import_prefix: Option<String>,
    environment: String,
    project_name: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    scopes: String,
    restrictions: Option<String>,
    not_before_ms: Option<i64>,
    created_at_ms: i64,
    badge: String,
    used_at_ms: Option<i64>,
    used_ip: Option<String>,
}

/// An item with what its page does not show.
pub struct ItemFound {
    pub item: ReviewItem,
    /// Who was chosen, whatever became of them.
    pub chosen: String,
    pub scopes: ScopeSet,
    /// As stored, and from when on the key passes.
    pub restrictions: (Option<String>, Option<Timestamp>),
    pub evidence: Option<String>,
}

impl ItemRow {
    fn into_item(self) -> Result<ItemFound, StoreError> {
        let place = RowPlace {
            table: "review_items",
            id: &self.key_id,
        };
        let key_id: KeyId = place.parsed("key_id", &self.key_id)?;
        let environment = place.required("environment", Environment::parse(&self.environment))?;
        let scopes = place.required("scopes", ScopeSet::from_stored(&self.scopes).ok())?;
        let decision = self.decision.as_deref();
        let outcome = self.outcome.as_deref();
        let owner = self.owner_account_id.as_deref();
        let item = ReviewItem {
            key_id,
            hint: hint(&self.prefix, environment, &key_id, self.import_prefix.as_deref()),
            environment,
            owner_account: owner.map(|id| place.parsed("owner_account_id", id)).transpose()?,
            badge: place.required("badge", Badge::parse(&self.badge))?,
            scopes: scopes.iter().map(ToString::to_string).collect(),
            rules: Vec::new(),
            created_at: Timestamp::from_ms(self.created_at_ms),
            last_used: self.used_at_ms.map(|at| LastUsed {
                at: Timestamp::from_ms(at),
                ip: self.used_ip,
                country: None,
            }),
            advice: None,
            reviewer: place.parsed("reviewer_id", &self.turn)?,
            decision: decision
                .map(|text| place.required("decision", Decision::parse(text)))
                .transpose()?,
            decided_at: moment(self.decided_at_ms),
            outcome: outcome
                .map(|text| place.required("outcome", Outcome::parse(text)))
                .transpose()?,
            may_decide: false,
            name: self.name,
            project_name: self.project_name,
            owner: self.owner_name.unwrap_or(self.owner_team),
            reviewer_name: self.turn_name.unwrap_or_default(),
            note: self.note,
            decided_by: self.decided_by_name,
        };
        Ok(ItemFound {
            item,
            chosen: self.reviewer_id,
            scopes,
            restrictions: (self.restrictions, moment(self.not_before_ms)),
            evidence: self.evidence,
        })
    }
}

/// Which items of a review.
#[derive(Clone, Copy, Debug)]
pub struct ItemFilter<'a> {
    /// `all`, `open` or `decided`.
    pub which: &'static str,
    /// Of whom alone, as they were chosen.
    pub chosen: Option<&'a AccountId>,
    /// Whose items come first.
    pub first: Option<&'a AccountId>,
}

fn items(rows: Vec<ItemRow>) -> Result<Vec<ItemFound>, StoreError> {
    rows.into_iter().map(ItemRow::into_item).collect()
}

/// One page of items.
pub async fn list_items(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    filter: ItemFilter<'_>,
    (limit, offset): (i64, i64),
    now: Timestamp,
) -> Result<Vec<ItemFound>, StoreError> {
    let text = |id: Option<&AccountId>| id.map_or(String::new(), ToString::to_string);
    let rows = on!(tx, c => sqlx::query_as(LIST_ITEMS).bind(scope.org_id().as_str()).bind(now.ms()).bind(text(filter.chosen))
        .bind(review.started_by.as_str()).bind(review.id.as_str()).bind(text(filter.first)).bind(filter.which).bind(limit)
        .bind(offset).fetch_all(c).await)?;
    items(rows)
}

/// One page of the open items whose turn is this account's: those it was chosen for, then what is left to it.
pub async fn list_turn(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    account: &AccountId,
    (limit, offset): (i64, i64),
    now: Timestamp,
) -> Result<Vec<ItemFound>, StoreError> {
    let mut found = list_part(tx, scope, review, (LIST_OWN, account), (limit, offset), now).await?;
    let shown = i64::try_from(found.len()).unwrap_or(limit);
    if shown < limit && review.started_by == *account {
        let own = match shown {
            0 if offset > 0 => count_part(tx, scope, review, (COUNT_OWN, account, i64::MAX)).await?,
            _ => offset + shown,
        };
        let place = (limit - shown, (offset - own).max(0));
        found.extend(list_part(tx, scope, review, (LIST_LEFT, account), place, now).await?);
    }
    Ok(found)
}

async fn list_part(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    (statement, account): (&'static str, &AccountId),
    (limit, offset): (i64, i64),
    now: Timestamp,
) -> Result<Vec<ItemFound>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(statement).bind(scope.org_id().as_str()).bind(now.ms()).bind(account.as_str())
        .bind(review.started_by.as_str()).bind(review.id.as_str()).bind(limit).bind(offset).fetch_all(c).await)?;
    items(rows)
}

/// How many items somebody was chosen for: `all` of them, those that are `open`, or `decided`.
pub async fn count_chosen(
    tx: &mut Tx,
    review: &ReviewId,
    account: &AccountId,
    which: &'static str,
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_ITEMS).bind(review.as_str()).bind(account.as_str()).bind(which).fetch_one(c).await)
}

pub async fn find_item(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
    key: &KeyId,
    now: Timestamp,
) -> Result<Option<ItemFound>, StoreError> {
    let row: Option<ItemRow> = on!(tx, c => sqlx::query_as(FIND_ITEM).bind(scope.org_id().as_str()).bind(now.ms()).bind(key.as_str())
        .bind(review.started_by.as_str()).bind(review.id.as_str()).fetch_optional(c).await)?;
    row.map(ItemRow::into_item).transpose()
}

/// A decision as it is stored; none takes one back.
pub struct Decided<'a> {
    pub decision: Option<Decision>,
    pub note: &'a str,
    pub by: Option<&'a AccountId>,
    pub evidence: Option<&'a str>,
}

pub async fn decide(
    tx: &mut Tx,
    review: &ReviewId,
    key: &KeyId,
    decided: &Decided<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let at = decided.decision.map(|_| now.ms());
    on!(tx, c => sqlx::query(DECIDE).bind(review.as_str()).bind(key.as_str()).bind(decided.decision.map(Decision::as_str))
        .bind(decided.note).bind(at).bind(decided.by.map(AccountId::as_str)).bind(decided.evidence).execute(c).await.map(drop))
}

/// Some keys that nobody has decided about.
pub async fn list_open(tx: &mut Tx, review: &ReviewId, most: i64) -> Result<Vec<KeyId>, StoreError> {
    let ids: Vec<String> =
        on!(tx, c => sqlx::query_scalar(LIST_OPEN).bind(review.as_str()).bind(most).fetch_all(c).await)?;
    let read = |id: &String| {
        let place = RowPlace {
            table: "review_items",
            id,
        };
        place.parsed("key_id", id)
    };
    ids.iter().map(read).collect()
}

pub async fn count_open(tx: &mut Tx, review: &ReviewId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_OPEN).bind(review.as_str()).fetch_one(c).await)
}

pub async fn set_outcome(
    tx: &mut Tx,
    review: &ReviewId,
    key: &KeyId,
    outcome: Outcome,
    evidence: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_OUTCOME).bind(review.as_str()).bind(key.as_str()).bind(outcome.as_str()).bind(evidence)
        .execute(c).await.map(drop))
}

/// Notes of keys that were revoked elsewhere that nothing is left to decide.
pub async fn set_revoked(tx: &mut Tx, scope: &OrgScope, review: &ReviewId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_REVOKED).bind(review.as_str()).bind(scope.org_id().as_str()).execute(c).await.map(drop))
}

/// Whose turn how many open items are.
pub async fn list_turns(
    tx: &mut Tx,
    scope: &OrgScope,
    review: &ReviewSummary,
) -> Result<Vec<(AccountId, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = on!(tx, c => sqlx::query_as(LIST_TURNS).bind(scope.org_id().as_str()).bind(review.id.as_str())
        .bind(review.started_by.as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(account, open)| Ok((account_of(&account)?, open)))
        .collect()
}
