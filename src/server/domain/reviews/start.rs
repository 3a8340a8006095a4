//! A review begins: which keys, who decides, until when.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use crate::model::actor::{Actor, Denied};
use crate::model::error::FieldError;
use crate::model::id::{AccountId, ReviewId};
use crate::model::key::KeyFilter;
use crate::model::permission::Permission;
use crate::model::review::{Assignment, KEYS_MAX, OnUndecided, REVIEWERS_MAX, ReviewSummary, parse_deadline};
use crate::model::text::{self, NAME_MAX};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::told;
use crate::server::domain::mail::{self, Letter};
use crate::server::domain::{DomainError, mint, orgs};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self, Reviewable};
use crate::server::store::reviews::NewReview;
use crate::server::store::{orgs as org_store, review_items, reviews as store};

/// A review as it was typed.
#[derive(Clone, Debug)]
pub struct ReviewDraft<'a> {
    pub name: &'a str,
    pub filter: KeyFilter,
    pub assignment: &'a str,
    /// Accounts that were ticked.
    pub reviewers: Vec<&'a str>,
    pub deadline: &'a str,
    pub on_undecided: &'a str,
}

struct Checked {
    name: String,
    assignment: Assignment,
    reviewers: Vec<AccountId>,
    deadline: Timestamp,
    on_undecided: OnUndecided,
}

fn check(draft: &ReviewDraft<'_>, admins: &[AccountId], now: Timestamp) -> Result<Checked, DomainError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut keep = |error: FieldError| errors.push(error);
    let name = text::line("name", "The name", draft.name, 1, NAME_MAX).map_err(&mut keep);
    let deadline = parse_deadline(draft.deadline, now).map_err(&mut keep);
    let choice = |field, message| FieldError::new(field, "choice", message);
    let assignment = Assignment::parse(draft.assignment)
        .ok_or_else(|| choice("assignment", "Choose who reviews."))
        .map_err(&mut keep);
    let on_undecided = OnUndecided::parse(draft.on_undecided)
        .ok_or_else(|| {
            choice(
                "on_undecided",
                "Choose what becomes of keys nobody has decided about.",
            )
        })
        .map_err(&mut keep);
    let reviewers = match &assignment {
        Ok(Assignment::Members) => reviewers_of(&draft.reviewers, admins).map_err(&mut keep),
        _ => Ok(Vec::new()),
    };
    match (name, deadline, assignment, on_undecided, reviewers) {
        (Ok(name), Ok(deadline), Ok(assignment), Ok(on_undecided), Ok(reviewers)) => Ok(Checked {
            name,
            assignment,
            reviewers,
            deadline,
            on_undecided,
        }),
        _ => Err(DomainError::Invalid(errors)),
    }
}

fn reviewers_of(ticked: &[&str], admins: &[AccountId]) -> Result<Vec<AccountId>, FieldError> {
    let refuse = |code: &str, message: &str| Err(FieldError::new("reviewers", code, message));
    let mut chosen = Vec::new();
    for id in ticked {
        match id.parse().ok().filter(|id| admins.contains(id)) {
            Some(id) if !chosen.contains(&id) => chosen.push(id),
            Some(_) => {}
            None => {
                return refuse(
                    "choice",
                    "Whoever reviews keys of others must be an owner or admin. Choose again.",
                );
            }
        }
    }
    match chosen.len() {
        0 => refuse("required", "Choose at least one reviewer."),
        n if n > REVIEWERS_MAX => refuse("too_many", "A review is divided among 50 people at most."),
        _ => Ok(chosen),
    }
}

/// Who decides about each key: its owner; or the chosen, as evenly as can be, but nobody about a key of their own. Keys of
/// theirs are dealt out first: for those there is the least choice.
fn assigned(
    keys: &[Reviewable],
    checked: &Checked,
    starter: &AccountId,
) -> Result<Vec<(String, String)>, FieldError> {
    let is_reviewers = |owner: &Option<String>| {
        let mut reviewers = checked.reviewers.iter();
        reviewers.any(|id| Some(id.as_str()) == owner.as_deref())
    };
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|at| !is_reviewers(&keys[*at].1));
    let mut load = vec![0_usize; checked.reviewers.len()];
    let mut items: Vec<(usize, String)> = Vec::with_capacity(keys.len());
    let mut own = 0;
    for at in order {
        let (_, owner, able) = &keys[at];
        let reviewer = match checked.assignment {
            Assignment::Owners => Some(able.clone().unwrap_or_else(|| starter.to_string())),
            Assignment::Members => {
                let reviewers = checked.reviewers.iter().enumerate();
                let others = reviewers.filter(|(_, id)| Some(id.as_str()) != owner.as_deref());
                let next = others.min_by_key(|(n, _)| load[*n]);
                next.map(|(n, id)| {
                    load[n] += 1;
                    id.to_string()
                })
            }
        };
        match reviewer {
            Some(reviewer) => items.push((at, reviewer)),
            None => own += 1,
        }
    }
    items.sort_unstable_by_key(|(at, _)| *at);
    let items: Vec<(String, String)> = items
        .into_iter()
        .map(|(at, who)| (keys[at].0.clone(), who))
        .collect();
    if own > 0 {
        let message = format!(
            "The only reviewer would decide about {own} of their own keys. Choose a second one, or let owners review their own keys."
        );
        return Err(FieldError::new("reviewers", "own", message));
    }
    Ok(items)
}

/// Begins a review of every key that matches and is not revoked, and tells its reviewers.
pub async fn start(ctx: &Context, actor: &Actor, draft: &ReviewDraft<'_>) -> Result<ReviewId, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysManageAny)?;
    let starter = *actor.account_id().ok_or(Denied::Forbidden)?;
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    let admins = store::list_admins(&mut tx, &scope).await?;
    let admins: Vec<AccountId> = admins.into_iter().map(|admin| admin.account_id).collect();
    let checked = check(draft, &admins, now)?;
    let most = i64::try_from(KEYS_MAX).unwrap_or(i64::MAX) + 1;
    let keys = keys::list_reviewable(&mut tx, &scope, &draft.filter, now, most).await?;
    if keys.is_empty() {
        let message = "No key matches, so there is nothing to review. Widen the filter.";
        return Err(FieldError::new("filter", "empty", message).into());
    }
    if keys.len() > KEYS_MAX {
        let message =
            "More than 10,000 keys match. Narrow the filter, for example to a project, and start several.";
        return Err(FieldError::new("filter", "too_many", message).into());
    }
    let items = assigned(&keys, &checked, &starter)?;
    let id = mint::review_id(ctx)?;
    let filter =
        serde_json::to_string(&draft.filter).map_err(|_| DomainError::Defect("a filter is no JSON"))?;
    let left = checked.deadline.since_ms(now);
    let sent = |ahead: i64| (left <= ahead).then_some(now.ms());
    let new = NewReview {
        id: &id,
        name: &checked.name,
        filter: &filter,
        assignment: checked.assignment,
        on_undecided: checked.on_undecided,
        started_by: &starter,
        deadline: checked.deadline,
        // The letter of today says the same.
        reminded: (sent(7 * DAY_MS), sent(DAY_MS)),
    };
    store::insert(&mut tx, &scope, &new, now).await?;
    review_items::insert_items(&mut tx, &id, &items).await?;
    let detail = json!({
        "name": checked.name,
        "filter": draft.filter,
        "keys": items.len(),
        "assignment": checked.assignment.as_str(),
        "reviewers": reviewers_told(&items),
        "deadline": checked.deadline.rfc3339(),
        "onUndecided": checked.on_undecided.as_str(),
    });
    let entry = Entry::new("review.started", "review", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    let review = store::find(&mut tx, &scope, &id)
        .await?
        .ok_or(DomainError::NotFound)?;
    tell_reviewers(ctx, &mut tx, &scope, &review, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// How many keys each reviewer was given.
fn reviewers_told(items: &[(String, String)]) -> HashMap<&str, usize> {
    let mut told = HashMap::new();
    for (_, reviewer) in items {
        *told.entry(reviewer.as_str()).or_insert(0) += 1;
    }
    told
}

/// A letter to everybody whose turn something is; to owners and admins, where that is somebody who has left.
pub(super) async fn tell_reviewers(
    ctx: &Context,
    tx: &mut Tx,
    scope: &crate::model::actor::OrgScope,
    review: &ReviewSummary,
    now: Timestamp,
) -> Result<(), DomainError> {
    let organisation = org_store::find_name(tx, scope).await?;
    let mut turns: BTreeMap<AccountId, i64> = BTreeMap::new();
    for (account, open) in review_items::list_turns(tx, scope, review).await? {
        for person in told::responsible(tx, scope, Some(account.as_str())).await? {
            *turns.entry(person).or_default() += open;
        }
    }
    for (account, open) in turns {
        let Some(to) = mail::recipient(tx, &account).await? else {
            continue;
        };
        let letter = Letter::ReviewDue {
            organisation: organisation.clone(),
            review: review.name.clone(),
            open,
            deadline: review.deadline,
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
