//! Looking at incidents: the list, one with everything, and the form that opens one.

use super::{checklist, timeline};
use crate::model::actor::Actor;
use crate::model::id::{IncidentId, KeyId};
use crate::model::incident::{
    ChecklistItem, Fact, Incident, IncidentFilter, IncidentList, IncidentPage, ItemKind, LeakedForm,
};
use crate::model::key::KeyDetail;
use crate::model::permission::Permission;
use crate::model::usage::UsageRange;
use crate::server::ctx::Context;
use crate::server::domain::keys::read;
use crate::server::domain::{DomainError, mail, mint};
use crate::server::store::incidents::{self as store, ItemRow};
use crate::server::store::orgs;

/// One page of the organisation's incidents.
pub async fn list(
    ctx: &Context,
    actor: &Actor,
    filter: &IncidentFilter,
) -> Result<IncidentList, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(IncidentList {
        now: ctx.clock.now(),
        page: store::list(&mut tx, &scope, filter).await?,
        open: store::count_open(&mut tx, &scope).await?,
    })
}

/// The key, and the incident that is open of it already.
pub async fn form(ctx: &Context, actor: &Actor, key: &KeyId) -> Result<LeakedForm, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let open = store::find_open_of(&mut tx, &scope, key).await?;
    drop(tx);
    Ok(LeakedForm {
        now: ctx.clock.now(),
        key: read::find(ctx, actor, key).await?,
        open,
        tells_by_mail: mail::is_on(ctx),
    })
}

/// All that is known of one incident.
pub async fn page(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    range: Option<UsageRange>,
) -> Result<IncidentPage, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let row = store::find(&mut tx, &scope, id).await?;
    let row = row.ok_or(DomainError::NotFound)?;
    drop(tx);
    let key = read::find(ctx, actor, &row.incident.key_id).await?;
    let mut tx = ctx.db.begin_read().await?;
    let mut timeline = timeline::of(&mut tx, (ctx, &scope), &row, range, now).await?;
    let siblings = timeline::siblings(&mut tx, (actor, &scope), &row.incident, &mut timeline).await?;
    let items = store::list_items(&mut tx, id).await?;
    let members = match key.may_manage {
        true => orgs::list_member_names(&mut tx, &scope).await?,
        false => Vec::new(),
    };
    let item = |row: ItemRow| item(actor, row, &key);
    let mut checklist: Vec<ChecklistItem> = items.into_iter().map(item).collect();
    settle(&mut checklist, &row.incident, &key);
    Ok(IncidentPage {
        now,
        organisation: orgs::find_name(&mut tx, &scope).await?,
        timeline,
        siblings,
        checklist,
        members,
        me: actor.account_id().copied(),
        may_manage: key.may_manage,
        may_reopen: actor.may(Permission::KeysManageAny),
        nonce: mint::form_nonce(ctx),
        incident: row.incident,
        key,
    })
}

fn item(actor: &Actor, row: ItemRow, key: &KeyDetail) -> ChecklistItem {
    let owner = key.summary.owner.account_id().map(|id| id.as_str());
    let assignee = row.assignee.as_ref().map(|member| &member.account_id);
    ChecklistItem {
        may_tick: checklist::may_tick(actor, owner, assignee),
        number: row.number,
        kind: row.kind,
        text: match row.kind {
            ItemKind::Own => row.text,
            kind => kind.text().to_owned(),
        },
        assignee: row.assignee,
        done_at: row.done_at,
        done_by: row.done_by,
        note: row.note,
        fact: None,
    }
}

/// Notes what facts settle.
fn settle(items: &mut [ChecklistItem], incident: &Incident, key: &KeyDetail) {
    for item in items {
        item.fact = Fact::of(item.kind, incident, key);
    }
}
