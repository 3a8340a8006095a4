//! Editing a key: what it is called, what it may do, from where, for what and when.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::issue::{some, unlisted, unlisted_error};
use super::{read, require_as_new, require_manage, restrictions, rotation, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::approval::Reason;
use crate::model::error::{Code, FieldError};
use crate::model::form::FormValues;
use crate::model::id::KeyId;
use crate::model::key::{KEEP_EXPIRY, KeyStatus, Lifetime};
use crate::model::key_page::KeyEditForm;
use crate::model::permission::Permission;
use crate::model::policy::Policy;
use crate::model::project::Project;
use crate::model::restriction::{Restrictions, RestrictionsDraft};
use crate::model::rotation::parse_interval;
use crate::model::scope::ScopeSet;
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::approvals::{self, Leave, Remark};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::{DomainError, policy};
use crate::server::platform::crypto::master_key::hex;
use crate::server::platform::zones;
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, SecuredKey};
use crate::server::store::{key_uses, projects, usage};

/// How far back addresses are suggested from, and how many.
const SEEN_MS: i64 = 30 * DAY_MS;
const SEEN_MOST: i64 = 20;

/// What was typed about a key.
#[derive(Clone, Debug)]
pub struct KeyEdit<'a> {
    pub name: &'a str,
    pub purpose: &'a str,
    /// Days between rotations; empty follows the environment's.
    pub rotation_days: &'a str,
    /// What it may do; none leaves all of it as it is.
    pub access: Option<AccessEdit<'a>>,
}

/// What was typed about what a key may do.
#[derive(Clone, Debug, Default)]
pub struct AccessEdit<'a> {
    pub scopes: Vec<&'a str>,
    pub restrictions: RestrictionsDraft<'a>,
    /// `keep` or nothing leaves the end as it is; else as for a new key, counted from now.
    pub expiry: &'a str,
    pub expiry_date: &'a str,
    /// The mark of what the form was opened on; nothing where nobody looked at a form.
    pub looked_at: &'a str,
}

impl<'a> KeyEdit<'a> {
    /// As the form has it, with the scopes that it means.
    #[must_use]
    pub fn of_form(values: &'a FormValues, scopes: &'a [String]) -> Self {
        let access = (values.first("access") == "1").then(|| AccessEdit {
            scopes: scopes.iter().map(String::as_str).collect(),
            restrictions: RestrictionsDraft::of_form(values),
            expiry: values.first("expiry"),
            expiry_date: values.first("expiry_date"),
            looked_at: values.first("looked_at"),
        });
        Self {
            name: values.first("name"),
            purpose: values.first("purpose"),
            rotation_days: values.first("rotation_days"),
            access,
        }
    }
}

struct Checked {
    name: String,
    purpose: String,
    interval: Option<i64>,
    access: Option<Access>,
}

/// What a key is to be let do, checked.
struct Access {
    scopes: ScopeSet,
    rules: Restrictions,
    expires_at: Option<Timestamp>,
}

/// All that the form for editing offers.
pub async fn form(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<KeyEditForm, DomainError> {
    let key = read::find(ctx, actor, id).await?;
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let project = projects::find(&mut tx, &scope, &key.summary.project_id).await?;
    let secured = secured::find(ctx, &mut tx, actor, id).await?;
    let (policy, plan) = policy::with_plan(&mut tx, &scope, key.summary.environment, now).await?;
    Ok(KeyEditForm {
        now,
        looked_at: mark(&secured)?,
        policy,
        plan,
        project: project.ok_or(DomainError::NotFound)?,
        zones: zones::names(),
        my_address: actor.origin().ip.clone(),
        seen: usage::list_addresses(&mut tx, id, now.minus_ms(SEEN_MS), SEEN_MOST).await?,
        key,
    })
}

/// The end as typed: as it was, or counted from now.
fn end_of(
    access: &AccessEdit<'_>,
    key: &SecuredKey,
    now: Timestamp,
) -> Result<Option<Timestamp>, FieldError> {
    match access.expiry {
        "" | KEEP_EXPIRY => Ok(key.expires_at_ms.map(Timestamp::from_ms)),
        choice => Ok(Lifetime::parse(choice, access.expiry_date, now)?.expires_at(now)),
    }
}

fn check(
    edit: &KeyEdit<'_>,
    project: &Project,
    key: &SecuredKey,
    now: Timestamp,
) -> Result<Checked, DomainError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut keep = |error: FieldError| errors.push(error);
    let name = text::line("name", "The name", edit.name, 1, NAME_MAX)
        .map_err(&mut keep)
        .ok();
    let purpose = text::line("purpose", "The purpose", edit.purpose, 0, NOTE_MAX)
        .map_err(&mut keep)
        .ok();
    let interval = parse_interval(edit.rotation_days).map_err(&mut keep).ok();
    let access = match &edit.access {
        None => Some(None),
        Some(access) => {
            let scopes = scopes_of(access, project, key).map_err(&mut keep).ok();
            let rules = match restrictions::parse(&access.restrictions) {
                Err(DomainError::Invalid(wrong)) => {
                    wrong.into_iter().for_each(&mut keep);
                    None
                }
                rules => Some(rules?),
            };
            let end = end_of(access, key, now).map_err(&mut keep).ok();
            let all = scopes.zip(rules).zip(end);
            all.map(|((scopes, rules), expires_at)| {
                Some(Access {
                    scopes,
                    rules,
                    expires_at,
                })
            })
        }
    };
    match (name, purpose, interval, access) {
        (Some(name), Some(purpose), Some(interval), Some(access)) => Ok(Checked {
            name,
            purpose,
            interval,
            access,
        }),
        _ => Err(DomainError::Invalid(errors)),
    }
}

/// The scopes as typed. One that the project does not list is refused unless the key has it already.
fn scopes_of(access: &AccessEdit<'_>, project: &Project, key: &SecuredKey) -> Result<ScopeSet, FieldError> {
    let scopes = some(ScopeSet::parse("scopes", access.scopes.iter().copied())?)?;
    let held: Vec<&str> = key.scopes.split(' ').collect();
    let mut missing = unlisted(&scopes, project);
    missing.retain(|scope| !held.contains(scope));
    match missing.is_empty() {
        true => Ok(scopes),
        false => Err(unlisted_error(&missing, project)),
    }
}

/// Saves what was typed. Name and rules are in the verification's answer, so caches hear of it. To let a key do more than
/// before is for whoever may create one like it, who proves once more who they are if it is live (R26).
pub async fn save(ctx: &Context, actor: &Actor, id: &KeyId, edit: &KeyEdit<'_>) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    if let Some(access) = &edit.access {
        refuse_stale(&key, access.looked_at)?;
    }
    let changed = changed(ctx, &mut tx, &scope, key, edit, now).await?;
    let remark = approvals::check(actor, &changed.policy.approvals, &changed.reasons, Leave::Own)?;
    if changed.is_wider {
        require_as_new(actor, &changed.key, now)?;
    }
    write(ctx, &mut tx, (actor, &scope), changed, remark, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}

/// The mark of what a key is let do.
fn mark(key: &SecuredKey) -> Result<String, DomainError> {
    Ok(hex(&Sha256::digest(told(key)?.to_string())))
}

/// Refuses a form that was opened before the key was changed: it has all that the key may do, and would give back what was
/// taken away since.
pub(in crate::server::domain) fn refuse_stale(key: &SecuredKey, looked_at: &str) -> Result<(), DomainError> {
    if looked_at.is_empty() || looked_at == mark(key)? {
        return Ok(());
    }
    let message = "The key has been changed since you opened this form. What you typed is still here: compare it with the key as it is now, then send it again to put it in its place.";
    Err(DomainError::refused(Code::Conflict, message))
}

/// What an edit would make of a key, checked by all the rules and not yet written.
pub(in crate::server::domain) struct Changed {
    pub former: SecuredKey,
    pub key: SecuredKey,
    pub name: String,
    pub purpose: String,
    pub policy: Policy,
    /// Why a second person has to approve it; empty when nobody has to.
    pub reasons: Vec<Reason>,
    /// It may do more than before, which is as good as a new key.
    pub is_wider: bool,
}

/// Makes out what an edit would make of a key.
pub(in crate::server::domain) async fn changed(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    former: SecuredKey,
    edit: &KeyEdit<'_>,
    now: Timestamp,
) -> Result<Changed, DomainError> {
    let project = projects::find(tx, scope, &former.project_id.parse()?).await?;
    let project = project.ok_or(DomainError::NotFound)?;
    let checked = check(edit, &project, &former, now)?;
    if former.status == KeyStatus::Revoked.as_str() {
        let message = "A revoked key is a record and cannot be edited.";
        return Err(DomainError::refused(Code::KeyAlreadyRevoked, message));
    }
    let mut key = former.clone();
    key.name.clone_from(&checked.name);
    key.rotation_days = checked.interval;
    if let Some(access) = &checked.access {
        restrictions::refuse_untold(&access.rules, Some(&restrictions::of(&former)?), &ctx.countries)?;
        restrictions::refuse_empty_span(&access.rules, access.expires_at)?;
        end_at(&mut key, access.expires_at);
        key.scopes = access.scopes.stored();
        restrictions::set(&mut key, &access.rules)?;
    }
    let policy = policy::of_key(tx, scope, &key, now).await?;
    let (before, after) = (policy::held(&former)?, policy::held(&key)?);
    let (before, after) = (before.terms(), after.terms());
    policy::enforce(&policy, &after)?;
    rotation::set_due(&mut key, &policy);
    let sensitive = project.sensitive_scopes();
    Ok(Changed {
        reasons: policy.approvals.of_change(&before, &after, sensitive, now),
        is_wider: !after.is_within(&before) || after.ends_later_than(&before),
        name: checked.name,
        purpose: checked.purpose,
        former,
        key,
        policy,
    })
}

/// Writes what an edit makes of a key.
pub(in crate::server::domain) async fn write(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    changed: Changed,
    remark: Remark,
    now: Timestamp,
) -> Result<(), DomainError> {
    let Changed {
        former,
        key,
        name,
        purpose,
        ..
    } = changed;
    let id: KeyId = key.id.parse()?;
    // First of all the log: whoever stops the key at this moment waits, or is waited for.
    let mut after = told(&key)?;
    after["purpose"] = json!(purpose);
    let detail = json!({ "before": told(&former)?, "after": after });
    let entry = Entry::new("key.edited", "key", id.as_str()).with(remark.beside(detail));
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    let message = format!(
        "Another {} key of this project has this name. Choose another.",
        key.environment
    );
    let saved = store::set_descriptive(tx, scope, &id, &name, &text::folded(&name), &purpose).await;
    saved.map_err(|error| DomainError::from(error).taken("name", &message))?;
    if (&former.scopes, &former.restrictions) != (&key.scopes, &key.restrictions) {
        key_uses::watch_anew(tx, scope, &id, now).await?;
    }
    if key.secrets.len() > 1 {
        store::replace_secrets(tx, &key).await?;
    }
    secured::save(ctx, tx, scope, key, now).await
}

/// What the audit log keeps of a key before and after, and what a request to change it compares.
pub(in crate::server::domain) fn told(key: &SecuredKey) -> Result<Value, DomainError> {
    Ok(json!({
        "name": key.name,
        "rotationDays": key.rotation_days,
        "scopes": key.scopes,
        "restrictions": restrictions::of(key)?,
        "expiresAt": key.expires_at_ms.map(|at| Timestamp::from_ms(at).rfc3339()),
    }))
}

/// Gives the key another end. A previous secret that goes on goes no further than the key itself.
fn end_at(key: &mut SecuredKey, at: Option<Timestamp>) {
    key.expires_at_ms = at.map(Timestamp::ms);
    let Some(end) = key.expires_at_ms else { return };
    let earlier = |until: &mut Option<i64>| *until = until.map(|until| until.min(end));
    key.secrets
        .iter_mut()
        .for_each(|secret| earlier(&mut secret.expires_at_ms));
    earlier(&mut key.overlap_until_ms);
}
