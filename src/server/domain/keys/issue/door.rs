//! Who comes to a key: whoever may create one, and whoever may ask for one. The form, the ways to it and its acts have one
//! answer.

use crate::model::actor::{Actor, OrgScope};
use crate::model::key::Environment;
use crate::model::key_page::WayToKey;
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;

/// What creating a key of this environment needs, and whatever is as good as that: another secret, a wider door.
#[must_use]
pub fn permission_for(environment: &str) -> Permission {
    if environment == Environment::Live.as_str() {
        Permission::KeysCreateLive
    } else {
        Permission::KeysCreateTest
    }
}

/// How they come to a key of this environment.
#[must_use]
pub fn way_to(actor: &Actor, environment: Environment) -> WayToKey {
    if actor.may(permission_for(environment.as_str())) {
        WayToKey::Create
    } else if actor.asks_for(environment) {
        WayToKey::Ask
    } else {
        WayToKey::Closed
    }
}

/// The door for whoever may create a key of some environment, or ask for one: the form, what it begins with, and the ways
/// to it.
pub fn require_some_way(actor: &Actor) -> Result<OrgScope, DomainError> {
    let is_open = |environment: &&Environment| way_to(actor, **environment) != WayToKey::Closed;
    let open = Environment::ALL.iter().find(is_open);
    require_may_ask(actor, open.unwrap_or(&Environment::Test).as_str())
}

/// The door for whoever may create keys of some environment by themselves: imported keys pass at once, and cannot wait for
/// approval.
pub fn require_creator(actor: &Actor) -> Result<OrgScope, DomainError> {
    let is_open = |environment: &&Environment| way_to(actor, **environment) == WayToKey::Create;
    let open = Environment::ALL.iter().find(is_open);
    Ok(actor.require(permission_for(open.unwrap_or(&Environment::Test).as_str()))?)
}

/// The door for whoever would make a key, or may at least ask for one.
pub fn require_may_ask(actor: &Actor, environment: &str) -> Result<OrgScope, DomainError> {
    let asks = Environment::parse(environment).is_some_and(|environment| actor.asks_for(environment));
    let permission = match asks {
        true => Permission::KeysManageOwn,
        false => permission_for(environment),
    };
    Ok(actor.require(permission)?)
}

/// The same, where whoever makes a live key has proved who they are (R26). Asking makes nothing and needs no proof.
pub(in crate::server::domain) fn require(
    actor: &Actor,
    environment: &str,
    now: Timestamp,
) -> Result<OrgScope, DomainError> {
    let scope = require_may_ask(actor, environment)?;
    if environment == Environment::Live.as_str() && actor.may(Permission::KeysCreateLive) {
        actor.require_proof(now)?;
    }
    Ok(scope)
}
