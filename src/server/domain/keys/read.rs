//! Looking at keys: the list, its head, one key, its usage.

use super::{
    advice, collecting, disabled, evidence, handover, issue, may_manage, may_rotate, restrictions, unused,
};
use crate::model::actor::Actor;
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Badge, KeyCounts, KeyDetail, KeyFilter, KeyStatus, KeySummary};
use crate::model::key_page::{KeyList, KeyPage};
use crate::model::page::Page;
use crate::model::permission::Permission;
use crate::model::policy::Terms;
use crate::model::restriction::Restrictions;
use crate::model::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::model::usage::{Grain, UsageRange, UsageSeries};
use crate::server::ctx::Context;
use crate::server::domain::policy::Policies;
use crate::server::domain::{DomainError, mint, policy, projects};
use crate::server::store::keys::ListedKey;
use crate::server::store::{approvals, incidents, keys as store, usage};

/// Days the small charts of the list show.
const WEEK_DAYS: i64 = 7;

/// All that the page of keys shows. The counts take longest, so they are on a connection of their own; a part of the list says
/// how many match instead.
pub async fn list_page(ctx: &Context, actor: &Actor, filter: &KeyFilter) -> Result<KeyList, DomainError> {
    let rest = async {
        let page = list(ctx, actor, filter).await?;
        Ok((page, projects::choices(ctx, actor).await?))
    };
    let counts = async {
        match filter.is_narrowed() {
            true => has_any(ctx, actor).await,
            false => counts(ctx, actor).await,
        }
    };
    let (counts, (page, projects)) = tokio::try_join!(counts, rest)?;
    Ok(KeyList {
        now: ctx.clock.now(),
        counts,
        page,
        projects,
        may_create: issue::require_some_way(actor).is_ok(),
        may_import: issue::require_creator(actor).is_ok(),
    })
}

/// One page of keys, each with its last week, in three queries whatever the page's size.
pub async fn list(ctx: &Context, actor: &Actor, filter: &KeyFilter) -> Result<Page<KeySummary>, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let listed = store::list(&mut tx, &scope, filter, now).await?;
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let mut page = listed.map(|key| against_policy(key, &policies));
    let first_day = now.floor_to(DAY_MS).minus_ms((WEEK_DAYS - 1) * DAY_MS);
    let ids: Vec<&KeyId> = page.rows.iter().map(|key| &key.id).collect();
    let days = usage::list_days(&mut tx, &scope, &ids, first_day).await?;
    for key in &mut page.rows {
        key.may_manage = may_manage(actor, key.owner.account_id().map(AccountId::as_str));
        key.week = week_of(key.id.as_str(), &days, first_day);
    }
    Ok(page)
}

/// The key, marked if it breaks the policy of its environment.
fn against_policy(key: ListedKey, policies: &Policies) -> KeySummary {
    let policy = policies.of(key.summary.environment);
    let mut summary = key.summary;
    let restrictions = restrictions::from_row(key.restrictions.as_deref(), None).unwrap_or_default();
    let broken = policy.violations(&terms_of(&summary, &restrictions, key.rotation_days));
    summary.breaks_policy = summary.badge != Badge::Revoked && !broken.is_empty();
    summary
}

fn terms_of<'a>(
    key: &'a KeySummary,
    restrictions: &'a Restrictions,
    rotation_days: Option<i64>,
) -> Terms<'a> {
    Terms {
        scopes: &key.scopes,
        restrictions,
        created_at: key.created_at,
        expires_at: key.expires_at,
        rotation_days,
    }
}

fn week_of(key_id: &str, days: &[(String, Timestamp, i64)], first_day: Timestamp) -> Vec<i64> {
    let on = |day: Timestamp| {
        days.iter()
            .filter(|(id, at, _)| id == key_id && *at == day)
            .map(|(_, _, n)| n)
            .sum()
    };
    (0..WEEK_DAYS)
        .map(|n| on(first_day.plus_ms(n * DAY_MS)))
        .collect()
}

/// Whether there is a key at all.
async fn has_any(ctx: &Context, actor: &Actor) -> Result<KeyCounts, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(KeyCounts {
        all: store::count_up_to_one(&mut tx, &scope).await?,
        ..KeyCounts::default()
    })
}

pub async fn counts(ctx: &Context, actor: &Actor) -> Result<KeyCounts, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::counts(&mut tx, &scope, ctx.clock.now()).await?)
}

/// All that the page of one key shows.
pub async fn page(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    range: UsageRange,
) -> Result<KeyPage, DomainError> {
    let key = find(ctx, actor, id).await?;
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let now = ctx.clock.now();
    let incident = incidents::find_open_of(&mut tx, &scope, id).await?;
    let is_frozen = match (incident, key.disabled_at) {
        (Some(_), Some(at)) => incidents::is_frozen(&mut tx, &scope, id, at).await?,
        _ => false,
    };
    let approval = match key.status {
        KeyStatus::Revoked => None,
        _ => approvals::find_of_key(&mut tx, &scope, id, actor.account_id(), now).await?,
    };
    let (unused, disabled) = match (key.status, key.disabled_at) {
        (KeyStatus::Active, _) => {
            let notice = unused::notice(&mut tx, &scope, (id, key.summary.environment), now).await?;
            (notice, None)
        }
        (KeyStatus::Disabled, Some(at)) => (None, disabled::of(&mut tx, &scope, id, at).await?),
        _ => (None, None),
    };
    drop(tx);
    Ok(KeyPage {
        incident,
        is_frozen,
        approval,
        unused,
        disabled,
        now,
        project: projects::find(ctx, actor, &key.summary.project_id).await?,
        usage: usage(ctx, actor, id, range).await?,
        least_privilege: advice::section(ctx, actor, &key).await?,
        key,
        nonce: mint::form_nonce(ctx),
    })
}

pub async fn find(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<KeyDetail, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let row = store::find_detail(&mut tx, &scope, id, now)
        .await?
        .ok_or(DomainError::NotFound)?;
    let requests_last_hour =
        usage::count_for_key(&mut tx, &scope, id, Grain::Minute, now.minus_ms(HOUR_MS)).await?;
    let (stored, not_before) = &row.restrictions;
    let restrictions = restrictions::from_row(stored.as_deref(), *not_before);
    let restrictions = restrictions.ok_or(DomainError::Defect("a key's restrictions cannot be read"))?;
    let rotation = match row.summary.overlap_until.is_some_and(|until| until > now)
        && row.status != KeyStatus::Revoked
    {
        true => evidence::running(&mut tx, &scope, id, now).await?,
        false => None,
    };
    let policy = policy::in_force(&mut tx, &scope, row.summary.environment, now).await?;
    let violations = match row.status {
        KeyStatus::Revoked => Vec::new(),
        _ => policy.violations(&terms_of(&row.summary, &restrictions, row.rotation_days)),
    };
    let opened = match row.status {
        KeyStatus::Revoked => None,
        _ => {
            let whose = (row.summary.environment, &row.summary.owner);
            collecting::of(&mut tx, (actor, &scope), id, whose).await?
        }
    };
    let owner = row.summary.owner.account_id().map(AccountId::as_str);
    Ok(KeyDetail {
        opened,
        handed_on_at: row.handed_on_at.filter(|at| *at >= row.secret_since),
        may_manage: may_manage(actor, owner),
        may_rotate: may_rotate(actor, row.summary.environment, owner),
        requests_last_hour,
        created_by: actor_name(row.created_by),
        revoked_by: row.revoked_by.map(actor_name),
        summary: row.summary,
        purpose: row.purpose,
        status: row.status,
        project_archived: row.project_archived,
        stored_note: row.stored_note,
        disabled_at: row.disabled_at,
        revoked_at: row.revoked_at,
        revoked_reason: row.revoked_reason,
        revoked_note: row.revoked_note,
        secret_since: row.secret_since,
        rotation_days: row.rotation_days,
        country_database: ctx.countries.is_ready(),
        restrictions,
        violations,
        max_overlap_hours: policy.max_overlap_hours,
        handover: handover::of(&mut tx, &scope, id).await?,
        rotation,
        version: row.version,
    })
}

pub(super) fn actor_name((kind, id, name): (String, String, Option<String>)) -> String {
    match (kind.as_str(), name) {
        (_, Some(name)) => name,
        ("operator", None) => format!("operator {id}"),
        ("system", None) => "Keywright".to_owned(),
        _ => id,
    }
}

/// Requests of one key per bar, oldest first, including empty bars. Counts lag by the flush interval.
pub async fn usage(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    range: UsageRange,
) -> Result<UsageSeries, DomainError> {
    let scope = actor.require(Permission::UsageRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let cells = usage::list_for_key(&mut tx, &scope, id, range.grain(), range.start(now)).await?;
    Ok(UsageSeries::from_cells(range, now, &cells))
}
