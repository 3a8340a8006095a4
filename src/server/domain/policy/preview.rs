//! The dry run: what rules would break among the keys that there are.

use std::collections::BTreeMap;

use super::broken_by;
use crate::model::actor::{Actor, OrgScope};
use crate::model::id::AccountId;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::policy::{BrokenKey, BrokenOwner, Policy, PolicyDraft, PolicyPreview, Violation};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::policies as store;

/// Keys, and owners, that are named on the page; of more, the number.
const NAMED: usize = 50;

/// What these rules would break, without saving anything.
pub async fn preview(
    ctx: &Context,
    actor: &Actor,
    environment: Environment,
    draft: &PolicyDraft<'_>,
) -> Result<PolicyPreview, DomainError> {
    let scope = actor.require(Permission::PolicyManage)?;
    let policy = draft.check().map_err(DomainError::Invalid)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    super::refuse_no_scope_left(&mut tx, &scope, &policy).await?;
    let present = super::in_force(&mut tx, &scope, environment, now).await?;
    let rules = (&present, &policy);
    let (broken, looked_at) = broken_keys(&mut tx, &scope, environment, rules, now).await?;
    let count = |which: &dyn Fn(&BrokenKey) -> bool| {
        i64::try_from(broken.iter().filter(|key| which(key)).count()).unwrap_or(i64::MAX)
    };
    let recently = now.minus_ms(DAY_MS);
    let owners = owners_of(&broken, recently);
    Ok(PolicyPreview {
        seen: seen(&policy)?,
        broken: count(&|_| true),
        in_use: count(&|key| key.last_used.is_some_and(|at| at > recently)),
        newly: count(&|key| key.newly),
        looked_at,
        owners_in_all: i64::try_from(owners.len()).unwrap_or(i64::MAX),
        owners: owners.into_iter().take(NAMED).collect(),
        keys: broken.into_iter().take(NAMED).collect(),
    })
}

/// Everybody whose keys these are, whoever has most first.
fn owners_of(broken: &[BrokenKey], recently: Timestamp) -> Vec<BrokenOwner> {
    let mut by_owner: BTreeMap<(Option<AccountId>, &str), BrokenOwner> = BTreeMap::new();
    for key in broken {
        let whose = (key.owner.account_id().copied(), key.owner.shown());
        let counts = by_owner.entry(whose).or_insert_with(|| BrokenOwner {
            owner: key.owner.clone(),
            keys: 0,
            in_use: 0,
        });
        counts.keys += 1;
        counts.in_use += i64::from(key.last_used.is_some_and(|at| at > recently));
    }
    let mut owners: Vec<BrokenOwner> = by_owner.into_values().collect();
    owners.sort_by(|a, b| (-a.keys, a.owner.shown()).cmp(&(-b.keys, b.owner.shown())));
    owners
}

/// A policy in one line, to tell whether it is the one that was looked at.
pub fn seen(policy: &Policy) -> Result<String, DomainError> {
    serde_json::to_string(policy).map_err(|_| DomainError::Defect("a policy is no JSON"))
}

/// Every key that breaks rules which take the place of others, the most recently used first, and how many there are in all.
pub(super) async fn broken_keys(
    tx: &mut Tx,
    scope: &OrgScope,
    environment: Environment,
    (before, after): (&Policy, &Policy),
    now: Timestamp,
) -> Result<(Vec<BrokenKey>, i64), DomainError> {
    let keys = store::list_terms(tx, scope, environment, now).await?;
    let looked_at = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let broken = keys.into_iter().filter_map(|key| {
        let violations = broken_by(after, &key);
        (!violations.is_empty()).then(|| BrokenKey {
            newly: has_more(&violations, &broken_by(before, &key)),
            id: key.id,
            name: key.name,
            owner: key.owner,
            last_used: key.last_used,
            violations,
        })
    });
    Ok((broken.collect(), looked_at))
}

/// Whether a rule is among these that is not among those.
fn has_more(these: &[Violation], those: &[Violation]) -> bool {
    let is_there = |rule| those.iter().any(|broken| broken.rule == rule);
    these.iter().any(|broken| !is_there(broken.rule))
}
