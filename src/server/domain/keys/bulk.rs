//! Stopping several keys at once: looked at first, then done to exactly what was looked at.
//!
//! Each key is checked once more inside: whoever may not manage it leaves it, and so does whoever looked at another
//! version of it. Some at a time are one transaction, so that nobody waits long for the writer.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::lifecycle::{Stop, stop_in};
use super::{may_manage, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::bulk::{BULK_MAX, BulkAct, BulkDone, BulkPreview, BulkRow, CHOSEN_MAX, Chosen, NAMED_MAX};
use crate::model::calendar::grouped;
use crate::model::error::{Code, FieldError};
use crate::model::id::KeyId;
use crate::model::key::{KeyStatus, RevocationReason};
use crate::model::permission::Permission;
use crate::model::text::{self, NOTE_MAX};
use crate::model::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::model::usage::Grain;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, audit};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, Candidate};
use crate::server::store::usage;

/// Keys in one transaction.
const BATCH: usize = 100;
/// Of more, other nodes forget all keys they know instead of each of these.
const NAMED_CHANGES: usize = 20;

/// Whoever may manage any key at all, own or not; which ones is looked at for each.
fn require(actor: &Actor) -> Result<OrgScope, DomainError> {
    Ok(match actor.may(Permission::KeysManageAny) {
        true => actor.require(Permission::KeysManageAny)?,
        false => actor.require(Permission::KeysManageOwn)?,
    })
}

/// The chosen keys that may be managed, and how many were left out.
async fn candidates(
    tx: &mut Tx,
    actor: &Actor,
    scope: &OrgScope,
    chosen: &Chosen,
    now: Timestamp,
) -> Result<(Vec<Candidate>, usize), DomainError> {
    let (found, asked) = match chosen {
        Chosen::Keys(keys) => {
            let mut ids: Vec<&KeyId> = keys.iter().map(|(id, _)| id).collect();
            ids.sort_unstable_by_key(|id| id.as_str());
            ids.dedup();
            if ids.is_empty() {
                let message = "Tick the keys first.";
                return Err(FieldError::new("key", "required", message).into());
            }
            if ids.len() > CHOSEN_MAX {
                let message = format!(
                    "{} keys are too many to choose one by one; {CHOSEN_MAX} are the most.",
                    grouped(count_of(ids.len()))
                );
                return Err(FieldError::new("key", "too_many", message).into());
            }
            (store::list_candidates(tx, scope, &ids, now).await?, ids.len())
        }
        Chosen::Matching { filter, .. } => {
            let own = match actor.may(Permission::KeysManageAny) {
                true => "",
                false => actor.account_id().map_or("-", |id| id.as_str()),
            };
            let found = store::list_matching(tx, scope, filter, (own, BULK_MAX + 1), now).await?;
            let asked = found.len();
            (found, asked)
        }
    };
    let is_whole_list = matches!(chosen, Chosen::Matching { .. });
    let mine: Vec<Candidate> = found
        .into_iter()
        .filter(|key| may_manage(actor, key.owner_account_id.as_deref()))
        .collect();
    if mine.len() > BULK_MAX {
        let message = format!(
            "More than {} keys match. Narrow the list first.",
            grouped(count_of(BULK_MAX))
        );
        return Err(FieldError::new("key", "too_many", message).into());
    }
    let left_out = if is_whole_list { 0 } else { asked - mine.len() };
    Ok((mine, left_out))
}

/// Tells one list of keys, each in its version, from another.
fn mark_of(keys: &[Candidate]) -> String {
    let mut all: Vec<(&str, i64)> = keys.iter().map(|key| (key.id.as_str(), key.version)).collect();
    all.sort_unstable();
    let digest = all.iter().fold(Sha256::new(), |digest, (id, version)| {
        digest.chain_update(format!("{id}:{version};"))
    });
    let digest = digest.finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the key stands as the act would have it: a revoked one can neither be revoked nor disabled.
fn stands(act: BulkAct, status: KeyStatus) -> bool {
    match act {
        BulkAct::Disable => status != KeyStatus::Active,
        BulkAct::Revoke => status == KeyStatus::Revoked,
    }
}

/// What stopping these would do, without doing it.
pub async fn preview(
    ctx: &Context,
    actor: &Actor,
    act: BulkAct,
    chosen: &Chosen,
) -> Result<BulkPreview, DomainError> {
    let scope = require(actor)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let (keys, left_out) = candidates(&mut tx, actor, &scope, chosen, now).await?;
    let ids: Vec<&KeyId> = keys.iter().map(|key| &key.id).collect();
    let hour = usage::count_for_keys(&mut tx, &scope, &ids, Grain::Minute, now.minus_ms(HOUR_MS)).await?;
    let day = usage::count_for_keys(&mut tx, &scope, &ids, Grain::Hour, now.minus_ms(DAY_MS)).await?;
    let seen = matches!(chosen, Chosen::Matching { .. }).then(|| mark_of(&keys));
    let mut rows: Vec<BulkRow> = keys.into_iter().map(|key| row(key, act, &hour, &day)).collect();
    rows.sort_by(|a, b| (a.already, -a.requests_day, &a.name).cmp(&(b.already, -b.requests_day, &b.name)));
    let to_stop = || rows.iter().filter(|row| !row.already);
    let count = count_of(to_stop().count());
    let (requests_hour, requests_day) = (
        to_stop().map(|row| row.requests_hour).sum(),
        to_stop().map(|row| row.requests_day).sum(),
    );
    let already = count_of(rows.len()) - count;
    if seen.is_some() {
        rows.truncate(NAMED_MAX);
    }
    Ok(BulkPreview {
        now,
        act,
        rows,
        count,
        already,
        left_out: count_of(left_out),
        requests_hour,
        requests_day,
        seen,
    })
}

fn count_of(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn row(key: Candidate, act: BulkAct, hour: &HashMap<String, i64>, day: &HashMap<String, i64>) -> BulkRow {
    let of = |counts: &HashMap<String, i64>| counts.get(key.id.as_str()).copied().unwrap_or_default();
    BulkRow {
        requests_hour: of(hour),
        requests_day: of(day),
        already: stands(act, key.status),
        id: key.id,
        name: key.name,
        hint: key.hint,
        environment: key.environment,
        owner: key.owner,
        badge: key.badge,
        version: key.version,
    }
}

/// Why keys are stopped, as it was typed.
#[derive(Clone, Copy, Debug)]
pub struct Why<'a> {
    pub reason: &'a str,
    pub note: &'a str,
}

/// Stops what was looked at. Errors: nothing was chosen; a whole list that has changed since; a reason that is none.
pub async fn apply(
    ctx: &Context,
    actor: &Actor,
    act: BulkAct,
    chosen: &Chosen,
    why: Why<'_>,
) -> Result<BulkDone, DomainError> {
    let scope = require(actor)?;
    let note = text::line("note", "The note", why.note, 0, NOTE_MAX)?;
    let stop = match act {
        BulkAct::Disable => Stop::Disable { why: None },
        BulkAct::Revoke => {
            let choice = || FieldError::new("reason", "choice", "Choose why the keys are revoked.");
            Stop::Revoke {
                reason: RevocationReason::parse(why.reason).ok_or_else(choice)?,
                note: &note,
            }
        }
    };
    let mut tx = ctx.db.begin_read().await?;
    let (keys, left_out) = candidates(&mut tx, actor, &scope, chosen, ctx.clock.now()).await?;
    drop(tx);
    if let Chosen::Matching { seen, .. } = chosen
        && seen.as_deref() != Some(mark_of(&keys).as_str())
    {
        let message = "The list changed since you looked at it. Nothing was done: look again.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let versions: HashMap<KeyId, i64> = match chosen {
        Chosen::Keys(keys) => keys
            .iter()
            .filter_map(|(id, version)| Some((*id, (*version)?)))
            .collect(),
        Chosen::Matching { .. } => keys.iter().map(|key| (key.id, key.version)).collect(),
    };
    let mut done = BulkDone {
        left_out: count_of(left_out),
        ..BulkDone::default()
    };
    let ids: Vec<KeyId> = keys.into_iter().map(|key| key.id).collect();
    for batch in ids.chunks(BATCH) {
        let (more, stopped) = stop_batch(ctx, (actor, &scope), batch, &versions, (act, stop)).await?;
        stopped.iter().for_each(|id| ctx.key_cache.forget_key(id));
        done.stopped += more.stopped;
        done.already += more.already;
        done.changed += more.changed;
        done.left_out += more.left_out;
    }
    Ok(done)
}

async fn stop_batch(
    ctx: &Context,
    (actor, scope): (&Actor, &OrgScope),
    batch: &[KeyId],
    versions: &HashMap<KeyId, i64>,
    (act, stop): (BulkAct, Stop<'_>),
) -> Result<(BulkDone, Vec<KeyId>), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (mut done, mut stopped) = (BulkDone::default(), Vec::new());
    for id in batch {
        let key = match secured::find(ctx, &mut tx, actor, id).await {
            Ok(key) => key,
            Err(DomainError::NotFound) => {
                done.left_out += 1;
                continue;
            }
            // Its record was changed behind our back: it is refused everywhere, and not signed afresh.
            Err(DomainError::Refused(Code::Conflict, _)) => {
                done.changed += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let status = KeyStatus::parse(&key.status).ok_or(DomainError::Defect("a key of no status"))?;
        if !may_manage(actor, key.owner_account_id.as_deref()) {
            done.left_out += 1;
        } else if stands(act, status) {
            done.already += 1;
        } else if versions.get(id) != Some(&key.version) {
            done.changed += 1;
        } else {
            stop_in(ctx, &mut tx, (actor, scope), key, stop, now).await?;
            done.stopped += 1;
            stopped.push(*id);
        }
    }
    if stopped.len() > NAMED_CHANGES {
        changes::record(&mut tx, ChangeKind::Many, scope.org_id().as_str(), now).await?;
    } else {
        for id in &stopped {
            changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
        }
    }
    tx.commit().await?;
    Ok((done, stopped))
}
