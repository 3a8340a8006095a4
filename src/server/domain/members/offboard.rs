//! When somebody leaves: one decision about every key they own or made, one transaction, one story in the audit log.

use std::collections::HashMap;

use serde_json::json;

use super::{end_invitations, find, invite, refuse_above, refuse_last_owner};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Owner, RevocationReason};
use crate::model::member::{Departure, KeyFate, MemberStatus, MemberSummary, OFFBOARDED_KEYS_MAX};
use crate::model::opening::Collector;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::rotation::Overlap;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::rotation::Told;
use crate::server::domain::keys::{openings, secured};
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::policy::Policies;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self, SecuredKey};
use crate::server::store::{members as store, orgs};

/// What was decided about somebody's leaving.
#[derive(Clone, Debug)]
pub struct Decisions {
    pub departure: Departure,
    /// One by one.
    pub keys: HashMap<KeyId, KeyFate>,
    /// For the keys they own, or only made, that were too many to be listed.
    pub other_owned: Option<KeyFate>,
    pub other_made: Option<KeyFate>,
    /// Who takes over what is transferred.
    pub heir: Option<AccountId>,
    /// How long old secrets go on, of what is rotated as well.
    pub overlap: Overlap,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offboarded {
    pub revoked: usize,
    pub transferred: usize,
    /// Of them, those whose new secret waits for whoever took them over.
    pub rotated: usize,
    pub left: usize,
}

/// Names of what is taken over, and of those whose new secret waits.
#[derive(Default)]
struct TakenOver {
    names: Vec<String>,
    to_collect: Vec<String>,
}

/// Suspends or removes a member and does with their keys what was decided. Nothing is decided silently: a key that came
/// up meanwhile brings the form back.
pub async fn offboard(
    ctx: &Context,
    actor: &Actor,
    account: &AccountId,
    decisions: &Decisions,
) -> Result<Offboarded, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::MembersManage)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let member = find(&mut tx, &scope, account).await?;
    refuse_above(actor, member.role)?;
    refuse_unchanged(&member, decisions.departure)?;
    refuse_last_owner(&mut tx, &scope, &member).await?;
    // First of all: a key that the member makes at this moment is refused, or waits and is refused then.
    store::set_status(&mut tx, &scope, account, decisions.departure.leads_to(), now).await?;
    let fates = fates(&mut tx, &scope, account, decisions).await?;
    if fates.iter().any(|(_, fate)| fate.transfers()) {
        actor.require_proof(now)?;
    }
    let heir = heir(&mut tx, &scope, account, decisions, &fates).await?;
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let (mut done, mut taken, mut told) = (Offboarded::default(), TakenOver::default(), Vec::new());
    for (id, fate) in &fates {
        match (fate, &heir) {
            (KeyFate::Revoke, _) => {
                told.push((id, revoke(ctx, &mut tx, (actor, &scope), id, now).await?));
                done.revoked += 1;
            }
            (KeyFate::Transfer | KeyFate::TransferAndRotate, Some(heir)) => {
                let (key, told_of) = transfer(ctx, &mut tx, (actor, &scope), id, heir, now).await?;
                told.push((id, told_of));
                let opened = match fate {
                    KeyFate::TransferAndRotate => {
                        let by = (actor, &scope, &policies);
                        openings::open_in(&mut tx, by, &key, decisions.overlap, now).await?
                    }
                    _ => None,
                };
                done.transferred += 1;
                done.rotated += usize::from(opened.is_some());
                match opened {
                    Some(opened) => {
                        told.push((id, opened));
                        taken.to_collect.push(key.name);
                    }
                    None => taken.names.push(key.name),
                }
            }
            _ => done.left += 1,
        }
    }
    // In a few statements: a thousand keys are dealt with while others wait.
    let entries = told
        .into_iter()
        .map(|(id, (act, detail))| Entry::new(act, "key", id.as_str()).with(detail));
    audit::record_many(ctx, &mut tx, scope.org_id(), actor, entries.collect(), now).await?;
    end_membership(
        ctx,
        &mut tx,
        (actor, &scope),
        &member,
        (decisions.departure, done),
        now,
    )
    .await?;
    tell(
        ctx,
        &mut tx,
        (actor, &scope),
        &member,
        (decisions.departure, heir, taken),
        now,
    )
    .await?;
    changes::record(&mut tx, ChangeKind::Many, account.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_everything();
    Ok(done)
}

fn refuse_unchanged(member: &MemberSummary, departure: Departure) -> Result<(), DomainError> {
    let message = match (member.status, departure) {
        // What was left then can be decided about now.
        (MemberStatus::Removed, Departure::Remove) if member.keys_owned > 0 => return Ok(()),
        (MemberStatus::Removed, _) => "This member was removed already.",
        (MemberStatus::Suspended, Departure::Suspend) => "This member is suspended already.",
        _ => return Ok(()),
    };
    Err(DomainError::refused(Code::Conflict, message))
}

/// What becomes of each key, or which of them nobody decided about.
async fn fates(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    decisions: &Decisions,
) -> Result<Vec<(KeyId, KeyFate)>, DomainError> {
    let held = keys::list_held_ids(tx, scope, account).await?;
    let (mut fates, mut undecided) = (Vec::with_capacity(held.len()), 0);
    for (id, owned) in held {
        let others = if owned {
            decisions.other_owned
        } else {
            decisions.other_made
        };
        match decisions.keys.get(&id).copied().or(others) {
            // What they only made belongs to somebody else, who keeps it.
            Some(fate) if fate.transfers() && !owned => undecided += 1,
            Some(fate) => fates.push((id, fate)),
            None => undecided += 1,
        }
    }
    if undecided > 0 {
        let message = format!(
            "{undecided} of the keys need a decision: the list changed while this page was open. Look again and decide."
        );
        return Err(FieldError::new("keys", "undecided", message).into());
    }
    let changed = fates.iter().filter(|(_, fate)| *fate != KeyFate::Leave).count();
    if changed > OFFBOARDED_KEYS_MAX {
        let message = format!(
            "{changed} keys are too many at once; {OFFBOARDED_KEYS_MAX} are the most. Leave some of them: they are refused at once and can be dealt with afterwards."
        );
        return Err(FieldError::new("keys", "too_many", message).into());
    }
    Ok(fates)
}

/// Who takes over, when anything is transferred: an active member, not the one who leaves.
async fn heir(
    tx: &mut Tx,
    scope: &OrgScope,
    leaving: &AccountId,
    decisions: &Decisions,
    fates: &[(KeyId, KeyFate)],
) -> Result<Option<AccountId>, DomainError> {
    if !fates.iter().any(|(_, fate)| fate.transfers()) {
        return Ok(None);
    }
    let choice = || {
        FieldError::new(
            "heir",
            "choice",
            "Choose an active member who takes the keys over.",
        )
    };
    let heir = decisions.heir.filter(|heir| heir != leaving).ok_or_else(choice)?;
    let role = store::find_role(tx, scope.org_id(), &heir).await?;
    role.map(|_| Some(heir)).ok_or_else(|| choice().into())
}

async fn revoke(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    id: &KeyId,
    now: Timestamp,
) -> Result<Told, DomainError> {
    let mut key = secured::find(ctx, tx, actor, id).await?;
    let reason = RevocationReason::AffiliationChanged;
    secured::mark_revoked(&mut key, actor, reason, "", now);
    let detail = json!({ "reason": reason.as_str(), "offboarding": true });
    secured::write(ctx, tx, scope, key).await?;
    Ok(("key.revoked", detail))
}

/// Gives the key another owner.
async fn transfer(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    id: &KeyId,
    heir: &AccountId,
    now: Timestamp,
) -> Result<(SecuredKey, Told), DomainError> {
    let mut key = secured::find(ctx, tx, actor, id).await?;
    let detail = json!({ "before": key.owner_account_id, "after": heir.as_str(), "offboarding": true });
    key.owner_account_id = Some(heir.as_str().to_owned());
    key.owner_team = String::new();
    // Whoever leaves may know the secret, so it is due for another one now; it goes on meanwhile.
    key.handed_on_at_ms = Some(now.ms());
    if !key.secrets.is_empty() {
        key.rotation_due_at_ms = Some(key.rotation_due_at_ms.map_or(now.ms(), |due| due.min(now.ms())));
    }
    secured::write(ctx, tx, scope, key.clone()).await?;
    Ok((key, ("key.transferred", detail)))
}

/// Ends the membership and every invitation that rests on it.
async fn end_membership(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    member: &MemberSummary,
    (departure, done): (Departure, Offboarded),
    now: Timestamp,
) -> Result<(), DomainError> {
    end_invitations(ctx, tx, (actor, scope), &member.account_id, Role::Auditor, now).await?;
    invite::end_for(ctx, tx, (actor, scope), &member.email, now).await?;
    let act = match departure {
        Departure::Suspend => "member.suspended",
        Departure::Remove => "member.removed",
    };
    let detail = json!({
        "role": member.role.as_str(),
        "keysRevoked": done.revoked,
        "keysTransferred": done.transferred,
        "rotationsOpened": done.rotated,
        "keysLeft": done.left,
    });
    let entry = Entry::new(act, "account", member.account_id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(())
}

/// Letters to whoever leaves and whoever takes over.
async fn tell(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    member: &MemberSummary,
    (departure, heir, taken): (Departure, Option<AccountId>, TakenOver),
    now: Timestamp,
) -> Result<(), DomainError> {
    let organisation = orgs::find_name(tx, scope).await?;
    let was_member = member.status != MemberStatus::Removed;
    if let Some(to) = mail::recipient(tx, &member.account_id)
        .await?
        .filter(|_| was_member)
    {
        let letter = Letter::MembershipEnded {
            organisation: organisation.clone(),
            suspended: departure == Departure::Suspend,
        };
        mail::enqueue(ctx, tx, to, letter, now).await?;
    }
    let Some(heir) = heir else { return Ok(()) };
    let role = store::find_role(tx, scope.org_id(), &heir).await?;
    let collects = Collector::of(role) == Collector::Owner;
    if let Some(to) = mail::recipient(tx, &heir).await? {
        let (keys, to_collect) = match collects {
            true => (taken.names, taken.to_collect.clone()),
            false => ([taken.names, taken.to_collect.clone()].concat(), Vec::new()),
        };
        let letter = Letter::KeysTransferred {
            organisation,
            keys,
            to_collect,
        };
        mail::enqueue(ctx, tx, to, letter, now).await?;
    }
    if collects {
        return Ok(());
    }
    let owner = |name| {
        let owner = Owner::Member {
            id: heir,
            name: String::new(),
        };
        (owner, role, name)
    };
    let opened = taken.to_collect.into_iter().map(owner).collect();
    openings::write_letters(ctx, tx, (actor, scope), opened, now).await
}
