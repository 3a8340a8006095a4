//! Templates: what the form that creates a key may begin with. Whoever may create keys or ask for them reads them; whoever manages
//! projects edits them. Nothing of a key depends on one afterwards, so one can be deleted at any time.

use serde_json::{Value, json};

use super::audit::{self, Entry};
use super::keys::{issue, restrictions};
use super::{DomainError, mint, projects};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::TemplateId;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::project::ProjectChoice;
use crate::model::restriction::{Restrictions, RestrictionsDraft};
use crate::model::rotation::parse_interval;
use crate::model::scope::ScopeSet;
use crate::model::scope_group::GroupPreset;
use crate::model::template::{EXPIRIES, KeyTemplate, TEMPLATES_MAX, TemplateForm, TemplateList};
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::server::ctx::Context;
use crate::server::platform::zones;
use crate::server::store::db::Tx;
use crate::server::store::templates::{self as store, TemplateColumns};

/// A template as it was typed.
pub struct TemplateDraft<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// An id, or empty for all.
    pub project: &'a str,
    /// `live`, `test`, or empty for either.
    pub environment: &'a str,
    pub preset: &'a str,
    pub scopes: Vec<&'a str>,
    pub restrictions: RestrictionsDraft<'a>,
    pub expiry: &'a str,
    pub rotation_days: &'a str,
}

/// A template, checked: as it is without an id.
struct Checked {
    template: KeyTemplate,
    name_folded: String,
    scopes: String,
    restrictions: Option<String>,
}

pub async fn list(ctx: &Context, actor: &Actor) -> Result<Vec<KeyTemplate>, DomainError> {
    let scope = issue::require_some_way(actor)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list(&mut tx, &scope).await?)
}

/// All that the page of templates shows.
pub async fn page(ctx: &Context, actor: &Actor) -> Result<TemplateList, DomainError> {
    Ok(TemplateList {
        templates: list(ctx, actor).await?,
        projects: projects::choices(ctx, actor).await?,
        may_manage: actor.may(Permission::ProjectsManage),
    })
}

/// What the form offers, for a new one or for one that is edited.
pub async fn form(
    ctx: &Context,
    actor: &Actor,
    id: Option<&TemplateId>,
) -> Result<TemplateForm, DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let template = match id {
        Some(id) => {
            let mut tx = ctx.db.begin_read().await?;
            Some(find(&mut tx, &scope, id).await?)
        }
        None => None,
    };
    Ok(TemplateForm {
        now: ctx.clock.now(),
        template,
        projects: projects::choices(ctx, actor).await?,
        zones: zones::names(),
        country_database: ctx.countries.is_ready(),
    })
}

/// By its name, for the command line.
pub async fn find_by_name(ctx: &Context, actor: &Actor, name: &str) -> Result<KeyTemplate, DomainError> {
    let wanted = text::folded(name);
    let all = list(ctx, actor).await?;
    let found = all
        .into_iter()
        .find(|template| text::folded(&template.name) == wanted || template.id.as_str() == name);
    found.ok_or(DomainError::NotFound)
}

async fn find(tx: &mut Tx, scope: &OrgScope, id: &TemplateId) -> Result<KeyTemplate, DomainError> {
    store::find(tx, scope, id).await?.ok_or(DomainError::NotFound)
}

/// Makes a template. Errors: another one has the name; there are enough.
pub async fn create(
    ctx: &Context,
    actor: &Actor,
    draft: &TemplateDraft<'_>,
) -> Result<TemplateId, DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let known = projects::choices(ctx, actor).await?;
    let id = mint::template_id(ctx)?;
    let checked = check(draft, id, &known)?;
    restrictions::refuse_untold(&checked.template.restrictions, None, &ctx.countries)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    if store::count(&mut tx, &scope).await? >= i64::try_from(TEMPLATES_MAX).unwrap_or(i64::MAX) {
        let message =
            format!("There are {TEMPLATES_MAX} templates, and no more fit. Delete one that nobody uses.");
        return Err(DomainError::refused(Code::Conflict, message));
    }
    store::insert(&mut tx, scope.org_id(), id.as_str(), &checked.columns(), now)
        .await
        .map_err(taken)?;
    let entry = Entry::new("template.created", "template", id.as_str()).with(told(&checked.template));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Saves a template over the version that was edited.
pub async fn edit(
    ctx: &Context,
    actor: &Actor,
    id: &TemplateId,
    version: i64,
    draft: &TemplateDraft<'_>,
) -> Result<(), DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let known = projects::choices(ctx, actor).await?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let before = find(&mut tx, &scope, id).await?;
    let checked = check(draft, *id, &known)?;
    let (rules, former) = (&checked.template.restrictions, Some(&before.restrictions));
    restrictions::refuse_untold(rules, former, &ctx.countries)?;
    let saved = store::set(&mut tx, &scope, id, version, &checked.columns())
        .await
        .map_err(taken)?;
    if !saved {
        let message = "Somebody else saved this template while you were editing. Your changes are still in the form: \
                       compare them with the present state, then save again.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let detail = json!({ "before": told(&before), "after": told(&checked.template) });
    let entry = Entry::new("template.edited", "template", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// Deletes a template. Keys that began with it stay as they are, and so does a form that is being filled in.
pub async fn delete(ctx: &Context, actor: &Actor, id: &TemplateId) -> Result<(), DomainError> {
    let scope = actor.require(Permission::ProjectsManage)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let before = find(&mut tx, &scope, id).await?;
    if !store::delete(&mut tx, &scope, id).await? {
        return Err(DomainError::NotFound);
    }
    let entry = Entry::new("template.deleted", "template", id.as_str()).with(told(&before));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

fn taken(error: crate::server::store::error::StoreError) -> DomainError {
    DomainError::from(error).taken("name", "Another template has this name. Choose another.")
}

impl Checked {
    /// What the row holds.
    fn columns(&self) -> TemplateColumns<'_> {
        let template = &self.template;
        TemplateColumns {
            project_id: template.project.as_ref().map(|id| id.as_str()),
            name: &template.name,
            name_folded: &self.name_folded,
            description: &template.description,
            environment: template.environment.map(Environment::as_str),
            preset: template.preset.as_str(),
            scopes: &self.scopes,
            restrictions: self.restrictions.as_deref(),
            expiry: &template.expiry,
            rotation_days: template.rotation_days,
        }
    }
}

fn told(template: &KeyTemplate) -> Value {
    json!({
        "name": template.name, "description": template.description, "projectId": template.project,
        "environment": template.environment, "preset": template.preset, "scopes": template.scopes,
        "restrictions": template.restrictions, "expiry": template.expiry, "rotationDays": template.rotation_days,
    })
}

fn check(draft: &TemplateDraft<'_>, id: TemplateId, known: &[ProjectChoice]) -> Result<Checked, DomainError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut keep = |error: FieldError| errors.push(error);
    let name = text::line("name", "The name", draft.name, 1, NAME_MAX)
        .map_err(&mut keep)
        .ok();
    let description = text::line("description", "The description", draft.description, 0, NOTE_MAX)
        .map_err(&mut keep)
        .ok();
    let project = match draft.project {
        "" => Some(None),
        text => {
            let found = known.iter().find(|project| project.id.as_str() == text);
            let found = found.ok_or_else(|| {
                FieldError::new(
                    "project",
                    "choice",
                    "Choose one of your organisation’s projects, or all.",
                )
            });
            found.map(|project| Some(project.id)).map_err(&mut keep).ok()
        }
    };
    let environment = one_of("environment", draft.environment, Environment::parse)
        .map_err(&mut keep)
        .ok();
    let preset = GroupPreset::parse(draft.preset).filter(|preset| *preset != GroupPreset::Custom);
    let preset = preset
        .ok_or_else(|| {
            FieldError::new(
                "preset",
                "choice",
                "Choose what the template takes of the scopes.",
            )
        })
        .map_err(&mut keep)
        .ok();
    let scopes = ScopeSet::parse("scopes", draft.scopes.iter().copied())
        .map_err(&mut keep)
        .ok();
    let expiry = EXPIRIES.iter().find(|(value, _)| *value == draft.expiry);
    let expiry = expiry
        .ok_or_else(|| FieldError::new("expiry", "choice", "Choose how long a key is valid."))
        .map_err(&mut keep)
        .ok();
    let rotation_days = parse_interval(draft.rotation_days).map_err(&mut keep).ok();
    let rules = match restrictions::parse(&draft.restrictions) {
        Err(DomainError::Invalid(wrong)) => {
            wrong.into_iter().for_each(&mut keep);
            None
        }
        // A template outlives every first day.
        rules => Some(Restrictions {
            not_before: None,
            ..rules?
        }),
    };
    let (
        Some(name),
        Some(description),
        Some(project),
        Some(environment),
        Some(preset),
        Some(scopes),
        Some((expiry, _)),
        Some(rotation_days),
        Some(rules),
    ) = (
        name,
        description,
        project,
        environment,
        preset,
        scopes,
        expiry,
        rotation_days,
        rules,
    )
    else {
        return Err(DomainError::Invalid(errors));
    };
    let (restrictions, _) = restrictions::to_row(&rules)?;
    let template = KeyTemplate {
        id,
        name,
        description,
        project,
        environment,
        preset,
        scopes,
        restrictions: rules,
        expiry: (*expiry).to_owned(),
        rotation_days,
        version: 0,
    };
    Ok(Checked {
        name_folded: text::folded(&template.name),
        scopes: template.scopes.stored(),
        template,
        restrictions,
    })
}

/// A choice that may be left open.
fn one_of<T>(field: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, FieldError> {
    match text {
        "" => Ok(None),
        text => match parse(text) {
            Some(choice) => Ok(Some(choice)),
            None => Err(FieldError::new(
                field,
                "choice",
                "Choose one of those that are offered.",
            )),
        },
    }
}
