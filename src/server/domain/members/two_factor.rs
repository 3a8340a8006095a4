//! The second factor that an organisation asks of everybody (R24).
//!
//! It is asked of people, never of machines: service tokens and keys go on whatever their owners have set up.

use serde_json::json;

use crate::model::actor::Actor;
use crate::model::error::FieldError;
use crate::model::member::{GRACE_DAYS_MAX, TwoFactorPolicy};
use crate::model::permission::Permission;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter};
use crate::server::store::{members, orgs};

pub async fn policy(ctx: &Context, actor: &Actor) -> Result<TwoFactorPolicy, DomainError> {
    let scope = actor.require(Permission::MembersRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let (since, due_at) = orgs::find_two_factor(&mut tx, &scope).await?;
    Ok(TwoFactorPolicy {
        now: ctx.clock.now(),
        since,
        due_at,
        active_members: members::count_active(&mut tx, &scope).await?,
        without: members::list_without_factor(&mut tx, &scope).await?,
        may_change: actor.may(Permission::SecurityManage),
    })
}

/// Asks everybody for a second factor after so many days, told to those who have none yet. In sessions that are open,
/// too; zero days is at once.
pub async fn require(ctx: &Context, actor: &Actor, grace_days: &str) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::SecurityManage, now)?;
    let days = parse_grace(grace_days)?;
    let due_at = now.plus_ms(i64::from(days) * DAY_MS);
    let mut tx = audit::begin(ctx, actor).await?;
    let (since, before) = orgs::find_two_factor(&mut tx, &scope).await?;
    orgs::set_two_factor(&mut tx, &scope, Some((since.unwrap_or(now), due_at))).await?;
    let detail = json!({
        "graceDays": days,
        "before": before.map(Timestamp::rfc3339),
        "after": due_at.rfc3339(),
    });
    let entry = Entry::new(
        "organisation.two_factor_required",
        "organisation",
        scope.org_id().as_str(),
    );
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry.with(detail), now).await?;
    let organisation = orgs::find_name(&mut tx, &scope).await?;
    // Told once, and again only if it comes earlier.
    let is_news = before.is_none_or(|before| due_at < before);
    let told = if is_news {
        members::list_without_factor(&mut tx, &scope).await?
    } else {
        Vec::new()
    };
    for member in told {
        let Some(to) = mail::recipient(&mut tx, &member.account_id).await? else {
            continue;
        };
        let letter = Letter::TwoFactorRequired {
            organisation: organisation.clone(),
            due_at,
            link: format!("{}/account/two-factor", ctx.site.public_origin.as_str()),
        };
        mail::enqueue(ctx, &mut tx, to, letter, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Leaves it to everybody again.
pub async fn make_optional(ctx: &Context, actor: &Actor) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::SecurityManage, now)?;
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::set_two_factor(&mut tx, &scope, None).await?;
    let entry = Entry::new(
        "organisation.two_factor_optional",
        "organisation",
        scope.org_id().as_str(),
    );
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

fn parse_grace(text: &str) -> Result<u32, FieldError> {
    let days = text
        .trim()
        .parse::<u32>()
        .ok()
        .filter(|days| *days <= GRACE_DAYS_MAX);
    days.ok_or_else(|| {
        let message = format!("The time to set it up is a number of days from 0 to {GRACE_DAYS_MAX}.");
        FieldError::new("grace_days", "range", message)
    })
}
