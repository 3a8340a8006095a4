//! Projects.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::ProjectId;
use crate::model::project::{Project, ProjectStatus, ProjectSummary};

#[server(endpoint = "projects/list")]
pub async fn list_projects() -> Result<Vec<ProjectSummary>, AppError> {
    use crate::server::{domain::projects, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(&ctx, &actor, "projects.list", projects::list(&ctx, &actor).await).await
}

#[server(endpoint = "projects/get")]
pub async fn get_project(id: ProjectId) -> Result<Project, AppError> {
    use crate::server::{domain::projects, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "projects.read",
        projects::find(&ctx, &actor, &id).await,
    )
    .await
}

/// Archives (its keys are refused at once) or restores.
#[server(endpoint = "projects/set-status")]
pub async fn set_project_status(project_id: ProjectId, status: ProjectStatus) -> Result<(), AppError> {
    use crate::server::{domain::projects, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "projects.archive",
        projects::set_status(&ctx, &actor, &project_id, status).await,
    )
    .await
}
