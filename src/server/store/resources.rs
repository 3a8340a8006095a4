//! The resources that projects list.

use std::collections::HashMap;

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::ProjectId;
use crate::model::resource::CatalogueResource;

statements! {
    LIST = "SELECT name, description FROM project_resources WHERE project_id = $1 ORDER BY place";
    LIST_ACTIVE = "SELECT r.project_id, r.name, r.description FROM project_resources r
        JOIN projects p ON p.id = r.project_id WHERE p.org_id = $1 AND p.status = 'active' ORDER BY r.project_id, r.place";
    DELETE = "DELETE FROM project_resources WHERE project_id = $1";
    INSERT = "INSERT INTO project_resources (project_id, name, description, place) VALUES ($1, $2, $3, $4)";
}

/// The resources of a project that was found through its organisation.
pub async fn list(tx: &mut Tx, project: &str) -> Result<Vec<CatalogueResource>, StoreError> {
    let rows: Vec<(String, String)> = on!(tx, c => sqlx::query_as(LIST).bind(project).fetch_all(c).await)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Those of every project in use, by the project's id.
pub async fn list_active(
    tx: &mut Tx,
    scope: &OrgScope,
) -> Result<HashMap<String, Vec<CatalogueResource>>, StoreError> {
    let rows: Vec<(String, String, String)> =
        on!(tx, c => sqlx::query_as(LIST_ACTIVE).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    let mut all: HashMap<String, Vec<CatalogueResource>> = HashMap::new();
    for (project, name, description) in rows {
        all.entry(project).or_default().push(entry((name, description)));
    }
    Ok(all)
}

fn entry((name, description): (String, String)) -> CatalogueResource {
    CatalogueResource { name, description }
}

/// Replaces the catalogue, in the order given.
pub async fn set(
    tx: &mut Tx,
    project: &ProjectId,
    resources: &[CatalogueResource],
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE).bind(project.as_str()).execute(c).await.map(drop))?;
    for (place, resource) in (0_i64..).zip(resources) {
        on!(tx, c => sqlx::query(INSERT).bind(project.as_str()).bind(&resource.name).bind(&resource.description).bind(place)
            .execute(c).await.map(drop))?;
    }
    Ok(())
}
