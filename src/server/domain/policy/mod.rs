//! Policy: the rules of an organisation that every act on a key is held against.

pub mod change;
pub mod preview;
pub mod read;

use crate::model::actor::{Actor, OrgScope};
use crate::model::calendar::counted;
use crate::model::error::FieldError;
use crate::model::key::Environment;
use crate::model::org::{Membership, Role};
use crate::model::permission::Permission;
use crate::model::policy::{Plan, Policy, Terms};
use crate::model::restriction::Restrictions;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::keys::restrictions;
use crate::server::store::db::Tx;
use crate::server::store::keys::SecuredKey;
use crate::server::store::policies::{self as store, KeyTerms};
use crate::server::store::projects;

/// The rules of both environments.
pub struct Policies {
    pub live: Policy,
    pub test: Policy,
}

impl Policies {
    /// Those that hold at this moment.
    pub async fn in_force(tx: &mut Tx, scope: &OrgScope, now: Timestamp) -> Result<Self, DomainError> {
        Ok(Self {
            live: in_force(tx, scope, Environment::Live, now).await?,
            test: in_force(tx, scope, Environment::Test, now).await?,
        })
    }

    #[must_use]
    pub fn of(&self, environment: Environment) -> &Policy {
        match environment {
            Environment::Live => &self.live,
            Environment::Test => &self.test,
        }
    }
}

/// The rules that hold at this moment: planned ones from their day on, whether or not anybody has looked since.
pub async fn in_force(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    now: Timestamp,
) -> Result<Policy, DomainError> {
    Ok(store::find(tx, scope, environment).await?.in_force(now))
}

/// The same, with the rules that are to hold from a later day on.
pub async fn with_plan(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    now: Timestamp,
) -> Result<(Policy, Option<Plan>), DomainError> {
    let standing = store::find(tx, scope, environment).await?;
    Ok((standing.clone().in_force(now), standing.planned(now)))
}

/// The rules that say who creates keys and who asks for them, where that makes a difference: for developers.
pub async fn of_developer(
    tx: &mut Tx,
    membership: &Membership,
    now: Timestamp,
) -> Result<Option<Policies>, DomainError> {
    if membership.role != Role::Developer {
        return Ok(None);
    }
    let scope = Actor::system(Some(membership.org_id)).require(Permission::KeysRead)?;
    Ok(Some(Policies::in_force(tx, &scope, now).await?))
}

/// The rules for a key that exists.
pub async fn of_key(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &SecuredKey,
    now: Timestamp,
) -> Result<Policy, DomainError> {
    let environment = Environment::parse(&key.environment);
    let environment = environment.ok_or(DomainError::Defect("a key of no environment"))?;
    in_force(tx, scope, environment, now).await
}

/// Refuses what would break the policy, each rule beside the field that breaks it.
pub fn enforce(policy: &Policy, terms: &Terms<'_>) -> Result<(), DomainError> {
    let broken = policy.violations(terms);
    match broken.is_empty() {
        true => Ok(()),
        false => Err(DomainError::Invalid(broken.into_iter().map(Into::into).collect())),
    }
}

/// The same for a key as it stands in hand, after whatever was changed on it.
pub fn enforce_on(policy: &Policy, key: &SecuredKey) -> Result<(), DomainError> {
    enforce(policy, &held(key)?.terms())
}

/// Refuses rules that forbid every scope that any key could have. Projects without a catalogue say nothing about it.
async fn refuse_no_scope_left(tx: &mut Tx, scope: &OrgScope, policy: &Policy) -> Result<(), DomainError> {
    let forbidden = &policy.forbidden_scopes;
    if forbidden.is_empty() {
        return Ok(());
    }
    let names = projects::list_active_scope_names(tx, scope).await?;
    if names.is_empty() || names.iter().any(|name| !forbidden.allows(name)) {
        return Ok(());
    }
    let message = format!(
        "These forbid every scope of every project in use ({}), so no key could do anything. Leave one that keys may have.",
        counted(i64::try_from(names.len()).unwrap_or(i64::MAX), "scope")
    );
    Err(FieldError::new("forbidden_scopes", "nothing_left", message).into())
}

/// What of a key in hand a policy looks at.
pub struct HeldTerms {
    scopes: ScopeSet,
    restrictions: Restrictions,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    rotation_days: Option<i64>,
}

impl HeldTerms {
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            scopes: &self.scopes,
            restrictions: &self.restrictions,
            created_at: self.created_at,
            expires_at: self.expires_at,
            rotation_days: self.rotation_days,
        }
    }
}

pub fn held(key: &SecuredKey) -> Result<HeldTerms, DomainError> {
    let scopes = ScopeSet::from_stored(&key.scopes);
    Ok(HeldTerms {
        scopes: scopes.map_err(|_| DomainError::Defect("a key's scopes cannot be read"))?,
        restrictions: restrictions::of(key)?,
        created_at: Timestamp::from_ms(key.created_at_ms),
        expires_at: key.expires_at_ms.map(Timestamp::from_ms),
        rotation_days: key.rotation_days,
    })
}

/// What of a listed key is against rules.
fn broken_by(policy: &Policy, key: &KeyTerms) -> Vec<crate::model::policy::Violation> {
    // Rules that cannot be read let nothing pass, so they break nothing either.
    let rules = restrictions::from_row(key.restrictions.as_deref(), None).unwrap_or_default();
    policy.violations(&Terms {
        scopes: &key.scopes,
        restrictions: &rules,
        created_at: key.created_at,
        expires_at: key.expires_at,
        rotation_days: key.rotation_days,
    })
}
