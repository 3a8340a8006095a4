//! Letters before a rotation is due, 14, 7 and 1 days, and each week while it is overdue: one to each person with all of
//! their keys. Each stage is told once; another due date begins anew.

use std::collections::BTreeMap;

use super::told;
use crate::model::actor::Actor;
use crate::model::id::{AccountId, OrgId};
use crate::model::permission::Permission;
use crate::model::rotation::SOON_MS;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::mail::{self, DueKey, Letter};
use crate::server::domain::{DomainError, audit};
use crate::server::store::keys::{self as store, Remindable};
use crate::server::store::orgs;

const WEEK_MS: i64 = 7 * DAY_MS;
/// The first stage of what is overdue; each week is one more.
const OVERDUE: i64 = 4;

/// Which reminder a rotation has come to, counted from 1; 0 is none. The first half of a secret's time is left in peace,
/// whatever its interval.
fn stage(secret_since: Timestamp, due_at: Timestamp, now: Timestamp) -> i64 {
    let left_ms = due_at.since_ms(now);
    if left_ms <= 0 {
        return OVERDUE + (-left_ms) / WEEK_MS;
    }
    if 2 * now.since_ms(secret_since) < due_at.since_ms(secret_since) {
        return 0;
    }
    // As many as the leads that it has come within.
    let leads = [SOON_MS, WEEK_MS, DAY_MS];
    leads.iter().map(|lead| i64::from(left_ms <= *lead)).sum()
}

/// Writes the letters that are due, everywhere. One organisation that fails does not keep the others.
pub async fn remind(ctx: &Context) -> Result<(), DomainError> {
    if !mail::is_on(ctx) {
        return Ok(());
    }
    let mut tx = ctx.db.begin_read().await?;
    let all = orgs::list_all(&mut tx).await?;
    drop(tx);
    let mut outcome = Ok(());
    for (org, name, _) in all {
        if let Err(error) = remind_of(ctx, org, name).await {
            outcome = Err(error);
        }
    }
    outcome
}

/// Whether this stage of this due date was not told yet.
fn is_news(key: &Remindable, now: Timestamp) -> Option<i64> {
    let (since, due_at) = (
        Timestamp::from_ms(key.secret_since_ms),
        Timestamp::from_ms(key.rotation_due_at_ms),
    );
    let stage = stage(since, due_at, now);
    let told = key.told_due_at_ms == Some(key.rotation_due_at_ms) && key.told_stage >= Some(stage);
    (stage > 0 && !told).then_some(stage)
}

async fn remind_of(ctx: &Context, org: OrgId, organisation: String) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let actor = Actor::system(Some(org));
    let scope = actor.require(Permission::KeysRead)?;
    let until = now.plus_ms(SOON_MS);
    let mut tx = ctx.db.begin_read().await?;
    let due = store::list_remindable(&mut tx, &scope, until, now).await?;
    drop(tx);
    let news: Vec<(Remindable, i64)> = due
        .into_iter()
        .filter_map(|key| is_news(&key, now).map(|stage| (key, stage)))
        .collect();
    if news.is_empty() {
        return Ok(());
    }
    let mut tx = audit::begin(ctx, &actor).await?;
    let mut by_person: BTreeMap<AccountId, Vec<DueKey>> = BTreeMap::new();
    for (key, stage) in news {
        let due_at = Timestamp::from_ms(key.rotation_due_at_ms);
        if !store::set_reminded(&mut tx, &key.id, (due_at, stage), now).await? {
            continue;
        }
        for person in told::responsible(&mut tx, &scope, key.owner_account_id.as_deref()).await? {
            by_person.entry(person).or_default().push(DueKey {
                name: key.name.clone(),
                due_at,
                is_overdue: stage >= OVERDUE,
            });
        }
    }
    for (person, keys) in by_person {
        if let Some(to) = mail::recipient(&mut tx, &person).await? {
            let letter = Letter::RotationDue {
                organisation: organisation.clone(),
                keys,
            };
            mail::enqueue(ctx, &mut tx, to, letter, now).await?;
        }
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_ms(1_795_255_200_000);

    #[test]
    fn reminders_come_14_7_and_1_days_before_and_each_week_after() {
        let at = |day| stage(SINCE, SINCE.plus_ms(90 * DAY_MS), SINCE.plus_ms(day * DAY_MS));
        let days = [0, 75, 76, 82, 83, 88, 89, 90, 96, 97, 104].map(at);
        assert_eq!(days, [0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 6]);
    }

    #[test]
    fn a_short_interval_is_left_in_peace_for_its_first_half() {
        let at = |day| stage(SINCE, SINCE.plus_ms(10 * DAY_MS), SINCE.plus_ms(day * DAY_MS));
        assert_eq!([0, 4, 5, 9, 10].map(at), [0, 0, 2, 3, 4]);
    }
}
