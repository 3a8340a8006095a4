//! The least-privilege advisor: what of a key's access nothing needed, taking it away, and undoing that.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lifecycle::already_revoked;
use super::{require_as_new, require_manage, restrictions, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::advice::{
    Advice, KeyAdvice, LeastPrivilege, NOTED_EACH_MS, Observed, UNDO_MS, Undoable, WATCHED_MS, advise, follow,
};
use crate::model::error::{Code, FieldError};
use crate::model::id::{KeyId, ProjectId};
use crate::model::key::{KeyDetail, KeyStatus};
use crate::model::permission::Permission;
use crate::model::policy::{Policy, Terms};
use crate::model::restriction::Restrictions;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::approvals::{self, Leave, Remark};
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::{DomainError, policy};
use crate::server::platform::crypto::keyring::Purpose;
use crate::server::store::db::Tx;
use crate::server::store::key_uses::{self, KeyFacts};
use crate::server::store::keys::SecuredKey;
use crate::server::store::projects;
use crate::server::store::tightenings::{self as store, Tightening};

/// What a key may do, as a tightening keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Access {
    scopes: String,
    restrictions: Option<String>,
    not_before_ms: Option<i64>,
}

impl Access {
    fn of(key: &SecuredKey) -> Self {
        Self {
            scopes: key.scopes.clone(),
            restrictions: key.restrictions.clone(),
            not_before_ms: key.not_before_ms,
        }
    }

    fn text(&self) -> Result<String, DomainError> {
        serde_json::to_string(self).map_err(|_| DomainError::Defect("a key's access is no JSON"))
    }

    fn parse(text: &str) -> Result<Self, DomainError> {
        serde_json::from_str(text).map_err(|_| DomainError::Defect("a tightening cannot be read"))
    }

    fn read(&self) -> Result<(ScopeSet, Restrictions), DomainError> {
        let scopes = ScopeSet::from_stored(&self.scopes);
        let rules = restrictions::from_row(
            self.restrictions.as_deref(),
            self.not_before_ms.map(Timestamp::from_ms),
        );
        match (scopes, rules) {
            (Ok(scopes), Some(rules)) => Ok((scopes, rules)),
            _ => Err(DomainError::Defect("a key's access cannot be read")),
        }
    }
}

/// From when on facts are asked for: what was noted is as old as an hour.
#[must_use]
pub fn facts_since(now: Timestamp) -> Timestamp {
    now.minus_ms(WATCHED_MS + NOTED_EACH_MS)
}

/// The advice about access, from the facts of its key.
#[must_use]
pub fn advice_from(facts: &KeyFacts, scopes: &ScopeSet, rules: &Restrictions, now: Timestamp) -> KeyAdvice {
    let created_at = Timestamp::from_ms(facts.created_at);
    let observed = Observed {
        scopes,
        rules,
        born_at: facts.not_before.map_or(created_at, |at| at.max(created_at)),
        watched_since: Timestamp::from_ms(facts.watched_since),
        last_used: facts.last_used,
        uses: &facts.uses,
        addresses: &facts.addresses,
    };
    advise(&observed, now)
}

async fn advice(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &KeyId,
    access: (&ScopeSet, &Restrictions),
    now: Timestamp,
) -> Result<KeyAdvice, DomainError> {
    let mut facts = key_uses::facts_of(tx, scope, &[*id], facts_since(now)).await?;
    let facts = facts.remove(id.as_str()).ok_or(DomainError::NotFound)?;
    Ok(advice_from(&facts, access.0, access.1, now))
}

/// The section of a key's page; none for a key that is over, and nothing can be undone of it.
pub(super) async fn section(
    ctx: &Context,
    actor: &Actor,
    key: &KeyDetail,
) -> Result<Option<LeastPrivilege>, DomainError> {
    if key.status == KeyStatus::Revoked {
        return Ok(None);
    }
    let scope = actor.require(Permission::UsageRead)?;
    let now = ctx.clock.now();
    let id = &key.summary.id;
    let mut tx = ctx.db.begin_read().await?;
    let access = (&key.summary.scopes, &key.restrictions);
    Ok(Some(LeastPrivilege {
        advice: advice(&mut tx, &scope, id, access, now).await?,
        undo: undoable(ctx, &mut tx, (actor, &scope), key, now).await?,
    }))
}

/// The last tightening, while it can be undone.
async fn undoable(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &KeyDetail,
    now: Timestamp,
) -> Result<Option<Undoable>, DomainError> {
    let found = store::find_latest(tx, scope, &key.summary.id, now.minus_ms(UNDO_MS)).await?;
    let Some(tightening) = found.filter(|row| is_intact(ctx, row)) else {
        return Ok(None);
    };
    let (present, rules) = (&key.summary.scopes, &key.restrictions);
    let after = Access::parse(&tightening.after)?.read()?;
    if (&after.0, &after.1) != (present, rules) {
        return Ok(None);
    }
    let (scopes, former) = Access::parse(&tightening.before)?.read()?;
    let at = Timestamp::from_ms(tightening.at_ms);
    let policy = policy::in_force(tx, scope, key.summary.environment, now).await?;
    let of = |scopes, restrictions| Terms {
        scopes,
        restrictions,
        created_at: key.summary.created_at,
        expires_at: key.summary.expires_at,
        rotation_days: key.rotation_days,
    };
    let terms = (&of(present, rules), &of(&scopes, &former));
    let allowed = may_undo(tx, (actor, scope), (&policy, &key.summary.project_id), terms, now).await;
    let needs_approval = match allowed {
        Ok(_) => None,
        Err(DomainError::Refused(Code::ApprovalRequired, why)) => Some(why),
        Err(error) => return Err(error),
    };
    Ok(Some(Undoable {
        at,
        needs_approval,
        by: tightening.by_name.unwrap_or(tightening.by_id),
        until: at.plus_ms(UNDO_MS),
        back: back_in_words((present, rules), (&scopes, &former)),
    }))
}

/// Whether the rules for approvals let the actor undo a tightening by themselves: it lets the key do more than it may now, by
/// the rules and the sensitive scopes of this moment, whoever tightened it and whatever held before. `terms` are those
/// that hold and those that would. Errors: a second person has to approve it.
async fn may_undo(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    (policy, project): (&Policy, &ProjectId),
    (present, former): (&Terms<'_>, &Terms<'_>),
    now: Timestamp,
) -> Result<Remark, DomainError> {
    let project = projects::find(tx, scope, project).await?;
    let project = project.ok_or(DomainError::NotFound)?;
    let rules = &policy.approvals;
    let reasons = rules.of_change(present, former, project.sensitive_scopes(), now);
    let checked = approvals::check(actor, rules, &reasons, Leave::Own);
    checked.map_err(|error| match error {
        DomainError::Refused(Code::ApprovalRequired, why) => {
            let message = format!("{why} Edit the key instead, and ask there for what it needs.");
            DomainError::refused(Code::ApprovalRequired, message)
        }
        error => error,
    })
}

/// What undoing gives back.
fn back_in_words(present: (&ScopeSet, &Restrictions), former: (&ScopeSet, &Restrictions)) -> Vec<String> {
    let held: Vec<_> = present.0.iter().collect();
    let lost = former.0.iter().filter(|scope| !held.contains(scope));
    let mut words: Vec<String> = lost.map(|scope| format!("The scope {scope}.")).collect();
    if present.1 != former.1 {
        let rules = former.1.in_words();
        words.push(match rules.is_empty() {
            true => "No restrictions.".to_owned(),
            false => format!("These restrictions: {}", rules.join(" ")),
        });
    }
    words
}

fn is_intact(ctx: &Context, row: &Tightening) -> bool {
    ctx.keyring
        .is_signed(Purpose::Row, &row.mac_key_id, &row.mac_parts(), &row.mac)
}

/// Follows the advice that was chosen, by its names. What is no longer advised is refused: it was needed meanwhile, or
/// somebody else was faster. Taking away asks for no fresh proof.
pub async fn tighten(ctx: &Context, actor: &Actor, id: &KeyId, chosen: &[&str]) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    refuse_revoked(&key)?;
    if chosen.is_empty() {
        let message = "Choose at least one thing to take away.";
        return Err(FieldError::new("advice", "required", message).into());
    }
    let (scopes, rules) = Access::of(&key).read()?;
    let told = advice(&mut tx, &scope, id, (&scopes, &rules), now).await?;
    let mut wanted = Vec::new();
    for name in chosen {
        match told.advice.iter().find(|advice| advice.id() == *name) {
            Some(advice) => wanted.push(advice.clone()),
            None => {
                let message = "The advice has changed since: it was used meanwhile, or somebody changed the key. Look at it again.";
                return Err(DomainError::refused(Code::Conflict, message));
            }
        }
    }
    let key = apply(ctx, &mut tx, (actor, &scope), key, &wanted, json!({}), now).await?;
    secured::save(ctx, &mut tx, &scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}

/// Follows all advice there is about a key, for a reason that the audit log names. The key comes back changed, to be
/// saved. Errors: there is no advice.
pub(in crate::server::domain) async fn tighten_all(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: SecuredKey,
    reason: serde_json::Value,
    now: Timestamp,
) -> Result<SecuredKey, DomainError> {
    let id: KeyId = key.id.parse()?;
    let (scopes, rules) = Access::of(&key).read()?;
    let told = advice(tx, scope, &id, (&scopes, &rules), now).await?;
    if told.advice.is_empty() {
        let message = "There is nothing to tighten: no part of its access is known to be unused. Keep it, revoke it, or edit it by hand.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    apply(ctx, tx, (actor, scope), key, &told.advice, reason, now).await
}

async fn apply(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    mut key: SecuredKey,
    advice: &[Advice],
    reason: serde_json::Value,
    now: Timestamp,
) -> Result<SecuredKey, DomainError> {
    let before = Access::of(&key);
    let (scopes, rules) = before.read()?;
    let (narrower, limited) = follow(advice, &scopes, &rules);
    // The advisor only ever takes away; should it err, nothing happens.
    if !narrower.is_within(&scopes) || !limited.is_within(&rules) || narrower.is_empty() != scopes.is_empty()
    {
        return Err(DomainError::Defect("the advice would widen a key"));
    }
    key.scopes = narrower.stored();
    restrictions::set(&mut key, &limited)?;
    let (kind, who) = actor_columns(actor);
    let mut row = Tightening {
        key_id: key.id.clone(),
        key_version: key.version,
        org_id: key.org_id.clone(),
        at_ms: now.ms(),
        by_type: kind.to_owned(),
        by_id: who.to_owned(),
        before: before.text()?,
        after: Access::of(&key).text()?,
        mac: String::new(),
        mac_key_id: String::new(),
        by_name: None,
    };
    let signed = ctx.keyring.sign(Purpose::Row, &row.mac_parts());
    (row.mac, row.mac_key_id) = (signed.mac, signed.key_id);
    store::insert(tx, &row).await?;
    let mut detail = json!({
        "before": { "scopes": scopes.stored(), "restrictions": rules },
        "after": { "scopes": narrower.stored(), "restrictions": limited },
        "advice": advice.iter().map(Advice::id).collect::<Vec<_>>(),
    });
    if let (Some(detail), Some(reason)) = (detail.as_object_mut(), reason.as_object()) {
        detail.extend(reason.clone());
    }
    let entry = Entry::new("key.tightened", "key", &key.id).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(key)
}

/// Gives back what the last tightening took away, exactly, within seven days and while nothing else about the access has
/// changed. It lets the key do more, so it takes what any change does that widens: who may create such a key, and approval
/// where the rules ask for it.
pub async fn undo(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let mut key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_as_new(actor, &key, now)?;
    refuse_revoked(&key)?;
    let found = store::find_latest(&mut tx, &scope, id, now.minus_ms(UNDO_MS)).await?;
    let Some(tightening) = found else {
        let message = "There is nothing to undo: the key was not tightened within the last seven days, or that was undone already.";
        return Err(DomainError::refused(Code::Conflict, message));
    };
    if !is_intact(ctx, &tightening) {
        let message = "The record of the tightening was changed outside Keywright, so it is not undone. Edit the key instead.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let present = Access::of(&key);
    if present != Access::parse(&tightening.after)? {
        let message = "What the key may do has been changed since it was tightened, so it cannot simply be undone. Edit the key instead.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let former = Access::parse(&tightening.before)?;
    let (scopes, rules) = former.read()?;
    let (narrower, limited) = present.read()?;
    store::set_undone(&mut tx, &scope, id, tightening.key_version, now).await?;
    let before = policy::held(&key)?;
    (key.scopes, key.restrictions) = (former.scopes, former.restrictions);
    // Policy, and what it wants approved, may have become stricter since.
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    policy::enforce_on(&policy, &key)?;
    let after = policy::held(&key)?;
    let by = (&policy, &key.project_id.parse()?);
    let terms = (&before.terms(), &after.terms());
    let remark = may_undo(&mut tx, (actor, &scope), by, terms, now).await?;
    key_uses::watch_anew(&mut tx, &scope, id, now).await?;
    let detail = json!({
        "tightenedAt": Timestamp::from_ms(tightening.at_ms).rfc3339(),
        "before": { "scopes": narrower.stored(), "restrictions": limited },
        "after": { "scopes": scopes.stored(), "restrictions": rules },
    });
    let entry = Entry::new("key.tightening_undone", "key", id.as_str()).with(remark.beside(detail));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    secured::save(ctx, &mut tx, &scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}

fn refuse_revoked(key: &SecuredKey) -> Result<(), DomainError> {
    match key.status == KeyStatus::Revoked.as_str() {
        true => Err(already_revoked()),
        false => Ok(()),
    }
}
