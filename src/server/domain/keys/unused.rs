//! Keys that nobody uses: shown to whoever looks, and disabled where the policy says so, after their people were told.
//!
//! What counts is the time since the key was last made, given a secret, used or enabled, or since the rule holds,
//! whichever is latest. Nothing is disabled earlier than [`UNUSED_NOTICE_DAYS`] after the letter, and a use or an enabling
//! in between begins anew.

use std::collections::BTreeMap;

use super::lifecycle::{Stop, stop_in};
use super::{may_manage, secured, told};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::{AccountId, KeyId, OrgId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::key_page::{UNUSED_CHOICES, UNUSED_DEFAULT_DAYS, UNUSED_LISTED_MAX, UnusedKeys};
use crate::model::permission::Permission;
use crate::model::policy::UNUSED_NOTICE_DAYS;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::policy::Policies;
use crate::server::domain::{DomainError, audit, policy};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, IdleKey};
use crate::server::store::orgs;

/// Keys that are looked at in one transaction.
const BATCH: i64 = 500;

/// Keys unused for so many days; one of the offered numbers, else the one that is offered first.
pub async fn page(ctx: &Context, actor: &Actor, days: i64) -> Result<UnusedKeys, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let days = match UNUSED_CHOICES.contains(&days) {
        true => days,
        false => UNUSED_DEFAULT_DAYS,
    };
    let since = now.minus_ms(days * DAY_MS);
    let mut tx = ctx.db.begin_read().await?;
    let mut keys = store::list_unused(&mut tx, &scope, (since, now), UNUSED_LISTED_MAX).await?;
    let total = match i64::try_from(keys.len()) {
        Ok(listed) if listed < UNUSED_LISTED_MAX => listed,
        _ => store::count_unused(&mut tx, &scope, (since, now)).await?,
    };
    for key in &mut keys {
        key.may_manage = may_manage(actor, key.owner.account_id().map(AccountId::as_str));
        // A letter about an earlier time tells nothing of this one.
        let used = key.last_used.as_ref().map_or(key.created_at, |used| used.at);
        key.told_at = key.told_at.filter(|told| *told > used);
    }
    let Policies { live, test } = Policies::in_force(&mut tx, &scope, now).await?;
    Ok(UnusedKeys {
        now,
        days,
        keys,
        total,
        rules: [live.unused_days, test.unused_days],
    })
}

/// What is due for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Tell,
    Disable,
}

/// How long a key is unused before its people are told. A rule of few days leaves at least half of them first: a job that
/// runs each day is not told of each time.
const fn tell_after_ms(days: i64) -> i64 {
    let early = days - UNUSED_NOTICE_DAYS as i64;
    let half = (days + 1) / 2;
    (if early > half { early } else { half }) * DAY_MS
}

/// Since when the key is not in use, as far as the rule goes.
fn idle_since(key: &IdleKey, rule_since: Timestamp) -> Timestamp {
    let moments = [
        Some(rule_since.ms()),
        Some(key.created_at_ms),
        Some(key.secret_since_ms),
        key.not_before_ms,
        key.used_at_ms,
        key.enabled_at_ms,
    ];
    Timestamp::from_ms(moments.into_iter().flatten().max().unwrap_or_default())
}

fn step(idle_since: Timestamp, told_at: Option<Timestamp>, days: i64, now: Timestamp) -> Step {
    let idle_ms = now.since_ms(idle_since);
    let notice_ms = i64::from(UNUSED_NOTICE_DAYS) * DAY_MS;
    match told_at.filter(|told| *told > idle_since) {
        None if idle_ms >= tell_after_ms(days) => Step::Tell,
        Some(told) if idle_ms >= days * DAY_MS && now.since_ms(told) >= notice_ms => Step::Disable,
        _ => Step::Nothing,
    }
}

/// Tells of keys that will be disabled, and disables those whose time has come, everywhere. One organisation that fails
/// does not keep the others.
pub async fn disable_unused(ctx: &Context) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let ruled = store::list_ruled(&mut tx).await?;
    drop(tx);
    let mut outcome = Ok(());
    for (org, environment) in ruled {
        if let Err(error) = look_after(ctx, org, environment).await {
            outcome = Err(error);
        }
    }
    outcome
}

async fn look_after(ctx: &Context, org: OrgId, environment: Environment) -> Result<(), DomainError> {
    let actor = Actor::system(Some(org));
    let scope = actor.require(Permission::KeysManageAny)?;
    let Some((days, since)) = rule(ctx, &scope, environment).await? else {
        return Ok(());
    };
    let mut after = (0, String::new());
    loop {
        let now = ctx.clock.now();
        let range = (now.minus_ms(tell_after_ms(days)), now);
        let mut tx = ctx.db.begin_read().await?;
        let page = ((after.0, after.1.as_str()), BATCH);
        let keys = store::list_idle(&mut tx, &scope, environment, range, page).await?;
        drop(tx);
        let is_due = |key: &IdleKey| {
            let told_at = key.told_at_ms.map(Timestamp::from_ms);
            step(idle_since(key, since), told_at, days, now) != Step::Nothing
        };
        if keys.iter().any(is_due) {
            let mut tx = audit::begin(ctx, &actor).await?;
            let keys = store::list_idle(&mut tx, &scope, environment, range, page).await?;
            act(ctx, tx, (&actor, &scope), &keys, (days, since), now).await?;
        }
        match keys.last() {
            Some(last) if keys.len() >= usize::try_from(BATCH).unwrap_or_default() => {
                after = (last.idle_since_ms, last.id.clone());
            }
            _ => return Ok(()),
        }
    }
}

/// The rule that holds, and since when: it is noted the first time it is seen, so that nothing is counted from before.
async fn rule(
    ctx: &Context,
    scope: &OrgScope,
    environment: Environment,
) -> Result<Option<(i64, Timestamp)>, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let days = policy::in_force(&mut tx, scope, environment, now)
        .await?
        .unused_days;
    let known = store::find_rule(&mut tx, scope, environment).await?;
    drop(tx);
    let days = days.map(i64::from);
    if days == known.map(|(days, _)| days) {
        return Ok(known);
    }
    let mut tx = ctx.db.begin_write().await?;
    store::set_rule(&mut tx, scope, environment, days, now).await?;
    tx.commit().await?;
    Ok(days.map(|days| (days, now)))
}

/// Names of keys by who hears of them.
type ByPerson = BTreeMap<AccountId, Vec<String>>;

async fn act(
    ctx: &Context,
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    keys: &[IdleKey],
    (days, since): (i64, Timestamp),
    now: Timestamp,
) -> Result<(), DomainError> {
    let (mut warned, mut stopped, mut ids) = (ByPerson::new(), ByPerson::new(), Vec::new());
    for key in keys {
        let idle_since = idle_since(key, since);
        match step(idle_since, key.told_at_ms.map(Timestamp::from_ms), days, now) {
            Step::Nothing => {}
            Step::Tell => {
                if store::set_told(&mut tx, &key.id, idle_since, now).await? {
                    add(&mut tx, scope, key, &mut warned).await?;
                }
            }
            Step::Disable => {
                if let Some(id) = disable(ctx, &mut tx, (actor, scope), key, now).await? {
                    add(&mut tx, scope, key, &mut stopped).await?;
                    ids.push(id);
                }
            }
        }
    }
    let from = now.plus_ms(i64::from(UNUSED_NOTICE_DAYS) * DAY_MS);
    tell(ctx, &mut tx, scope, warned, (days, Some(from)), now).await?;
    tell(ctx, &mut tx, scope, stopped, (days, None), now).await?;
    for id in &ids {
        changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
    }
    tx.commit().await?;
    ids.iter().for_each(|id| ctx.key_cache.forget_key(id));
    Ok(())
}

async fn add(tx: &mut Tx, scope: &OrgScope, key: &IdleKey, to: &mut ByPerson) -> Result<(), DomainError> {
    for person in told::responsible(tx, scope, key.owner_account_id.as_deref()).await? {
        to.entry(person).or_default().push(key.name.clone());
    }
    Ok(())
}

/// Disables a key that is active still. One whose record was changed behind our back is refused already, and left.
async fn disable(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &IdleKey,
    now: Timestamp,
) -> Result<Option<KeyId>, DomainError> {
    let id: KeyId = key.id.parse()?;
    let row = match secured::find(ctx, tx, actor, &id).await {
        Ok(row) if row.status == KeyStatus::Active.as_str() => row,
        Ok(_) | Err(DomainError::NotFound | DomainError::Refused(Code::Conflict, _)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let stop = Stop::Disable { why: Some("unused") };
    stop_in(ctx, tx, (actor, scope), row, stop, now).await?;
    Ok(Some(id))
}

/// One letter to each person, whatever the number of keys.
async fn tell(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    by_person: ByPerson,
    (days, from): (i64, Option<Timestamp>),
    now: Timestamp,
) -> Result<(), DomainError> {
    if by_person.is_empty() || !mail::is_on(ctx) {
        return Ok(());
    }
    let organisation = orgs::find_name(tx, scope).await?;
    for (person, keys) in by_person {
        if let Some(to) = mail::recipient(tx, &person).await? {
            let letter = Letter::KeysUnused {
                organisation: organisation.clone(),
                keys,
                days,
                from,
            };
            mail::enqueue(ctx, tx, to, letter, now).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

    fn days_ago(days: i64) -> Timestamp {
        NOW.minus_ms(days * DAY_MS)
    }

    #[test]
    fn nothing_is_disabled_earlier_than_a_week_after_the_letter() {
        let after = |idle, told: Option<i64>| step(days_ago(idle), told.map(days_ago), 90, NOW);
        assert_eq!(after(82, None), Step::Nothing);
        assert_eq!(after(83, None), Step::Tell);
        assert_eq!(after(400, None), Step::Tell);
        assert_eq!(after(400, Some(6)), Step::Nothing);
        assert_eq!(after(400, Some(7)), Step::Disable);
        assert_eq!(after(89, Some(7)), Step::Nothing, "told early");
        assert_eq!(after(83, Some(84)), Step::Tell, "told of an earlier time");
    }

    #[test]
    fn a_short_rule_does_not_tell_of_each_pause() {
        assert_eq!(tell_after_ms(7), 4 * DAY_MS);
        assert_eq!(tell_after_ms(14), 7 * DAY_MS);
        assert_eq!(tell_after_ms(90), 83 * DAY_MS);
    }
}
