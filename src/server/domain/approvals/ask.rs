//! Asking for what a second person has to approve.

use serde_json::json;

use super::proposal::{self, Typed};
use super::waiting::lapse_one;
use super::{Leave, check, refuse_beyond};
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::approval::{ApprovalKind, DAILY_MAX, Reason, WAITING_MAX, parse_justification};
use crate::model::calendar::counted;
use crate::model::error::Code;
use crate::model::form::FormValues;
use crate::model::id::{AccountId, ApprovalId, KeyId};
use crate::model::key::Environment;
use crate::model::policy::{FourEyes, Policy};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::issue::{self, Ground, Nonce};
use crate::server::domain::keys::{edit, require_manage, secured};
use crate::server::domain::{DomainError, mint, orgs};
use crate::server::store::approvals::{self as store, NewApproval};
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::keys as key_store;

/// Asks for a new key, as the create form has it. A form that was sent before gives the request that it made.
pub async fn ask_for_key(
    ctx: &Context,
    actor: &Actor,
    (values, scopes): (&FormValues, &[String]),
    nonce: Nonce<'_>,
) -> Result<ApprovalId, DomainError> {
    let now = ctx.clock.now();
    let proposal = proposal::kept(actor, ApprovalKind::Create, values, scopes);
    let typed = Typed::of(&proposal);
    let draft = typed.draft();
    let scope = issue::require_may_ask(actor, draft.environment)?;
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    if let Some((made, at)) = key_store::find_nonce(&mut tx, nonce.text, nonce.account).await? {
        return match made.parse() {
            Ok(id) => Ok(id),
            Err(_) => Err(issue::refuse_used(&Some((made, at)))
                .err()
                .unwrap_or(DomainError::NotFound)),
        };
    }
    let ground = Ground::read(&mut tx, &scope, &draft, now).await?;
    let admitted = ground.admit(ctx, actor, &draft, now)?;
    let justification = parse_justification(values.first("justification"))?;
    let policy = ground.policies.of(admitted.checked.environment);
    refuse_needless(actor, policy, &admitted.reasons)?;
    let id = mint::approval_id(ctx)?;
    let new = NewApproval {
        id: &id,
        kind: ApprovalKind::Create,
        key: None,
        project: &admitted.project.id,
        environment: admitted.checked.environment,
        key_name: &admitted.checked.name,
        reasons: &admitted.reasons,
        proposal: &proposal,
        former: "",
        told: &proposal::of_new(&ground, &admitted, now),
        justification: &justification,
        requested_by: nonce.account,
        lapses_at: lapse_of(&policy.approvals, now),
    };
    issue::use_up(&mut tx, &nonce, id.as_str(), now).await?;
    put(ctx, &mut tx, (actor, &scope), &new, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Asks for a change of a key, as the form for editing has it.
pub async fn ask_for_change(
    ctx: &Context,
    actor: &Actor,
    key: &KeyId,
    (values, scopes): (&FormValues, &[String]),
) -> Result<ApprovalId, DomainError> {
    let now = ctx.clock.now();
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let proposal = proposal::kept(actor, ApprovalKind::Edit, values, scopes);
    let typed = Typed::of(&proposal);
    let mut tx = audit::begin(ctx, actor).await?;
    let former = secured::find(ctx, &mut tx, actor, key).await?;
    let scope = require_manage(actor, &former)?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    edit::refuse_stale(&former, values.first("looked_at"))?;
    if let Some(lapsed) = store::find_lapsed_of_key(&mut tx, &scope, key, now).await? {
        lapse_one(ctx, &mut tx, *scope.org_id(), &lapsed, now).await?;
    }
    let was = proposal::former(&former)?;
    let purpose = key_store::find_detail(&mut tx, &scope, key, now)
        .await?
        .ok_or(DomainError::NotFound)?
        .purpose;
    let changed = edit::changed(ctx, &mut tx, &scope, former, &typed.edit(), now).await?;
    let justification = parse_justification(values.first("justification"))?;
    refuse_needless(actor, &changed.policy, &changed.reasons)?;
    refuse_beyond(actor, &changed)?;
    let id = mint::approval_id(ctx)?;
    let environment = Environment::parse(&changed.key.environment);
    let new = NewApproval {
        id: &id,
        kind: ApprovalKind::Edit,
        key: Some(key),
        project: &changed.key.project_id.parse()?,
        environment: environment.ok_or(DomainError::Defect("a key of no environment"))?,
        key_name: &changed.former.name,
        reasons: &changed.reasons,
        proposal: &proposal,
        former: &was,
        told: &proposal::of_change(&changed, &purpose)?,
        justification: &justification,
        requested_by: account,
        lapses_at: lapse_of(&changed.policy.approvals, now),
    };
    put(ctx, &mut tx, (actor, &scope), &new, now).await?;
    tx.commit().await?;
    Ok(id)
}

fn lapse_of(rules: &FourEyes, now: Timestamp) -> Timestamp {
    now.plus_ms(i64::from(rules.lapse_days) * DAY_MS)
}

/// What one may do by oneself is not asked for.
fn refuse_needless(actor: &Actor, policy: &Policy, reasons: &[Reason]) -> Result<(), DomainError> {
    match check(actor, &policy.approvals, reasons, Leave::Own) {
        Err(DomainError::Refused(Code::ApprovalRequired, _)) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let message = "This needs no approval: you can do it yourself.";
            Err(DomainError::refused(Code::Conflict, message))
        }
    }
}

async fn put(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    new: &NewApproval<'_>,
    now: Timestamp,
) -> Result<(), DomainError> {
    refuse_too_many(tx, scope, new.requested_by, now).await?;
    store::insert(tx, scope, new, now)
        .await
        .map_err(|error| match error {
            StoreError::Taken => DomainError::refused(
                Code::Conflict,
                "Another change of this key waits for approval already. Withdraw that one first, or wait for its end.",
            ),
            error => error.into(),
        })?;
    let detail = json!({
        "kind": new.kind, "keyId": new.key.map(KeyId::as_str), "keyName": new.key_name, "environment": new.environment,
        "reasons": new.reasons, "justification": new.justification, "lapsesAt": new.lapses_at.rfc3339(),
        "asked": new.proposal,
    });
    let entry = Entry::new("approval.requested", "approval", new.id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(())
}

async fn refuse_too_many(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), DomainError> {
    let since = now.minus_ms(DAY_MS);
    let (waiting, of_the_day) = store::count_of(tx, scope, account, (now, since)).await?;
    let message = match (waiting >= WAITING_MAX, of_the_day >= DAILY_MAX) {
        (false, false) => return Ok(()),
        (true, _) => format!(
            "{} of yours wait for approval already, the most there may be. Withdraw some, or wait until they are decided.",
            counted(waiting, "request")
        ),
        (false, true) => {
            format!("You have asked {DAILY_MAX} times within a day, the most there may be. Go on tomorrow.")
        }
    };
    Err(DomainError::refused(Code::Conflict, message))
}
