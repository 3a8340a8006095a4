//! Keys that nobody uses: shown to whoever looks, and disabled where the policy says so, after their people were told. They
//! are told by letter where there is mail, and in any case by the key's page, the page of unused keys and the count beside
//! "API keys", all of which begin in the moment that is noted here.

mod page;
mod rule;

pub use page::{notice, page};

use std::collections::BTreeMap;

use super::lifecycle::{Stop, stop_in};
use super::{secured, told};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::{AccountId, KeyId, OrgId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::permission::Permission;
use crate::model::policy::UNUSED_NOTICE_DAYS;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::{DomainError, audit, policy};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, IdleKey};
use crate::server::store::orgs;
use rule::{Rule, Step};

/// Keys that are looked at in one transaction.
const BATCH: i64 = 500;

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
    let Some(rule) = noted(ctx, &scope, environment).await? else {
        return Ok(());
    };
    let mut after = (0, String::new());
    loop {
        let now = ctx.clock.now();
        let range = (now.minus_ms(rule.tell_after_ms()), now);
        let mut tx = ctx.db.begin_read().await?;
        let page = ((after.0, after.1.as_str()), BATCH);
        let keys = store::list_idle(&mut tx, &scope, environment, range, page).await?;
        drop(tx);
        if keys.iter().any(|key| rule.step(key, now) != Step::Nothing) {
            let mut tx = audit::begin(ctx, &actor).await?;
            let keys = store::list_idle(&mut tx, &scope, environment, range, page).await?;
            act(ctx, tx, (&actor, &scope), &keys, rule, now).await?;
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
async fn noted(
    ctx: &Context,
    scope: &OrgScope,
    environment: Environment,
) -> Result<Option<Rule>, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let days = policy::in_force(&mut tx, scope, environment, now)
        .await?
        .unused_days;
    let known = store::find_rule(&mut tx, scope, environment).await?;
    drop(tx);
    let days = days.map(i64::from);
    if days == known.map(|(days, _)| days) {
        return Ok(known.map(|(days, since)| Rule { days, since }));
    }
    let mut tx = ctx.db.begin_write().await?;
    store::set_rule(&mut tx, scope, environment, days, now).await?;
    tx.commit().await?;
    Ok(days.map(|days| Rule { days, since: now }))
}

/// Names of keys by who hears of them.
type ByPerson = BTreeMap<AccountId, Vec<String>>;

async fn act(
    ctx: &Context,
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    keys: &[IdleKey],
    rule: Rule,
    now: Timestamp,
) -> Result<(), DomainError> {
    let (mut warned, mut stopped, mut ids) = (ByPerson::new(), ByPerson::new(), Vec::new());
    for key in keys {
        match rule.step(key, now) {
            Step::Nothing => {}
            Step::Tell => {
                if store::set_told(&mut tx, &key.id, rule.idle_since(key), now).await? {
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
    tell(ctx, &mut tx, scope, warned, (rule.days, Some(from)), now).await?;
    tell(ctx, &mut tx, scope, stopped, (rule.days, None), now).await?;
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
