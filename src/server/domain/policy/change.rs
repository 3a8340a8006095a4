//! Changing policies: at once or from a day on, with word to whoever looks after what the new rules would break.

use std::collections::BTreeMap;

use serde_json::json;

use super::preview::broken_keys;
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::AccountId;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::policy::{BrokenKey, PLAN_DAYS_MAX, Plan, Policy, PolicyDraft, PolicyStanding};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::told;
use crate::server::domain::mail::{self, Letter};
use crate::server::store::db::Tx;
use crate::server::store::{members, orgs, policies as store};

/// The day from which on rules are to hold; empty for at once.
fn parse_from(text: &str, now: Timestamp) -> Result<Option<Timestamp>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = |code: &str, message: String| Err(FieldError::new("from", code, message));
    let Some(end) = Timestamp::end_of_iso_date(text) else {
        return refuse(
            "date",
            "Give the day as YYYY-MM-DD, or nothing for at once.".to_owned(),
        );
    };
    let from = end.minus_ms(DAY_MS);
    if from <= now {
        return refuse(
            "past",
            format!("{text} has begun already. Give a later day, or nothing for at once."),
        );
    }
    if from.since_ms(now) > i64::from(PLAN_DAYS_MAX) * DAY_MS {
        return refuse(
            "too_far",
            "A change is planned for a year ahead at most.".to_owned(),
        );
    }
    Ok(Some(from))
}

fn changed_meanwhile() -> DomainError {
    let message =
        "Somebody else changed this policy meanwhile. Open it again, and look at what they changed.";
    DomainError::refused(Code::Conflict, message)
}

/// Everything that was typed, checked, before anything is saved: the rules and from when on.
pub async fn check(
    ctx: &Context,
    actor: &Actor,
    draft: &PolicyDraft<'_>,
    from: &str,
) -> Result<(Policy, Option<Timestamp>), DomainError> {
    let scope = actor.require(Permission::PolicyManage)?;
    let (policy, from) = match (draft.check(), parse_from(from, ctx.clock.now())) {
        (Ok(policy), Ok(from)) => (policy, from),
        (policy, from) => {
            let mut wrong = policy.err().unwrap_or_default();
            wrong.extend(from.err());
            return Err(DomainError::Invalid(wrong));
        }
    };
    let mut tx = ctx.db.begin_read().await?;
    super::refuse_no_scope_left(&mut tx, &scope, &policy).await?;
    let rules = &policy.approvals;
    if rules.asks() && !rules.owners_exempt && members::list_administrators(&mut tx, &scope).await?.len() < 2
    {
        let message = "Nobody could approve what you ask for yourself: the organisation has no second admin or owner. Invite one first, or let owners act without approval.";
        return Err(FieldError::new("owners_exempt", "alone", message).into());
    }
    Ok((policy, from))
}

/// Saves rules over the version that was looked at. Keys that break them go on; whoever looks after them is told.
pub async fn save(
    ctx: &Context,
    actor: &Actor,
    environment: Environment,
    (draft, from): (&PolicyDraft<'_>, &str),
    version: i64,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let (policy, from) = check(ctx, actor, draft, from).await?;
    let scope = actor.require_fresh(Permission::PolicyManage, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let standing = store::find(&mut tx, &scope, environment).await?;
    if standing.version != version {
        return Err(changed_meanwhile());
    }
    let before = super::in_force(&mut tx, &scope, environment, now).await?;
    let rules = (&before, &policy);
    let (broken, _) = broken_keys(&mut tx, &scope, environment, rules, now).await?;
    let next = PolicyStanding {
        policy: match from {
            Some(_) => before.clone(),
            None => policy.clone(),
        },
        plan: from.map(|from| Plan {
            policy: policy.clone(),
            from,
        }),
        ..standing
    };
    let detail = json!({
        "environment": environment.as_str(),
        "before": before,
        "after": policy,
        "from": from.map(Timestamp::rfc3339),
        "keysThatBreakIt": broken.len(),
    });
    put(
        ctx,
        &mut tx,
        (actor, &scope),
        &next,
        ("policy.changed", detail),
        now,
    )
    .await?;
    let which = (environment, from.unwrap_or(now));
    tell(ctx, &mut tx, &scope, broken, which, now).await?;
    Ok(tx.commit().await?)
}

/// Saves what holds and what is planned, with the dates that follow from it.
async fn put(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    standing: &PolicyStanding,
    (act, detail): (&'static str, serde_json::Value),
    now: Timestamp,
) -> Result<(), DomainError> {
    if !store::save(tx, scope, standing, now).await? {
        return Err(changed_meanwhile());
    }
    let interval_ms = i64::from(standing.policy.rotation_days) * DAY_MS;
    store::set_due(tx, scope, standing.environment, interval_ms).await?;
    let entry = Entry::new(act, "policy", standing.environment.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(())
}

/// One letter, whatever the number of keys, to everybody who looks after keys that break a rule which they kept before.
async fn tell(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    broken: Vec<BrokenKey>,
    (environment, from): (Environment, Timestamp),
    now: Timestamp,
) -> Result<(), DomainError> {
    if !mail::is_on(ctx) || !broken.iter().any(|key| key.newly) {
        return Ok(());
    }
    // Owners are few, keys may be many: who hears of whose keys is asked once for each owner.
    let mut by_owner: BTreeMap<Option<AccountId>, Vec<String>> = BTreeMap::new();
    for key in broken.into_iter().filter(|key| key.newly) {
        by_owner
            .entry(key.owner.account_id().copied())
            .or_default()
            .push(key.name);
    }
    let mut by_person: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
    for (owner, keys) in by_owner {
        for person in told::responsible(tx, scope, owner.as_ref().map(AccountId::as_str)).await? {
            by_person.entry(person).or_default().extend(keys.iter().cloned());
        }
    }
    let organisation = orgs::find_name(tx, scope).await?;
    for (person, keys) in by_person {
        if let Some(to) = mail::recipient(tx, &person).await? {
            let letter = Letter::PolicyBreaks {
                organisation: organisation.clone(),
                environment,
                from,
                keys,
            };
            mail::enqueue(ctx, tx, to, letter, now).await?;
        }
    }
    Ok(())
}

/// Takes a planned change back.
pub async fn cancel_plan(ctx: &Context, actor: &Actor, environment: Environment) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::PolicyManage, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let mut standing = store::find(&mut tx, &scope, environment).await?;
    let planned = standing.plan.take().filter(|plan| plan.from > now);
    let Some(plan) = planned else {
        let message = "No change of this policy is planned any more.";
        return Err(DomainError::refused(Code::Conflict, message));
    };
    let detail = json!({ "environment": environment.as_str(), "from": plan.from.rfc3339() });
    put(
        ctx,
        &mut tx,
        (actor, &scope),
        &standing,
        ("policy.plan_cancelled", detail),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// Notes plans whose day has come, with the dates that follow from them, and tells once more of what breaks them now: a key
/// may be younger than the plan. They hold from their moment on all the same.
pub async fn take_effect(ctx: &Context) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    loop {
        let mut tx = ctx.db.begin_read().await?;
        let due = store::list_due(&mut tx, now).await?;
        drop(tx);
        if due.is_empty() {
            return Ok(());
        }
        for (org, environment) in due {
            let actor = Actor::system(Some(org));
            let scope = actor.require(Permission::PolicyManage)?;
            let mut tx = audit::begin(ctx, &actor).await?;
            let mut standing = store::find(&mut tx, &scope, environment).await?;
            // Another process may have noted it, or somebody planned something else, a moment ago.
            let Some(plan) = standing.plan.take().filter(|plan| plan.from <= now) else {
                continue;
            };
            let before = std::mem::replace(&mut standing.policy, plan.policy);
            let rules = (&before, &standing.policy);
            let (broken, _) = broken_keys(&mut tx, &scope, environment, rules, now).await?;
            let detail = json!({ "environment": environment.as_str(), "from": plan.from.rfc3339() });
            let act = ("policy.took_effect", detail);
            put(ctx, &mut tx, (&actor, &scope), &standing, act, now).await?;
            tell(ctx, &mut tx, &scope, broken, (environment, plan.from), now).await?;
            tx.commit().await?;
        }
    }
}
