//! The checklist: who does what, and what is done.

use serde_json::{Value, json};

use super::{Held, hold, hold_open, refuse_closed, tell};
use crate::model::actor::{Actor, Denied};
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, IncidentId};
use crate::model::incident::{ITEM_NOTE_MAX, ITEM_TEXT_MAX, ItemKind, OWN_ITEMS_MAX};
use crate::model::permission::Permission;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::keys::may_manage;
use crate::server::store::db::Tx;
use crate::server::store::incidents::{self as store, ItemRow};
use crate::server::store::members;

async fn record(
    ctx: &Context,
    tx: &mut Tx,
    (actor, held): (&Actor, &Held),
    action: &'static str,
    detail: Value,
    now: Timestamp,
) -> Result<(), DomainError> {
    let entry = Entry::new(action, "incident", held.incident.id.as_str()).with(detail);
    let org = Some(held.scope.org_id());
    Ok(audit::record(ctx, tx, org, actor, entry, now).await?)
}

async fn find(tx: &mut Tx, id: &IncidentId, number: i64) -> Result<ItemRow, DomainError> {
    store::find_item(tx, id, number)
        .await?
        .ok_or(DomainError::NotFound)
}

/// Whether somebody may tick an item: whoever manages the key, and whoever it was given to, auditors apart.
pub(super) fn may_tick(actor: &Actor, owner: Option<&str>, assignee: Option<&AccountId>) -> bool {
    let is_theirs = assignee.is_some() && assignee == actor.account_id();
    may_manage(actor, owner) || (is_theirs && actor.may(Permission::KeysManageOwn))
}

/// The incident, open, and one of its items, for whoever may tick it.
async fn hold_item(
    tx: &mut Tx,
    actor: &Actor,
    id: &IncidentId,
    number: i64,
) -> Result<(Held, ItemRow), DomainError> {
    let held = hold(tx, actor, id).await?;
    let item = store::find_item(tx, id, number).await?;
    let assignee = item.as_ref().and_then(|item| item.assignee.as_ref());
    let assignee = assignee.map(|member| &member.account_id);
    if !may_tick(actor, held.key.owner_account_id.as_deref(), assignee) {
        return Err(Denied::Forbidden.into());
    }
    refuse_closed(&held.incident)?;
    Ok((held, item.ok_or(DomainError::NotFound)?))
}

/// Adds an item of somebody's own.
pub async fn add(ctx: &Context, actor: &Actor, id: &IncidentId, text: &str) -> Result<i64, DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold_open(&mut tx, actor, id).await?;
    let text = text::line("text", "What is to be done", text, 1, ITEM_TEXT_MAX)?;
    let (own, highest) = store::count_items(&mut tx, id, ItemKind::Own).await?;
    if own >= OWN_ITEMS_MAX {
        let message = format!("A checklist takes {OWN_ITEMS_MAX} items of your own. Remove one first.");
        return Err(FieldError::new("text", "too_many", message).into());
    }
    store::insert_item(&mut tx, id, highest + 1, ItemKind::Own, &text).await?;
    let detail = json!({ "item": highest + 1, "text": text });
    record(ctx, &mut tx, (actor, &held), "incident.item_added", detail, now).await?;
    tx.commit().await?;
    Ok(highest + 1)
}

/// Gives an item to a member, or to nobody, and writes its note. Whoever it is given to may write the note alone.
pub async fn save(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    number: i64,
    (assignee, note): (&str, &str),
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (held, item) = hold_item(&mut tx, actor, id, number).await?;
    let note = text::lines("note", "The note", note, ITEM_NOTE_MAX)?;
    let before = item.assignee.as_ref().map(|member| member.account_id);
    let after = match may_manage(actor, held.key.owner_account_id.as_deref()) {
        true => assigned(&mut tx, &held, assignee, before).await?,
        false => before,
    };
    if before == after && item.note == note {
        return Ok(());
    }
    store::set_item(&mut tx, id, number, after.as_ref(), &note).await?;
    let detail = json!({
        "item": number,
        "assignee": after.as_ref().map(AccountId::as_str),
        "noteChanged": item.note != note,
    });
    record(ctx, &mut tx, (actor, &held), "incident.item_changed", detail, now).await?;
    if let Some(new) = after.filter(|new| Some(*new) != before) {
        tell::assigned(ctx, &mut tx, (actor, &held), &item, &new, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Who the item is to be given to: a member who is active, or whoever has it already.
async fn assigned(
    tx: &mut Tx,
    held: &Held,
    asked: &str,
    before: Option<AccountId>,
) -> Result<Option<AccountId>, DomainError> {
    if asked.is_empty() {
        return Ok(None);
    }
    let choice = || FieldError::new("assignee", "choice", "Choose an active member, or nobody.");
    let account: AccountId = asked.parse().map_err(|_| choice())?;
    let is_member = Some(account) == before
        || members::find_role(tx, held.scope.org_id(), &account)
            .await?
            .is_some();
    match is_member {
        true => Ok(Some(account)),
        false => Err(choice().into()),
    }
}

/// Ticks an item, or says that it is to be done again. Doing it twice is no error.
pub async fn set_done(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    number: i64,
    done: bool,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (held, item) = hold_item(&mut tx, actor, id, number).await?;
    if item.done_at.is_some() == done {
        return Ok(());
    }
    let by = done.then(|| (now, actor_columns(actor)));
    store::set_item_done(&mut tx, id, number, by).await?;
    let action = match done {
        true => "incident.item_done",
        false => "incident.item_reopened",
    };
    let detail = json!({ "item": number });
    record(ctx, &mut tx, (actor, &held), action, detail, now).await?;
    Ok(tx.commit().await?)
}

/// Removes an item that somebody added.
pub async fn remove(ctx: &Context, actor: &Actor, id: &IncidentId, number: i64) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold_open(&mut tx, actor, id).await?;
    let item = find(&mut tx, id, number).await?;
    if !store::remove_item(&mut tx, id, number).await? {
        let message =
            "This item is part of every incident. Say in its note why nothing needs doing, and tick it.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let detail = json!({ "item": number, "text": item.text });
    record(ctx, &mut tx, (actor, &held), "incident.item_removed", detail, now).await?;
    Ok(tx.commit().await?)
}
