//! Deciding about keys: kept, tightened to what they need, or revoked; at once.

use serde_json::json;

use super::read::with_evidence;
use super::{find, may_decide, over};
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::error::Code;
use crate::model::id::{KeyId, ReviewId};
use crate::model::key::{Badge, RevocationReason};
use crate::model::permission::Permission;
use crate::model::review::{Decision, ReviewItem, ReviewStatus, ReviewSummary};
use crate::model::text::{self, NOTE_MAX, shown};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::{advice, secured};
use crate::server::domain::{DomainError, orgs};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::review_items::{self as store, Decided};
use crate::server::store::reviews;

/// What was chosen for one key.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    pub key: KeyId,
    /// None takes back that it is kept.
    pub decision: Option<Decision>,
    pub note: &'a str,
    /// When it had been decided as the page showed it; none for not at all.
    pub seen: Option<i64>,
}

/// Decides about the keys of one page, all or none. What somebody else decided meanwhile brings the page back.
pub async fn decide(
    ctx: &Context,
    actor: &Actor,
    id: &ReviewId,
    choices: &[Choice<'_>],
) -> Result<usize, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysRead)?;
    actor.account_id().ok_or(Denied::Forbidden)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let runs = reviews::hold(&mut tx, &scope, id).await?;
    let review = find(&mut tx, actor, &scope, id).await?;
    if !runs || review.status != ReviewStatus::Running || review.deadline <= now {
        return Err(over(&review));
    }
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    let (mut done, mut touched) = (0, Vec::new());
    for choice in choices {
        let found = store::find_item(&mut tx, &scope, &review, &choice.key, now).await?;
        let found = found.ok_or(DomainError::NotFound)?;
        let (item, kept) = with_evidence(&mut tx, &scope, vec![found], now).await?.remove(0);
        let note = text::line("note", "The note", choice.note, 0, NOTE_MAX)?;
        if item.decision == choice.decision && (choice.decision.is_none() || item.note == note) {
            continue;
        }
        refuse(actor, &review, &item, choice, now)?;
        if effect(ctx, &mut tx, (actor, &scope), &review, choice, now).await? {
            touched.push(choice.key);
        }
        let decided = Decided {
            decision: choice.decision,
            note: if choice.decision.is_some() { &note } else { "" },
            by: choice.decision.and(actor.account_id()),
            evidence: choice.decision.map(|_| kept.as_str()),
        };
        store::decide(&mut tx, id, &choice.key, &decided, now).await?;
        let detail = json!({
            "key": choice.key.as_str(),
            "before": item.decision.map(Decision::as_str),
            "after": choice.decision.map(Decision::as_str),
            "note": decided.note,
        });
        let entry = Entry::new("review.decided", "review", id.as_str()).with(detail);
        audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
        done += 1;
    }
    for key in &touched {
        changes::record(&mut tx, ChangeKind::Key, key.as_str(), now).await?;
    }
    tx.commit().await?;
    touched.iter().for_each(|key| ctx.key_cache.forget_key(key));
    Ok(done)
}

/// What keeps this choice from being made.
fn refuse(
    actor: &Actor,
    review: &ReviewSummary,
    item: &ReviewItem,
    choice: &Choice<'_>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let name = shown(&item.name, 60);
    let conflict = |message: String| Err(DomainError::refused(Code::Conflict, message));
    if !may_decide(actor, review, item, now) {
        return Err(Denied::Forbidden.into());
    }
    if item.decided_at.map(Timestamp::ms) != choice.seen {
        let who = item.decided_by.clone().unwrap_or_else(|| "Somebody".to_owned());
        let message = match item.decision {
            Some(decision) => format!(
                "{who} decided about {name} meanwhile: {}. Nothing of this page was saved; look again.",
                decision.label().to_lowercase()
            ),
            None => format!(
                "The decision about {name} was taken back meanwhile. Nothing of this page was saved; look again."
            ),
        };
        return conflict(message);
    }
    if item.decision == Some(Decision::Revoke) {
        return conflict(format!("{name} is revoked, and a revoked key stays revoked."));
    }
    if item.badge == Badge::Revoked {
        return conflict(format!(
            "{name} was revoked meanwhile, so nothing is left to decide."
        ));
    }
    if item.decision == Some(Decision::Tighten) && choice.decision != Some(Decision::Revoke) {
        return conflict(format!(
            "{name} is tightened already. Undo that on the key’s page if something is refused for it."
        ));
    }
    Ok(())
}

/// Does what was decided; whether the key has changed.
async fn effect(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    review: &ReviewSummary,
    choice: &Choice<'_>,
    now: Timestamp,
) -> Result<bool, DomainError> {
    let id = choice.key.as_str();
    match choice.decision {
        None | Some(Decision::Keep) => return Ok(false),
        Some(Decision::Tighten) => {
            let key = secured::find(ctx, tx, actor, &choice.key).await?;
            let name = shown(&key.name, 60);
            let reason = json!({ "review": review.id.as_str() });
            let tightened = advice::tighten_all(ctx, tx, (actor, scope), key, reason, now).await;
            let tightened = tightened.map_err(|error| match error {
                DomainError::Refused(code, message) => {
                    DomainError::Refused(code, format!("{name}: {message}"))
                }
                other => other,
            })?;
            secured::write(ctx, tx, scope, tightened).await?;
        }
        Some(Decision::Revoke) => {
            let mut key = secured::find(ctx, tx, actor, &choice.key).await?;
            let reason = RevocationReason::PrivilegeWithdrawn;
            let note = shown(&format!("Access review: {}", review.name), NOTE_MAX);
            secured::mark_revoked(&mut key, actor, reason, &note, now);
            let detail = json!({ "reason": reason.as_str(), "note": note, "review": review.id.as_str() });
            let entry = Entry::new("key.revoked", "key", id).with(detail);
            audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
            secured::write(ctx, tx, scope, key).await?;
        }
    }
    Ok(true)
}
