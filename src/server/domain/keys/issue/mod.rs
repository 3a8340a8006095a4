//! Issuing a key. Its secret exists in the answer alone; the database gets a keyed hash.

mod check;
mod door;
mod ground;
mod nonce;

pub(in crate::server::domain) use check::{Admitted, Checked};
pub(super) use check::{admit, some, unlisted, unlisted_error, usable};
pub(in crate::server::domain) use door::require;
pub use door::{permission_for, require_creator, require_may_ask, require_some_way, way_to};
pub(in crate::server::domain) use ground::Ground;
pub use nonce::{Nonce, made_by_form};
pub(in crate::server::domain) use nonce::{refuse_used, use_up};

use serde_json::{Value, json};

use super::{restrictions, rotation, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::form::FormValues;
use crate::model::id::{KeyId, ProjectId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::policy::Policy;
use crate::model::project::Project;
use crate::model::restriction::RestrictionsDraft;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::approvals::{self, Leave};
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::mint::{self, Credential};
use crate::server::domain::{DomainError, orgs as organisations, projects};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, NewKey, SecretRow, SecuredKey};

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
    /// Days between rotations; empty follows the policy.
    pub rotation_days: &'a str,
    /// From where, for what and when it passes.
    pub restrictions: RestrictionsDraft<'a>,
    /// Scopes that the catalogue lacks are added to it, if the caller may, instead of refused.
    pub extend_catalogue: bool,
    /// A form that was sent without any scope was most likely not finished.
    pub scopes_required: bool,
}

impl<'a> KeyDraft<'a> {
    /// As the create form has it. Presets of scopes and the owner are made out by whoever knows the project.
    #[must_use]
    pub fn of_form(
        values: &'a FormValues,
        project: Option<&'a ProjectId>,
        owner: &'a str,
        scopes: &'a [String],
    ) -> Self {
        Self {
            project,
            environment: values.first("environment"),
            name: values.first("name"),
            purpose: values.first("purpose"),
            owner,
            scopes: scopes.iter().map(String::as_str).collect(),
            expiry: values.first("expiry"),
            expiry_date: values.first("expiry_date"),
            rotation_days: values.first("rotation_days"),
            restrictions: RestrictionsDraft::of_form(values),
            extend_catalogue: false,
            scopes_required: true,
        }
    }
}

/// The owner that the create form means, as a draft has it.
#[must_use]
pub fn owner_of(values: &FormValues) -> String {
    match values.first("owner") {
        "" => "me".to_owned(),
        "team" => format!("team:{}", values.first("owner_team")),
        owner => owner.to_owned(),
    }
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

/// Issues a key. With a nonce that was used before, `AlreadyShown` says when: the secret is not shown twice.
pub async fn issue(
    ctx: &Context,
    actor: &Actor,
    draft: &KeyDraft<'_>,
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let scope = require(actor, draft.environment, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let by = Entering {
        nonce,
        leave: Leave::Own,
        with_secret: true,
    };
    let entered = enter(ctx, &mut tx, (actor, &scope), draft, by).await?;
    tx.commit().await?;
    let id: KeyId = entered.key.id.parse()?;
    ctx.key_cache.forget_key(&id);
    Ok(RevealedKey {
        id,
        name: entered.key.name,
        environment: entered.environment,
        project: entered.project,
        expires_at: entered.key.expires_at_ms.map(Timestamp::from_ms),
        secret_since: Timestamp::from_ms(entered.key.secret_since_ms),
        secret: entered
            .secret
            .ok_or(DomainError::Defect("a key without a secret"))?,
    })
}

/// How a key comes into the books.
pub(in crate::server::domain) struct Entering<'a> {
    pub nonce: Option<Nonce<'a>>,
    pub leave: Leave<'a>,
    /// Else somebody collects it later.
    pub with_secret: bool,
}

/// A key that was entered into the books, not yet committed.
pub(in crate::server::domain) struct Entered {
    pub key: SecuredKey,
    pub environment: Environment,
    pub project: Project,
    /// None for a key that waits for whoever collects its secret.
    pub secret: Option<SecretText>,
}

/// Checks a draft and writes its key, with a secret or for one that is collected later.
pub(in crate::server::domain) async fn enter(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    draft: &KeyDraft<'_>,
    by: Entering<'_>,
) -> Result<Entered, DomainError> {
    let Entering {
        nonce,
        leave,
        with_secret,
    } = by;
    let now = ctx.clock.now();
    organisations::hold_membership(tx, actor, scope).await?;
    if let Some(nonce) = &nonce {
        refuse_used(&store::find_nonce(tx, nonce.text, nonce.account).await?)?;
    }
    let ground = Ground::read(tx, scope, draft, now).await?;
    let Admitted {
        project,
        checked,
        missing,
        reasons,
    } = ground.admit(ctx, actor, draft, now)?;
    let policy = ground.policies.of(checked.environment);
    let remark = approvals::check(actor, &policy.approvals, &reasons, leave)?;
    if leave == Leave::Own {
        actor.require(permission_for(draft.environment))?;
    }
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        projects::extend_catalogue(ctx, tx, actor, scope, project, &missing, now).await?;
    }
    let minted = mint::credential(
        ctx,
        &format!("{}_{}", project.prefix, checked.environment.as_str()),
    );
    let id = mint::key_id(&minted.kid)?;
    let credential = Credential::Key {
        org_id: scope.org_id().as_str(),
        key_id: id.as_str(),
    };
    let hashed = with_secret.then(|| mint::hashed(ctx, credential, &minted.text));
    let key = born(ctx, (&id, scope), project, (&checked, policy), hashed, now)?;
    let new = NewKey {
        secured: &key,
        name_folded: &text::folded(&checked.name),
        purpose: &checked.purpose,
        created_by: actor_columns(actor),
    };
    if let Some(nonce) = &nonce {
        use_up(tx, nonce, id.as_str(), now).await?;
    }
    let message = format!(
        "Another {} key of this project has this name. Choose another, or revoke that one.",
        checked.environment.as_str()
    );
    store::insert(tx, scope, &new, now)
        .await
        .map_err(|error| DomainError::from(error).taken("name", &message))?;
    let entry = Entry::new("key.created", "key", id.as_str()).with(remark.beside(told(&key)?));
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    changes::record(tx, ChangeKind::Key, id.as_str(), now).await?;
    Ok(Entered {
        key,
        environment: checked.environment,
        project: project.clone(),
        secret: with_secret.then_some(minted.text),
    })
}

/// The row of a new key, with its one secret or for one that comes later, signed.
pub(super) fn born(
    ctx: &Context,
    (id, scope): (&KeyId, &OrgScope),
    project: &Project,
    (checked, policy): (&Checked, &Policy),
    secret: Option<SecretRow>,
    now: Timestamp,
) -> Result<SecuredKey, DomainError> {
    let mut key = new_row((id, scope), project, checked, now);
    key.secret_count = i64::from(secret.is_some());
    restrictions::set(&mut key, &checked.restrictions)?;
    key.secrets.extend(secret);
    rotation::set_due(&mut key, policy);
    let mac = secured::sign(&ctx.keyring, &key);
    (key.row_mac, key.row_mac_key_id) = (mac.mac, mac.key_id);
    Ok(key)
}

/// What the audit log keeps of a new key.
pub(super) fn told(key: &SecuredKey) -> Result<Value, DomainError> {
    Ok(json!({
        "name": key.name, "projectId": key.project_id, "environment": key.environment,
        "scopes": key.scopes.split(' ').filter(|scope| !scope.is_empty()).collect::<Vec<_>>(),
        "expiresAt": key.expires_at_ms.map(|at| Timestamp::from_ms(at).rfc3339()),
        "ownerId": key.owner_account_id, "ownerTeam": key.owner_team, "restrictions": restrictions::of(key)?,
    }))
}

fn new_row(
    (id, scope): (&KeyId, &OrgScope),
    project: &Project,
    checked: &Checked,
    now: Timestamp,
) -> SecuredKey {
    let expires_at = checked.lifetime.expires_at(now);
    SecuredKey {
        id: id.as_str().to_owned(),
        org_id: scope.org_id().as_str().to_owned(),
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
        rotation_due_at_ms: None,
        handed_on_at_ms: None,
        version: 1,
        row_mac: String::new(),
        row_mac_key_id: String::new(),
        secrets: Vec::new(),
    }
}
