//! Looking at members.

use super::{account_acts, find};
use crate::model::actor::Actor;
use crate::model::id::AccountId;
use crate::model::key::Environment;
use crate::model::member::{HeldKey, LISTED_KEYS_MAX, MemberList, MemberPage, MemberStatus, OffboardPage};
use crate::model::org::Role;
use crate::model::overlap::OverlapLimit;
use crate::model::permission::Permission;
use crate::model::text::folded;
use crate::model::time::DAY_MS;
use crate::model::token::TokenStatus;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::throttle;
use crate::server::domain::policy::Policies;
use crate::server::store::{invitations, keys, members as store, orgs, tokens};

/// Everybody who is or was a member, and every invitation that waits.
pub async fn list(ctx: &Context, actor: &Actor) -> Result<MemberList, DomainError> {
    let scope = actor.require(Permission::MembersRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(MemberList {
        now: ctx.clock.now(),
        me: actor.account_id().copied(),
        members: store::list(&mut tx, &scope).await?,
        invitations: invitations::list_pending(&mut tx, &scope).await?,
        may_manage: actor.may(Permission::MembersManage),
    })
}

/// One member, and what the actor may do about them.
pub async fn page(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<MemberPage, DomainError> {
    let scope = actor.require(Permission::MembersRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let member = find(&mut tx, &scope, account).await?;
    let refused = account_acts::reason_against(&mut tx, &scope, actor, &member).await?;
    let others = store::count_other_owners(&mut tx, scope.org_id(), account).await?;
    let locked = member.status != MemberStatus::Removed
        && throttle::is_locked(ctx, &mut tx, &folded(&member.email)).await?;
    Ok(MemberPage {
        now: ctx.clock.now(),
        is_me: actor.account_id() == Some(account),
        may_manage: actor.may(Permission::MembersManage) && actor.may_grant(member.role),
        grantable: Role::ALL
            .into_iter()
            .filter(|role| actor.may_grant(*role))
            .collect(),
        account_acts_refused: refused,
        is_last_owner: is_owner_now(&member) && others == 0,
        locked,
        member,
    })
}

fn is_owner_now(member: &crate::model::member::MemberSummary) -> bool {
    member.role == Role::Owner && member.status == MemberStatus::Active
}

/// What is to be decided when the member leaves: each key they own or made, with its traffic.
pub async fn leaving(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<OffboardPage, DomainError> {
    let scope = actor.require(Permission::MembersManage)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let member = find(&mut tx, &scope, account).await?;
    let span = (now.minus_ms(DAY_MS), now);
    let listed = keys::list_held(&mut tx, &scope, account, span, LISTED_KEYS_MAX).await?;
    let (owned, held) = keys::count_held(&mut tx, &scope, account).await?;
    let listed_owned = i64::try_from(listed.iter().filter(|key| key.owned).count()).unwrap_or(i64::MAX);
    let listed_made = i64::try_from(listed.len()).unwrap_or(i64::MAX) - listed_owned;
    let more_owned = (owned - listed_owned).max(0);
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let mut made_tokens = tokens::list(&mut tx, &scope, Some(account), now).await?;
    made_tokens.retain(|token| token.status == TokenStatus::Active);
    let mut heirs = orgs::list_member_names(&mut tx, &scope).await?;
    heirs.retain(|heir| &heir.account_id != account);
    let others = store::count_other_owners(&mut tx, scope.org_id(), account).await?;
    Ok(OffboardPage {
        now,
        overlap: overlap_of_owned(&listed, more_owned, &policies),
        keys: listed,
        more_owned,
        more_made: (held - owned - listed_made).max(0),
        tokens: made_tokens,
        heirs,
        me: actor.account_id().copied(),
        is_last_owner: is_owner_now(&member) && others == 0,
        may_manage: actor.may_grant(member.role),
        member,
    })
}

/// What the policy says of the overlap of the owned keys; those that are not listed may be of either environment.
fn overlap_of_owned(listed: &[HeldKey], more: i64, policies: &Policies) -> OverlapLimit {
    let hours = |environment| policies.of(environment).max_overlap_hours;
    let owned = listed.iter().filter(|key| key.owned).map(|key| key.environment);
    match more {
        0 => OverlapLimit::of(owned, hours),
        _ => OverlapLimit::of(Environment::ALL.iter().copied(), hours),
    }
}
