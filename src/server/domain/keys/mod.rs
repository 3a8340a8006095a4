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
use crate::server::domain::DomainError;
use crate::server::store::keys::SecuredKey;

/// Whether the actor may edit, disable or revoke the key of this owner.
pub(in crate::server::domain) fn may_manage(actor: &Actor, owner_account_id: Option<&str>) -> bool {
    let own = actor
        .account_id()
        .is_some_and(|id| Some(id.as_str()) == owner_account_id);
    actor.may(Permission::KeysManageAny) || (own && actor.may(Permission::KeysManageOwn))
}

/// Whether they may give it another secret, which for a live key is as good as a new one.
fn may_rotate(actor: &Actor, environment: Environment, owner_account_id: Option<&str>) -> bool {
    let may_open = environment == Environment::Test || actor.may(Permission::KeysCreateLive);
    may_manage(actor, owner_account_id) && may_open
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
