//! What the security checklist counts: a few statements, whatever the number of keys.

use super::db::{Tx, on};
use super::error::StoreError;
use super::keys::traits;
use super::row::moment;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::security::{KeyFacts, PeopleFacts, ReviewFacts, TokenFacts};
use crate::model::time::Timestamp;

statements! {
    /// Adds up per project, owner, environment and traits in the order of the index `api_keys_concerns`, which holds all that
    /// is asked of a key, before it looks at project and owner: ten thousand keys are some dozens of groups.
    COUNT_KEYS = concat!("SELECT
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 THEN c.n ELSE 0 END), 0) AS BIGINT) AS all_keys,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 AND c.environment = 'live' THEN c.n ELSE 0 END), 0) AS BIGINT) AS live_keys,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 AND c.environment = 'live' THEN c.no_end ELSE 0 END), 0) AS BIGINT) AS no_end,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 AND c.environment = 'live' THEN c.any_address ELSE 0 END), 0) AS BIGINT) AS any_address,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 AND c.environment = 'live' THEN c.of_person ELSE 0 END), 0) AS BIGINT) AS of_person,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 THEN c.all_scopes ELSE 0 END), 0) AS BIGINT) AS all_scopes,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 THEN c.not_confirmed ELSE 0 END), 0) AS BIGINT) AS not_confirmed,
        CAST(COALESCE(SUM(CASE WHEN c.here = 1 THEN c.overdue ELSE 0 END), 0) AS BIGINT) AS overdue,
        CAST(COALESCE(SUM(CASE WHEN c.here = 0 THEN c.n ELSE 0 END), 0) AS BIGINT) AS owner_inactive
        FROM (SELECT g.environment, g.n, g.overdue, g.n * (g.traits % 2) AS no_end, g.n * (g.traits / 2 % 2) AS not_confirmed,
                g.n * (g.traits / 4 % 2) AS all_scopes, g.n * (g.traits / 8 % 2) AS any_address,
                CASE WHEN g.owner_account_id IS NULL THEN 0 ELSE g.n END AS of_person,
                CASE WHEN g.owner_account_id IS NULL OR m.account_id IS NOT NULL THEN 1 ELSE 0 END AS here
            FROM (SELECT k.project_id, k.owner_account_id, k.environment, ", traits!(), " AS traits, COUNT(*) AS n,
                    COUNT(*) FILTER (WHERE k.rotation_due_at_ms <= $2 AND COALESCE(k.overlap_until_ms, 0) <= $2) AS overdue
                FROM api_keys k WHERE k.org_id = $1 AND k.status = 'active' AND k.secret_count > 0
                    AND (k.expires_at_ms IS NULL OR k.expires_at_ms > $2) AND (k.not_before_ms IS NULL OR k.not_before_ms <= $2)
                GROUP BY k.project_id, k.owner_account_id, k.environment, ", traits!(), ") g
            JOIN projects p ON p.id = g.project_id AND p.status <> 'archived'
            LEFT JOIN active_membership m ON m.org_id = $1 AND m.account_id = g.owner_account_id) c");
    COUNT_PEOPLE = "SELECT COUNT(*), COUNT(*) FILTER (WHERE m.role = 'owner'), COUNT(*) FILTER (WHERE NOT EXISTS
            (SELECT 1 FROM factors f WHERE f.account_id = m.account_id AND f.confirmed_at_ms IS NOT NULL))
        FROM active_membership m WHERE m.org_id = $1";
    /// Tokens in force; those that are younger than $3 had no time to be used.
    COUNT_TOKENS = "SELECT COUNT(*), COUNT(*) FILTER (WHERE t.expires_at_ms IS NULL),
            COUNT(*) FILTER (WHERE t.created_at_ms <= $3 AND COALESCE(u.at_ms, 0) <= $3)
        FROM service_tokens t LEFT JOIN token_last_used u ON u.token_id = t.id
        WHERE t.org_id = $1 AND t.revoked_at_ms IS NULL AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2)";
    FIND_REVIEWS = "SELECT COUNT(*) FILTER (WHERE status = 'running'), MAX(CASE WHEN status = 'finished' THEN ended_at_ms END)
        FROM reviews WHERE org_id = $1";
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    all_keys: i64,
    live_keys: i64,
    no_end: i64,
    any_address: i64,
    of_person: i64,
    all_scopes: i64,
    not_confirmed: i64,
    overdue: i64,
    owner_inactive: i64,
}

/// Keys that pass now, by what is worth a look. How many are unused is counted elsewhere.
pub async fn count_keys(tx: &mut Tx, scope: &OrgScope, now: Timestamp) -> Result<KeyFacts, StoreError> {
    let row: KeyRow = on!(tx, c => sqlx::query_as(COUNT_KEYS).bind(scope.org_id().as_str()).bind(now.ms()).fetch_one(c).await)?;
    Ok(KeyFacts {
        all: row.all_keys,
        live: row.live_keys,
        no_end: row.no_end,
        any_address: row.any_address,
        of_person: row.of_person,
        all_scopes: row.all_scopes,
        not_confirmed: row.not_confirmed,
        overdue: row.overdue,
        owner_inactive: row.owner_inactive,
        unused: 0,
    })
}

/// Active members; `factor_is_asked` is the organisation's to say.
pub async fn count_people(
    tx: &mut Tx,
    scope: &OrgScope,
    factor_is_asked: bool,
) -> Result<PeopleFacts, StoreError> {
    let (active, owners, without_factor): (i64, i64, i64) =
        on!(tx, c => sqlx::query_as(COUNT_PEOPLE).bind(scope.org_id().as_str()).fetch_one(c).await)?;
    Ok(PeopleFacts {
        active,
        without_factor,
        owners,
        factor_is_asked,
    })
}

/// Service tokens in force, and those of them that were not used since a moment.
pub async fn count_tokens(
    tx: &mut Tx,
    scope: &OrgScope,
    since: Timestamp,
    now: Timestamp,
) -> Result<TokenFacts, StoreError> {
    let (active, no_end, unused): (i64, i64, i64) = on!(tx, c => sqlx::query_as(COUNT_TOKENS).bind(scope.org_id().as_str())
        .bind(now.ms()).bind(since.ms()).fetch_one(c).await)?;
    Ok(TokenFacts {
        active,
        no_end,
        unused,
    })
}

/// Whether a review runs, and when the last one was finished.
pub async fn find_reviews(tx: &mut Tx, scope: &OrgScope) -> Result<ReviewFacts, StoreError> {
    let (running, finished): (i64, Option<i64>) =
        on!(tx, c => sqlx::query_as(FIND_REVIEWS).bind(scope.org_id().as_str()).fetch_one(c).await)?;
    Ok(ReviewFacts {
        running: running > 0,
        finished_at: moment(finished),
    })
}
