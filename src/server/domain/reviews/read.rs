//! Looking at reviews: the list, one of them with a page of its keys, the form for a new one.

use serde_json::{Value, json};

use super::{find, may_decide, sees_all, signature};
use crate::model::actor::{Actor, OrgScope};
use crate::model::advice::Knowledge;
use crate::model::id::{KeyId, ReviewId};
use crate::model::key::KeyFilter;
use crate::model::page::{Page, PageRequest};
use crate::model::permission::Permission;
use crate::model::review::{
    MINE_COUNTED, NewReviewForm, ROWS, ReviewItem, ReviewList, ReviewPage, ReviewStatus, ReviewSummary, Shown,
};
use crate::model::time::Timestamp;
use crate::model::waiting::COUNTED_MAX;
use crate::server::ctx::Context;
use crate::server::domain::keys::{advice, restrictions};
use crate::server::domain::{DomainError, projects};
use crate::server::store::db::Tx;
use crate::server::store::key_uses;
use crate::server::store::review_items::{self, ItemFilter, ItemFound};
use crate::server::store::{keys, reviews as store};

/// Reviews of one page of the list: each is counted by itself.
const LISTED: u32 = 20;

/// Every review that whoever asks may see, the newest first.
pub async fn list(ctx: &Context, actor: &Actor, number: u32) -> Result<ReviewList, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let wanted = PageRequest::clamped(number, LISTED);
    let of = actor.account_id().filter(|_| !sees_all(actor));
    let place = (i64::from(wanted.size), wanted.offset());
    let (mut rows, total) = store::list(&mut tx, &scope, of, place).await?;
    for review in &mut rows {
        review.progress = review_items::progress(&mut tx, &review.id).await?;
        let runs = review.status == ReviewStatus::Running;
        if let Some(account) = actor.account_id().filter(|_| runs) {
            let most = COUNTED_MAX + 1;
            review.mine = review_items::count_turn(&mut tx, &scope, review, account, most).await?;
        }
    }
    Ok(ReviewList {
        now: ctx.clock.now(),
        page: Page {
            rows,
            total,
            number: wanted.number,
            size: wanted.size,
        },
        may_start: actor.may(Permission::KeysManageAny),
    })
}

/// What the form for a new review offers, and how many keys its filter finds.
pub async fn form(ctx: &Context, actor: &Actor, filter: KeyFilter) -> Result<NewReviewForm, DomainError> {
    let scope = actor.require(Permission::KeysManageAny)?;
    let now = ctx.clock.now();
    let projects = projects::choices(ctx, actor).await?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(NewReviewForm {
        now,
        projects,
        reviewers: store::list_admins(&mut tx, &scope).await?,
        me: actor.account_id().copied(),
        matching: keys::count_reviewable(&mut tx, &scope, &filter, now).await?,
        filter,
    })
}

/// One review with a page of its keys and the evidence about them, in a fixed number of queries; without a number, no keys.
pub async fn page(
    ctx: &Context,
    actor: &Actor,
    id: &ReviewId,
    shown: Option<Shown>,
    number: Option<u32>,
) -> Result<ReviewPage, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let mut review = find(&mut tx, actor, &scope, id).await?;
    let me = actor.account_id();
    if let Some(me) = me.filter(|_| number.is_some() && review.status == ReviewStatus::Running) {
        review.mine = review_items::count_turn(&mut tx, &scope, &review, me, MINE_COUNTED + 1).await?;
    }
    let shown = shown.unwrap_or(match (review.mine, review.progress.open) {
        (0, 0) => Shown::All,
        (0, _) => Shown::Open,
        _ => Shown::Mine,
    });
    // Nothing is anybody's to decide any more once it has ended.
    let shown = match (shown, review.status) {
        (Shown::Mine, status) if status != ReviewStatus::Running => Shown::Open,
        (shown, _) => shown,
    };
    let wanted = PageRequest::clamped(number.unwrap_or(1), ROWS);
    let (found, total) = match number {
        Some(_) => items(&mut tx, (actor, &scope), &review, (shown, wanted), now).await?,
        None => (Vec::new(), 0),
    };
    let mut items = with_evidence(&mut tx, &scope, found, now).await?;
    for (item, _) in &mut items {
        item.may_decide = may_decide(actor, &review, item, now);
    }
    let manages = actor.may(Permission::KeysManageAny);
    Ok(ReviewPage {
        now,
        shown,
        items: Page {
            rows: items.into_iter().map(|(item, _)| item).collect(),
            total,
            number: wanted.number,
            size: wanted.size,
        },
        may_manage: manages,
        may_export: sees_all(actor),
        public_key: signature::public_key(ctx)?,
        review,
    })
}

/// One page of the items that are asked for and may be seen, and how many there are.
async fn items(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    review: &ReviewSummary,
    (shown, wanted): (Shown, PageRequest),
    now: Timestamp,
) -> Result<(Vec<ItemFound>, i64), DomainError> {
    let place = (i64::from(wanted.size), wanted.offset());
    let me = actor.account_id();
    if let (Shown::Mine, Some(me)) = (shown, me) {
        let found = review_items::list_turn(tx, scope, review, me, place, now).await?;
        return Ok((found, review.mine.min(MINE_COUNTED)));
    }
    let progress = review.progress;
    let (which, in_all) = match shown {
        Shown::Mine | Shown::Open => ("open", progress.open),
        Shown::Decided => ("decided", progress.all - progress.open),
        Shown::All => ("all", progress.all),
    };
    let chosen = me.filter(|_| !sees_all(actor));
    let filter = ItemFilter {
        which,
        chosen,
        first: me,
    };
    let found = review_items::list_items(tx, scope, review, filter, place, now).await?;
    let total = match chosen {
        Some(me) => review_items::count_chosen(tx, &review.id, me, which).await?,
        None => in_all,
    };
    Ok((found, total))
}

/// Items with their rules in words and what the advisor says of them today, and the evidence as it is kept: as it was
/// when they were decided, or else as it is now. Three queries for all of them.
pub(super) async fn with_evidence(
    tx: &mut Tx,
    scope: &OrgScope,
    found: Vec<ItemFound>,
    now: Timestamp,
) -> Result<Vec<(ReviewItem, String)>, DomainError> {
    let ids: Vec<KeyId> = found.iter().map(|found| found.item.key_id).collect();
    let facts = key_uses::facts_of(tx, scope, &ids, advice::facts_since(now)).await?;
    found
        .into_iter()
        .map(|found| {
            let (stored, not_before) = &found.restrictions;
            let rules = restrictions::from_row(stored.as_deref(), *not_before);
            let rules = rules.ok_or(DomainError::Defect("a key's restrictions cannot be read"))?;
            let mut item = found.item;
            item.rules = rules.in_words();
            item.advice = facts
                .get(item.key_id.as_str())
                .map(|facts| advice::advice_from(facts, &found.scopes, &rules, now));
            let kept = match found.evidence {
                Some(kept) => kept,
                None => evidence(&item, now).to_string(),
            };
            Ok((item, kept))
        })
        .collect()
}

/// What is known of a key at a moment, for whoever asks later why it was decided so.
pub(super) fn evidence(item: &ReviewItem, now: Timestamp) -> Value {
    let advice = item.advice.as_ref();
    let told = advice.map(|advice| {
        let words = advice.advice.iter().map(|one| one.in_words().0);
        words.collect::<Vec<_>>()
    });
    let knowledge = advice.map(|advice| match advice.knowledge {
        Knowledge::Watching { since, .. } => json!({ "watchedSince": since.rfc3339() }),
        Knowledge::Unused { since } => json!({ "unusedSince": since.rfc3339() }),
        Knowledge::Whole { since } => json!({ "watchedSince": since.rfc3339() }),
    });
    json!({
        "at": now.rfc3339(),
        "ageDays": now.since_ms(item.created_at) / crate::model::time::DAY_MS,
        "badge": item.badge.as_str(),
        "owner": match &item.owner_account {
            Some(id) => json!({ "account": id.as_str() }),
            None => json!({ "team": item.owner }),
        },
        "scopes": item.scopes,
        "restrictions": item.rules,
        "lastUsedAt": item.last_used.as_ref().map(|used| used.at.rfc3339()),
        "lastUsedIp": item.last_used.as_ref().and_then(|used| used.ip.clone()),
        "advice": told,
        "knowledge": knowledge,
    })
}
