//! Keys that nobody uses, and those that will be disabled for it, as pages show them.

use super::rule::Standing;
use crate::model::actor::{Actor, OrgScope};
use crate::model::id::{AccountId, KeyId};
use crate::model::key::Environment;
use crate::model::key_page::{
    UNUSED_CHOICES, UNUSED_DEFAULT_DAYS, UNUSED_LISTED_MAX, UnusedKey, UnusedKeys, UnusedNotice,
};
use crate::model::permission::Permission;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::keys::may_manage;
use crate::server::domain::policy::Policies;
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, IdleKey};

/// Keys unused for so many days, one of the offered numbers, else the one that is offered first; and those that will be
/// disabled, however long they were not used.
pub async fn page(ctx: &Context, actor: &Actor, days: i64) -> Result<UnusedKeys, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let days = match UNUSED_CHOICES.contains(&days) {
        true => days,
        false => UNUSED_DEFAULT_DAYS,
    };
    let since = now.minus_ms(days * DAY_MS);
    let mut tx = ctx.db.begin_read().await?;
    let keys = store::list_unused(&mut tx, &scope, (since, now), UNUSED_LISTED_MAX).await?;
    let total = match i64::try_from(keys.len()) {
        Ok(listed) if listed < UNUSED_LISTED_MAX => listed,
        _ => store::count_unused(&mut tx, &scope, (since, now)).await?,
    };
    let told = store::list_told(&mut tx, &scope, now, UNUSED_LISTED_MAX).await?;
    let standings = [
        Standing::find(&mut tx, &scope, Environment::Live, now).await?,
        Standing::find(&mut tx, &scope, Environment::Test, now).await?,
    ];
    let shown = |(mut key, idle): (UnusedKey, IdleKey)| {
        let [live, test] = &standings;
        let standing = match key.environment {
            Environment::Live => live,
            Environment::Test => test,
        };
        key.may_manage = may_manage(actor, key.owner.account_id().map(AccountId::as_str));
        key.notice = standing.as_ref().and_then(|standing| standing.notice(&idle));
        key
    };
    let told = told.into_iter().map(shown).filter(|key| key.notice.is_some());
    let Policies { live, test } = Policies::in_force(&mut tx, &scope, now).await?;
    Ok(UnusedKeys {
        now,
        days,
        told: told.collect(),
        keys: keys.into_iter().map(shown).collect(),
        total,
        rules: [live.unused_days, test.unused_days],
    })
}

/// The notice that runs for one key.
pub async fn notice(
    tx: &mut Tx,
    scope: &OrgScope,
    (id, environment): (&KeyId, Environment),
    now: Timestamp,
) -> Result<Option<UnusedNotice>, DomainError> {
    let Some(key) = store::find_told(tx, scope, id, now).await? else {
        return Ok(None);
    };
    let standing = Standing::find(tx, scope, environment, now).await?;
    Ok(standing.and_then(|standing| standing.notice(&key)))
}
