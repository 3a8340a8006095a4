//! Looking at requests.

use super::decide::{obstacle, requester};
use super::proposal::{self, Typed, is_as_it_was};
use super::sees_all;
use crate::model::actor::{Actor, OrgScope};
use crate::model::approval::{
    ApprovalFilter, ApprovalKind, ApprovalList, ApprovalPage, ApprovalState, COLLECT_MS, Told, Turn,
};
use crate::model::id::ApprovalId;
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::keys::issue::{Ground, permission_for, require_may_ask};
use crate::server::domain::keys::{edit, require_manage, secured};
use crate::server::domain::policy::Policies;
use crate::server::store::approvals::{self as store, Approval};
use crate::server::store::db::Tx;
use crate::server::store::keys as key_store;

/// Requests, the newest first: everybody's for whoever decides or audits, else one's own.
pub async fn list(
    ctx: &Context,
    actor: &Actor,
    filter: &ApprovalFilter,
) -> Result<ApprovalList, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let all = sees_all(actor);
    let of = match all {
        true => None,
        false => Some(actor.account_id().ok_or(DomainError::NotFound)?),
    };
    let mut tx = ctx.db.begin_read().await?;
    let Policies { live, test } = Policies::in_force(&mut tx, &scope, now).await?;
    Ok(ApprovalList {
        now,
        page: store::list(&mut tx, &scope, of, filter, now).await?,
        sees_all: all,
        me: actor.account_id().copied(),
        is_asked: live.approvals.asks() || test.approvals.asks(),
    })
}

/// One request, with all that whoever decides it has to know.
pub async fn page(ctx: &Context, actor: &Actor, id: &ApprovalId) -> Result<ApprovalPage, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let approval = store::find(&mut tx, &scope, id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    let mine = actor.account_id() == Some(&approval.summary.requested_by);
    if !mine && !sees_all(actor) {
        return Err(DomainError::NotFound);
    }
    let comments = store::list_comments(&mut tx, &scope, id).await?;
    let proposed = proposed(ctx, &mut tx, &scope, &approval, now).await?;
    let decides = actor.may(Permission::ApprovalsDecide);
    let waits = approval.summary.state == ApprovalState::Waiting;
    let to_collect = approval.summary.state == ApprovalState::Approved
        && approval.summary.kind == ApprovalKind::Create
        && approval.summary.collected_at.is_none()
        && approval
            .summary
            .decided_at
            .is_some_and(|at| now.since_ms(at) < COLLECT_MS);
    let may_collect = to_collect && mine && proposed.is_pending;
    let may_create = actor.may(permission_for(approval.summary.environment.as_str()));
    Ok(ApprovalPage {
        now,
        turn: Turn {
            may_decide: waits && decides && !mine,
            may_comment: waits && (decides || mine),
            may_withdraw: waits && mine,
            may_collect,
            may_hand_over: may_collect && may_create,
        },
        again: match approval.summary.state {
            ApprovalState::Declined | ApprovalState::Withdrawn | ApprovalState::Lapsed if mine => {
                proposal::again(&approval)
            }
            _ => None,
        },
        justification: approval.justification,
        approval: approval.summary,
        seen: match &proposed.told {
            Some(told) => proposal::seen(told)?,
            None => String::new(),
        },
        told: proposed.told.unwrap_or(approval.told),
        obstacles: proposed.obstacles,
        comments,
    })
}

#[derive(Default)]
struct Proposed {
    /// None when it cannot be made out as things are.
    told: Option<Told>,
    obstacles: Vec<String>,
    /// The key that it made waits for its secret.
    is_pending: bool,
}

/// What the request would do now, while it waits; of one that is over, what was told then stays.
async fn proposed(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    approval: &Approval,
    now: Timestamp,
) -> Result<Proposed, DomainError> {
    if approval.summary.state != ApprovalState::Waiting {
        let pending = match (approval.summary.kind, &approval.summary.key_id) {
            (ApprovalKind::Create, Some(key)) => key_store::find_secured(tx, scope, key).await?,
            _ => None,
        };
        return Ok(Proposed {
            is_pending: pending.is_some_and(|key| key.secrets.is_empty() && key.revoked_at_ms.is_none()),
            ..Proposed::default()
        });
    }
    let mut proposed = Proposed::default();
    let tried = match approval.summary.kind {
        ApprovalKind::Create => new_key(ctx, tx, scope, approval, now, &mut proposed).await,
        ApprovalKind::Edit => change(ctx, tx, scope, approval, now, &mut proposed).await,
    };
    if let Err(error) = tried {
        match obstacle(&error) {
            Some(why) => proposed.obstacles.push(why),
            None => return Err(error),
        }
    }
    Ok(proposed)
}

async fn new_key(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    approval: &Approval,
    now: Timestamp,
    proposed: &mut Proposed,
) -> Result<(), DomainError> {
    let who = requester(tx, scope, approval, now).await?;
    let typed = Typed::of(&approval.proposal);
    let draft = typed.draft();
    require_may_ask(&who, draft.environment)?;
    let ground = Ground::read(tx, scope, &draft, now).await?;
    let admitted = ground.admit(ctx, &who, &draft, now)?;
    proposed.told = Some(proposal::of_new(&ground, &admitted, now));
    Ok(())
}

async fn change(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    approval: &Approval,
    now: Timestamp,
    proposed: &mut Proposed,
) -> Result<(), DomainError> {
    let who = requester(tx, scope, approval, now).await?;
    let id = approval.summary.key_id.ok_or(DomainError::NotFound)?;
    let key = secured::find(ctx, tx, &who, &id).await?;
    require_manage(&who, &key)?;
    let detail = key_store::find_detail(tx, scope, &id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    if !is_as_it_was(approval, &key)? {
        let why = "The key was changed after this was asked for. Decline it, so that it is asked for anew.";
        proposed.obstacles.push(why.to_owned());
    }
    let typed = Typed::of(&approval.proposal);
    let changed = edit::changed(ctx, tx, scope, key, &typed.edit(), now).await?;
    proposed.told = Some(proposal::of_change(&changed, &detail.purpose)?);
    Ok(())
}
