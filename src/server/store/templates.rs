//! Templates of keys.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{OrgId, TemplateId};
use crate::model::key::Environment;
use crate::model::scope::ScopeSet;
use crate::model::scope_group::GroupPreset;
use crate::model::template::{KeyTemplate, Starter};
use crate::model::text;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO key_templates (org_id, id, project_id, name, name_folded, description, environment, preset, scopes,
        restrictions, expiry, rotation_days, version, created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)";
    FIND = "SELECT id, project_id, name, description, environment, preset, scopes, restrictions, expiry, rotation_days, version
        FROM key_templates WHERE org_id = $1 AND id = $2";
    LIST = "SELECT id, project_id, name, description, environment, preset, scopes, restrictions, expiry, rotation_days, version
        FROM key_templates WHERE org_id = $1 ORDER BY created_at_ms, name_folded";
    COUNT = "SELECT COUNT(*) FROM key_templates WHERE org_id = $1";
    /// Only if nobody else saved meanwhile.
    UPDATE = "UPDATE key_templates SET project_id = $4, name = $5, name_folded = $6, description = $7, environment = $8, preset = $9,
        scopes = $10, restrictions = $11, expiry = $12, rotation_days = $13, version = version + 1
        WHERE org_id = $1 AND id = $2 AND version = $3";
    DELETE = "DELETE FROM key_templates WHERE org_id = $1 AND id = $2";
}

/// The columns of a template that people edit.
pub struct TemplateColumns<'a> {
    pub project_id: Option<&'a str>,
    pub name: &'a str,
    pub name_folded: &'a str,
    pub description: &'a str,
    pub environment: Option<&'a str>,
    pub preset: &'a str,
    pub scopes: &'a str,
    pub restrictions: Option<&'a str>,
    pub expiry: &'a str,
    pub rotation_days: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct TemplateRow {
    id: String,
    project_id: Option<String>,
    name: String,
    description: String,
    environment: Option<String>,
    preset: String,
    scopes: String,
    restrictions: Option<String>,
    expiry: String,
    rotation_days: Option<i64>,
    version: i64,
}

impl TryFrom<TemplateRow> for KeyTemplate {
    type Error = StoreError;

    fn try_from(row: TemplateRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "key_templates",
            id: &row.id,
        };
        let project = row.project_id.as_deref();
        let environment = row.environment.as_deref();
        let rules = row.restrictions.as_deref();
        Ok(Self {
            id: place.parsed("id", &row.id)?,
            project: project.map(|id| place.parsed("project_id", id)).transpose()?,
            environment: environment
                .map(|text| place.required("environment", Environment::parse(text)))
                .transpose()?,
            preset: place.required("preset", GroupPreset::parse(&row.preset))?,
            scopes: place.required("scopes", ScopeSet::from_stored(&row.scopes).ok())?,
            restrictions: rules
                .map(|text| place.required("restrictions", serde_json::from_str(text).ok()))
                .transpose()?
                .unwrap_or_default(),
            name: row.name,
            description: row.description,
            expiry: row.expiry,
            rotation_days: row.rotation_days,
            version: row.version,
        })
    }
}

/// Errors: `Taken` when another template has the name.
pub async fn insert(
    tx: &mut Tx,
    org: &OrgId,
    id: &str,
    new: &TemplateColumns<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(org.as_str()).bind(id).bind(new.project_id).bind(new.name).bind(new.name_folded)
        .bind(new.description).bind(new.environment).bind(new.preset).bind(new.scopes).bind(new.restrictions).bind(new.expiry)
        .bind(new.rotation_days).bind(now.ms()).execute(c).await.map(drop))
}

/// What every organisation begins with.
pub async fn insert_starters(
    tx: &mut Tx,
    org: &OrgId,
    starters: &[Starter],
    now: Timestamp,
) -> Result<(), StoreError> {
    for starter in starters {
        let new = TemplateColumns {
            project_id: None,
            name: starter.name,
            name_folded: &text::folded(starter.name),
            description: starter.description,
            environment: starter.environment.map(Environment::as_str),
            preset: starter.preset.as_str(),
            scopes: starter.scopes,
            restrictions: None,
            expiry: starter.expiry,
            rotation_days: None,
        };
        insert(tx, org, starter.id, &new, now).await?;
    }
    Ok(())
}

pub async fn find(tx: &mut Tx, scope: &OrgScope, id: &TemplateId) -> Result<Option<KeyTemplate>, StoreError> {
    let row: Option<TemplateRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)?;
    row.map(KeyTemplate::try_from).transpose()
}

/// In the order in which they were made.
pub async fn list(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<KeyTemplate>, StoreError> {
    let rows: Vec<TemplateRow> =
        on!(tx, c => sqlx::query_as(LIST).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter().map(KeyTemplate::try_from).collect()
}

pub async fn count(tx: &mut Tx, scope: &OrgScope) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT).bind(scope.org_id().as_str()).fetch_one(c).await)
}

/// `false` when it is gone or somebody else saved since `version`.
pub async fn set(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &TemplateId,
    version: i64,
    new: &TemplateColumns<'_>,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(UPDATE).bind(scope.org_id().as_str()).bind(id.as_str()).bind(version).bind(new.project_id)
        .bind(new.name).bind(new.name_folded).bind(new.description).bind(new.environment).bind(new.preset).bind(new.scopes)
        .bind(new.restrictions).bind(new.expiry).bind(new.rotation_days).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// `false` when it is gone.
pub async fn delete(tx: &mut Tx, scope: &OrgScope, id: &TemplateId) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(DELETE).bind(scope.org_id().as_str()).bind(id.as_str()).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
