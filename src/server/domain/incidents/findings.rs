//! What was found out, and the end of an incident.

use serde_json::json;

use super::reading::SETTLED_MS;
use super::{Held, hold, hold_open, horizon};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::IncidentId;
use crate::model::incident::{FINDING_MAX, Fact, Incident, IncidentStatus, parse_since, refuse_before};
use crate::model::key::KeyDetail;
use crate::model::permission::Permission;
use crate::model::text::{self, NOTE_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::keys::read;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::incidents as store;

/// What was typed of an incident.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings<'a> {
    pub noticed: &'a str,
    pub cause: &'a str,
    pub impact: &'a str,
    pub lessons: &'a str,
    /// The version that was on the page; none when nothing was.
    pub version: Option<i64>,
}

/// The four texts, checked; every error at once.
fn checked(typed: Findings<'_>) -> Result<[String; 4], DomainError> {
    let read = [
        text::lines("noticed", "How it was noticed", typed.noticed, NOTE_MAX),
        text::lines("cause", "The cause", typed.cause, FINDING_MAX),
        text::lines("impact", "The impact", typed.impact, FINDING_MAX),
        text::lines("lessons", "What was learnt", typed.lessons, FINDING_MAX),
    ];
    let errors: Vec<FieldError> = read
        .iter()
        .filter_map(|one| one.as_ref().err().cloned())
        .collect();
    if !errors.is_empty() {
        return Err(DomainError::Invalid(errors));
    }
    Ok(read.map(Result::unwrap_or_default))
}

/// Writes the texts down, if they differ from what is there; gives the cause.
async fn write(
    ctx: &Context,
    tx: &mut Tx,
    (actor, held): (&Actor, &Held),
    typed: Findings<'_>,
    now: Timestamp,
) -> Result<String, DomainError> {
    let texts = checked(typed)?;
    let [noticed, cause, impact, lessons] = &texts;
    let Incident {
        id, findings_version, ..
    } = &held.incident;
    let before = &held.incident;
    let is_same = (noticed, cause, impact, lessons)
        == (&before.noticed, &before.cause, &before.impact, &before.lessons);
    if is_same {
        return Ok(cause.clone());
    }
    let version = typed.version.unwrap_or(*findings_version);
    let texts = [noticed.as_str(), cause, impact, lessons];
    if !store::set_findings(tx, &held.scope, id, version, texts).await? {
        let message = "Somebody else has changed these texts since you opened the page. Keep a copy of yours, look at theirs, and write again.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let changed: Vec<&str> = [
        ("noticed", noticed != &before.noticed),
        ("cause", cause != &before.cause),
        ("impact", impact != &before.impact),
        ("lessons", lessons != &before.lessons),
    ]
    .iter()
    .filter_map(|(name, differs)| differs.then_some(*name))
    .collect();
    let entry = Entry::new("incident.edited", "incident", id.as_str()).with(json!({ "changed": changed }));
    audit::record(ctx, tx, Some(held.scope.org_id()), actor, entry, now).await?;
    Ok(cause.clone())
}

/// Saves what was found out so far.
pub async fn save(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    typed: Findings<'_>,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold_open(&mut tx, actor, id).await?;
    write(ctx, &mut tx, (actor, &held), typed, now).await?;
    Ok(tx.commit().await?)
}

/// Sets another suspected moment. What the key did is read anew, because before and after have changed.
pub async fn suspect_since(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    since: &str,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold_open(&mut tx, actor, id).await?;
    let since = parse_since("custom", since, now)?;
    let created = Timestamp::from_ms(held.key.created_at_ms);
    refuse_before(since, created)?;
    let before = held.incident.suspected_since;
    if since == before {
        return Ok(());
    }
    let horizon = horizon(since, created, now);
    let read_at = now.minus_ms(SETTLED_MS);
    store::set_since(&mut tx, &held.scope, id, (since, horizon), read_at).await?;
    store::delete_uses(&mut tx, id).await?;
    let detail =
        json!({ "changed": ["suspectedSince"], "before": before.rfc3339(), "after": since.rfc3339() });
    let entry = Entry::new("incident.edited", "incident", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(held.scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// Closes an incident whose cause is known; `anyway` with items that are open.
pub async fn close(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    typed: Findings<'_>,
    anyway: bool,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    super::require(ctx, actor, id).await?;
    let key = key_of(ctx, actor, id).await?;
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold_open(&mut tx, actor, id).await?;
    let cause = write(ctx, &mut tx, (actor, &held), typed, now).await?;
    if cause.is_empty() {
        let message =
            "Say how the key leaked, or that it cannot be found out: an incident is closed with its cause.";
        return Err(FieldError::new("cause", "required", message).into());
    }
    let items = store::list_items(&mut tx, id).await?;
    let settled = |kind| Fact::of(kind, &held.incident, &key).is_some();
    let is_open = |item: &&store::ItemRow| item.done_at.is_none() && !settled(item.kind);
    let open = items.iter().filter(is_open).count();
    if open > 0 && !anyway {
        let are = if open == 1 { "1 item is" } else { "items are" };
        let counted = if open == 1 {
            are.to_owned()
        } else {
            format!("{open} {are}")
        };
        let message = format!("{counted} still open. Do what is left, or tick “Close anyway”.");
        return Err(FieldError::new("anyway", "open_items", message).into());
    }
    if Fact::of(crate::model::incident::ItemKind::Replace, &held.incident, &key) == Some(Fact::Replaced) {
        let since = held.incident.replaced_at.unwrap_or(key.secret_since);
        store::set_replaced(&mut tx, &held.scope, id, since).await?;
    }
    store::close(&mut tx, &held.scope, id, actor_columns(actor), now).await?;
    let detail = json!({ "openItems": open });
    let entry = Entry::new("incident.closed", "incident", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(held.scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

async fn key_of(ctx: &Context, actor: &Actor, id: &IncidentId) -> Result<KeyDetail, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let row = store::find(&mut tx, &scope, id).await?;
    let key = row.ok_or(DomainError::NotFound)?.incident.key_id;
    drop(tx);
    read::find(ctx, actor, &key).await
}

/// Opens a closed incident again; for whoever manages every key. Errors: the key has another open one.
pub async fn reopen(ctx: &Context, actor: &Actor, id: &IncidentId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    actor.require(Permission::KeysManageAny)?;
    let held = hold(&mut tx, actor, id).await?;
    if held.incident.status == IncidentStatus::Open {
        return Ok(());
    }
    store::reopen(&mut tx, &held.scope, id)
        .await
        .map_err(|error| match error {
            StoreError::Taken => {
                let message = "The key has another incident that is open. Go on with that one.";
                DomainError::refused(Code::Conflict, message)
            }
            other => other.into(),
        })?;
    let entry = Entry::new("incident.reopened", "incident", id.as_str());
    audit::record(ctx, &mut tx, Some(held.scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}
