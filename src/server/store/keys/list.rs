//! What is shown of keys: the filtered list, its counts, one key in full.

use sqlx::AssertSqlSafe;

use super::hint;
use super::narrow::{asked, narrowed, narrowing};
use crate::model::actor::OrgScope;
use crate::model::country::CountryCode;
use crate::model::id::KeyId;
use crate::model::key::{
    Badge, Environment, KeyCounts, KeyFilter, KeySort, KeyStatus, KeySummary, RevocationReason,
};
use crate::model::page::Page;
use crate::model::scope::ScopeSet;
use crate::model::time::{DAY_MS, Timestamp};
use crate::model::usage::LastUsed;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

/// The badge in SQL, in the precedence of `model::key::badge`; $2 is now. A store test compares the two.
macro_rules! badge {
    () => {
        "(CASE WHEN k.status = 'revoked' THEN 'revoked'
            WHEN k.secret_count = 0 THEN 'pending'
            WHEN k.status = 'disabled' OR p.status = 'archived' THEN 'disabled'
            WHEN k.expires_at_ms <= $2 THEN 'expired'
            WHEN k.not_before_ms > $2 THEN 'not_yet_valid'
            WHEN k.owner_account_id IS NOT NULL AND m.account_id IS NULL THEN 'owner_inactive'
            WHEN k.overlap_until_ms > $2 THEN 'rotating'
            WHEN k.rotation_due_at_ms <= $2 THEN 'rotation_overdue'
            ELSE 'active' END)"
    };
}

macro_rules! from_keys {
    () => {
        " FROM api_keys k JOIN projects p ON p.id = k.project_id
        LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id"
    };
}

pub(in crate::server::store) use {badge, from_keys};

/// One page, cut out of where the keys come from, with what narrows them more, before anything is read that is only shown.
macro_rules! page_of {
    ($from:literal, $more:literal, $order:literal) => {
        concat!(
            "SELECT k.id, k.name, k.prefix, k.environment, k.project_id, p.name AS project_name, k.owner_account_id,
            o.name AS owner_name, k.owner_team, k.scopes, k.created_at_ms, k.expires_at_ms, k.stored_at_ms,
            k.overlap_until_ms, k.rotation_due_at_ms, k.rotation_days, k.restrictions, ",
            import_prefix!(),
            ", ",
            badge!(),
            " AS badge, u.at_ms AS used_at_ms, u.ip AS used_ip, u.country AS used_country FROM (SELECT k.id FROM ",
            $from,
            narrowed!(),
            $more,
            " ORDER BY ",
            $order,
            " LIMIT $10 OFFSET $11) h JOIN api_keys k ON k.id = h.id JOIN projects p ON p.id = k.project_id
            LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
            LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN key_last_used u ON u.key_id = k.id ORDER BY ",
            $order
        )
    };
}

/// Everything that is shown of a key, with the names of whom it names; nothing of its secrets.
macro_rules! detail {
    () => {
        concat!(
            "SELECT k.id, k.name, k.prefix, k.environment, k.project_id, p.name AS project_name,
        k.owner_account_id, o.name AS owner_name, k.owner_team, k.scopes, k.created_at_ms, k.expires_at_ms, k.stored_at_ms,
            k.overlap_until_ms, k.rotation_due_at_ms, k.rotation_days, k.restrictions, ", import_prefix!(), ", ",
        badge!(), " AS badge, u.at_ms AS used_at_ms, u.ip AS used_ip, u.country AS used_country,
        k.purpose, k.status, p.status AS project_status, k.created_by_type, k.created_by_id, cb.name AS created_by_name,
        k.stored_note, k.disabled_at_ms, k.revoked_at_ms, k.revoked_by_type, k.revoked_by_id, rb.name AS revoked_by_name,
        k.revoked_reason, k.revoked_note, k.secret_since_ms, k.handed_on_at_ms, k.not_before_ms, k.version", from_keys!(),
        " LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN key_last_used u ON u.key_id = k.id
        LEFT JOIN accounts cb ON cb.id = k.created_by_id LEFT JOIN accounts rb ON rb.id = k.revoked_by_id "
        )
    };
}

pub(super) use detail;

statements! {
    LIST_BY_CREATED = page_of!("api_keys k", "", "k.created_at_ms DESC, k.id");
    /// The same where so many keys match that the first are soon found in the index that has the order. The others are found in
    /// `api_keys_facts` and sorted; it lacks the column that is asked for here.
    LIST_NEWEST = page_of!("api_keys k", " AND k.version > 0", "k.created_at_ms DESC, k.id");
    LIST_BY_NAME = page_of!("api_keys k", "", "k.name_folded, k.id");
    LIST_IN_NAME_ORDER = page_of!("api_keys k", " AND k.version > 0", "k.name_folded, k.id");
    LIST_BY_EXPIRY = page_of!("api_keys k", "", "k.expires_at_ms NULLS LAST, k.id");
    /// Keys by their last use, then those without one: each in the order of an index.
    LIST_USED = page_of!("key_last_used u CROSS JOIN api_keys k", " AND u.org_id = $1 AND k.id = u.key_id", "u.at_ms DESC, u.key_id");
    LIST_NEVER_USED = page_of!("api_keys k", " AND NOT EXISTS (SELECT 1 FROM key_last_used n WHERE n.key_id = k.id AND n.org_id = $1)", "k.id");
    COUNT_USED = concat!("SELECT COUNT(*) FROM key_last_used u CROSS JOIN api_keys k", narrowed!(), " AND u.org_id = $1 AND k.id = u.key_id");
    COUNT = concat!("SELECT COUNT(*) FROM api_keys k", narrowed!());
    COUNT_IN_USE = "SELECT COUNT(*) FROM api_keys WHERE org_id = $1 AND status IN ('active', 'disabled')";
    COUNT_UP_TO_ONE = "SELECT COUNT(*) FROM (SELECT 1 FROM api_keys WHERE org_id = $1 LIMIT 1) k";
    /// For a review: each key with its owner, if that is an active member who may decide.
    LIST_REVIEWABLE = concat!("SELECT k.id, k.owner_account_id, CASE WHEN m.role <> 'auditor' THEN m.account_id END", from_keys!(),
        narrowed!(), " AND k.status <> 'revoked' ORDER BY k.id LIMIT $10");
    /// By the stored text of their restrictions: whatever else is in it has its quotation marks escaped.
    COUNT_BY_COUNTRY = "SELECT COUNT(*) FROM api_keys WHERE status <> 'revoked' AND restrictions LIKE '%\"countries\":{%'";
    COUNT_REVIEWABLE = concat!("SELECT COUNT(*) FROM api_keys k", narrowed!(), " AND k.status <> 'revoked'");
    /// Adds up per project and owner, in the order of the index, before it looks at either: ten thousand keys are a handful of
    /// groups.
    COUNT_BY_BADGE = "SELECT CAST(COALESCE(SUM(g.valid), 0) AS BIGINT), CAST(COALESCE(SUM(g.not_confirmed), 0) AS BIGINT),
        CAST(COALESCE(SUM(g.expiring), 0) AS BIGINT), CAST(COALESCE(SUM(g.overdue), 0) AS BIGINT),
        (SELECT COUNT(*) FROM api_keys WHERE org_id = $1 AND secret_count = 0 AND status <> 'revoked'),
        (SELECT COUNT(*) FROM api_keys WHERE org_id = $1)
        FROM (SELECT org_id, project_id, owner_account_id, COUNT(*) AS valid, COUNT(*) - COUNT(stored_at_ms) AS not_confirmed,
                COUNT(*) FILTER (WHERE expires_at_ms <= $3) AS expiring,
                COUNT(*) FILTER (WHERE rotation_due_at_ms <= $2 AND COALESCE(not_before_ms, $2) <= $2
                    AND COALESCE(overlap_until_ms, 0) <= $2) AS overdue
            FROM api_keys WHERE org_id = $1 AND status = 'active' AND secret_count > 0 AND COALESCE(expires_at_ms, $2 + 1) > $2
            GROUP BY org_id, project_id, owner_account_id) g
        JOIN projects p ON p.id = g.project_id AND p.status <> 'archived'
        LEFT JOIN active_membership m ON m.org_id = g.org_id AND m.account_id = g.owner_account_id
        WHERE g.owner_account_id IS NULL OR m.account_id IS NOT NULL";
    FIND_DETAIL = concat!(detail!(), " WHERE k.org_id = $1 AND k.id = $3");
}

#[derive(sqlx::FromRow)]
pub(super) struct SummaryRow {
    id: String,
    name: String,
    prefix: String,
    environment: String,
    project_id: String,
    project_name: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    scopes: String,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    stored_at_ms: Option<i64>,
    overlap_until_ms: Option<i64>,
    rotation_due_at_ms: Option<i64>,
    rotation_days: Option<i64>,
    restrictions: Option<String>,
    import_prefix: Option<String>,
    badge: String,
    used_at_ms: Option<i64>,
    used_ip: Option<String>,
    used_country: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(super) struct FullRow {
    #[sqlx(flatten)]
    summary: SummaryRow,
    purpose: String,
    status: String,
    project_status: String,
    created_by_type: String,
    created_by_id: String,
    created_by_name: Option<String>,
    stored_note: String,
    disabled_at_ms: Option<i64>,
    revoked_at_ms: Option<i64>,
    revoked_by_type: Option<String>,
    revoked_by_id: Option<String>,
    revoked_by_name: Option<String>,
    revoked_reason: Option<String>,
    revoked_note: String,
    secret_since_ms: i64,
    handed_on_at_ms: Option<i64>,
    not_before_ms: Option<i64>,
    version: i64,
}

/// One key in full, as far as its row tells.
pub struct DetailRow {
    pub summary: KeySummary,
    pub purpose: String,
    pub status: KeyStatus,
    pub project_archived: bool,
    /// Type, id and present name of who made it.
    pub created_by: (String, String, Option<String>),
    pub stored_note: String,
    pub disabled_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<(String, String, Option<String>)>,
    pub revoked_reason: Option<RevocationReason>,
    pub revoked_note: String,
    pub secret_since: Timestamp,
    pub handed_on_at: Option<Timestamp>,
    pub rotation_days: Option<i64>,
    /// As stored, and from when on the key passes.
    pub restrictions: (Option<String>, Option<Timestamp>),
    pub version: i64,
}

/// A key in the list, with what of it the policy looks at beside.
pub struct ListedKey {
    pub summary: KeySummary,
    /// As stored.
    pub restrictions: Option<String>,
    pub rotation_days: Option<i64>,
}

impl SummaryRow {
    fn into_listed(mut self) -> Result<ListedKey, StoreError> {
        Ok(ListedKey {
            restrictions: self.restrictions.take(),
            rotation_days: self.rotation_days,
            summary: self.into_summary()?,
        })
    }

    pub(super) fn into_summary(self) -> Result<KeySummary, StoreError> {
        let place = RowPlace {
            table: "api_keys",
            id: &self.id,
        };
        let id: KeyId = place.parsed("id", &self.id)?;
        let environment = place.required("environment", Environment::parse(&self.environment))?;
        let owner = place.owner(self.owner_account_id.as_deref(), self.owner_name, self.owner_team)?;
        Ok(KeySummary {
            hint: hint(&self.prefix, environment, &id, self.import_prefix.as_deref()),
            environment,
            project_id: place.parsed("project_id", &self.project_id)?,
            project_name: self.project_name,
            owner,
            scopes: place.required("scopes", ScopeSet::from_stored(&self.scopes).ok())?,
            badge: place.required("badge", Badge::parse(&self.badge))?,
            created_at: Timestamp::from_ms(self.created_at_ms),
            expires_at: moment(self.expires_at_ms),
            stored_at: moment(self.stored_at_ms),
            last_used: self.used_at_ms.map(|at| LastUsed {
                at: Timestamp::from_ms(at),
                ip: self.used_ip,
                country: self.used_country.as_deref().and_then(CountryCode::from_letters),
            }),
            overlap_until: moment(self.overlap_until_ms),
            rotation_due_at: moment(self.rotation_due_at_ms),
            week: Vec::new(),
            breaks_policy: false,
            may_manage: false,
            name: self.name,
            id,
        })
    }
}

/// One page of keys and how many match in all.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    now: Timestamp,
) -> Result<Page<ListedKey>, StoreError> {
    let page = filter.page;
    let place = (i64::from(page.size), page.offset());
    let question = (scope, filter, now);
    let total = match filter.is_narrowed() {
        true => count(tx, question, COUNT).await?,
        false => {
            on!(tx, c => sqlx::query_scalar(COUNT_IN_USE).bind(scope.org_id().as_str()).fetch_one(c).await)?
        }
    };
    let are_many = total > MANY;
    let rows = match filter.sort.unwrap_or(KeySort::Created) {
        KeySort::Created if are_many => cut(tx, question, LIST_NEWEST, place).await?,
        KeySort::Created => cut(tx, question, LIST_BY_CREATED, place).await?,
        KeySort::Name if are_many => cut(tx, question, LIST_IN_NAME_ORDER, place).await?,
        KeySort::Name => cut(tx, question, LIST_BY_NAME, place).await?,
        KeySort::Expires => cut(tx, question, LIST_BY_EXPIRY, place).await?,
        KeySort::LastUsed => by_last_use(tx, question, place).await?,
    };
    let rows = rows
        .into_iter()
        .map(SummaryRow::into_listed)
        .collect::<Result<_, _>>()?;
    Ok(Page {
        rows,
        total,
        number: page.number,
        size: page.size,
    })
}

/// Of so many keys that match, the first in an order are found sooner by looking along it than by sorting all; unless they are
/// all at its other end, which costs as much as looking at every key.
const MANY: i64 = 400;

/// In which organisation, what is asked for, and when.
type Question<'a> = (&'a OrgScope, &'a KeyFilter, Timestamp);

async fn cut(
    tx: &mut Tx,
    (scope, filter, now): Question<'_>,
    statement: &'static str,
    (size, offset): (i64, i64),
) -> Result<Vec<SummaryRow>, StoreError> {
    let statement = narrowing(tx, scope, filter, statement, now).await?;
    let [a, b, c, d, e, f, g] = asked(filter);
    on!(tx, q => sqlx::query_as(AssertSqlSafe(statement)).bind(scope.org_id().as_str()).bind(now.ms()).bind(a).bind(b).bind(c)
        .bind(d).bind(e).bind(f).bind(g).bind(size).bind(offset).fetch_all(q).await)
}

async fn count(
    tx: &mut Tx,
    (scope, filter, now): Question<'_>,
    statement: &'static str,
) -> Result<i64, StoreError> {
    let statement = narrowing(tx, scope, filter, statement, now).await?;
    let [a, b, c, d, e, f, g] = asked(filter);
    on!(tx, q => sqlx::query_scalar(AssertSqlSafe(statement)).bind(scope.org_id().as_str()).bind(now.ms()).bind(a).bind(b).bind(c)
        .bind(d).bind(e).bind(f).bind(g).fetch_one(q).await)
}

/// Those that were used, the last one first, and only where they end those that never were.
async fn by_last_use(
    tx: &mut Tx,
    question: Question<'_>,
    (size, offset): (i64, i64),
) -> Result<Vec<SummaryRow>, StoreError> {
    let mut rows = cut(tx, question, LIST_USED, (size, offset)).await?;
    let shown = i64::try_from(rows.len()).unwrap_or(size);
    if shown < size {
        let used = match shown {
            0 if offset > 0 => count(tx, question, COUNT_USED).await?,
            _ => offset + shown,
        };
        let place = (size - shown, (offset - used).max(0));
        rows.extend(cut(tx, question, LIST_NEVER_USED, place).await?);
    }
    Ok(rows)
}

/// Keys of every organisation that have a rule about countries and are not revoked.
pub async fn count_by_country(tx: &mut Tx) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_BY_COUNTRY).fetch_one(c).await)
}

/// A key of a review: its id, its owner, and the owner again if they may decide about it.
pub type Reviewable = (String, Option<String>, Option<String>);

/// Every key that matches and is not revoked; at most `most`.
pub async fn list_reviewable(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Reviewable>, StoreError> {
    let [a, b, c, d, e, f, g] = asked(filter);
    let statement = narrowing(tx, scope, filter, LIST_REVIEWABLE, now).await?;
    on!(tx, q => sqlx::query_as(AssertSqlSafe(statement)).bind(scope.org_id().as_str()).bind(now.ms()).bind(&a).bind(&b).bind(&c)
        .bind(&d).bind(&e).bind(&f).bind(&g).bind(most).fetch_all(q).await)
}

/// How many those are.
pub async fn count_reviewable(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    now: Timestamp,
) -> Result<i64, StoreError> {
    count(tx, (scope, filter, now), COUNT_REVIEWABLE).await
}

/// 1 if there is a key in the organisation, revoked or not.
pub async fn count_up_to_one(tx: &mut Tx, scope: &OrgScope) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_UP_TO_ONE).bind(scope.org_id().as_str()).fetch_one(c).await)
}

pub async fn counts(tx: &mut Tx, scope: &OrgScope, now: Timestamp) -> Result<KeyCounts, StoreError> {
    let soon = now.plus_ms(14 * DAY_MS);
    let (active, not_confirmed, expiring, overdue, pending, all): (i64, i64, i64, i64, i64, i64) = on!(tx, c => sqlx::query_as(COUNT_BY_BADGE)
        .bind(scope.org_id().as_str()).bind(now.ms()).bind(soon.ms()).fetch_one(c).await)?;
    Ok(KeyCounts {
        active,
        not_confirmed,
        expiring,
        overdue,
        pending,
        all,
    })
}

pub async fn find_detail(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    now: Timestamp,
) -> Result<Option<DetailRow>, StoreError> {
    let row: Option<FullRow> = on!(tx, c => sqlx::query_as(FIND_DETAIL).bind(scope.org_id().as_str()).bind(now.ms())
        .bind(id.as_str()).fetch_optional(c).await)?;
    row.map(FullRow::into_detail).transpose()
}

impl FullRow {
    pub(super) fn into_detail(mut self) -> Result<DetailRow, StoreError> {
        let id = self.summary.id.clone();
        let place = RowPlace {
            table: "api_keys",
            id: &id,
        };
        let reason = self.revoked_reason.as_deref();
        let revoked_by_name = self.revoked_by_name;
        Ok(DetailRow {
            rotation_days: self.summary.rotation_days,
            restrictions: (self.summary.restrictions.take(), moment(self.not_before_ms)),
            summary: self.summary.into_summary()?,
            purpose: self.purpose,
            status: place.required("status", KeyStatus::parse(&self.status))?,
            project_archived: self.project_status == "archived",
            created_by: (self.created_by_type, self.created_by_id, self.created_by_name),
            stored_note: self.stored_note,
            disabled_at: moment(self.disabled_at_ms),
            revoked_at: moment(self.revoked_at_ms),
            revoked_by: self
                .revoked_by_type
                .zip(self.revoked_by_id)
                .map(|(kind, id)| (kind, id, revoked_by_name)),
            revoked_reason: reason
                .map(|text| place.required("revoked_reason", RevocationReason::parse(text)))
                .transpose()?,
            revoked_note: self.revoked_note,
            secret_since: Timestamp::from_ms(self.secret_since_ms),
            handed_on_at: moment(self.handed_on_at_ms),
            version: self.version,
        })
    }
}
