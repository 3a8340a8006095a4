//! Keys, from issue through rotations to tombstone.

pub mod advice;
pub mod bulk;
pub mod collecting;
mod disabled;
pub mod edit;
mod evidence;
pub mod export;
pub mod form;
pub mod handover;
pub mod import;
pub mod issue;
pub mod leaks;
pub mod lifecycle;
pub mod looked;
pub mod openings;
mod prefill;
pub mod read;
pub mod reminders;
pub mod restrictions;
pub mod review;
pub mod rotation;
pub mod rotations;
pub mod secured;
pub mod self_revoke;
pub(in crate::server::domain) mod told;
pub mod unused;

use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::store::keys::SecuredKey;

/// Whether the actor may edit, disable or revoke the key of this owner.
pub(in crate::server::domain) fn may_manage(actor: &Actor, owner_account_id: Option<&str>) -> bool {
    let own = actor
        .account_id()
        .is_some_and(|id| Some(id.as_str()) == owner_account_id);
    actor.may(Permission::KeysManageAny) || (own && actor.may(Permission::KeysManageOwn))
}

/// Whether they may do with it what is as good as a new key: give it another secret, let it do more again.
fn may_rotate(actor: &Actor, environment: Environment, owner_account_id: Option<&str>) -> bool {
    may_manage(actor, owner_account_id) && actor.may(issue::permission_for(environment.as_str()))
}

/// The door for acts on one key: everybody sees it, so being refused is no secret.
pub(in crate::server::domain) fn require_manage(
    actor: &Actor,
    key: &SecuredKey,
) -> Result<OrgScope, DomainError> {
    let permission = if actor.may(Permission::KeysManageAny) {
        Permission::KeysManageAny
    } else {
        Permission::KeysManageOwn
    };
    let scope = actor.require(permission)?;
    if may_manage(actor, key.owner_account_id.as_deref()) {
        Ok(scope)
    } else {
        Err(Denied::Forbidden.into())
    }
}

/// The same for acts that are as good as a new key: another secret, a link that gives one, a wider door. They are for
/// whoever may create keys of its environment, and who has proved who they are for a live one (R26).
pub(in crate::server::domain) fn require_as_new(
    actor: &Actor,
    key: &SecuredKey,
    now: Timestamp,
) -> Result<OrgScope, DomainError> {
    let scope = require_manage(actor, key)?;
    match issue::permission_for(&key.environment) {
        live @ Permission::KeysCreateLive => actor.require_fresh(live, now)?,
        test => actor.require(test)?,
    };
    Ok(scope)
}
