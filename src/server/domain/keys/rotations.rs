//! The page of rotations.

use super::{collecting, may_rotate};
use crate::model::actor::Actor;
use crate::model::id::AccountId;
use crate::model::key::Owner;
use crate::model::permission::Permission;
use crate::model::rotation::{LISTED_MAX, RotationEntry, RotationPage, SOON_MS};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::policy::Policies;
use crate::server::store::keys as store;

/// What rotates, what should have, and what should soon.
pub async fn page(ctx: &Context, actor: &Actor) -> Result<RotationPage, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let running = store::list_running(&mut tx, &scope, now).await?;
    let listed = i64::try_from(running.len()).unwrap_or(i64::MAX);
    let running_in_all = match listed < LISTED_MAX {
        true => listed,
        false => store::count_running(&mut tx, &scope, now).await?,
    };
    let soon = now.plus_ms(SOON_MS);
    let overdue = store::list_due(&mut tx, &scope, (Timestamp::from_ms(0), now), now).await?;
    let due = store::list_due(&mut tx, &scope, (now, soon), now).await?;
    let (overdue_in_all, due_in_all) = store::count_due(&mut tx, &scope, soon, now).await?;
    let (waiting, waiting_in_all) = collecting::waiting(&mut tx, (actor, &scope), now).await?;
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    Ok(RotationPage {
        now,
        live_days: policies.live.rotation_days,
        test_days: policies.test.rotation_days,
        waiting,
        waiting_in_all,
        running: for_whom(actor, running),
        running_in_all,
        overdue: for_whom(actor, overdue),
        due: for_whom(actor, due),
        overdue_in_all,
        due_in_all,
    })
}

fn for_whom(actor: &Actor, entries: Vec<(RotationEntry, Owner)>) -> Vec<RotationEntry> {
    let shown = |(mut entry, owner): (RotationEntry, Owner)| {
        entry.may_rotate = may_rotate(
            actor,
            entry.environment,
            owner.account_id().map(AccountId::as_str),
        );
        entry
    };
    entries.into_iter().map(shown).collect()
}
