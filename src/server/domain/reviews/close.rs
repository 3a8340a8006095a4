//! How a review ends: at its deadline, early when everything is decided, or cancelled; and what reminds of it before.

use serde_json::json;

use super::read::with_evidence;
use super::start::tell_reviewers;
use super::{find, over};
use crate::model::actor::{Actor, OrgScope};
use crate::model::calendar::counted;
use crate::model::error::Code;
use crate::model::id::{KeyId, ReviewId};
use crate::model::key::{Badge, KeyStatus};
use crate::model::permission::Permission;
use crate::model::review::{OnUndecided, Outcome, ReviewItem, ReviewStatus, ReviewSummary};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::{secured, told};
use crate::server::domain::mail::{self, Letter};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::review_items::{self as items};
use crate::server::store::{orgs, reviews as store};

/// Keys of one transaction at the deadline: nobody waits long for the writer.
const AT_ONCE: i64 = 100;

/// Ends a review before its deadline. Errors: something is not decided.
pub async fn finish(ctx: &Context, actor: &Actor, id: &ReviewId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysManageAny)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let runs = store::hold(&mut tx, &scope, id).await?;
    let review = find(&mut tx, actor, &scope, id).await?;
    if !runs {
        return Err(over(&review));
    }
    items::set_revoked(&mut tx, &scope, id).await?;
    let open = items::count_open(&mut tx, id).await?;
    if open > 0 {
        let are = if open == 1 { "is" } else { "are" };
        let message = format!(
            "{} {are} not decided. Decide about them, wait for the deadline, or cancel the review.",
            counted(open, "key")
        );
        return Err(DomainError::refused(Code::Conflict, message));
    }
    end(
        ctx,
        &mut tx,
        (actor, &scope),
        &review,
        ReviewStatus::Finished,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Ends a review without a result. What was decided stays done.
pub async fn cancel(ctx: &Context, actor: &Actor, id: &ReviewId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysManageAny)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let runs = store::hold(&mut tx, &scope, id).await?;
    let review = find(&mut tx, actor, &scope, id).await?;
    if !runs {
        return Err(over(&review));
    }
    end(
        ctx,
        &mut tx,
        (actor, &scope),
        &review,
        ReviewStatus::Cancelled,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Ends it, tells the log and, unless it is cancelled, whoever began it and the owners; the admins, where whoever began it has
/// left.
async fn end(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    review: &ReviewSummary,
    status: ReviewStatus,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !store::end(tx, scope, &review.id, status, now).await? {
        return Err(over(review));
    }
    let progress = items::progress(tx, &review.id).await?;
    let act = match status {
        ReviewStatus::Cancelled => "review.cancelled",
        ReviewStatus::Running | ReviewStatus::Finished => "review.finished",
    };
    let detail = json!({ "name": review.name, "result": progress });
    let entry = Entry::new(act, "review", review.id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    if status == ReviewStatus::Cancelled {
        return Ok(());
    }
    let organisation = orgs::find_name(tx, scope).await?;
    let mut readers = store::list_owners(tx, scope).await?;
    // Whoever began it may have left since.
    for person in told::responsible(tx, scope, Some(review.started_by.as_str())).await? {
        if !readers.contains(&person) {
            readers.push(person);
        }
    }
    for reader in readers {
        let Some(to) = mail::recipient(tx, &reader).await? else {
            continue;
        };
        let letter = Letter::ReviewFinished {
            organisation: organisation.clone(),
            review: review.name.clone(),
            progress,
            link: format!(
                "{}/settings/reviews/{}",
                ctx.site.public_origin.as_str(),
                review.id
            ),
        };
        mail::enqueue(ctx, tx, to, letter, now).await?;
    }
    Ok(())
}

/// Ends every review whose deadline has come. What one process began another may go on with.
pub async fn close_due(ctx: &Context) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let due = store::list_due(&mut tx, now).await?;
    drop(tx);
    let mut failed = None;
    for (org, id) in due {
        let actor = Actor::system(Some(org));
        if let Err(error) = close(ctx, &actor, &id, now).await {
            tracing::warn!(review.id = %id, %error, "a review could not be closed; trying again in an hour");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn close(ctx: &Context, actor: &Actor, id: &ReviewId, now: Timestamp) -> Result<(), DomainError> {
    let scope = actor.require(Permission::KeysManageAny)?;
    loop {
        let mut tx = audit::begin(ctx, actor).await?;
        // Another process may have ended it, or just now deal with the same keys.
        if !store::hold(&mut tx, &scope, id).await? {
            return Ok(());
        }
        let review = store::find(&mut tx, &scope, id)
            .await?
            .ok_or(DomainError::NotFound)?;
        items::set_revoked(&mut tx, &scope, id).await?;
        let open = items::list_open(&mut tx, id, AT_ONCE).await?;
        if open.is_empty() {
            end(
                ctx,
                &mut tx,
                (actor, &scope),
                &review,
                ReviewStatus::Finished,
                now,
            )
            .await?;
            tx.commit().await?;
            return Ok(());
        }
        let changed = settle(ctx, &mut tx, (actor, &scope), &review, &open, now).await?;
        if changed {
            changes::record(&mut tx, ChangeKind::Many, id.as_str(), now).await?;
        }
        tx.commit().await?;
        if changed {
            ctx.key_cache.forget_everything();
        }
        tokio::task::yield_now().await;
    }
}

/// Does with undecided keys what was chosen for them. Whether any has changed.
async fn settle(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    review: &ReviewSummary,
    keys: &[KeyId],
    now: Timestamp,
) -> Result<bool, DomainError> {
    let (mut changed, mut found) = (false, Vec::with_capacity(keys.len()));
    for key in keys {
        found.extend(items::find_item(tx, scope, review, key, now).await?);
    }
    for (item, kept) in with_evidence(tx, scope, found, now).await? {
        let outcome = match review.on_undecided {
            OnUndecided::Nothing => Outcome::Undecided,
            OnUndecided::Disable => disable(ctx, tx, (actor, scope), review, &item, now).await?,
        };
        changed |= outcome == Outcome::Disabled;
        items::set_outcome(tx, &review.id, &item.key_id, outcome, &kept).await?;
    }
    Ok(changed)
}

/// A key whose record was changed elsewhere is refused everywhere as it is, and keeps no review from ending.
async fn disable(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    review: &ReviewSummary,
    item: &ReviewItem,
    now: Timestamp,
) -> Result<Outcome, DomainError> {
    let mut key = match secured::find(ctx, tx, actor, &item.key_id).await {
        Ok(key) => key,
        Err(DomainError::Refused(..)) => return Ok(Outcome::Failed),
        Err(error) => return Err(error),
    };
    if item.badge == Badge::Revoked {
        return Ok(Outcome::Revoked);
    }
    if key.status != KeyStatus::Active.as_str() {
        return Ok(Outcome::Disabled);
    }
    key.status = KeyStatus::Disabled.as_str().to_owned();
    key.disabled_at_ms = Some(now.ms());
    let detail = json!({ "reason": "undecided in an access review", "review": review.id.as_str() });
    let entry = Entry::new("key.disabled", "key", &key.id).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    secured::write(ctx, tx, scope, key).await?;
    Ok(Outcome::Disabled)
}

/// Reminds reviewers a week and a day before the deadline, once each: whoever stamps it sends it.
pub async fn remind(ctx: &Context) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let spans = (now.plus_ms(DAY_MS), now.plus_ms(7 * DAY_MS));
    let due = store::list_remindable(&mut tx, now, spans).await?;
    drop(tx);
    for (org, id, last) in due {
        let scope = Actor::system(Some(org)).require(Permission::KeysRead)?;
        let mut tx = audit::begin_in(ctx, Some(&org)).await?;
        if !store::set_reminded(&mut tx, &scope, &id, last, now).await? {
            continue;
        }
        if let Some(review) = store::find(&mut tx, &scope, &id).await? {
            tell_reviewers(ctx, &mut tx, &scope, &review, now).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
