//! Issuing a key. Its secret exists in the answer alone; the database gets a keyed hash.

use serde_json::json;

use super::rotation::due_at;
use super::{restrictions, secured};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, KeyId, ProjectId};
use crate::model::key::{Environment, KeyStatus, Lifetime};
use crate::model::permission::Permission;
use crate::model::project::{Project, ProjectStatus};
use crate::model::restriction::{Restrictions, RestrictionsDraft};
use crate::model::rotation::parse_interval;
use crate::model::scope::ScopeSet;
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::mint::{self, Credential};
use crate::server::domain::{DomainError, orgs as organisations, projects};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::keys::{self as store, NewKey, SecuredKey};
use crate::server::store::{orgs, projects as project_store};

/// A new key as typed or given on the command line.
pub struct KeyDraft<'a> {
    /// None when what was chosen is no project at all.
    pub project: Option<&'a ProjectId>,
    pub environment: &'a str,
    pub name: &'a str,
    pub purpose: &'a str,
    /// `me`, `member:<account id>` or `team:<label>`.
    pub owner: &'a str,
    pub scopes: Vec<&'a str>,
    pub expiry: &'a str,
    pub expiry_date: &'a str,
    /// Days between rotations; empty follows the environment's.
    pub rotation_days: &'a str,
    /// From where, for what and when it passes.
    pub restrictions: RestrictionsDraft<'a>,
    /// Scopes that the catalogue lacks are added to it, if the caller may, instead of refused.
    pub extend_catalogue: bool,
    /// A form that was sent without any scope was most likely not finished.
    pub scopes_required: bool,
}

/// A form's right to be submitted once.
pub struct Nonce<'a> {
    pub text: &'a str,
    pub account: &'a AccountId,
}

/// A new key with its secret, for the one answer that shows it.
pub struct RevealedKey {
    pub id: KeyId,
    pub name: String,
    pub environment: Environment,
    pub project: Project,
    pub expires_at: Option<Timestamp>,
    /// Since when this secret exists.
    pub secret_since: Timestamp,
    pub secret: SecretText,
}

pub(super) struct Checked {
    pub environment: Environment,
    pub name: String,
    purpose: String,
    pub owner: (Option<AccountId>, String),
    pub scopes: ScopeSet,
    pub lifetime: Lifetime,
    pub rotation_days: Option<i64>,
    pub restrictions: Restrictions,
}

pub(super) fn check(draft: &KeyDraft<'_>, actor: &Actor, now: Timestamp) -> Result<Checked, DomainError> {
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
pub(super) fn some(scopes: ScopeSet) -> Result<ScopeSet, FieldError> {
    match scopes.is_empty() {
        true => {
            let message = "Choose at least one scope: a key that may do nothing is of no use.";
            Err(FieldError::new("scopes", "required", message))
        }
        false => Ok(scopes),
    }
}

/// A project that keys can be made for.
pub(super) fn usable(project: Option<Project>) -> Result<Project, DomainError> {
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
pub(super) fn both<A, B>(
    one: Result<A, DomainError>,
    other: Result<B, DomainError>,
) -> Result<(A, B), DomainError> {
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

/// What creating a key of this environment needs.
#[must_use]
pub fn permission_for(environment: &str) -> Permission {
    if environment == Environment::Live.as_str() {
        Permission::KeysCreateLive
    } else {
        Permission::KeysCreateTest
    }
}

/// Issues a key. With a nonce that was used before, `AlreadyShown` says when: the secret is not shown twice.
pub async fn issue(
    ctx: &Context,
    actor: &Actor,
    draft: &KeyDraft<'_>,
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let scope = match permission_for(draft.environment) {
        live @ Permission::KeysCreateLive => actor.require_fresh(live, now)?,
        test => actor.require(test)?,
    };
    let mut tx = ctx.db.begin_write().await?;
    organisations::hold_membership(&mut tx, actor, &scope).await?;
    if let Some(nonce) = &nonce {
        refuse_used(&store::find_nonce(&mut tx, nonce.text, nonce.account).await?)?;
    }
    let project = match draft.project {
        Some(id) => project_store::find(&mut tx, &scope, id).await?,
        None => None,
    };
    let (project, checked) = both(usable(project), check(draft, actor, now))?;
    let members = orgs::list_member_names(&mut tx, &scope).await?;
    check_owner(actor, &checked.owner, |id| {
        members.iter().any(|member| &member.account_id == id)
    })?;
    let missing = unlisted(&checked.scopes, &project);
    if !missing.is_empty() {
        if !(draft.extend_catalogue && actor.may(Permission::ProjectsManage)) {
            return Err(unlisted_error(&missing, &project).into());
        }
        projects::extend_catalogue(ctx, &mut tx, actor, &scope, &project, &missing, now).await?;
    }
    let minted = mint::credential(
        ctx,
        &format!("{}_{}", project.prefix, checked.environment.as_str()),
    );
    let id = mint::key_id(&minted.kid)?;
    let expires_at = checked.lifetime.expires_at(now);
    let credential = Credential::Key {
        org_id: scope.org_id().as_str(),
        key_id: id.as_str(),
    };
    let hashed = mint::hashed(ctx, credential, &minted.text);
    let mut key = new_row(&id, scope.org_id().as_str(), &project, &checked, expires_at, now);
    restrictions::set(&mut key, &checked.restrictions)?;
    key.secrets.push(hashed);
    let mac = secured::sign(&ctx.keyring, &key);
    (key.row_mac, key.row_mac_key_id) = (mac.mac, mac.key_id);
    let new = NewKey {
        secured: &key,
        name_folded: &text::folded(&checked.name),
        purpose: &checked.purpose,
        created_by: actor_columns(actor),
    };
    if let Some(nonce) = &nonce {
        use_up(&mut tx, nonce, id.as_str(), now).await?;
    }
    let message = format!(
        "Another {} key of this project has this name. Choose another, or revoke that one.",
        checked.environment.as_str()
    );
    store::insert(&mut tx, &scope, &new, now)
        .await
        .map_err(|error| DomainError::from(error).taken("name", &message))?;
    let detail = json!({
        "name": checked.name, "projectId": project.id.as_str(), "environment": checked.environment.as_str(),
        "scopes": checked.scopes, "expiresAt": expires_at.map(Timestamp::rfc3339),
        "ownerId": key.owner_account_id, "ownerTeam": key.owner_team, "restrictions": checked.restrictions,
    });
    audit::record(
        ctx,
        &mut tx,
        Some(scope.org_id()),
        actor,
        Entry::new("key.created", "key", id.as_str()).with(detail),
        now,
    )
    .await?;
    changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&id);
    Ok(RevealedKey {
        id,
        name: checked.name,
        environment: checked.environment,
        project,
        expires_at,
        secret_since: now,
        secret: minted.text,
    })
}

fn new_row(
    id: &KeyId,
    org_id: &str,
    project: &Project,
    checked: &Checked,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> SecuredKey {
    SecuredKey {
        id: id.as_str().to_owned(),
        org_id: org_id.to_owned(),
        project_id: project.id.as_str().to_owned(),
        environment: checked.environment.as_str().to_owned(),
        prefix: project.prefix.clone(),
        name: checked.name.clone(),
        owner_account_id: checked.owner.0.as_ref().map(|id| id.as_str().to_owned()),
        owner_team: checked.owner.1.clone(),
        scopes: checked.scopes.stored(),
        status: KeyStatus::Active.as_str().to_owned(),
        expires_at_ms: expires_at.map(Timestamp::ms),
        created_at_ms: now.ms(),
        disabled_at_ms: None,
        revoked_at_ms: None,
        revoked_by_type: None,
        revoked_by_id: None,
        revoked_reason: None,
        revoked_note: String::new(),
        secret_since_ms: now.ms(),
        secret_count: 1,
        overlap_until_ms: None,
        rotation_days: checked.rotation_days,
        restrictions: None,
        not_before_ms: None,
        rotation_due_at_ms: Some(due_at(checked.environment, checked.rotation_days, now).ms()),
        version: 1,
        row_mac: String::new(),
        row_mac_key_id: String::new(),
        secrets: Vec::new(),
    }
}

/// A developer's keys are the developer's own; whoever manages all keys may give one to any member or team.
pub(super) fn check_owner(
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
pub(super) fn unlisted<'a>(scopes: &'a ScopeSet, project: &Project) -> Vec<&'a str> {
    let listed =
        |scope: &crate::model::scope::Scope| project.scopes.iter().any(|entry| scope.covers(&entry.name));
    scopes
        .iter()
        .filter(|scope| !scope.is_wildcard() && !listed(scope))
        .map(|scope| scope.as_str())
        .collect()
}

pub(super) fn unlisted_error(missing: &[&str], project: &Project) -> FieldError {
    let names = missing.join(", ");
    let message = format!(
        "{} does not list {names}. Add it to the project’s scopes first, or choose one that is listed.",
        project.name
    );
    FieldError::new("scopes", "unlisted", message)
}

/// Refuses a form that was submitted before, and says what became of it.
pub(in crate::server::domain) fn refuse_used(used: &Option<(String, Timestamp)>) -> Result<(), DomainError> {
    match used {
        None => Ok(()),
        Some((_, at)) => {
            let message = format!(
                "This form was submitted already and its secret was shown at {}. It cannot be shown again.",
                at.exact_in_words()
            );
            Err(DomainError::refused(Code::AlreadyShown, message))
        }
    }
}

/// Uses the form up, before anything else is written: of two submissions at once the second waits here and is refused.
pub(in crate::server::domain) async fn use_up(
    tx: &mut Tx,
    nonce: &Nonce<'_>,
    target_id: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
    match store::insert_nonce(tx, nonce.text, nonce.account, target_id, now).await {
        Err(StoreError::Taken) => refuse_used(&Some((String::new(), now))),
        done => Ok(done?),
    }
}

/// The object that a used-up form made, for the page that says "already shown".
pub async fn made_by_form(
    ctx: &Context,
    nonce: &Nonce<'_>,
) -> Result<Option<(String, Timestamp)>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::find_nonce(&mut tx, nonce.text, nonce.account).await?)
}
