//! Looking at policies.

use crate::model::actor::Actor;
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::model::policy::{PolicyEditForm, PolicyPage, PolicyStanding};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::policies as store;

/// A plan whose day has come is what holds, even before the hourly work has noted it.
fn at(now: Timestamp, mut standing: PolicyStanding) -> PolicyStanding {
    if let Some(plan) = standing.plan.take_if(|plan| plan.from <= now) {
        standing.policy = plan.policy;
    }
    standing
}

/// The rules of both environments.
pub async fn page(ctx: &Context, actor: &Actor) -> Result<PolicyPage, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let mut standings = Vec::new();
    for environment in Environment::ALL {
        standings.push(at(now, store::find(&mut tx, &scope, *environment).await?));
    }
    Ok(PolicyPage {
        now,
        standings,
        may_change: actor.may(Permission::PolicyManage),
    })
}

/// What the form for one environment begins with.
pub async fn edit_form(
    ctx: &Context,
    actor: &Actor,
    environment: Environment,
) -> Result<PolicyEditForm, DomainError> {
    let scope = actor.require(Permission::PolicyManage)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    Ok(PolicyEditForm {
        now,
        standing: at(now, store::find(&mut tx, &scope, environment).await?),
        may_change: true,
    })
}
