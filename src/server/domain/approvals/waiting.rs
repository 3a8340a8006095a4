//! Requests that wait: those that lapse, and the daily letter about the rest.

use crate::model::actor::{Actor, OrgScope};
use crate::model::approval::{ApprovalFilter, ApprovalState, ApprovalSummary};
use crate::model::id::{ApprovalId, OrgId};
use crate::model::page::{MAX_SIZE, PageRequest};
use crate::model::permission::Permission;
use crate::model::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter, WaitingRequest};
use crate::server::store::db::Tx;
use crate::server::store::{approvals as store, members};

/// From one letter to the next. The hourly work is not always on the minute.
const EVERY_MS: i64 = DAY_MS - HOUR_MS / 2;

/// Notes what has lapsed and tells whoever asked. It is over from its moment on, whether or not this has run.
pub async fn lapse(ctx: &Context) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let lapsed = store::list_lapsed(&mut tx, now).await?;
    drop(tx);
    let mut outcome = Ok(());
    // Each by itself: one that fails keeps no other, and the rest is for the next hour.
    for (org, id) in lapsed {
        let one = async {
            let mut tx = audit::begin_in(ctx, Some(&org)).await?;
            lapse_one(ctx, &mut tx, org, &id, now).await?;
            Ok::<_, DomainError>(tx.commit().await?)
        };
        if let Err(error) = one.await {
            outcome = Err(error);
        }
    }
    outcome
}

pub(super) async fn lapse_one(
    ctx: &Context,
    tx: &mut Tx,
    org: OrgId,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<(), DomainError> {
    let actor = Actor::system(Some(org));
    let scope = actor.require(Permission::ApprovalsDecide)?;
    let Some(approval) = store::find(tx, &scope, id, now).await? else {
        return Ok(());
    };
    if !store::set_lapsed(tx, &scope, id, now).await? {
        return Ok(());
    }
    let entry = Entry::new("approval.lapsed", "approval", id.as_str());
    audit::record(ctx, tx, Some(scope.org_id()), &actor, entry, now).await?;
    let told = (ApprovalState::Lapsed, None, "");
    super::decide::tell_result(ctx, tx, &scope, &approval.summary, told, now).await
}

/// Once a day, each approver gets one letter with all that waits for them: never what they asked for themselves.
pub async fn tell(ctx: &Context) -> Result<(), DomainError> {
    if !mail::is_on(ctx) {
        return Ok(());
    }
    let now = ctx.clock.now();
    let since = now.minus_ms(EVERY_MS);
    let mut tx = ctx.db.begin_read().await?;
    let untold = store::list_untold(&mut tx, now, since).await?;
    drop(tx);
    for (org, organisation) in untold {
        let scope = Actor::system(Some(org)).require(Permission::ApprovalsDecide)?;
        let mut tx = audit::begin_in(ctx, Some(&org)).await?;
        if store::set_told(&mut tx, &scope, now, since).await? {
            tell_in(ctx, &mut tx, &scope, &organisation, now).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

async fn tell_in(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    organisation: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
    let filter = ApprovalFilter {
        state: Some(ApprovalState::Waiting),
        page: PageRequest::clamped(1, MAX_SIZE),
    };
    let waiting = store::list(tx, scope, None, &filter, now).await?.rows;
    for approver in members::list_administrators(tx, scope).await? {
        let others: Vec<&ApprovalSummary> = waiting
            .iter()
            .filter(|one| one.requested_by != approver)
            .collect();
        if others.is_empty() {
            continue;
        }
        if let Some(to) = mail::recipient(tx, &approver).await? {
            let letter = Letter::ApprovalsWaiting {
                organisation: organisation.to_owned(),
                requests: others.into_iter().map(told).collect(),
                link: format!(
                    "{}/settings/approvals?state=waiting",
                    ctx.site.public_origin.as_str()
                ),
            };
            mail::enqueue(ctx, tx, to, letter, now).await?;
        }
    }
    Ok(())
}

fn told(request: &ApprovalSummary) -> WaitingRequest {
    WaitingRequest {
        kind: request.kind,
        key: request.key_name.clone(),
        by: request.requested_by_name.clone(),
        lapses_at: request.lapses_at,
    }
}
