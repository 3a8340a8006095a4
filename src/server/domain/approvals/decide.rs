//! Deciding requests, talking about them, and taking them back.

use serde_json::json;

use super::proposal::{self, Typed, is_as_it_was};
use super::{Leave, anothers, over, refuse_beyond};
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::approval::{ApprovalKind, ApprovalState, ApprovalSummary, COMMENTS_MAX, Reason, Told};
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, ApprovalId, KeyId};
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::text::{self, NOTE_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::issue::{self, Entering, Ground};
use crate::server::domain::keys::{edit, require_manage, secured};
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::members as domain_members;
use crate::server::store::approvals::{self as store, Approval};
use crate::server::store::db::Tx;
use crate::server::store::{keys as key_store, members, orgs as org_store};

fn refused(message: impl Into<String>) -> DomainError {
    DomainError::refused(Code::Conflict, message)
}

/// Approves a request and does what it asks for, as whoever asked. The secret of a new key is made when they collect it.
/// `seen` is what was shown of it: only that is approved. For a live key an approver proves who they are (R26).
pub async fn approve(
    ctx: &Context,
    actor: &Actor,
    id: &ApprovalId,
    (comment, seen): (&str, Option<&str>),
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::ApprovalsDecide)?;
    let comment = parse_comment(comment)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let approval = end(&mut tx, (actor, &scope), id, ApprovalState::Approved, now).await?;
    if approval.summary.environment == Environment::Live {
        actor.require_proof(now)?;
    }
    let done = carry_out(ctx, &mut tx, &scope, (&approval, seen), now).await;
    let key = done.map_err(unfulfilled)?;
    if approval.summary.kind == ApprovalKind::Create {
        store::set_key(&mut tx, &scope, id, &key).await?;
    }
    let act = ("approval.approved", ApprovalState::Approved);
    conclude(ctx, &mut tx, (actor, &scope), (&approval, act, &comment), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&key);
    Ok(())
}

/// Declines a request. Whoever asked is owed the reason.
pub async fn decline(
    ctx: &Context,
    actor: &Actor,
    id: &ApprovalId,
    comment: &str,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::ApprovalsDecide)?;
    let comment = parse_comment(comment)?;
    if comment.is_empty() {
        let message = "Say why you decline it, so that whoever asked knows what to do next.";
        return Err(FieldError::new("comment", "required", message).into());
    }
    let mut tx = audit::begin(ctx, actor).await?;
    let approval = end(&mut tx, (actor, &scope), id, ApprovalState::Declined, now).await?;
    let act = ("approval.declined", ApprovalState::Declined);
    conclude(ctx, &mut tx, (actor, &scope), (&approval, act, &comment), now).await?;
    Ok(tx.commit().await?)
}

/// Takes a request back; whoever asked alone can.
pub async fn withdraw(ctx: &Context, actor: &Actor, id: &ApprovalId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let approval = store::find(&mut tx, &scope, id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    if approval.summary.requested_by != *account {
        return Err(anothers(actor));
    }
    if !store::end(&mut tx, &scope, id, (ApprovalState::Withdrawn, account), now).await? {
        return Err(over(approval.summary.state));
    }
    let entry = Entry::new("approval.withdrawn", "approval", id.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// Says something about a request that waits.
pub async fn comment(ctx: &Context, actor: &Actor, id: &ApprovalId, typed: &str) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysRead)?;
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let approval = store::find(&mut tx, &scope, id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    let mine = approval.summary.requested_by == *account;
    if !mine && !actor.may(Permission::ApprovalsDecide) {
        return Err(anothers(actor));
    }
    let body = parse_comment(typed)?;
    // The powers may have gone since the page was opened.
    let role = members::find_role(&mut tx, scope.org_id(), account).await?;
    if !mine && !role.is_some_and(|role| role.allows(Permission::ApprovalsDecide)) {
        return Err(Denied::Forbidden.into());
    }
    if body.is_empty() {
        return Err(FieldError::new("comment", "required", "Write what you want to say.").into());
    }
    if !store::hold(&mut tx, &scope, id, now).await? {
        return Err(over(approval.summary.state));
    }
    if store::count_comments(&mut tx, &scope, id).await? >= COMMENTS_MAX {
        return Err(refused(format!(
            "This request has {COMMENTS_MAX} comments, the most there may be."
        )));
    }
    store::insert_comment(&mut tx, &scope, id, account, &body, now).await?;
    let entry = Entry::new("approval.commented", "approval", id.as_str()).with(json!({ "comment": body }));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

fn parse_comment(typed: &str) -> Result<String, FieldError> {
    text::lines("comment", "The comment", typed, NOTE_MAX)
}

/// Marks a request as decided before anything else is done: of two who decide at once, the second changes nothing. Whoever
/// decides is still an approver at this moment, and not whoever asked.
async fn end(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    id: &ApprovalId,
    state: ApprovalState,
    now: Timestamp,
) -> Result<Approval, DomainError> {
    let account = actor.account_id().ok_or(Denied::Forbidden)?;
    let found = store::find(tx, scope, id, now).await?;
    let approval = found.ok_or(DomainError::NotFound)?;
    // Always in the same order: two who decide about each other's requests at once wait, and do not wait for each other.
    let mut both = [*account, approval.summary.requested_by];
    both.sort();
    for who in &both {
        members::hold_active(tx, scope.org_id(), who).await?;
    }
    let role = members::find_role(tx, scope.org_id(), account).await?;
    if !role.is_some_and(|role| role.allows(Permission::ApprovalsDecide)) {
        return Err(Denied::Forbidden.into());
    }
    if approval.summary.requested_by == *account {
        return Err(refused(
            "You asked for this yourself. A second person has to decide it; you can withdraw it.",
        ));
    }
    match store::end(tx, scope, id, (state, account), now).await? {
        true => Ok(approval),
        false => Err(over(approval.summary.state)),
    }
}

/// Whoever asked, with the powers they have now, and none that they proved.
pub(super) async fn requester(
    tx: &mut Tx,
    scope: &OrgScope,
    approval: &Approval,
    now: Timestamp,
) -> Result<Actor, DomainError> {
    let actor = domain_members::as_actor(tx, scope, &approval.summary.requested_by, now).await?;
    actor.ok_or_else(|| {
        let name = &approval.summary.requested_by_name;
        refused(format!(
            "{name} is no active member any more, so nothing is done in their name. Decline the request."
        ))
    })
}

/// Does what was asked for; gives the key.
async fn carry_out(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    (approval, seen): (&Approval, Option<&str>),
    now: Timestamp,
) -> Result<KeyId, DomainError> {
    let who = requester(tx, scope, approval, now).await?;
    let typed = Typed::of(&approval.proposal);
    let leave = Leave::Given(&approval.summary.id);
    match approval.summary.kind {
        ApprovalKind::Create => {
            let draft = typed.draft();
            let scope = issue::require_may_ask(&who, draft.environment)?;
            let ground = Ground::read(tx, &scope, &draft, now).await?;
            let admitted = ground.admit(ctx, &who, &draft, now)?;
            let told = proposal::of_new(&ground, &admitted, now);
            keep(tx, &scope, approval, (&told, &admitted.reasons), seen).await?;
            let by = Entering {
                nonce: None,
                leave,
                with_secret: false,
            };
            let entered = issue::enter(ctx, tx, (&who, &scope), &draft, by).await?;
            Ok(entered.key.id.parse()?)
        }
        ApprovalKind::Edit => {
            let id = approval.summary.key_id.ok_or(DomainError::NotFound)?;
            let key = secured::find(ctx, tx, &who, &id).await?;
            let scope = require_manage(&who, &key)?;
            if !is_as_it_was(approval, &key)? {
                return Err(refused(
                    "The key was changed after this was asked for. Decline it, so that it is asked for anew.",
                ));
            }
            let detail = key_store::find_detail(tx, &scope, &id, now).await?;
            let purpose = detail.ok_or(DomainError::NotFound)?.purpose;
            let changed = edit::changed(ctx, tx, &scope, key, &typed.edit(), now).await?;
            refuse_beyond(&who, &changed)?;
            let told = proposal::of_change(&changed, &purpose)?;
            keep(tx, &scope, approval, (&told, &changed.reasons), seen).await?;
            let remark = super::check(&who, &changed.policy.approvals, &changed.reasons, leave)?;
            edit::write(ctx, tx, (&who, &scope), changed, remark, now).await?;
            Ok(id)
        }
    }
}

/// Refuses what is not what was looked at, and keeps what is approved as it is told at this moment.
async fn keep(
    tx: &mut Tx,
    scope: &OrgScope,
    approval: &Approval,
    (told, reasons): (&Told, &[Reason]),
    seen: Option<&str>,
) -> Result<(), DomainError> {
    if seen.is_some_and(|seen| proposal::seen(told).ok().as_deref() != Some(seen)) {
        return Err(refused(
            "What it would do has changed since you opened the page. Look at it again.",
        ));
    }
    // What did not need approval any more was approved all the same, for what it was asked for.
    let reasons = if reasons.is_empty() {
        &approval.summary.reasons
    } else {
        reasons
    };
    Ok(store::set_told_as(tx, scope, &approval.summary.id, (told, reasons)).await?)
}

/// Why an approved request could not be carried out: nothing has happened then, and the request still waits.
fn unfulfilled(error: DomainError) -> DomainError {
    match obstacle(&error) {
        Some(why) => refused(format!(
            "It cannot be done as it was asked for, so it still waits: {why}"
        )),
        None => error,
    }
}

/// What is in the way of a request, for whoever decides it; none when it is no matter of the request.
pub(super) fn obstacle(error: &DomainError) -> Option<String> {
    match error {
        DomainError::Invalid(fields) => {
            let messages: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
            Some(messages.join(" "))
        }
        DomainError::Denied(_) => {
            Some("Whoever asked may not do this any more. Decline the request.".to_owned())
        }
        DomainError::Refused(_, message) => Some(message.clone()),
        DomainError::NotFound => Some("The key is not there any more. Decline the request.".to_owned()),
        _ => None,
    }
}

/// Writes down the decision and tells whoever asked.
async fn conclude(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    (approval, (act, state), comment): (&Approval, (&'static str, ApprovalState), &str),
    now: Timestamp,
) -> Result<(), DomainError> {
    let summary = &approval.summary;
    let account = actor.account_id().ok_or(Denied::Forbidden)?;
    if !comment.is_empty() {
        store::insert_comment(tx, scope, &summary.id, account, comment, now).await?;
    }
    let detail = json!({
        "kind": summary.kind, "keyName": summary.key_name, "environment": summary.environment,
        "requestedBy": summary.requested_by.as_str(), "reasons": summary.reasons, "comment": comment,
    });
    let entry = Entry::new(act, "approval", summary.id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    let by = decider(tx, scope, account).await?;
    tell_result(ctx, tx, scope, summary, (state, by, comment), now).await
}

async fn decider(tx: &mut Tx, scope: &OrgScope, account: &AccountId) -> Result<Option<String>, DomainError> {
    let members = org_store::list_member_names(tx, scope).await?;
    let found = members.into_iter().find(|member| member.account_id == *account);
    Ok(found.map(|member| member.name))
}

/// The letter with the result, to whoever asked.
pub(super) async fn tell_result(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    summary: &ApprovalSummary,
    (state, by, comment): (ApprovalState, Option<String>, &str),
    now: Timestamp,
) -> Result<(), DomainError> {
    let role = members::find_role(tx, scope.org_id(), &summary.requested_by).await?;
    // Whoever has left hears nothing of the organisation any more.
    if !mail::is_on(ctx) || role.is_none() {
        return Ok(());
    }
    if let Some(to) = mail::recipient(tx, &summary.requested_by).await? {
        let letter = Letter::ApprovalResult {
            organisation: org_store::find_name(tx, scope).await?,
            key: summary.key_name.clone(),
            what: summary.kind,
            state,
            by,
            comment: comment.to_owned(),
            link: address(ctx, &summary.id),
        };
        mail::enqueue(ctx, tx, to, letter, now).await?;
    }
    Ok(())
}

fn address(ctx: &Context, id: &ApprovalId) -> String {
    format!("{}/settings/approvals/{id}", ctx.site.public_origin.as_str())
}
