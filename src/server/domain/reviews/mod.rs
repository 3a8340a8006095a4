//! Access reviews: start, look, decide, close, export.
//!
//! A review delegates no power: whoever decides about a key must be able to manage it anyway. That is its owner, or an
//! administrator. In a review by chosen members nobody decides about a key of their own.

mod close;
mod decide;
mod export;
mod read;
mod signature;
mod start;

pub use close::{cancel, close_due, finish, remind};
pub use decide::{Choice, decide};
pub use export::{Exported, Format, export};
pub use read::{form, list, page};
pub use signature::{Verified, public_key, verify};
pub use start::{ReviewDraft, start};

use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::ReviewId;
use crate::model::permission::Permission;
use crate::model::review::{Assignment, ReviewItem, ReviewStatus, ReviewSummary};
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::keys::may_manage;
use crate::server::store::db::Tx;
use crate::server::store::{review_items, reviews as store};

/// Whether they see every review whole; others see those with keys of theirs, and those keys.
fn sees_all(actor: &Actor) -> bool {
    actor.may(Permission::AuditRead)
}

/// The review, as far as whoever asks may see it.
async fn find(
    tx: &mut Tx,
    actor: &Actor,
    scope: &OrgScope,
    id: &ReviewId,
) -> Result<ReviewSummary, DomainError> {
    let mut review = store::find(tx, scope, id).await?.ok_or(DomainError::NotFound)?;
    review.progress = review_items::progress(tx, id).await?;
    if sees_all(actor) {
        return Ok(review);
    }
    let account = actor.account_id().ok_or(DomainError::NotFound)?;
    match review_items::has_items_of(tx, id, account).await? {
        true => Ok(review),
        false => Err(DomainError::NotFound),
    }
}

/// Whether they may decide about the key of an item while the review runs.
fn may_decide(actor: &Actor, review: &ReviewSummary, item: &ReviewItem, now: Timestamp) -> bool {
    let own = item.owner_account.is_some() && item.owner_account.as_ref() == actor.account_id();
    let manages = may_manage(actor, item.owner_account.as_ref().map(|id| id.as_str()));
    let four_eyes = review.assignment == Assignment::Members && own;
    review.status == ReviewStatus::Running && review.deadline > now && manages && !four_eyes
}

fn over(review: &ReviewSummary) -> DomainError {
    let message = match review.status {
        ReviewStatus::Running => "The deadline of this review has passed, so nothing more is decided.",
        ReviewStatus::Finished => "This review is finished, so nothing more is decided.",
        ReviewStatus::Cancelled => "This review was cancelled, so nothing more is decided.",
    };
    DomainError::refused(Code::Conflict, message)
}
