//! Opening an incident: the key is frozen in the same transaction, and nobody is asked who they are again. Whoever sees a
//! key may say that it may have leaked; freezing it is for whoever may manage it.

use serde_json::json;

use super::reading::SETTLED_MS;
use super::{horizon, tell};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::{IncidentId, KeyId};
use crate::model::incident::{BYSTANDER_DAILY_MAX, ItemKind, parse_since, refuse_before};
use crate::model::key::KeyStatus;
use crate::model::permission::Permission;
use crate::model::text::{self, NOTE_MAX};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::keys::{lifecycle, may_manage, require_manage, secured};
use crate::server::domain::{DomainError, mint};
use crate::server::store::db::Tx;
use crate::server::store::incidents::{self as store, NewIncident};
use crate::server::store::keys::{self, SecuredKey};

/// What is known when an incident is opened.
#[derive(Clone, Debug)]
pub struct OpenIncident {
    /// Since when the key may have been in other hands.
    pub suspected_since: Timestamp,
    /// How it was noticed; several lines.
    pub noticed: String,
    /// Refuse the key from the next request on.
    pub freeze: bool,
}

/// The incident that is open now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub id: IncidentId,
    /// It was open before.
    pub already: bool,
    /// By somebody who may not manage the key: what is done about it is for others.
    pub by_bystander: bool,
}

/// The door for what somebody knows of a key: everybody may say it, and freeze it whoever may manage it.
fn require(actor: &Actor, key: &SecuredKey, freeze: bool) -> Result<OrgScope, DomainError> {
    match freeze {
        true => require_manage(actor, key),
        false => Ok(actor.require(Permission::KeysRead)?),
    }
}

/// The same with the moment as it was typed; whoever may not is told that first.
pub async fn open_as_typed(
    ctx: &Context,
    actor: &Actor,
    key: &KeyId,
    (when, since): (&str, &str),
    noticed: &str,
    freeze: bool,
) -> Result<Opened, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let found = keys::find_secured(&mut tx, &scope, key).await?;
    let found = found.ok_or(DomainError::NotFound)?;
    require(actor, &found, freeze)?;
    drop(tx);
    let mut suspected_since = parse_since(when, since, ctx.clock.now())?;
    if when == "hour" {
        // Of a key that is younger than that: since it exists.
        suspected_since = suspected_since.max(Timestamp::from_ms(found.created_at_ms));
    }
    let opening = OpenIncident {
        suspected_since,
        noticed: noticed.to_owned(),
        freeze,
    };
    open(ctx, actor, key, &opening).await
}

/// Opens an incident of a key, or leads to the one that is open; freezing counts in either case. For the house itself
/// and the operator as for people. Errors: a suspected moment that is to come or before the key; too many of others' keys.
pub async fn open(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    opening: &OpenIncident,
) -> Result<Opened, DomainError> {
    let now = ctx.clock.now();
    let reading = actor.require(Permission::KeysRead)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let key = keys::find_secured(&mut tx, &reading, id).await?;
    let key = key.ok_or(DomainError::NotFound)?;
    let scope = require(actor, &key, opening.freeze)?;
    let opened = open_in(ctx, &mut tx, (actor, &scope), &key, opening, now).await?;
    match opened.already {
        true => {
            let held = store::hold(&mut tx, &scope, &opened.id).await?;
            held.ok_or(DomainError::NotFound)?;
        }
        false => {
            let what = (&opened.id, opening);
            tell::opened(ctx, &mut tx, (actor, &scope), &key, what, now).await?;
        }
    }
    match opening.freeze && may_freeze(ctx, &key) {
        true => freeze(ctx, tx, (actor, &scope), key, &opened.id, now).await?,
        false => tx.commit().await?,
    }
    Ok(opened)
}

/// Opens an incident of a key in an act that has begun, unless one is open. Nothing is frozen and nobody written to: whoever
/// calls has their own letter.
pub(in crate::server::domain) async fn open_in(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    opening: &OpenIncident,
    now: Timestamp,
) -> Result<Opened, DomainError> {
    let by_bystander = !may_manage(actor, key.owner_account_id.as_deref());
    let open = store::find_open_of(tx, scope, &key.id.parse()?).await?;
    if by_bystander && open.is_none() {
        refuse_too_many(tx, (actor, scope), now).await?;
    }
    Ok(Opened {
        by_bystander,
        already: open.is_some(),
        id: match open {
            Some(id) => id,
            None => insert(ctx, tx, (actor, scope), key, opening, now).await?,
        },
    })
}

/// Each incident is a letter to every administrator.
async fn refuse_too_many(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    now: Timestamp,
) -> Result<(), DomainError> {
    let (_, who) = actor_columns(actor);
    let opened = store::count_opened_by(tx, scope, who, now.minus_ms(DAY_MS)).await?;
    match opened < BYSTANDER_DAILY_MAX {
        true => Ok(()),
        false => {
            let message = format!(
                "You have opened {BYSTANDER_DAILY_MAX} incidents of others’ keys within a day, the most there may be. Tell an administrator about the rest."
            );
            Err(DomainError::refused(Code::Conflict, message))
        }
    }
}

/// A revoked or disabled key is refused as it is, and so is one whose record was changed outside Keywright.
fn may_freeze(ctx: &Context, key: &SecuredKey) -> bool {
    key.status == KeyStatus::Active.as_str() && secured::is_intact(&ctx.keyring, key)
}

async fn insert(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    opening: &OpenIncident,
    now: Timestamp,
) -> Result<IncidentId, DomainError> {
    let created = Timestamp::from_ms(key.created_at_ms);
    let since = opening.suspected_since.min(now);
    refuse_before(since, created)?;
    let noticed = text::lines("noticed", "How it was noticed", &opening.noticed, NOTE_MAX)?;
    let id = mint::incident_id(ctx)?;
    let new = NewIncident {
        id: &id,
        key: &key.id.parse()?,
        since,
        noticed: &noticed,
        by: actor_columns(actor),
        horizon: horizon(since, created, now),
        read_at: now.minus_ms(SETTLED_MS),
    };
    store::insert(tx, scope, &new, now).await?;
    for (number, kind) in (1..).zip(ItemKind::STANDARD) {
        store::insert_item(tx, &id, number, *kind, "").await?;
    }
    let detail = json!({ "key": key.id, "suspectedSince": since.rfc3339(), "freeze": opening.freeze });
    let entry = Entry::new("incident.opened", "incident", id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(id)
}

/// Freezes the key of an incident and commits.
async fn freeze(
    ctx: &Context,
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    mut key: SecuredKey,
    incident: &IncidentId,
    now: Timestamp,
) -> Result<(), DomainError> {
    let id: KeyId = key.id.parse()?;
    store::set_frozen(&mut tx, scope, incident, now).await?;
    let detail = json!({ "incident": incident.as_str() });
    lifecycle::mark_disabled(ctx, &mut tx, (actor, scope), &mut key, detail, now).await?;
    secured::save(ctx, &mut tx, scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&id);
    Ok(())
}

/// Freezes the key of an incident that was opened without. Doing it twice is no error.
pub async fn freeze_now(ctx: &Context, actor: &Actor, id: &IncidentId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = super::hold_open(&mut tx, actor, id).await?;
    if !may_freeze(ctx, &held.key) {
        return Ok(());
    }
    let entry = Entry::new("incident.frozen", "incident", id.as_str());
    audit::record(ctx, &mut tx, Some(held.scope.org_id()), actor, entry, now).await?;
    freeze(ctx, tx, (actor, &held.scope), held.key, id, now).await
}
