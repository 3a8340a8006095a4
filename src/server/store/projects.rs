//! Projects and their scope catalogues.

use std::collections::HashMap;

use super::db::{Tx, on};
use super::error::StoreError;
use super::resources;
use super::row::RowPlace;
use super::{import_formats, statements};
use crate::model::actor::OrgScope;
use crate::model::id::ProjectId;
use crate::model::import_format::ImportFormat;
use crate::model::project::{CatalogueScope, Project, ProjectChoice, ProjectStatus, ProjectSummary};
use crate::model::resource::CatalogueResource;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO projects (id, org_id, name, name_folded, slug, prefix, status, version, created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, 'active', 1, $7)";
    FIND = "SELECT id, name, slug, prefix, status, version, created_at_ms FROM projects WHERE org_id = $1 AND id = $2";
    FIND_ID_BY_SLUG = "SELECT id FROM projects WHERE org_id = $1 AND slug = $2";
    LIST = "SELECT p.id, p.name, p.slug, p.prefix, p.status, p.version, p.created_at_ms,
        (SELECT COUNT(*) FROM project_scopes s WHERE s.project_id = p.id) AS scope_count,
        (SELECT COUNT(*) FROM api_keys k WHERE k.org_id = p.org_id AND k.status IN ('active', 'disabled') AND k.project_id = p.id) AS key_count
        FROM projects p WHERE p.org_id = $1 ORDER BY p.status, p.name_folded";
    LIST_CHOICES = "SELECT id, name, status FROM projects WHERE org_id = $1 ORDER BY status, name_folded";
    LIST_SCOPES = "SELECT name, description, sensitive FROM project_scopes WHERE project_id = $1 ORDER BY place, name";
    LIST_ACTIVE = "SELECT id, name, slug, prefix, status, version, created_at_ms FROM projects
        WHERE org_id = $1 AND status = 'active' ORDER BY name_folded";
    LIST_ACTIVE_SCOPES = "SELECT s.project_id, s.name, s.description, s.sensitive FROM project_scopes s
        JOIN projects p ON p.id = s.project_id WHERE p.org_id = $1 AND p.status = 'active' ORDER BY s.project_id, s.place, s.name";
    LIST_ACTIVE_SCOPE_NAMES = "SELECT DISTINCT s.name FROM project_scopes s
        JOIN projects p ON p.id = s.project_id WHERE p.org_id = $1 AND p.status = 'active'";
    /// Only if nobody else saved meanwhile.
    SET_NAME = "UPDATE projects SET name = $4, name_folded = $5, version = version + 1
        WHERE org_id = $1 AND id = $2 AND version = $3";
    SET_STATUS = "UPDATE projects SET status = $3, version = version + 1 WHERE org_id = $1 AND id = $2 AND status <> $3";
    DELETE_SCOPES = "DELETE FROM project_scopes WHERE project_id = $1";
    INSERT_SCOPE = "INSERT INTO project_scopes (project_id, name, description, sensitive, place) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (project_id, name) DO NOTHING";
    RAISE_VERSION = "UPDATE projects SET version = version + 1 WHERE org_id = $1 AND id = $2";
}

pub struct NewProject<'a> {
    pub id: &'a ProjectId,
    pub name: &'a str,
    pub name_folded: &'a str,
    pub slug: &'a str,
    pub prefix: &'a str,
}

#[derive(sqlx::FromRow)]
struct ProjectRow {
    id: String,
    name: String,
    slug: String,
    prefix: String,
    status: String,
    version: i64,
    created_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    project: ProjectRow,
    scope_count: i64,
    key_count: i64,
}

#[derive(sqlx::FromRow)]
struct ScopeRow {
    name: String,
    description: String,
    sensitive: bool,
}

#[derive(sqlx::FromRow)]
struct OwnedScopeRow {
    project_id: String,
    #[sqlx(flatten)]
    scope: ScopeRow,
}

impl ScopeRow {
    fn into_scope(self) -> CatalogueScope {
        CatalogueScope {
            name: self.name,
            description: self.description,
            sensitive: self.sensitive,
        }
    }
}

impl ProjectRow {
    fn into_project(
        self,
        scopes: Vec<CatalogueScope>,
        formats: Vec<ImportFormat>,
        resources: Vec<CatalogueResource>,
    ) -> Result<Project, StoreError> {
        let place = RowPlace {
            table: "projects",
            id: &self.id,
        };
        Ok(Project {
            id: place.parsed("id", &self.id)?,
            status: place.required("status", ProjectStatus::parse(&self.status))?,
            name: self.name,
            slug: self.slug,
            prefix: self.prefix,
            scopes,
            formats,
            resources,
            version: self.version,
            created_at: Timestamp::from_ms(self.created_at_ms),
        })
    }
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewProject<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(scope.org_id().as_str()).bind(new.name).bind(new.name_folded)
        .bind(new.slug).bind(new.prefix).bind(now.ms()).execute(c).await.map(drop))
}

/// Replaces the catalogue, in the order given.
pub async fn set_scopes(
    tx: &mut Tx,
    project: &ProjectId,
    scopes: &[CatalogueScope],
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_SCOPES).bind(project.as_str()).execute(c).await.map(drop))?;
    for (place, scope) in (0_i64..).zip(scopes) {
        insert_scope(tx, project, scope, place).await?;
    }
    Ok(())
}

pub async fn insert_scope(
    tx: &mut Tx,
    project: &ProjectId,
    scope: &CatalogueScope,
    place: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_SCOPE).bind(project.as_str()).bind(&scope.name).bind(&scope.description)
        .bind(scope.sensitive).bind(place).execute(c).await.map(drop))
}

pub async fn find(tx: &mut Tx, scope: &OrgScope, id: &ProjectId) -> Result<Option<Project>, StoreError> {
    let row: Option<ProjectRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let scopes: Vec<ScopeRow> =
        on!(tx, c => sqlx::query_as(LIST_SCOPES).bind(id.as_str()).fetch_all(c).await)?;
    let formats = import_formats::list(tx, id).await?;
    let resources = resources::list(tx, id.as_str()).await?;
    let scopes = scopes.into_iter().map(ScopeRow::into_scope).collect();
    row.into_project(scopes, formats, resources).map(Some)
}

/// Projects in use with their catalogues, in three queries however many there are.
pub async fn list_active(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<Project>, StoreError> {
    let org = scope.org_id().as_str();
    let rows: Vec<ProjectRow> = on!(tx, c => sqlx::query_as(LIST_ACTIVE).bind(org).fetch_all(c).await)?;
    let scopes: Vec<OwnedScopeRow> =
        on!(tx, c => sqlx::query_as(LIST_ACTIVE_SCOPES).bind(org).fetch_all(c).await)?;
    let mut catalogues: HashMap<String, Vec<CatalogueScope>> = HashMap::new();
    for row in scopes {
        let catalogue = catalogues.entry(row.project_id).or_default();
        catalogue.push(row.scope.into_scope());
    }
    let mut formats = import_formats::list_active(tx, scope).await?;
    let mut resources = resources::list_active(tx, scope).await?;
    let with_scopes = |row: ProjectRow| {
        let scopes = catalogues.remove(&row.id).unwrap_or_default();
        let resources = resources.remove(&row.id).unwrap_or_default();
        let declared = row.id.parse().ok().and_then(|id| formats.remove(&id));
        row.into_project(scopes, declared.unwrap_or_default(), resources)
    };
    rows.into_iter().map(with_scopes).collect()
}

/// Every scope of every catalogue in use, each name once.
pub async fn list_active_scope_names(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(LIST_ACTIVE_SCOPE_NAMES).bind(scope.org_id().as_str()).fetch_all(c).await)
}

pub async fn find_id_by_slug(
    tx: &mut Tx,
    scope: &OrgScope,
    slug: &str,
) -> Result<Option<ProjectId>, StoreError> {
    let id: Option<String> = on!(tx, c => sqlx::query_scalar(FIND_ID_BY_SLUG).bind(scope.org_id().as_str()).bind(slug).fetch_optional(c).await)?;
    id.map(|id| {
        RowPlace {
            table: "projects",
            id: &id,
        }
        .parsed("id", &id)
    })
    .transpose()
}

/// What a choice of projects needs: counting their keys would take longer than all else on the page.
pub async fn list_choices(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<ProjectChoice>, StoreError> {
    let rows: Vec<(String, String, String)> =
        on!(tx, c => sqlx::query_as(LIST_CHOICES).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    let name = |(id, name, status): (String, String, String)| {
        let place = RowPlace {
            table: "projects",
            id: &id,
        };
        Ok(ProjectChoice {
            id: place.parsed("id", &id)?,
            name,
            status: place.required("status", ProjectStatus::parse(&status))?,
        })
    };
    rows.into_iter().map(name).collect()
}

/// Active ones first, then by name.
pub async fn list(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<ProjectSummary>, StoreError> {
    let rows: Vec<SummaryRow> =
        on!(tx, c => sqlx::query_as(LIST).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            let place = RowPlace {
                table: "projects",
                id: &row.project.id,
            };
            Ok(ProjectSummary {
                id: place.parsed("id", &row.project.id)?,
                status: place.required("status", ProjectStatus::parse(&row.project.status))?,
                name: row.project.name.clone(),
                slug: row.project.slug.clone(),
                prefix: row.project.prefix.clone(),
                scope_count: row.scope_count,
                key_count: row.key_count,
                created_at: Timestamp::from_ms(row.project.created_at_ms),
            })
        })
        .collect()
}

/// `false` when the project is gone or somebody else saved since `version`.
pub async fn set_name(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ProjectId,
    version: i64,
    name: &str,
    folded: &str,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_NAME).bind(scope.org_id().as_str()).bind(id.as_str()).bind(version).bind(name)
        .bind(folded).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// A form that was opened before notices that the project has changed since.
pub async fn raise_version(tx: &mut Tx, scope: &OrgScope, id: &ProjectId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(RAISE_VERSION).bind(scope.org_id().as_str()).bind(id.as_str()).execute(c).await.map(drop))
}

/// `false` when it already has that status or is gone.
pub async fn set_status(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &ProjectId,
    status: ProjectStatus,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_STATUS).bind(scope.org_id().as_str()).bind(id.as_str()).bind(status.as_str())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
