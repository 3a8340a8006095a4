//! Rotations of several keys at once. An admin opens them; whoever owns a key collects its new secret, which is made in that
//! moment and shown to them alone (`collecting`). Until somebody does, nothing of the key changes.
//!
//! What was opened does not lapse: it holds no secret, and the key stays as due as it is. It ends when the secret is
//! collected, when the key gets another one in another way, or when somebody calls it off.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;

use super::collecting::environment_of;
use super::rotation::{self, Told};
use super::{may_rotate, restrictions};
use crate::model::actor::{Actor, OrgScope};
use crate::model::bulk::{CHOSEN_MAX, Chosen};
use crate::model::calendar::{counted, grouped};
use crate::model::error::FieldError;
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Environment, Owner};
use crate::model::opening::{Collector, OpeningDone, OpeningPreview, OpeningRow, Rotatable, Skip};
use crate::model::org::Role;
use crate::model::overlap::OverlapLimit;
use crate::model::permission::Permission;
use crate::model::policy::Terms;
use crate::model::rotation::Overlap;
use crate::model::time::{DAY_MS, Timestamp};
use crate::model::usage::Grain;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::policy::Policies;
use crate::server::domain::{DomainError, orgs};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, NewOpening, RotatableKey, SecuredKey};
use crate::server::store::{members, orgs as org_store, usage};

/// Whoever may manage any key at all, own or not; which ones is looked at for each.
fn require(actor: &Actor) -> Result<OrgScope, DomainError> {
    Ok(match actor.may(Permission::KeysManageAny) {
        true => actor.require(Permission::KeysManageAny)?,
        false => actor.require(Permission::KeysManageOwn)?,
    })
}

/// The chosen keys, each once, and how many of what was asked for are not there.
async fn chosen_keys(
    tx: &mut Tx,
    actor: &Actor,
    scope: &OrgScope,
    chosen: &Chosen,
    now: Timestamp,
) -> Result<(Vec<RotatableKey>, i64), DomainError> {
    let mut ids: Vec<KeyId> = match chosen {
        Chosen::Keys(keys) => keys.iter().map(|(id, _)| *id).collect(),
        Chosen::Matching { filter, .. } => {
            let own = match actor.may(Permission::KeysManageAny) {
                true => "",
                false => actor.account_id().map_or("-", |id| id.as_str()),
            };
            let found = store::list_matching(tx, scope, filter, (own, CHOSEN_MAX + 1), now).await?;
            found.into_iter().map(|key| key.id).collect()
        }
    };
    ids.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    ids.dedup();
    if ids.is_empty() {
        return Err(FieldError::new("key", "required", "Tick the keys first.").into());
    }
    if ids.len() > CHOSEN_MAX {
        let message = format!(
            "More than {} keys are too many at once. Begin with some of them.",
            grouped(count_of(CHOSEN_MAX))
        );
        return Err(FieldError::new("key", "too_many", message).into());
    }
    let mut keys = store::list_rotatable(tx, scope, &ids.iter().collect::<Vec<_>>(), now).await?;
    keys.sort_unstable_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    let missing = count_of(ids.len() - keys.len());
    Ok((keys, missing))
}

fn count_of(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What of a key decides whether its rotation can be opened.
fn rotatable(actor: &Actor, policies: &Policies, key: &RotatableKey) -> Rotatable {
    let policy = policies.of(key.environment);
    // Rules that cannot be read count as none: where addresses are asked for, the key is left out.
    let rules = restrictions::from_row(key.restrictions.as_deref(), None).unwrap_or_default();
    let broken = policy.violations(&Terms {
        scopes: &key.scopes,
        restrictions: &rules,
        created_at: key.created_at,
        expires_at: key.expires_at,
        rotation_days: key.rotation_days,
    });
    let owner = key.owner.account_id().map(AccountId::as_str);
    Rotatable {
        badge: key.badge,
        may_rotate: may_rotate(actor, key.environment, owner),
        is_waiting: key.is_waiting,
        breaks_policy: !broken.is_empty(),
        max_overlap_hours: policy.max_overlap_hours,
    }
}

/// Why the rotation of a key cannot be opened with this overlap.
fn skip(key: Rotatable, overlap: Overlap) -> Option<Skip> {
    Skip::of(key, overlap.length_ms, overlap.from_first_use)
}

/// What the policy says of the overlap of those that could be opened at all; if none could, of all.
fn limit(policies: &Policies, keys: &[(RotatableKey, Rotatable)]) -> OverlapLimit {
    let hours = |environment| policies.of(environment).max_overlap_hours;
    let is_open = |(_, key): &&(RotatableKey, Rotatable)| skip(*key, Overlap::NONE).is_none();
    let environment = |(key, _): &(RotatableKey, Rotatable)| key.environment;
    match keys.iter().any(|key| is_open(&key)) {
        true => OverlapLimit::of(keys.iter().filter(is_open).map(environment), hours),
        false => OverlapLimit::of(keys.iter().map(environment), hours),
    }
}

/// What opening the rotations of these would do, without doing it. Without an overlap it is that which the form begins with.
pub async fn preview(
    ctx: &Context,
    actor: &Actor,
    chosen: &Chosen,
    overlap: impl Into<Option<Overlap>>,
) -> Result<OpeningPreview, DomainError> {
    let scope = require(actor)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let (keys, missing) = chosen_keys(&mut tx, actor, &scope, chosen, now).await?;
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let ids: Vec<&KeyId> = keys.iter().map(|key| &key.id).collect();
    let day = usage::count_for_keys(&mut tx, &scope, &ids, Grain::Hour, now.minus_ms(DAY_MS)).await?;
    let mut collectors = HashSet::new();
    let mut rows = Vec::with_capacity(keys.len());
    let keys: Vec<(RotatableKey, Rotatable)> = keys
        .into_iter()
        .map(|key| {
            let known = rotatable(actor, &policies, &key);
            (key, known)
        })
        .collect();
    let limit = limit(&policies, &keys);
    let overlap = overlap.into().unwrap_or_else(|| limit.first());
    for (key, known) in keys {
        let skip = skip(known, overlap);
        let collector = Collector::of(key.owner_role);
        if skip.is_none() {
            let person = key.owner.account_id().filter(|_| collector == Collector::Owner);
            collectors.insert(person.copied());
        }
        rows.push(OpeningRow {
            requests_day: day.get(key.id.as_str()).copied().unwrap_or_default(),
            collector: collector.in_words(key.owner.shown()),
            owner: key.owner.shown().to_owned(),
            id: key.id,
            name: key.name,
            hint: key.hint,
            environment: key.environment,
            due_at: key.due_at,
            version: key.version,
            skip,
        });
    }
    rows.sort_by(|a, b| {
        (a.skip.is_some(), -a.requests_day, &a.name).cmp(&(b.skip.is_some(), -b.requests_day, &b.name))
    });
    Ok(OpeningPreview {
        now,
        count: count_of(rows.iter().filter(|row| row.skip.is_none()).count()),
        collectors: count_of(collectors.len()),
        rows,
        missing,
        limit,
        seen: overlap.mark(),
    })
}

/// A longer overlap than was looked at must not leave keys out that nobody was told of.
fn refuse_other_overlap(skips: &[Option<Skip>]) -> Result<(), DomainError> {
    let left_out = |skip: &&Option<Skip>| matches!(skip, Some(Skip::TooLong(_) | Skip::AgainstPolicy));
    match count_of(skips.iter().filter(left_out).count()) {
        0 => Ok(()),
        n => {
            let message = format!(
                "With this choice {} would be left out, because of the policy. Look at the list again, or choose a shorter time.",
                counted(n, "key")
            );
            Err(FieldError::new("overlap", "policy_overlap", message).into())
        }
    }
}

/// Opens the rotations that were looked at, each in the version it was looked at in. `is_other` is that the overlap was
/// another then. Errors: nothing was chosen; an overlap that would leave out more than was told.
pub async fn apply(
    ctx: &Context,
    actor: &Actor,
    chosen: &Chosen,
    (overlap, is_other): (Overlap, bool),
) -> Result<OpeningDone, DomainError> {
    let scope = require(actor)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    let (keys, missing) = chosen_keys(&mut tx, actor, &scope, chosen, now).await?;
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let skips: Vec<Option<Skip>> = keys
        .iter()
        .map(|key| skip(rotatable(actor, &policies, key), overlap))
        .collect();
    if is_other {
        refuse_other_overlap(&skips)?;
    }
    let looked_at = versions(chosen);
    let mut done = OpeningDone {
        missing,
        skipped: count_of(skips.iter().flatten().count()),
        ..OpeningDone::default()
    };
    let ready = keys.into_iter().zip(skips).filter(|(_, skip)| skip.is_none());
    let (opened, changed): (Vec<RotatableKey>, Vec<RotatableKey>) = ready
        .map(|(key, _)| key)
        .partition(|key| looked_at.get(&key.id) == Some(&key.version));
    done.opened = count_of(opened.len());
    done.changed = count_of(changed.len());
    if opened.iter().any(|key| key.environment == Environment::Live) {
        // As good as a new live key, if not for oneself (R26).
        actor.require_fresh(Permission::KeysCreateLive, now)?;
    }
    let entry = |key: &RotatableKey| (key.id, told(overlap));
    let told: Vec<_> = opened.iter().map(entry).collect();
    let entries = told
        .iter()
        .map(|(id, detail)| Entry::new("key.rotation_opened", "key", id.as_str()).with(detail.clone()));
    audit::record_many(ctx, &mut tx, scope.org_id(), actor, entries.collect(), now).await?;
    for key in &opened {
        let new = NewOpening {
            key: &key.id,
            overlap,
            by: actor_columns(actor),
        };
        store::open(&mut tx, &scope, &new, now).await?;
    }
    let whose = opened
        .into_iter()
        .map(|key| (key.owner, key.owner_role, key.name));
    write_letters(ctx, &mut tx, (actor, &scope), whose.collect(), now).await?;
    tx.commit().await?;
    Ok(done)
}

/// The versions in which the keys were looked at; a list that was never looked at has none.
fn versions(chosen: &Chosen) -> HashMap<KeyId, i64> {
    match chosen {
        Chosen::Keys(keys) => keys
            .iter()
            .filter_map(|(id, version)| Some((*id, (*version)?)))
            .collect(),
        Chosen::Matching { .. } => HashMap::new(),
    }
}

fn told(overlap: Overlap) -> serde_json::Value {
    json!({ "overlapMs": overlap.length_ms, "fromFirstUse": overlap.from_first_use })
}

/// One letter to each person who is to collect, with all of their keys; whoever opened them knows.
pub(in crate::server::domain) async fn write_letters(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    opened: Vec<(Owner, Option<Role>, String)>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let mut by_person: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
    let admins = members::list_administrators(tx, scope).await?;
    for (owner, role, name) in opened {
        let people = match (Collector::of(role), owner.account_id()) {
            (Collector::Owner, Some(owner)) => vec![*owner],
            _ => admins.clone(),
        };
        for person in people
            .into_iter()
            .filter(|person| actor.account_id() != Some(person))
        {
            by_person.entry(person).or_default().push(name.clone());
        }
    }
    if by_person.is_empty() {
        return Ok(());
    }
    let organisation = org_store::find_name(tx, scope).await?;
    for (person, keys) in by_person {
        if let Some(to) = mail::recipient(tx, &person).await? {
            let letter = Letter::RotationsOpened {
                organisation: organisation.clone(),
                keys,
            };
            mail::enqueue(ctx, tx, to, letter, now).await?;
        }
    }
    Ok(())
}

/// Opens the rotation of a key that was just written in this transaction, whatever was opened before, and gives what the log
/// is to be told; nothing when another secret would not help it: it has none yet, or is over. Errors: an overlap that the
/// policy does not allow.
pub(in crate::server::domain) async fn open_in(
    tx: &mut Tx,
    (actor, scope, policies): (&Actor, &OrgScope, &Policies),
    key: &SecuredKey,
    overlap: Overlap,
    now: Timestamp,
) -> Result<Option<Told>, DomainError> {
    if rotation::refuse_over(key, now).is_err() {
        return Ok(None);
    }
    rotation::refuse_too_long(policies.of(environment_of(key)?), overlap)?;
    let id: KeyId = key.id.parse()?;
    store::end_opening(tx, scope, &id).await?;
    let new = NewOpening {
        key: &id,
        overlap,
        by: actor_columns(actor),
    };
    store::open(tx, scope, &new, now).await?;
    Ok(Some(("key.rotation_opened", told(overlap))))
}
