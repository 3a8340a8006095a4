//! Policies of organisations, and what they are held against.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{KeyId, OrgId};
use crate::model::key::{Environment, Owner};
use crate::model::policy::{Plan, Policy, PolicyStanding};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;

statements! {
    FIND = "SELECT rules, planned, planned_from_ms, version, changed_at_ms FROM policies WHERE org_id = $1 AND environment = $2";
    /// Only over the version that was read; 0 is that there was none.
    INSERT = "INSERT INTO policies (org_id, environment, rules, planned, planned_from_ms, version, changed_at_ms)
        VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT (org_id, environment) DO NOTHING";
    UPDATE = "UPDATE policies SET rules = $3, planned = $4, planned_from_ms = $5, version = version + 1, changed_at_ms = $6
        WHERE org_id = $1 AND environment = $2 AND version = $7";
    LIST_DUE = "SELECT org_id, environment FROM policies WHERE planned IS NOT NULL AND planned_from_ms <= $1 ORDER BY org_id, environment LIMIT 100";
    /// Keys that say no interval of their own follow the policy's.
    /// What changed hands stays due since then.
    SET_DUE = "UPDATE api_keys SET rotation_due_at_ms = CASE WHEN handed_on_at_ms >= secret_since_ms AND handed_on_at_ms < secret_since_ms + $3
            THEN handed_on_at_ms ELSE secret_since_ms + $3 END
        WHERE org_id = $1 AND environment = $2 AND rotation_days IS NULL AND status <> 'revoked' AND secret_count > 0";
    /// Keys that still pass, or may again.
    LIST_TERMS = "SELECT k.id, k.name, k.owner_account_id, o.name AS owner_name, k.owner_team, k.scopes, k.restrictions,
        k.created_at_ms, k.expires_at_ms, k.rotation_days, u.at_ms AS used_at_ms
        FROM api_keys k LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE k.org_id = $1 AND k.environment = $2 AND k.status <> 'revoked' AND (k.expires_at_ms IS NULL OR k.expires_at_ms > $3)
        ORDER BY u.at_ms DESC NULLS LAST, k.id";
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    rules: String,
    planned: Option<String>,
    planned_from_ms: Option<i64>,
    version: i64,
    changed_at_ms: i64,
}

/// The rules of an environment; those the product begins with where nobody has changed any.
pub async fn find(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
) -> Result<PolicyStanding, StoreError> {
    let org = scope.org_id().as_str();
    let row: Option<PolicyRow> =
        on!(tx, c => sqlx::query_as(FIND).bind(org).bind(environment.as_str()).fetch_optional(c).await)?;
    let place = RowPlace {
        table: "policies",
        id: org,
    };
    let read = |text: &str, column| place.required(column, serde_json::from_str::<Policy>(text).ok());
    let Some(row) = row else {
        return Ok(PolicyStanding {
            environment,
            policy: Policy::default_of(environment),
            plan: None,
            version: 0,
            changed_at: None,
        });
    };
    let planned = row.planned.as_deref().map(|text| read(text, "planned"));
    let plan = planned.transpose()?.zip(moment(row.planned_from_ms));
    Ok(PolicyStanding {
        environment,
        policy: read(&row.rules, "rules")?,
        plan: plan.map(|(policy, from)| Plan { policy, from }),
        version: row.version,
        changed_at: Some(Timestamp::from_ms(row.changed_at_ms)),
    })
}

/// Saves rules and plan over the version that was read; tells whether nobody else was faster.
pub async fn save(
    tx: &mut Tx,
    scope: &OrgScope,
    standing: &PolicyStanding,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = |policy: &Policy| serde_json::to_string(policy).unwrap_or_default();
    let rules = text(&standing.policy);
    let planned = standing.plan.as_ref().map(|plan| text(&plan.policy));
    let from = standing.plan.as_ref().map(|plan| plan.from.ms());
    let environment = standing.environment.as_str();
    let org = scope.org_id().as_str();
    let done = match standing.version {
        0 => {
            on!(tx, c => sqlx::query(INSERT).bind(org).bind(environment).bind(&rules).bind(planned.as_deref())
                .bind(from).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?
        }
        version => {
            on!(tx, c => sqlx::query(UPDATE).bind(org).bind(environment).bind(&rules).bind(planned.as_deref())
                .bind(from).bind(now.ms()).bind(version).execute(c).await.map(|done| done.rows_affected()))?
        }
    };
    Ok(done == 1)
}

/// Plans whose time has come, some at a time.
pub async fn list_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<(OrgId, Environment)>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_DUE).bind(now.ms()).fetch_all(c).await)?;
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

/// Sets anew when keys that follow the policy are to rotate next.
pub async fn set_due(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    interval_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_DUE).bind(scope.org_id().as_str()).bind(environment.as_str()).bind(interval_ms)
        .execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct TermsRow {
    id: String,
    name: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    scopes: String,
    restrictions: Option<String>,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    rotation_days: Option<i64>,
    used_at_ms: Option<i64>,
}

/// A key with what of it a policy looks at.
pub struct KeyTerms {
    pub id: KeyId,
    pub name: String,
    pub owner: Owner,
    pub scopes: ScopeSet,
    /// As stored.
    pub restrictions: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub rotation_days: Option<i64>,
    pub last_used: Option<Timestamp>,
}

/// Every key of the environment that passes or may again, the most recently used first.
pub async fn list_terms(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    now: Timestamp,
) -> Result<Vec<KeyTerms>, StoreError> {
    let rows: Vec<TermsRow> = on!(tx, c => sqlx::query_as(LIST_TERMS).bind(scope.org_id().as_str())
        .bind(environment.as_str()).bind(now.ms()).fetch_all(c).await)?;
    rows.into_iter().map(TermsRow::into_terms).collect()
}

impl TermsRow {
    fn into_terms(self) -> Result<KeyTerms, StoreError> {
        let place = RowPlace {
            table: "api_keys",
            id: &self.id,
        };
        let owner = place.owner(self.owner_account_id.as_deref(), self.owner_name, self.owner_team)?;
        Ok(KeyTerms {
            id: place.parsed("id", &self.id)?,
            name: self.name,
            owner,
            scopes: place.required("scopes", ScopeSet::from_stored(&self.scopes).ok())?,
            restrictions: self.restrictions,
            created_at: Timestamp::from_ms(self.created_at_ms),
            expires_at: moment(self.expires_at_ms),
            rotation_days: self.rotation_days,
            last_used: moment(self.used_at_ms),
        })
    }
}
