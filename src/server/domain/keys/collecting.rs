//! Collecting the new secret of a rotation that was opened for somebody, looking at what waits, and calling it off.

use serde_json::json;

use super::issue::{Nonce, RevealedKey, refuse_used};
use super::read::actor_name;
use super::{may_rotate, require_manage, rotation, secured};
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::error::Code;
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Environment, Owner};
use crate::model::opening::{Collector, OpenedRotation, WaitingRotation};
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::rotation::Overlap;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::{DomainError, orgs, policy};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, Opened, SecuredKey};

fn nothing_waits() -> DomainError {
    let message =
        "No new secret of this key waits to be collected: somebody did, or the rotation was called off.";
    DomainError::refused(Code::Conflict, message)
}

/// Whether the actor may collect the new secret of a key of this owner. An owner may have been given less power than it
/// takes to begin a rotation: that was opened for them.
fn may_collect(actor: &Actor, environment: Environment, owner: Option<&str>, role: Option<Role>) -> bool {
    match Collector::of(role) {
        Collector::Owner => {
            actor.may(Permission::KeysManageOwn) && actor.account_id().map(AccountId::as_str) == owner
        }
        Collector::Admins => actor.may(Permission::KeysManageAny) && may_rotate(actor, environment, owner),
    }
}

pub(super) fn environment_of(key: &SecuredKey) -> Result<Environment, DomainError> {
    Environment::parse(&key.environment).ok_or(DomainError::Defect("a key of no environment"))
}

/// The key and what was opened, for whoever may collect and has proved who they are.
async fn hold(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    id: &KeyId,
    now: Timestamp,
) -> Result<(SecuredKey, OrgScope, Opened), DomainError> {
    let key = secured::find(ctx, tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    let opened = store::find_opened(tx, &scope, id)
        .await?
        .ok_or_else(nothing_waits)?;
    let environment = environment_of(&key)?;
    if !may_collect(
        actor,
        environment,
        key.owner_account_id.as_deref(),
        opened.owner_role,
    ) {
        return Err(Denied::Forbidden.into());
    }
    if environment == Environment::Live {
        actor.require_proof(now)?;
    }
    Ok((key, scope, opened))
}

/// Refuses whoever may not collect, or has not proved who they are, before the form is used up.
pub async fn require(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    hold(ctx, &mut tx, actor, id, ctx.clock.now()).await.map(drop)
}

/// Makes the new secret and gives it to whoever collects; the one before goes on for the overlap, from now. Of two who
/// collect at once one gets it.
pub async fn collect(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let held = hold(ctx, &mut tx, actor, id, now).await;
    if let (Err(DomainError::Refused(..)), Some(nonce)) = (&held, &nonce) {
        // Sent twice, the form is told what became of it rather than that nothing waits.
        refuse_used(&store::find_nonce(&mut tx, nonce.text, nonce.account).await?)?;
    }
    let (mut key, scope, opened) = held?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    rotation::use_form(&mut tx, nonce.as_ref(), id, now).await?;
    rotation::refuse_unusable(&key, now)?;
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    let most = rotation::longest_overlap_ms(&policy);
    // The policy may have become stricter since: whoever collects did not choose.
    let overlap = Overlap {
        length_ms: opened.overlap.length_ms.min(most),
        ..opened.overlap
    };
    if let Err(broken) = rotation::refuse_against_policy(&policy, &key, overlap) {
        return Err(mend_first(broken));
    }
    let ends = (
        overlap.ends_at(now, most, key.expires_at_ms.map(Timestamp::from_ms)),
        overlap.countdown_ms(),
    );
    let (revealed, mut detail) = rotation::another_secret(ctx, &mut tx, &scope, &mut key, ends, now).await?;
    detail["opened"] = json!({ "at": opened.opened_at.rfc3339(), "by": opened.opened_by.1 });
    let told = (rotation::STARTED, detail);
    rotation::save_opened(ctx, tx, (actor, &scope), key, (told, Some(nothing_waits)), now).await?;
    Ok(revealed)
}

/// What is wrong with a key has no field on the page that collects.
fn mend_first(error: DomainError) -> DomainError {
    match error {
        DomainError::Invalid(broken) => {
            let told: Vec<&str> = broken.iter().map(|error| error.message.as_str()).collect();
            let message = format!(
                "Edit the key first, so that it keeps the policy. {}",
                told.join(" ")
            );
            DomainError::refused(Code::Conflict, message)
        }
        other => other,
    }
}

/// Takes back that a rotation was opened: the key goes on as it is.
pub async fn call_off(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    if !may_rotate(actor, environment_of(&key)?, key.owner_account_id.as_deref()) {
        return Err(Denied::Forbidden.into());
    }
    let entry = Entry::new("key.rotation_called_off", "key", id.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    if !store::end_opening(&mut tx, &scope, id).await? {
        return Err(nothing_waits());
    }
    Ok(tx.commit().await?)
}

fn shown(actor: &Actor, environment: Environment, owner: &Owner, opened: Opened) -> OpenedRotation {
    let account = owner.account_id().map(AccountId::as_str);
    OpenedRotation {
        opened_at: opened.opened_at,
        may_collect: may_collect(actor, environment, account, opened.owner_role),
        may_call_off: may_rotate(actor, environment, account),
        collector: Collector::of(opened.owner_role).in_words(owner.shown()),
        opened_by: actor_name(opened.opened_by),
        overlap_ms: opened.overlap.length_ms,
        from_first_use: opened.overlap.from_first_use,
    }
}

/// What waits for one key, as its page shows it.
pub(super) async fn of(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    id: &KeyId,
    (environment, owner): (Environment, &Owner),
) -> Result<Option<OpenedRotation>, DomainError> {
    let opened = store::find_opened(tx, scope, id).await?;
    Ok(opened.map(|opened| shown(actor, environment, owner, opened)))
}

/// What waits, one's own first, and how many in all.
pub(super) async fn waiting(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    now: Timestamp,
) -> Result<(Vec<WaitingRotation>, i64), DomainError> {
    let me = actor.account_id().map_or("", |id| id.as_str());
    let (keys, in_all) = store::list_waiting(tx, scope, me, now).await?;
    let row = |(mut entry, owner, opened): store::WaitingKey| {
        let account = owner.account_id().map(AccountId::as_str);
        entry.may_rotate = may_rotate(actor, entry.environment, account);
        let opened = shown(actor, entry.environment, &owner, opened);
        WaitingRotation { entry, opened }
    };
    Ok((keys.into_iter().map(row).collect(), in_all))
}
