//! Keys that may be stopped with others: named one by one, or all that match a filter.

use super::against::narrowing;
use super::concern::concern;
use super::hint;
use super::list::{badge, badge_of, from_keys, narrowed};
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key::{Badge, Environment, KeyFilter, KeyStatus};
use crate::model::text::folded;
use crate::model::time::Timestamp;
use crate::server::store::db::{Connection, Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, beginning_with, containing};
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

/// Those of the keys that there are in this organisation.
pub async fn list_candidates(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[&KeyId],
    now: Timestamp,
) -> Result<Vec<Candidate>, StoreError> {
    macro_rules! select_from {
        ($db:ty, $c:expr) => {{
            let numbers: Vec<String> = (0..keys.len()).map(|n| format!("${}", n + 3)).collect();
            let text = format!("{CANDIDATES}{})", numbers.join(", "));
            let mut query = sqlx::query_as::<$db, CandidateRow>(sqlx::AssertSqlSafe(text))
                .bind(scope.org_id().as_str())
                .bind(now.ms());
            for key in keys {
                query = query.bind(key.as_str());
            }
            query.fetch_all($c).await?
        }};
    }
    let rows: Vec<CandidateRow> = match tx.connection() {
        Connection::Sqlite(c) => select_from!(sqlx::Sqlite, c),
        Connection::Postgres(c) => select_from!(sqlx::Postgres, c),
    };
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
    let search = filter.search.trim();
    let start = beginning_with(search);
    let statement = narrowing(tx, scope, filter, LIST_MATCHING, now)
        .await?
        .into_owned();
    let rows: Vec<CandidateRow> = on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(scope.org_id().as_str()).bind(now.ms())
        .bind(search).bind(containing(&folded(search))).bind(&start).bind(&start)
        .bind(filter.project.as_ref().map_or("", |id| id.as_str())).bind(filter.environment.map_or("", Environment::as_str))
        .bind(badge_of(filter)).bind(owner).bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(c).await)?;
    rows.into_iter().map(Candidate::try_from).collect()
}
