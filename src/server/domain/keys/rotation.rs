//! Rotation: another secret for the same key, while the one before goes on for a while.
//!
//! A key has at most two secrets that are good. The row's version decides between two who act at once: one succeeds, the
//! other is told. A previous secret whose time is over stays until the next rotation, so that it is answered `EXPIRED`
//! rather than `NOT_FOUND`.

use serde_json::json;

use super::issue::{Nonce, RevealedKey, refuse_used, use_up};
use super::lifecycle::already_revoked;
use super::looked::{LookedAt, refuse_other_secret};
use super::{require_as_new, require_manage, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::calendar::counted;
use crate::model::error::{Code, FieldError};
use crate::model::id::{KeyId, OrgId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::permission::Permission;
use crate::model::policy::{OVERLAP_HOURS_MAX, Policy};
use crate::model::project::{Project, ProjectStatus};
use crate::model::rotation::{Overlap, capped};
use crate::model::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mint::{self, Credential};
use crate::server::domain::{DomainError, orgs, policy};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, SecretRow, SecuredKey};
use crate::server::store::projects;

pub(super) const CURRENT: &str = "current";
pub(super) const PREVIOUS: &str = "previous";
/// The act by which a key gets another secret.
pub(in crate::server::domain) const STARTED: &str = "key.rotation_started";

/// When a secret that exists since a moment is to be replaced: after the key's own interval, or else the policy's.
#[must_use]
pub fn due_at(policy: &Policy, own_days: Option<i64>, since: Timestamp) -> Timestamp {
    let days = own_days.unwrap_or_else(|| i64::from(policy.rotation_days));
    since.plus_ms(days * DAY_MS)
}

/// Sets when the key is to rotate next, from what it says of itself.
pub(super) fn set_due(key: &mut SecuredKey, policy: &Policy) {
    let since = Timestamp::from_ms(key.secret_since_ms);
    let due = due_at(policy, key.rotation_days, since).ms();
    // Whoever had it before knows this secret.
    let known = key.handed_on_at_ms.filter(|at| *at >= key.secret_since_ms);
    let has_secret = !key.secrets.is_empty();
    key.rotation_due_at_ms = has_secret.then(|| known.map_or(due, |at| at.min(due)));
}

/// How long two secrets may be good at once.
pub(super) fn longest_overlap_ms(policy: &Policy) -> i64 {
    i64::from(policy.max_overlap_hours) * HOUR_MS
}

/// What the policy says of a rotation: its overlap, and the key as it stands. An old secret that ends at once is always
/// allowed: whoever replaces what has leaked is not kept from it by another rule.
pub(super) fn refuse_against_policy(
    policy: &Policy,
    key: &SecuredKey,
    overlap: Overlap,
) -> Result<(), DomainError> {
    refuse_too_long(policy, overlap)?;
    match overlap.length_ms == 0 && !overlap.from_first_use {
        true => Ok(()),
        false => policy::enforce_on(policy, key),
    }
}

/// What the policy says of an overlap alone.
pub(super) fn refuse_too_long(policy: &Policy, overlap: Overlap) -> Result<(), FieldError> {
    if overlap.length_ms <= longest_overlap_ms(policy) {
        return Ok(());
    }
    let most = counted(i64::from(policy.max_overlap_hours), "hour");
    let message = match policy.max_overlap_hours {
        0 => "The policy lets no old secret go on beside a new one. Choose none.".to_owned(),
        _ => format!("The policy lets an old secret go on for {most} at most. Choose a shorter time."),
    };
    Err(FieldError::new("overlap", "policy_overlap", message))
}

fn secret_mut<'a>(key: &'a mut SecuredKey, slot: &str) -> Option<&'a mut SecretRow> {
    key.secrets.iter_mut().find(|secret| secret.slot == slot)
}

/// Until when the previous secret goes on, if it does.
pub(super) fn runs_until(key: &SecuredKey, now: Timestamp) -> Option<Timestamp> {
    let previous = key.secrets.iter().find(|secret| secret.slot == PREVIOUS)?;
    let until = Timestamp::from_ms(previous.expires_at_ms?);
    (until > now).then_some(until)
}

fn expires_at(key: &SecuredKey) -> Option<Timestamp> {
    key.expires_at_ms.map(Timestamp::from_ms)
}

fn not_running() -> DomainError {
    let message =
        "No rotation of this key is running: it was finished or cancelled, or the old secret’s time is over.";
    DomainError::refused(Code::Conflict, message)
}

/// The key for an act on its rotation that opens a door: a new secret is as good as a new key.
pub(in crate::server::domain) async fn open(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    id: &KeyId,
    now: Timestamp,
) -> Result<(SecuredKey, OrgScope), DomainError> {
    let key = secured::find(ctx, tx, actor, id).await?;
    let scope = require_as_new(actor, &key, now)?;
    Ok((key, scope))
}

/// Refuses whoever may not rotate the key, or has not proved who they are, before anything they typed is looked at.
pub async fn require(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    open(ctx, &mut tx, actor, id, ctx.clock.now()).await.map(drop)
}

/// A revoked key stays as it is, with every hash it had.
fn refuse_revoked(key: &SecuredKey) -> Result<(), DomainError> {
    match key.status == KeyStatus::Revoked.as_str() {
        true => Err(already_revoked()),
        false => Ok(()),
    }
}

/// A revoked or expired key gets no other secret.
pub(in crate::server::domain) fn refuse_over(key: &SecuredKey, now: Timestamp) -> Result<(), DomainError> {
    refuse_revoked(key)?;
    if key.secrets.is_empty() {
        let message =
            "This key has no secret yet: it waits for whoever collects it. Make a new link instead.";
        return Err(DomainError::refused(Code::KeyNotActive, message));
    }
    if expires_at(key).is_some_and(|end| end <= now) {
        let message =
            "This key has expired, and another secret would not change that. Create a new key instead.";
        return Err(DomainError::refused(Code::KeyNotActive, message));
    }
    Ok(())
}

/// What keeps a key from getting another secret.
pub(super) fn refuse_unusable(key: &SecuredKey, now: Timestamp) -> Result<(), DomainError> {
    refuse_over(key, now)?;
    if runs_until(key, now).is_some() {
        let message = "A rotation of this key is running already. Finish or cancel it first.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    Ok(())
}

/// Uses a form up that shows a secret.
pub(in crate::server::domain) async fn use_form(
    tx: &mut Tx,
    nonce: Option<&Nonce<'_>>,
    id: &KeyId,
    now: Timestamp,
) -> Result<(), DomainError> {
    if let Some(nonce) = nonce {
        refuse_used(&store::find_nonce(tx, nonce.text, nonce.account).await?)?;
        use_up(tx, nonce, id.as_str(), now).await?;
    }
    Ok(())
}

/// Gives the key another secret; the one before goes on for the overlap. Of two who look at the same secret one does (R63).
pub async fn start<'a>(
    ctx: &Context,
    actor: &Actor,
    key: impl Into<LookedAt<'a>>,
    overlap: Overlap,
    nonce: Option<Nonce<'_>>,
) -> Result<RevealedKey, DomainError> {
    let LookedAt { id, secret_since } = key.into();
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (mut key, scope) = open(ctx, &mut tx, actor, id, now).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    use_form(&mut tx, nonce.as_ref(), id, now).await?;
    refuse_unusable(&key, now)?;
    refuse_other_secret(&key, secret_since)?;
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    refuse_against_policy(&policy, &key, overlap)?;
    let latest = overlap.ends_at(now, longest_overlap_ms(&policy), expires_at(&key));
    let ends = (latest, overlap.countdown_ms());
    let (revealed, detail) = another_secret(ctx, &mut tx, &scope, &mut key, ends, now).await?;
    let told = (STARTED, detail);
    save(ctx, tx, (actor, &scope), key, told, now).await?;
    Ok(revealed)
}

/// In an archived project nothing gets a secret.
pub(super) fn refuse_archived(project: &Project) -> Result<(), DomainError> {
    match project.status {
        ProjectStatus::Archived => {
            let message = format!("The project {} is archived. Restore it first.", project.name);
            Err(DomainError::refused(Code::ProjectArchived, message))
        }
        ProjectStatus::Active => Ok(()),
    }
}

/// Puts another secret into the key's row and says when the one before ends. Nothing is saved yet; gives what is to be
/// shown, and what is to be told.
pub(in crate::server::domain) async fn another_secret(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    key: &mut SecuredKey,
    (ends_at, countdown_ms): (Timestamp, Option<i64>),
    now: Timestamp,
) -> Result<(RevealedKey, serde_json::Value), DomainError> {
    let id: KeyId = key.id.parse()?;
    let project = projects::find(tx, scope, &key.project_id.parse()?).await?;
    let project = project.ok_or(DomainError::NotFound)?;
    refuse_archived(&project)?;
    let text = mint::secret_for(ctx, &format!("{}_{}", key.prefix, key.environment), &id);
    let credential = Credential::Key {
        org_id: scope.org_id().as_str(),
        key_id: id.as_str(),
    };
    let stored = store::find_stored(tx, scope, &id).await?.unwrap_or_default();
    key.secrets.retain(|secret| secret.slot == CURRENT);
    let former = secret_mut(key, CURRENT).ok_or(DomainError::Defect("a key without a secret"))?;
    PREVIOUS.clone_into(&mut former.slot);
    former.expires_at_ms = Some(ends_at.ms());
    former.countdown_ms = countdown_ms;
    (former.stored_at_ms, former.stored_note) = (stored.0, Some(stored.1));
    key.secret_count += 1;
    let number = key.secret_count;
    let hashed = mint::hashed(ctx, credential, &text);
    key.secrets.insert(0, SecretRow { number, ..hashed });
    key.secret_since_ms = now.ms();
    key.overlap_until_ms = Some(ends_at.ms());
    let policy = policy::of_key(tx, scope, key, now).await?;
    set_due(key, &policy);
    let revealed = RevealedKey {
        id,
        name: key.name.clone(),
        environment: Environment::parse(&key.environment)
            .ok_or(DomainError::Defect("a key of no environment"))?,
        project,
        expires_at: expires_at(key),
        secret_since: now,
        secret: text,
    };
    let detail = json!({
        "secret": number,
        "previousExpiresAt": ends_at.rfc3339(),
        "countdownMs": countdown_ms,
    });
    store::replace_stored(tx, scope, &id, None, "").await?;
    Ok((revealed, detail))
}

/// An act and what the log keeps of it.
pub(in crate::server::domain) type Told = (&'static str, serde_json::Value);

/// Saves a key whose secrets have changed, with what is told of it, and commits.
pub(in crate::server::domain) async fn save(
    ctx: &Context,
    tx: Tx,
    by: (&Actor, &OrgScope),
    key: SecuredKey,
    told: Told,
    now: Timestamp,
) -> Result<(), DomainError> {
    save_opened(ctx, tx, by, key, (told, None), now).await
}

/// The same for a secret that was collected. `gone` is the answer when nothing is opened any more: somebody may have called
/// it off since it was looked at, and told the log so before us.
pub(super) async fn save_opened(
    ctx: &Context,
    mut tx: Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: SecuredKey,
    ((act, detail), gone): (Told, Option<fn() -> DomainError>),
    now: Timestamp,
) -> Result<(), DomainError> {
    let id: KeyId = key.id.parse()?;
    let entry = Entry::new(act, "key", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    if act == STARTED {
        // Whatever was opened for somebody to collect is done with.
        let was_open = store::end_opening(&mut tx, scope, &id).await?;
        if let Some(gone) = gone.filter(|_| !was_open) {
            return Err(gone());
        }
    }
    store::replace_secrets(&mut tx, &key).await?;
    secured::save(ctx, &mut tx, scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&id);
    Ok(())
}

/// Sets when the previous secret of a running rotation ends.
fn end_previous(key: &mut SecuredKey, at: Timestamp) {
    if let Some(previous) = secret_mut(key, PREVIOUS) {
        previous.expires_at_ms = Some(at.ms());
        previous.countdown_ms = None;
    }
    key.overlap_until_ms = Some(at.ms());
}

/// Ends the previous secret now.
pub async fn finish<'a>(
    ctx: &Context,
    actor: &Actor,
    key: impl Into<LookedAt<'a>>,
) -> Result<(), DomainError> {
    let LookedAt { id, secret_since } = key.into();
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let mut key = secured::find(ctx, &mut tx, actor, id).await?;
    // To end a secret asks for no fresh proof, as revoking does not (R26).
    let scope = require_manage(actor, &key)?;
    let until = runs_until(&key, now).ok_or_else(not_running)?;
    refuse_other_secret(&key, secret_since)?;
    end_previous(&mut key, now);
    let detail = json!({ "before": until.rfc3339() });
    save(
        ctx,
        tx,
        (actor, &scope),
        key,
        ("key.rotation_finished", detail),
        now,
    )
    .await
}

/// Lets the previous secret go on until so long from now, which must be later than it would end; thirty days after the
/// rotation began at the latest, and never past the key's own end.
pub async fn extend<'a>(
    ctx: &Context,
    actor: &Actor,
    key: impl Into<LookedAt<'a>>,
    overlap: Overlap,
) -> Result<(), DomainError> {
    let LookedAt { id, secret_since } = key.into();
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (mut key, scope) = open(ctx, &mut tx, actor, id, now).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    refuse_revoked(&key)?;
    let before = runs_until(&key, now).ok_or_else(not_running)?;
    refuse_other_secret(&key, secret_since)?;
    let wanted = capped(now.plus_ms(overlap.length_ms), expires_at(&key));
    if wanted <= before {
        let message = format!(
            "It goes on until {} as it is. Choose a longer time, or finish it to end it sooner.",
            before.exact_in_words()
        );
        return Err(FieldError::new("overlap", "too_short", message).into());
    }
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    let latest = Timestamp::from_ms(key.secret_since_ms).plus_ms(longest_overlap_ms(&policy));
    if wanted > latest {
        let most = match policy.max_overlap_hours {
            OVERLAP_HOURS_MAX => "thirty days".to_owned(),
            hours => format!("{}, says the policy,", counted(i64::from(hours), "hour")),
        };
        let message = format!(
            "Two secrets are good at once for {most} at most: here until {}. Choose a shorter time.",
            latest.exact_in_words()
        );
        return Err(FieldError::new("overlap", "too_long", message).into());
    }
    end_previous(&mut key, wanted);
    let detail = json!({ "before": before.rfc3339(), "after": wanted.rfc3339() });
    save(
        ctx,
        tx,
        (actor, &scope),
        key,
        ("key.rotation_extended", detail),
        now,
    )
    .await
}

/// Takes the rotation back: the new secret dies, the one before is the only one again.
pub async fn cancel<'a>(
    ctx: &Context,
    actor: &Actor,
    key: impl Into<LookedAt<'a>>,
) -> Result<(), DomainError> {
    let LookedAt { id, secret_since } = key.into();
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let (mut key, scope) = open(ctx, &mut tx, actor, id, now).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    refuse_revoked(&key)?;
    runs_until(&key, now).ok_or_else(not_running)?;
    refuse_other_secret(&key, secret_since)?;
    key.secrets.retain(|secret| secret.slot == PREVIOUS);
    let back = secret_mut(&mut key, PREVIOUS).ok_or_else(not_running)?;
    CURRENT.clone_into(&mut back.slot);
    (back.expires_at_ms, back.countdown_ms) = (None, None);
    let (since, number) = (back.created_at_ms, back.number);
    let (stored_at, note) = (
        back.stored_at_ms.take(),
        back.stored_note.take().unwrap_or_default(),
    );
    key.secret_since_ms = since;
    key.overlap_until_ms = None;
    let policy = policy::of_key(&mut tx, &scope, &key, now).await?;
    set_due(&mut key, &policy);
    store::replace_stored(&mut tx, &scope, id, stored_at, &note).await?;
    let detail = json!({ "secret": number });
    save(
        ctx,
        tx,
        (actor, &scope),
        key,
        ("key.rotation_cancelled", detail),
        now,
    )
    .await
}

/// The new secret, which has this number, was used for the first time: what was to be counted from then is. Whoever comes second finds it done.
pub async fn begin_countdown(
    ctx: &Context,
    org: &OrgId,
    id: &KeyId,
    (number, used_at): (u32, Timestamp),
) -> Result<(), DomainError> {
    let actor = Actor::system(Some(*org));
    let scope = actor.require(Permission::KeysManageAny)?;
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, &actor).await?;
    let mut key = secured::find(ctx, &mut tx, &actor, id).await?;
    // Seen a while ago, it may have been the use of a rotation that was cancelled or finished meanwhile.
    let current = secret_mut(&mut key, CURRENT).map(|secret| secret.number);
    if current != Some(i64::from(number)) || used_at.ms() < key.secret_since_ms {
        return Ok(());
    }
    let until = runs_until(&key, now);
    let countdown = secret_mut(&mut key, PREVIOUS).and_then(|previous| previous.countdown_ms);
    let (Some(latest), Some(countdown)) = (until, countdown) else {
        return Ok(());
    };
    let until = used_at.plus_ms(countdown).min(latest);
    end_previous(&mut key, until);
    let detail = json!({ "usedAt": used_at.rfc3339(), "previousExpiresAt": until.rfc3339() });
    save(
        ctx,
        tx,
        (&actor, &scope),
        key,
        ("key.rotation_counting", detail),
        now,
    )
    .await
}
