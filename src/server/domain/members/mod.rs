//! Who belongs to an organisation: the list, roles, invitations, leaving, and the second factor asked of everybody.
//!
//! Nobody acts on somebody above themselves, and an organisation never loses its last owner: acts of an
//! organisation go one after another (`audit::begin`), so that two who leave at once do so too.

pub mod accept;
pub mod account_acts;
pub mod invite;
pub mod offboard;
pub mod read;
pub mod roles;
pub mod two_factor;

use crate::model::account::SessionStage;
use crate::model::actor::{Actor, Denied, OrgScope, Origin};
use crate::model::error::Code;
use crate::model::id::AccountId;
use crate::model::member::MemberSummary;
use crate::model::org::Role;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::policy::Policies;
use crate::server::store::db::Tx;
use crate::server::store::{invitations, members as store};

/// The member, of whichever status. Errors: nobody of this organisation.
async fn find(tx: &mut Tx, scope: &OrgScope, account: &AccountId) -> Result<MemberSummary, DomainError> {
    store::find(tx, scope, account)
        .await?
        .ok_or(DomainError::NotFound)
}

/// A member with the powers they have now, and none that they proved; nobody who is not active.
pub(in crate::server::domain) async fn as_actor(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    now: Timestamp,
) -> Result<Option<Actor>, DomainError> {
    let Some(role) = store::find_role(tx, scope.org_id(), account).await? else {
        return Ok(None);
    };
    let membership = Some((*scope.org_id(), role));
    let Policies { live, test } = Policies::in_force(tx, scope, now).await?;
    let actor = Actor::account(*account, membership, SessionStage::Complete, Origin::default());
    Ok(Some(actor.under_policy(&live, &test)))
}

/// That the actor may act on somebody of this role.
fn refuse_above(actor: &Actor, role: Role) -> Result<(), DomainError> {
    if actor.may_grant(role) {
        Ok(())
    } else {
        Err(Denied::Forbidden.into())
    }
}

/// Ends the invitations of somebody which their role does not carry (any more), so that none looks alive and is not.
async fn end_invitations(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    account: &AccountId,
    role: Role,
    now: Timestamp,
) -> Result<(), DomainError> {
    for (id, invited) in invitations::list_pending_by(tx, scope, account).await? {
        if !role.may_grant(invited) {
            invite::end(ctx, tx, actor, scope, &id, now).await?;
        }
    }
    Ok(())
}

/// That there is an owner without this one (R54).
async fn refuse_last_owner(tx: &mut Tx, scope: &OrgScope, member: &MemberSummary) -> Result<(), DomainError> {
    if member.role != Role::Owner {
        return Ok(());
    }
    match store::count_other_owners(tx, scope.org_id(), &member.account_id).await? {
        0 => {
            let message =
                "An organisation needs an owner, and there is no other. Make somebody else an owner first.";
            Err(DomainError::refused(Code::Conflict, message))
        }
        _ => Ok(()),
    }
}
