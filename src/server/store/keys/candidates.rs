//! Keys that may be stopped with others: named one by one, or all that match a filter.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::hint;
use super::list::{badge, from_keys};
use super::narrow::{asked, narrowed, narrowing};
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key::{Badge, Environment, KeyFilter, KeyStatus};
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::RowPlace;
use crate::server::store::statements;

macro_rules! candidate {
    () => {
        concat!(
            "SELECT k.id, k.name, k.prefix, k.environment, k.owner_account_id, o.name AS owner_name, k.owner_team, k.status, ",
            badge!(),
            " AS badge, k.version, ",
            import_prefix!(),
            from_keys!(),
            " LEFT JOIN accounts o ON o.id = k.owner_account_id"
        )
    };
}

/// Begins the query for keys that are named one by one: $1 is the organisation, $2 is now.
const CANDIDATES: &str = concat!(candidate!(), " WHERE k.org_id = $1 AND k.id IN (");

statements! {
    /// Those of one owner alone where $10 names one.
    LIST_MATCHING = concat!(candidate!(), narrowed!(), " AND ($10 = '' OR k.owner_account_id = $10) ORDER BY k.created_at_ms DESC, k.id LIMIT $11");
}

/// A key that may be stopped with others.
pub struct Candidate {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub owner_account_id: Option<String>,
    pub owner: String,
    pub status: KeyStatus,
    pub badge: Badge,
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct CandidateRow {
    id: String,
    name: String,
    prefix: String,
    environment: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    status: String,
    badge: String,
    version: i64,
    import_prefix: Option<String>,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = StoreError;
    fn try_from(row: CandidateRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "api_keys",
            id: &row.id,
        };
        let id: KeyId = place.parsed("id", &row.id)?;
        let environment = place.required("environment", Environment::parse(&row.environment))?;
        Ok(Self {
            hint: hint(&row.prefix, environment, &id, row.import_prefix.as_deref()),
            status: place.required("status", KeyStatus::parse(&row.status))?,
            badge: place.required("badge", Badge::parse(&row.badge))?,
            owner: row.owner_name.unwrap_or(row.owner_team),
            id,
            name: row.name,
            environment,
            owner_account_id: row.owner_account_id,
            version: row.version,
        })
    }
}

/// Rows of a query that ends in an open list of ids: $1 is the organisation, $2 is now.
pub(super) async fn named_one_by_one<R>(
    tx: &mut Tx,
    begins: &str,
    (scope, keys): (&OrgScope, &[&KeyId]),
    now: Timestamp,
) -> Result<Vec<R>, StoreError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let numbers: Vec<String> = (0..keys.len()).map(|n| format!("${}", n + 3)).collect();
    let text = format!("{begins}{})", numbers.join(", "));
    on!(tx, c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(scope.org_id().as_str()).bind(now.ms());
        keys.iter().fold(query, |query, key| query.bind(key.as_str())).fetch_all(c).await
    })
}

/// Those of the keys that there are in this organisation.
pub async fn list_candidates(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[&KeyId],
    now: Timestamp,
) -> Result<Vec<Candidate>, StoreError> {
    let rows: Vec<CandidateRow> = named_one_by_one(tx, CANDIDATES, (scope, keys), now).await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

/// Keys that match a filter, the newest first, at most `most`; those of one owner alone where there is one.
pub async fn list_matching(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    (owner, most): (&str, usize),
    now: Timestamp,
) -> Result<Vec<Candidate>, StoreError> {
    let [a, b, c, d, e, f, g] = asked(filter);
    let statement = narrowing(tx, scope, filter, LIST_MATCHING, now).await?;
    let rows: Vec<CandidateRow> = on!(tx, q => sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(scope.org_id().as_str()).bind(now.ms())
        .bind(a).bind(b).bind(c).bind(d).bind(e).bind(f).bind(g).bind(owner).bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(q).await)?;
    rows.into_iter().map(Candidate::try_from).collect()
}
