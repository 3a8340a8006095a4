//! Handing a key over by a link that works once. The key waits without a secret; the secret is made when it is collected,
//! so whoever made the key never had it.
//!
//! Looking at a link uses nothing up: chat programs look at every link that is posted.

use serde_json::json;

use super::issue::{self, Entering, KeyDraft, Nonce, RevealedKey, permission_for};
use super::{require_as_new, require_manage, rotation, secured};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::handover::{
    ClaimDraft, ClaimPage, ClaimStanding, Handover, HandoverForm, PASSPHRASE_MAX, PASSPHRASE_MIN, TRIES_MAX,
};
use crate::model::id::{AccountId, KeyId, OrgId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::permission::Permission;
use crate::model::text::folded;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::accounts::links::{self, Link, Purpose};
use crate::server::domain::accounts::session::{Caller, SignedIn};
use crate::server::domain::accounts::throttle::{self, Door};
use crate::server::domain::approvals::{Leave, collect};
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::members as domain_members;
use crate::server::domain::mint::{self, Credential};
use crate::server::domain::{DomainError, orgs, policy};
use crate::server::platform::crypto::password::StoredPassword;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::claims::{self as store, NewClaim, OpenClaim};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as key_store, SecuredKey};
use crate::server::store::{approvals, members, projects};

/// A link to hand over, for the one answer that shows it.
pub struct ClaimLink {
    pub key_id: KeyId,
    pub key_name: String,
    pub link: SecretText,
    pub expires_at: Timestamp,
    /// Whom it is for, when it names somebody.
    pub recipient: Option<String>,
    pub has_passphrase: bool,
}

/// What binds a link, checked. The passphrase is hashed before any transaction: that takes its time.
struct Bound<'a> {
    days: i64,
    recipient: Option<(AccountId, &'a str)>,
    passphrase: Option<StoredPassword>,
}

/// Makes a key without a secret, and the link that collects it.
pub async fn issue(
    ctx: &Context,
    actor: &Actor,
    draft: &KeyDraft<'_>,
    nonce: Option<Nonce<'_>>,
    (claim, passphrase): (ClaimDraft<'_>, &SecretText),
) -> Result<ClaimLink, DomainError> {
    let now = ctx.clock.now();
    let scope = issue::require(actor, draft.environment, now)?;
    let bound = bind(ctx, &scope, claim, passphrase).await?;
    let mut tx = audit::begin(ctx, actor).await?;
    let by = Entering {
        nonce,
        leave: Leave::Own,
        with_secret: false,
    };
    let entered = issue::enter(ctx, &mut tx, (actor, &scope), draft, by).await?;
    let made = put_link(ctx, &mut tx, (actor, &scope), &entered.key, bound, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&made.key_id);
    Ok(made)
}

/// Another link for a key that still waits; the one before is void.
pub async fn make_link(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    (claim, passphrase): (ClaimDraft<'_>, &SecretText),
) -> Result<ClaimLink, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let scope = require_as_new(actor, &secured::find(ctx, &mut tx, actor, id).await?, now)?;
    drop(tx);
    let bound = bind(ctx, &scope, claim, passphrase).await?;
    let mut tx = audit::begin(ctx, actor).await?;
    orgs::hold_membership(&mut tx, actor, &scope).await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    require_as_new(actor, &key, now)?;
    refuse_collected(&key)?;
    refuse_anothers(&mut tx, (actor, &scope), &key, now).await?;
    let made = put_link(ctx, &mut tx, (actor, &scope), &key, bound, now).await?;
    tx.commit().await?;
    Ok(made)
}

/// The secret of a key that was approved is whoever asked for it to collect, or to hand over, while they are there.
async fn refuse_anothers(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    now: Timestamp,
) -> Result<(), DomainError> {
    let Some((requester, decided_at)) = approvals::find_requester(tx, scope, &key.id.parse()?).await? else {
        return Ok(());
    };
    collect::refuse_too_late(key, Some(decided_at), now)?;
    let is_there = members::find_role(tx, scope.org_id(), &requester)
        .await?
        .is_some();
    if actor.account_id() == Some(&requester) || !is_there {
        return Ok(());
    }
    let message = "Whoever asked for this key collects its secret, or hands it over.";
    Err(DomainError::refused(Code::Conflict, message))
}

pub(in crate::server::domain) fn refuse_collected(key: &SecuredKey) -> Result<(), DomainError> {
    let refuse = |message: &str| Err(DomainError::refused(Code::Conflict, message));
    if key.status == KeyStatus::Revoked.as_str() {
        return Err(super::lifecycle::already_revoked());
    }
    match key.secrets.is_empty() {
        true => Ok(()),
        false => refuse("The secret of this key exists already. Rotate the key to get another one."),
    }
}

async fn bind<'a>(
    ctx: &Context,
    scope: &OrgScope,
    claim: ClaimDraft<'a>,
    passphrase: &SecretText,
) -> Result<Bound<'a>, DomainError> {
    let mut wrong = Vec::new();
    let days = claim.days().map_err(|error| wrong.push(error)).ok();
    let mut tx = ctx.db.begin_read().await?;
    let recipient = match claim.email.trim() {
        "" => None,
        email => {
            let members = key_store::list_member_addresses(&mut tx, scope).await?;
            let found = members.into_iter().find(|(_, address)| *address == folded(email));
            if found.is_none() {
                let message = "No active member of the organisation has this address. Leave it empty for somebody else, and think of a passphrase.";
                wrong.push(FieldError::new("claim_email", "unknown", message));
            }
            found.map(|(id, _)| (id, email))
        }
    };
    drop(tx);
    let length = passphrase.expose().chars().count();
    if length > 0 && !(PASSPHRASE_MIN..=PASSPHRASE_MAX).contains(&length) {
        let message = format!(
            "The passphrase has {length} characters. Use {PASSPHRASE_MIN} to {PASSPHRASE_MAX}, or none."
        );
        wrong.push(FieldError::new("claim_passphrase", "length", message));
    }
    let (Some(days), true) = (days, wrong.is_empty()) else {
        return Err(DomainError::Invalid(wrong));
    };
    let passphrase = match length {
        0 => None,
        _ => Some(ctx.passwords.hash(passphrase.clone()).await?),
    };
    Ok(Bound {
        days,
        recipient,
        passphrase,
    })
}

async fn put_link(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    bound: Bound<'_>,
    now: Timestamp,
) -> Result<ClaimLink, DomainError> {
    let id: KeyId = key.id.parse()?;
    let ends = now.plus_ms(bound.days * DAY_MS);
    let expires_at = key
        .expires_at_ms
        .map_or(ends, |end| ends.min(Timestamp::from_ms(end)));
    let link = links::make(ctx, tx, Purpose::Claim, id.as_str(), (now, expires_at)).await?;
    let claim = NewClaim {
        key: &id,
        account: bound.recipient.as_ref().map(|(account, _)| account),
        passphrase: bound.passphrase.as_ref(),
        made_by: actor_columns(actor),
        expires_at,
    };
    store::put(tx, &claim, now).await?;
    let detail = json!({
        "expiresAt": expires_at.rfc3339(),
        "recipientId": claim.account.map(AccountId::as_str),
        "passphrase": bound.passphrase.is_some(),
    });
    let entry = Entry::new("key.link_made", "key", id.as_str()).with(detail);
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(ClaimLink {
        key_id: id,
        key_name: key.name.clone(),
        link,
        expires_at,
        recipient: bound.recipient.map(|(_, email)| email.to_owned()),
        has_passphrase: bound.passphrase.is_some(),
    })
}

/// Where the hand-over of a key stands, and what the form for another link shows.
pub async fn form(ctx: &Context, actor: &Actor, id: &KeyId) -> Result<HandoverForm, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    Ok(HandoverForm {
        now: ctx.clock.now(),
        handover: store::find_shown(&mut tx, &scope, id).await?,
        is_pending: refuse_collected(&key).is_ok(),
        environment: Environment::parse(&key.environment)
            .ok_or(DomainError::Defect("a key of no environment"))?,
        key_name: key.name,
    })
}

/// Where the hand-over of a key stands, if it has one.
pub(super) async fn of(tx: &mut Tx, scope: &OrgScope, id: &KeyId) -> Result<Option<Handover>, DomainError> {
    Ok(store::find_shown(tx, scope, id).await?)
}

/// The claim behind a link. Whoever made it must still be able to, and whom it is for must still be a member: a link outlives
/// no maker's power and no recipient's membership.
async fn open(ctx: &Context, tx: &mut Tx, token: &str) -> Result<(Link, KeyId, OpenClaim), DomainError> {
    let link = links::find(ctx, tx, &[Purpose::Claim], token).await?;
    let id: KeyId = link.subject_id.parse().map_err(|_| links::over())?;
    let claim = store::find_open(tx, &id).await?.ok_or_else(links::over)?;
    let scope = Actor::system(Some(claim.org_id)).require(Permission::KeysRead)?;
    if claim.made_by.0 == "account" {
        let maker = claim.made_by.1.parse().map_err(|_| links::over())?;
        let maker = domain_members::as_actor(tx, &scope, &maker, ctx.clock.now()).await?;
        let needed = permission_for(claim.environment.as_str());
        if !maker.is_some_and(|maker| maker.may(needed)) {
            return Err(links::over());
        }
    }
    if let Some(recipient) = &claim.account {
        let role = members::find_role(tx, &claim.org_id, recipient).await?;
        role.ok_or_else(links::over)?;
    }
    Ok((link, id, claim))
}

/// The same, with guesses slowed down.
async fn open_throttled(
    ctx: &Context,
    token: &str,
    caller: &Caller,
) -> Result<(Link, KeyId, OpenClaim), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let opened = open(ctx, &mut tx, token).await;
    drop(tx);
    links::slowing_guesses(ctx, Purpose::Claim, (token, caller), opened).await
}

fn standing(claim: &OpenClaim, signed_in: Option<&SignedIn>) -> ClaimStanding {
    let complete = signed_in.filter(|who| who.actor.require_complete().is_ok());
    match (&claim.account, complete) {
        (None, _) => ClaimStanding::Ready,
        (Some(wanted), Some(who)) if who.actor.account_id() == Some(wanted) => ClaimStanding::Ready,
        (Some(_), Some(who)) => ClaimStanding::SomebodyElse {
            signed_in_as: who.account_email.clone(),
        },
        (Some(_), None) => ClaimStanding::SignInFirst,
    }
}

/// What the holder of the link sees.
pub async fn look(
    ctx: &Context,
    token: &str,
    signed_in: Option<&SignedIn>,
    caller: &Caller,
) -> Result<ClaimPage, DomainError> {
    let (link, _, claim) = open_throttled(ctx, token, caller).await?;
    let (kind, id, name) = &claim.made_by;
    Ok(ClaimPage {
        now: ctx.clock.now(),
        standing: standing(&claim, signed_in),
        made_by: match (name, kind.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "operator") => format!("operator {id}"),
            (None, _) => "Keywright".to_owned(),
        },
        organisation: claim.organisation,
        key_name: claim.key_name,
        project_name: claim.project_name,
        environment: claim.environment,
        expires_at: link.expires_at,
        needs_passphrase: claim.passphrase.is_some(),
    })
}

/// Counts the try before it is made, so that many at once are not more than a few.
async fn check_passphrase(
    ctx: &Context,
    (org, id): (&OrgId, &KeyId),
    stored: StoredPassword,
    given: &SecretText,
) -> Result<(), DomainError> {
    let mut tx = audit::begin_in(ctx, Some(org)).await?;
    let tries = store::count_try(&mut tx, id).await?.ok_or_else(links::over)?;
    if tries > TRIES_MAX {
        links::void(&mut tx, Purpose::Claim, id.as_str()).await?;
        tx.commit().await?;
        return Err(links::over());
    }
    tx.commit().await?;
    let is_right = given.expose().chars().count() <= PASSPHRASE_MAX
        && ctx.passwords.matches(given.clone(), Some(stored)).await?;
    if is_right {
        return Ok(());
    }
    let message = match TRIES_MAX - tries {
        0 => "This passphrase is not right, and it was the last try: the link is over. Ask for a new one."
            .to_owned(),
        1 => "This passphrase is not right. One try is left.".to_owned(),
        left => format!("This passphrase is not right. {left} tries are left."),
    };
    Err(FieldError::new("passphrase", "wrong", message).into())
}

/// Makes the secret and gives it, once. Of two who open the link at once one gets it.
pub async fn claim(
    ctx: &Context,
    token: &str,
    passphrase: &SecretText,
    signed_in: Option<&SignedIn>,
    caller: &Caller,
) -> Result<RevealedKey, DomainError> {
    let now = ctx.clock.now();
    let (_, id, claim) = open_throttled(ctx, token, caller).await?;
    refuse_others(&standing(&claim, signed_in))?;
    if let Some(stored) = claim.passphrase {
        check_passphrase(ctx, (&claim.org_id, &id), stored, passphrase).await?;
    }
    let actor = Actor::system(Some(claim.org_id));
    let mut tx = audit::begin(ctx, &actor).await?;
    // Looked at again: it may have been used, replaced or bound otherwise meanwhile.
    let (link, _, again) = open(ctx, &mut tx, token).await?;
    refuse_others(&standing(&again, signed_in))?;
    links::take(&mut tx, &link, now).await?;
    let key = secured::find(ctx, &mut tx, &actor, &id).await?;
    let scope = actor.require(Permission::KeysManageAny)?;
    refuse_collected(&key).map_err(|_| links::over())?;
    refuse_against_rules(&mut tx, &scope, &key, now).await?;
    let by = signed_in.and_then(|who| who.actor.account_id()).copied();
    let ip = caller.ip.map(|ip| ip.to_canonical().to_string());
    store::set_claimed(&mut tx, &id, (by.as_ref(), ip.as_deref()), now).await?;
    let detail = json!({ "accountId": by.as_ref().map(AccountId::as_str), "ip": ip });
    let entry = Entry::new("key.collected", "key", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), &actor, entry, now).await?;
    let revealed = first_secret(ctx, &mut tx, &scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(&id);
    Ok(revealed)
}

/// What has changed since the link was made: the rules are those of the moment at which the secret is made. The link stays
/// good, for when the key keeps them.
async fn refuse_against_rules(
    tx: &mut Tx,
    scope: &OrgScope,
    key: &SecuredKey,
    now: Timestamp,
) -> Result<(), DomainError> {
    if let Some((_, decided_at)) = approvals::find_requester(tx, scope, &key.id.parse()?).await? {
        collect::refuse_too_late(key, Some(decided_at), now)?;
    }
    let policy = policy::of_key(tx, scope, key, now).await?;
    if policy::enforce_on(&policy, key).is_err() {
        let message = "The organisation’s rules have changed since this link was made, and the key does not keep them. \
                       Tell whoever sent you the link: once the key is edited, it works.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    Ok(())
}

/// Makes the secret of a key that waits for it. Call it last before the commit.
pub(in crate::server::domain) async fn first_secret(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    mut key: SecuredKey,
    now: Timestamp,
) -> Result<RevealedKey, DomainError> {
    let id: KeyId = key.id.parse()?;
    let project = projects::find(tx, scope, &key.project_id.parse()?).await?;
    let project = project.ok_or(DomainError::NotFound)?;
    rotation::refuse_archived(&project)?;
    let text = mint::secret_for(ctx, &format!("{}_{}", key.prefix, key.environment), &id);
    let credential = Credential::Key {
        org_id: scope.org_id().as_str(),
        key_id: id.as_str(),
    };
    key.secrets = vec![mint::hashed(ctx, credential, &text)];
    key.secret_count = 1;
    key.secret_since_ms = now.ms();
    let policy = policy::of_key(tx, scope, &key, now).await?;
    rotation::set_due(&mut key, &policy);
    let environment = Environment::parse(&key.environment);
    let revealed = RevealedKey {
        id,
        name: key.name.clone(),
        environment: environment.ok_or(DomainError::Defect("a key of no environment"))?,
        project,
        expires_at: key.expires_at_ms.map(Timestamp::from_ms),
        secret_since: now,
        secret: text,
    };
    approvals::set_key_collected(tx, scope, &id, now).await?;
    key_store::replace_secrets(tx, &key).await?;
    // While it waited nobody could use it.
    key_store::set_in_use(tx, &key.id, now).await?;
    secured::save(ctx, tx, scope, key, now).await?;
    Ok(revealed)
}

fn refuse_others(standing: &ClaimStanding) -> Result<(), DomainError> {
    let message = match standing {
        ClaimStanding::Ready => return Ok(()),
        ClaimStanding::SignInFirst => {
            "This key is for a member of the organisation. Sign in, then open the link again."
        }
        ClaimStanding::SomebodyElse { .. } => {
            "This key is for another account than the one you are signed in with. Sign out, then open the link again."
        }
    };
    Err(DomainError::refused(Code::Conflict, message))
}

/// Notes, by whoever collected it, that the secret is stored. The link is used up by then, and proves who asks.
pub async fn confirm_stored(
    ctx: &Context,
    token: &str,
    note: &str,
    caller: &Caller,
) -> Result<(), DomainError> {
    use crate::model::text::{self, NOTE_MAX};
    let now = ctx.clock.now();
    let note = text::line("note", "The note", note, 0, NOTE_MAX)?;
    let mut tx = ctx.db.begin_write().await?;
    let used = links::find_used(ctx, &mut tx, Purpose::Claim, token).await;
    let Ok(id) = used.and_then(|subject| subject.parse::<KeyId>().map_err(|_| links::over())) else {
        drop(tx);
        throttle::admit(ctx, Door::Link, caller.ip).await?;
        return Err(links::over());
    };
    let org = key_store::find_org(&mut tx, &id)
        .await?
        .ok_or(DomainError::NotFound)?;
    audit::hold(ctx, &mut tx, &org).await?;
    let actor = Actor::system(Some(org));
    let scope = actor.require(Permission::KeysManageAny)?;
    let key = secured::find(ctx, &mut tx, &actor, &id).await?;
    // A rotation since has made another secret, which is somebody else's to store.
    if key.secret_count == 1 && key_store::set_stored(&mut tx, &scope, &id, &note, now).await? {
        let entry = Entry::new("key.stored", "key", id.as_str()).with(json!({ "note": note }));
        audit::record(ctx, &mut tx, Some(scope.org_id()), &actor, entry, now).await?;
    }
    Ok(tx.commit().await?)
}
