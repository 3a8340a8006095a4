//! The result of a review for whoever was not there: a table, and a signed document.

use serde_json::{Value, json};

use super::read::with_evidence;
use super::{find, sees_all, signature};
use crate::model::actor::{Actor, Denied};
use crate::model::id::ReviewId;
use crate::model::permission::Permission;
use crate::model::review::{Decision, Outcome, ReviewItem, ReviewSummary};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::spreadsheet::cell;
use crate::server::store::review_items::{self, ItemFilter};

/// Items read at once: the whole of a large review would be a large answer.
const AT_ONCE: i64 = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
}

/// A file.
pub struct Exported {
    pub name: String,
    pub media_type: &'static str,
    pub text: String,
}

/// Writes a review with every key of it. For whoever sees all of it, with a fresh proof of who they are (R26).
pub async fn export(
    ctx: &Context,
    actor: &Actor,
    id: &ReviewId,
    format: Format,
) -> Result<Exported, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let review = find(&mut tx, actor, &scope, id).await?;
    if !sees_all(actor) {
        return Err(Denied::Forbidden.into());
    }
    actor.require_proof(now)?;
    let filter = ItemFilter {
        which: "all",
        chosen: None,
        first: None,
    };
    let mut items = Vec::new();
    loop {
        let offset = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let found =
            review_items::list_items(&mut tx, &scope, &review, filter, (AT_ONCE, offset), now).await?;
        let last = found.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        items.extend(with_evidence(&mut tx, &scope, found, now).await?);
        if last {
            break;
        }
    }
    drop(tx);
    let (media_type, ending, text) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", csv(&items)),
        Format::Json => {
            let document = document(&review, &items, scope.org_id().as_str(), now)?;
            let signed = signature::sign(ctx, document)?;
            let text = serde_json::to_string_pretty(&signed);
            (
                "application/json",
                "json",
                text.map_err(|_| DomainError::Defect("a review is no JSON"))?,
            )
        }
    };
    let detail = json!({ "format": ending, "keys": items.len() });
    let mut tx = audit::begin(ctx, actor).await?;
    let entry = Entry::new("review.exported", "review", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    tx.commit().await?;
    Ok(Exported {
        name: format!("keywright-review-{}.{ending}", id.random_part()),
        media_type,
        text,
    })
}

fn parsed(kept: &str) -> Result<Value, DomainError> {
    serde_json::from_str(kept).map_err(|_| DomainError::Defect("evidence is no JSON"))
}

fn document(
    review: &ReviewSummary,
    items: &[(ReviewItem, String)],
    org: &str,
    now: Timestamp,
) -> Result<Value, DomainError> {
    let told = |(item, kept): &(ReviewItem, String)| {
        Ok(json!({
            "keyId": item.key_id.as_str(),
            "name": item.name,
            "environment": item.environment.as_str(),
            "project": item.project_name,
            "reviewer": item.reviewer.as_str(),
            "decision": item.decision.map(Decision::as_str),
            "decidedAt": item.decided_at.map(Timestamp::rfc3339),
            "decidedBy": item.decided_by,
            "note": item.note,
            "outcome": item.outcome.map(Outcome::as_str),
            "evidence": parsed(kept)?,
        }))
    };
    let told = items.iter().map(told).collect::<Result<Vec<_>, DomainError>>()?;
    Ok(json!({
        "type": "keywright.access-review.v1",
        "exportedAt": now.rfc3339(),
        "organisation": org,
        "review": {
            "id": review.id.as_str(),
            "name": review.name,
            "status": review.status.as_str(),
            "filter": review.filter,
            "startedAt": review.started_at.rfc3339(),
            "startedBy": review.started_by.as_str(),
            "deadline": review.deadline.rfc3339(),
            "endedAt": review.ended_at.map(Timestamp::rfc3339),
            "assignment": review.assignment.as_str(),
            "onUndecided": review.on_undecided.as_str(),
            "result": review.progress,
        },
        "items": told,
    }))
}

const HEAD: [&str; 16] = [
    "key_id",
    "name",
    "environment",
    "project",
    "owner",
    "reviewer",
    "decision",
    "decided_at",
    "decided_by",
    "note",
    "outcome",
    "created_at",
    "last_used_at",
    "scopes",
    "advice",
    "evidence_at",
];

fn csv(items: &[(ReviewItem, String)]) -> String {
    let mut text = HEAD.join(",") + "\r\n";
    for (item, kept) in items {
        let kept: Value = serde_json::from_str(kept).unwrap_or_default();
        let list = |name: &str| {
            let all = kept[name].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        };
        let moment = |at: Option<Timestamp>| at.map_or_else(String::new, Timestamp::rfc3339);
        let one = |name: &str| kept[name].as_str().unwrap_or_default().to_owned();
        let cells = [
            item.key_id.to_string(),
            item.name.clone(),
            item.environment.as_str().to_owned(),
            item.project_name.clone(),
            item.owner.clone(),
            item.reviewer_name.clone(),
            item.decision.map_or("", |decision| decision.as_str()).to_owned(),
            moment(item.decided_at),
            item.decided_by.clone().unwrap_or_default(),
            item.note.clone(),
            item.outcome.map_or("", |outcome| outcome.as_str()).to_owned(),
            item.created_at.rfc3339(),
            one("lastUsedAt"),
            list("scopes"),
            list("advice"),
            one("at"),
        ];
        text += &cells.map(|value| cell(&value)).join(",");
        text += "\r\n";
    }
    text
}
