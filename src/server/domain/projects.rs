//! Projects: create, edit, archive and restore. Archiving stops its keys at once; restoring lets them pass again.

use serde_json::json;

use super::DomainError;
use super::audit::{self, Entry};
use super::{import_formats, mint};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::ProjectId;
use crate::model::import_format::ImportFormat;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::project::{
    CatalogueScope, Project, ProjectChoice, ProjectName, ProjectStatus, ProjectSummary, parse_prefix,
};
use crate::model::resource::CatalogueResource;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::policies;
use crate::server::store::projects::{self as store, NewProject};
use crate::server::store::resources as resource_store;

/// A new project as typed.
pub struct ProjectDraft<'a> {
    pub name: &'a str,
    pub prefix: &'a str,
    pub scopes: Result<Vec<CatalogueScope>, FieldError>,
}

/// A new project, checked.
pub struct Checked {
    pub name: ProjectName,
    pub prefix: String,
    pub scopes: Vec<CatalogueScope>,
}

impl ProjectDraft<'_> {
    fn check(self) -> Result<Checked, DomainError> {
        let mut errors = Vec::new();
        let name = ProjectName::parse("name", self.name)
            .map_err(|error| errors.push(error))
            .ok();
        let prefix = parse_prefix("prefix", self.prefix)
            .map_err(|error| errors.push(error))
            .ok();
        let scopes = self.scopes.map_err(|error| errors.push(error)).ok();
        match (name, prefix, scopes) {
            (Some(name), Some(prefix), Some(scopes)) => Ok(Checked { name, prefix, scopes }),
            _ => Err(DomainError::Invalid(errors)),
        }
    }
}

pub async fn list(ctx: &Context, actor: &Actor) -> Result<Vec<ProjectSummary>, DomainError> {
    let scope = actor.require(Permission::ProjectsRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list(&mut tx, &scope).await?)
}

/// The projects that keys can be made for, with their catalogues.
pub async fn list_active(ctx: &Context, actor: &Actor) -> Result<Vec<Project>, DomainError> {
    let scope = actor.require(Permission::ProjectsRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list_active(&mut tx, &scope).await?)
}

/// The projects to choose from.
pub async fn choices(ctx: &Context, actor: &Actor) -> Result<Vec<ProjectChoice>, DomainError> {
    let scope = actor.require(Permission::ProjectsRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list_choices(&mut tx, &scope).await?)
}

pub async fn find(ctx: &Context, actor: &Actor, id: &ProjectId) -> Result<Project, DomainError> {
    let scope = actor.require(Permission::ProjectsRead)?;
    let mut tx = ctx.db.begin_read().await?;
    store::find(&mut tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)
}

/// The project of this slug, in the actor's organisation.
pub async fn find_by_slug(ctx: &Context, actor: &Actor, slug: &str) -> Result<Project, DomainError> {
    let scope = actor.require(Permission::ProjectsRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let id = store::find_id_by_slug(&mut tx, &scope, slug)
        .await?
        .ok_or(DomainError::NotFound)?;
    store::find(&mut tx, &scope, &id)
        .await?
        .ok_or(DomainError::NotFound)
}

pub async fn create(ctx: &Context, actor: &Actor, draft: ProjectDraft<'_>) -> Result<ProjectId, DomainError> {
    actor.require(Permission::ProjectsManage)?;
    let checked = draft.check()?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let id = insert(ctx, &mut tx, actor, &checked, now).await?;
    tx.commit().await?;
    Ok(id)
}

pub(super) async fn insert(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    project: &Checked,
    now: Timestamp,
) -> Result<ProjectId, DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let id = mint::project_id(ctx)?;
    let name = &project.name;
    let new = NewProject {
        id: &id,
        name: &name.shown,
        name_folded: &name.folded,
        slug: &name.slug,
        prefix: &project.prefix,
    };
    let message =
        "A project of this name, or of one that shortens to the same, exists already. Choose another name.";
    store::insert(tx, &scope, &new, now)
        .await
        .map_err(|error| DomainError::from(error).taken("name", message))?;
    store::set_scopes(tx, &id, &project.scopes).await?;
    let detail =
        json!({ "slug": name.slug, "prefix": project.prefix, "scopes": scope_names(&project.scopes) });
    let entry = Entry::new("project.created", "project", id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(id)
}

fn scope_names(scopes: &[CatalogueScope]) -> Vec<&str> {
    scopes.iter().map(|scope| scope.name.as_str()).collect()
}

fn sensitive_names(scopes: &[CatalogueScope]) -> Vec<&str> {
    let sensitive = scopes.iter().filter(|scope| scope.sensitive);
    sensitive.map(|scope| scope.name.as_str()).collect()
}

/// What is sensitive decides what a second person approves where the policy, or a planned one, asks for that. To take the
/// mark or the scope away is then to change the policy.
async fn refuse_unmarking(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    (before, scopes): (&Project, &[CatalogueScope]),
    now: Timestamp,
) -> Result<(), DomainError> {
    let after = sensitive_names(scopes);
    let mut lost = sensitive_names(&before.scopes);
    lost.retain(|name| !after.contains(name));
    if lost.is_empty() {
        return Ok(());
    }
    for environment in Environment::ALL {
        let standing = policies::find(tx, scope, *environment).await?;
        let planned = standing.plan.is_some_and(|plan| plan.policy.approvals.sensitive);
        if !(planned || standing.policy.approvals.sensitive) {
            continue;
        }
        if !actor.may(Permission::PolicyManage) {
            let message = format!(
                "The policy asks that a second person approves sensitive scopes, so only an owner makes {} plain or takes it out.",
                lost.join(", ")
            );
            return Err(FieldError::new("scopes", "sensitive", message).into());
        }
        actor.require_fresh(Permission::PolicyManage, now)?;
    }
    Ok(())
}

/// What was typed about a project.
pub struct ProjectEdit<'a> {
    pub name: &'a str,
    pub scopes: Result<Vec<CatalogueScope>, FieldError>,
    /// What keys look like that somebody else made; none leaves it as it is.
    pub formats: Result<Option<Vec<ImportFormat>>, FieldError>,
    /// None leaves them as they are.
    pub resources: Option<Result<Vec<CatalogueResource>, FieldError>>,
}

fn resource_names(resources: &[CatalogueResource]) -> Vec<&str> {
    resources.iter().map(|resource| resource.name.as_str()).collect()
}

/// Saves name, catalogues and import formats over the version that was edited. Scopes that keys already hold stay with those keys.
pub async fn edit(
    ctx: &Context,
    actor: &Actor,
    id: &ProjectId,
    version: i64,
    edit: ProjectEdit<'_>,
) -> Result<(), DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let mut errors = Vec::new();
    let name = ProjectName::parse("name", edit.name)
        .map_err(|error| errors.push(error))
        .ok();
    let scopes = edit.scopes.map_err(|error| errors.push(error)).ok();
    let formats = edit.formats.map_err(|error| errors.push(error)).ok();
    let resources = edit
        .resources
        .transpose()
        .map_err(|error| errors.push(error))
        .ok();
    let (Some(name), Some(scopes), Some(formats), Some(resources)) = (name, scopes, formats, resources)
    else {
        return Err(DomainError::Invalid(errors));
    };
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let before = store::find(&mut tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    let saved = store::set_name(&mut tx, &scope, id, version, &name.shown, &name.folded).await;
    let message = "Another project has this name already. Choose another one.";
    if !saved.map_err(|error| DomainError::from(error).taken("name", message))? {
        let message = "Somebody else saved this project while you were editing. Your changes are still in the form: \
                       compare them with the present state, then save again.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    refuse_unmarking(&mut tx, (actor, &scope), (&before, &scopes), now).await?;
    store::set_scopes(&mut tx, id, &scopes).await?;
    if let Some(resources) = &resources {
        resource_store::set(&mut tx, id, resources).await?;
    }
    let listed = resources.as_deref().unwrap_or(&before.resources);
    let mut detail = json!({
        "before": { "name": before.name, "scopes": scope_names(&before.scopes), "sensitive": sensitive_names(&before.scopes), "resources": resource_names(&before.resources) },
        "after": { "name": name.shown, "scopes": scope_names(&scopes), "sensitive": sensitive_names(&scopes), "resources": resource_names(listed) },
    });
    let mut are_formats_new = false;
    if let Some(formats) = formats.filter(|formats| !import_formats::are_equal(formats, &before.formats)) {
        import_formats::set(ctx, &mut tx, &before, &formats, now).await?;
        let words = |formats: &[ImportFormat]| formats.iter().map(ImportFormat::in_words).collect::<Vec<_>>();
        detail["before"]["importFormats"] = json!(words(&before.formats));
        detail["after"]["importFormats"] = json!(words(&formats));
        are_formats_new = true;
    }
    let entry = Entry::new("project.edited", "project", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    if are_formats_new {
        changes::record(&mut tx, ChangeKind::Import, id.as_str(), now).await?;
    }
    tx.commit().await?;
    if are_formats_new {
        ctx.key_cache.forget_imports();
    }
    Ok(())
}

/// Archives or restores. Doing it twice is no error and no second event.
pub async fn set_status(
    ctx: &Context,
    actor: &Actor,
    id: &ProjectId,
    status: ProjectStatus,
) -> Result<(), DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    store::find(&mut tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    if store::set_status(&mut tx, &scope, id, status).await? {
        let action = match status {
            ProjectStatus::Archived => "project.archived",
            ProjectStatus::Active => "project.restored",
        };
        audit::record(
            ctx,
            &mut tx,
            Some(scope.org_id()),
            actor,
            Entry::new(action, "project", id.as_str()),
            now,
        )
        .await?;
        changes::record(&mut tx, ChangeKind::Many, id.as_str(), now).await?;
    }
    tx.commit().await?;
    ctx.key_cache.forget_everything();
    Ok(())
}

/// Adds scopes that the catalogue lacks, at its end; who may not, hears which are missing.
pub(super) async fn extend_catalogue(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    scope: &OrgScope,
    project: &Project,
    missing: &[&str],
    now: Timestamp,
) -> Result<(), DomainError> {
    store::raise_version(tx, scope, &project.id).await?;
    for (offset, name) in (0_i64..).zip(missing) {
        let entry = crate::model::project::parse_catalogue_scope(name, "", false)?;
        let place = i64::try_from(project.scopes.len())
            .unwrap_or(i64::MAX)
            .saturating_add(offset);
        store::insert_scope(tx, &project.id, &entry, place).await?;
        let detail = json!({ "scope": name });
        let entry = Entry::new("project.scope_added", "project", project.id.as_str()).with(detail);
        audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    }
    Ok(())
}
