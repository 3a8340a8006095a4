//! What an administrator may do about a member's account as such: start a password reset, take away the second factor,
//! end all sessions, release a lock.
//!
//! An account may be in several organisations and one of them must not take it over: the member's whole account has to
//! be here, the actor's role at least theirs, and it must not look after the installation. Otherwise an instance
//! administrator, or `keywright accounts` (R25).

use super::{find, refuse_above};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::AccountId;
use crate::model::member::{MemberStatus, MemberSummary};
use crate::model::permission::Permission;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::administer::{self, By, PasswordLink};
use crate::server::domain::accounts::session::SignedIn;
use crate::server::store::db::Tx;
use crate::server::store::members as store;

/// Why the actor may do none of it; `None` when they may.
pub(super) async fn reason_against(
    tx: &mut Tx,
    scope: &OrgScope,
    actor: &Actor,
    member: &MemberSummary,
) -> Result<Option<String>, DomainError> {
    if !actor.may(Permission::MembersManage) || !actor.may_grant(member.role) {
        let reason = "Only an administrator whose role is at least theirs may do this.";
        return Ok(Some(reason.to_owned()));
    }
    if actor.account_id() == Some(&member.account_id) {
        return Ok(Some(administer::ONESELF.to_owned()));
    }
    let found = store::find_elsewhere(tx, scope, &member.account_id).await?;
    let (elsewhere, looks_after_instance) = found.ok_or(DomainError::NotFound)?;
    let reason = match () {
        () if !member.is_account_active => "The account was deleted.",
        () if actor.is_instance_admin() => return Ok(None),
        () if member.status == MemberStatus::Removed => "They are no member any more.",
        () if looks_after_instance => {
            "They look after the whole installation. Another instance administrator, or the operator with keywright accounts, can."
        }
        () if elsewhere > 0 => {
            "They belong to other organisations too. An instance administrator, or the operator with keywright accounts, can."
        }
        () => return Ok(None),
    };
    Ok(Some(reason.to_owned()))
}

/// Opens the transaction for such an act, once all of that is checked.
async fn begin(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(Tx, OrgScope), DomainError> {
    let scope = actor.require_fresh(Permission::MembersManage, ctx.clock.now())?;
    let mut tx = ctx.db.begin_write().await?;
    check(&mut tx, (actor, &scope), account).await?;
    Ok((tx, scope))
}

async fn check(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    account: &AccountId,
) -> Result<(), DomainError> {
    let member = find(tx, scope, account).await?;
    refuse_above(actor, member.role)?;
    match reason_against(tx, scope, actor, &member).await? {
        Some(reason) => Err(DomainError::refused(Code::Conflict, reason)),
        None => Ok(()),
    }
}

/// Commits such an act. By now the log is held, and nobody's role here changes any more: whoever was raised above the actor
/// meanwhile is left alone after all.
async fn commit(
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    account: &AccountId,
) -> Result<(), DomainError> {
    check(&mut tx, (actor, scope), account).await?;
    Ok(tx.commit().await?)
}

fn by<'a>(ctx: &Context, actor: &'a Actor, scope: &'a OrgScope) -> By<'a> {
    By {
        actor,
        org: Some(scope.org_id()),
        now: ctx.clock.now(),
    }
}

/// Takes away the member's second factor and recovery codes; their sessions end, and they are told.
pub async fn reset_factors(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let (mut tx, scope) = begin(ctx, actor, account).await?;
    administer::take_factors(ctx, &mut tx, by(ctx, actor, &scope), account).await?;
    commit(tx, (actor, &scope), account).await
}

/// A link by which the member chooses a new password; the second factor stays.
pub async fn begin_password_reset(
    ctx: &Context,
    signed_in: &SignedIn,
    account: &AccountId,
) -> Result<PasswordLink, DomainError> {
    let actor = &signed_in.actor;
    let (mut tx, scope) = begin(ctx, actor, account).await?;
    let by = by(ctx, actor, &scope);
    let made = administer::make_password_link(ctx, &mut tx, by, &signed_in.account_name, account).await?;
    commit(tx, (actor, &scope), account).await?;
    Ok(made)
}

/// Signs the member out everywhere.
pub async fn end_sessions(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let (mut tx, scope) = begin(ctx, actor, account).await?;
    administer::end_sessions(ctx, &mut tx, by(ctx, actor, &scope), account).await?;
    commit(tx, (actor, &scope), account).await
}

/// Lets a member who is locked out try again.
pub async fn unlock(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let (mut tx, scope) = begin(ctx, actor, account).await?;
    administer::release(ctx, &mut tx, by(ctx, actor, &scope), account).await?;
    commit(tx, (actor, &scope), account).await
}
