//! What a new key must meet: one check for those that are created and those that are imported.

use super::KeyDraft;
use crate::model::actor::Actor;
use crate::model::approval::Reason;
use crate::model::error::FieldError;
use crate::model::id::AccountId;
use crate::model::key::{Environment, Lifetime};
use crate::model::permission::Permission;
use crate::model::policy::Terms;
use crate::model::project::{Project, ProjectStatus};
use crate::model::restriction::Restrictions;
use crate::model::rotation::parse_interval;
use crate::model::scope::ScopeSet;
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::keys::restrictions;
use crate::server::domain::policy::{self, Policies};
use crate::server::platform::countries::CountryDatabase;

/// A new key that may be made, in its project.
pub(in crate::server::domain) struct Admitted<'a> {
    pub project: &'a Project,
    pub checked: Checked,
    /// Scopes that join the catalogue with it.
    pub missing: Vec<String>,
    /// Why a second person has to approve it; empty when nobody has to.
    pub reasons: Vec<Reason>,
}

/// Decides whether the actor may make this key: what it is called, whose it is, what it may do, from where and for how
/// long. Creating and importing both go through here and nowhere else, so a rule for new keys belongs here.
pub(in crate::server::domain::keys) fn admit<'a>(
    (actor, policies, countries): (&Actor, &Policies, &CountryDatabase),
    draft: &KeyDraft<'_>,
    project: Result<&'a Project, DomainError>,
    is_member: impl Fn(&AccountId) -> bool,
    now: Timestamp,
) -> Result<Admitted<'a>, DomainError> {
    let (project, checked) = both(project, check(draft, actor, now))?;
    check_owner(actor, &checked.owner, is_member)?;
    restrictions::refuse_untold(&checked.restrictions, None, countries)?;
    let policy = policies.of(checked.environment);
    policy::enforce(policy, &checked.terms(now))?;
    let missing = unlisted(&checked.scopes, project);
    let may_extend = draft.extend_catalogue && actor.may(Permission::ProjectsManage);
    if !missing.is_empty() && !may_extend {
        return Err(unlisted_error(&missing, project).into());
    }
    let missing = missing.into_iter().map(ToOwned::to_owned).collect();
    let reasons = policy
        .approvals
        .of_new(&checked.terms(now), project.sensitive_scopes(), now);
    Ok(Admitted {
        project,
        checked,
        missing,
        reasons,
    })
}

/// A new key, checked.
pub(in crate::server::domain) struct Checked {
    pub environment: Environment,
    pub name: String,
    pub purpose: String,
    pub owner: (Option<AccountId>, String),
    pub scopes: ScopeSet,
    pub lifetime: Lifetime,
    pub rotation_days: Option<i64>,
    pub restrictions: Restrictions,
}

impl Checked {
    /// The key as it would be, for the policy.
    fn terms(&self, now: Timestamp) -> Terms<'_> {
        Terms {
            scopes: &self.scopes,
            restrictions: &self.restrictions,
            created_at: now,
            expires_at: self.lifetime.expires_at(now),
            rotation_days: self.rotation_days,
        }
    }
}

fn check(draft: &KeyDraft<'_>, actor: &Actor, now: Timestamp) -> Result<Checked, DomainError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut keep = |error: FieldError| errors.push(error);
    let environment = Environment::parse(draft.environment)
        .ok_or_else(|| FieldError::new("environment", "choice", "Choose live or test."))
        .map_err(&mut keep)
        .ok();
    let name = text::line("name", "The name", draft.name, 1, NAME_MAX)
        .map_err(&mut keep)
        .ok();
    let purpose = text::line("purpose", "The purpose", draft.purpose, 0, NOTE_MAX)
        .map_err(&mut keep)
        .ok();
    let owner = parse_owner(draft.owner, actor).map_err(&mut keep).ok();
    let scopes = ScopeSet::parse("scopes", draft.scopes.iter().copied()).and_then(|scopes| {
        match draft.scopes_required {
            true => some(scopes),
            false => Ok(scopes),
        }
    });
    let scopes = scopes.map_err(&mut keep).ok();
    let lifetime = Lifetime::parse(draft.expiry, draft.expiry_date, now)
        .map_err(&mut keep)
        .ok();
    let rotation_days = parse_interval(draft.rotation_days).map_err(&mut keep).ok();
    let restrictions = match (restrictions::parse(&draft.restrictions), lifetime) {
        (Ok(rules), lifetime) => {
            let end = lifetime.and_then(|lifetime| lifetime.expires_at(now));
            let span = restrictions::refuse_empty_span(&rules, end);
            span.map_err(&mut keep).ok().map(|()| rules)
        }
        (Err(DomainError::Invalid(wrong)), _) => {
            wrong.into_iter().for_each(&mut keep);
            None
        }
        (Err(error), _) => return Err(error),
    };
    match (
        environment,
        name,
        purpose,
        owner,
        scopes,
        lifetime.zip(restrictions).zip(rotation_days),
    ) {
        (
            Some(environment),
            Some(name),
            Some(purpose),
            Some(owner),
            Some(scopes),
            Some(((lifetime, restrictions), rotation_days)),
        ) => Ok(Checked {
            environment,
            name,
            purpose,
            owner,
            scopes,
            lifetime,
            rotation_days,
            restrictions,
        }),
        _ => Err(DomainError::Invalid(errors)),
    }
}

/// A key that may do nothing is of no use.
pub(in crate::server::domain::keys) fn some(scopes: ScopeSet) -> Result<ScopeSet, FieldError> {
    match scopes.is_empty() {
        true => {
            let message = "Choose at least one scope: a key that may do nothing is of no use.";
            Err(FieldError::new("scopes", "required", message))
        }
        false => Ok(scopes),
    }
}

/// A project that keys can be made for.
pub(in crate::server::domain::keys) fn usable(project: Option<&Project>) -> Result<&Project, DomainError> {
    match project {
        Some(project) if project.status == ProjectStatus::Archived => {
            let message = format!(
                "The project {} is archived. Restore it first, or choose another.",
                project.name
            );
            Err(FieldError::new("project", "archived", message).into())
        }
        Some(project) => Ok(project),
        None => {
            Err(FieldError::new("project", "choice", "Choose one of your organisation’s projects.").into())
        }
    }
}

/// Both, or all that is wrong with either: people see every mistake at once.
fn both<A, B>(one: Result<A, DomainError>, other: Result<B, DomainError>) -> Result<(A, B), DomainError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(DomainError::Invalid(mut all)), Err(DomainError::Invalid(more))) => {
            all.extend(more);
            Err(DomainError::Invalid(all))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn parse_owner(text: &str, actor: &Actor) -> Result<(Option<AccountId>, String), FieldError> {
    let unknown = || {
        FieldError::new(
            "owner",
            "choice",
            "Choose a member of the organisation, or name a team.",
        )
    };
    if let Some(label) = text.strip_prefix("team:") {
        return Ok((
            None,
            text::line("owner_team", "The team’s name", label, 1, NAME_MAX)?,
        ));
    }
    let id = match text.strip_prefix("member:") {
        Some(id) => id.parse().map_err(|_| unknown())?,
        None if text == "me" => actor.account_id().cloned().ok_or_else(unknown)?,
        None => return Err(unknown()),
    };
    Ok((Some(id), String::new()))
}

/// A developer's keys are the developer's own; whoever manages all keys may give one to any member or team.
fn check_owner(
    actor: &Actor,
    owner: &(Option<AccountId>, String),
    is_member: impl Fn(&AccountId) -> bool,
) -> Result<(), DomainError> {
    let own = owner.0.is_some() && owner.0.as_ref() == actor.account_id();
    if !own && !actor.may(Permission::KeysManageAny) {
        return Err(
            FieldError::new("owner", "not_yours", "You can create keys that you own yourself.").into(),
        );
    }
    match &owner.0 {
        Some(id) if !is_member(id) => Err(FieldError::new(
            "owner",
            "choice",
            "The owner must be an active member of the organisation.",
        )
        .into()),
        _ => Ok(()),
    }
}

/// Concrete scopes that the project does not list. A wildcard may stand for scopes that are still to come.
pub(in crate::server::domain::keys) fn unlisted<'a>(scopes: &'a ScopeSet, project: &Project) -> Vec<&'a str> {
    let listed =
        |scope: &crate::model::scope::Scope| project.scopes.iter().any(|entry| scope.covers(&entry.name));
    scopes
        .iter()
        .filter(|scope| !scope.is_wildcard() && !listed(scope))
        .map(|scope| scope.as_str())
        .collect()
}

pub(in crate::server::domain::keys) fn unlisted_error(missing: &[&str], project: &Project) -> FieldError {
    let names = missing.join(", ");
    let message = format!(
        "{} does not list {names}. Add it to the project’s scopes first, or choose one that is listed.",
        project.name
    );
    FieldError::new("scopes", "unlisted", message)
}
