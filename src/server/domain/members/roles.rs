//! Changing roles, and letting a suspended member back in.

use serde_json::json;

use super::{end_invitations, find, refuse_above, refuse_last_owner};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::AccountId;
use crate::model::member::MemberStatus;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::members as store;

/// Gives a member another role, from the next request on. Neither the old role nor the new one may be above the actor's.
pub async fn change(
    ctx: &Context,
    actor: &Actor,
    account: &AccountId,
    role: &str,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::MembersManage, now)?;
    let choice = || FieldError::new("role", "choice", "Choose one of the roles.");
    let role = Role::parse(role).ok_or_else(choice)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let member = find(&mut tx, &scope, account).await?;
    refuse_above(actor, member.role)?;
    refuse_above(actor, role)?;
    if member.status == MemberStatus::Removed {
        let message = "This member was removed. Invite them again to give them a role.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    if member.role == role {
        return Ok(());
    }
    refuse_last_owner(&mut tx, &scope, &member).await?;
    if !store::set_role(&mut tx, &scope, account, role).await? {
        return Err(DomainError::NotFound);
    }
    end_invitations(ctx, &mut tx, (actor, &scope), account, role, now).await?;
    let detail = json!({ "before": member.role.as_str(), "after": role.as_str() });
    let entry = Entry::new("member.role_changed", "account", account.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// Lets a suspended member back in, with the role they had; their keys pass again.
pub async fn resume(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::MembersManage, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let member = find(&mut tx, &scope, account).await?;
    refuse_above(actor, member.role)?;
    match member.status {
        MemberStatus::Active => return Ok(()),
        MemberStatus::Suspended => {}
        MemberStatus::Removed => {
            let message = "This member was removed, not suspended. Invite them again.";
            return Err(DomainError::refused(Code::Conflict, message));
        }
    }
    store::set_status(&mut tx, &scope, account, MemberStatus::Active, now).await?;
    let entry = Entry::new("member.resumed", "account", account.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    changes::record(&mut tx, ChangeKind::Many, account.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_everything();
    Ok(())
}
