//! Sessions: made at sign-in with a fresh id, found by its digest, dead after an hour idle or twelve in all
//! (R27–R32).
//!
//! 2026-11: rejected tower-sessions. It writes the session when the answer leaves, outside the transaction that
//! audits the sign-in and clears the throttle; its record is untyped; and its `save` contract brings ended sessions
//! back. What remains of it is one cookie.

use std::net::IpAddr;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::account::SessionStage;
use crate::model::actor::{Actor, Denied, Origin};
use crate::model::id::{AccountId, OrgId};
use crate::model::org::Membership;
use crate::model::request_id::RequestId;
use crate::model::text;
use crate::model::time::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::policy;
use crate::server::platform::crypto::master_key::hex;
use crate::server::platform::crypto::secret::{Secret, SecretText};
use crate::server::platform::rng::base62;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::orgs;
use crate::server::store::sessions::{self as store, NewSession};

pub(super) use super::renewal::{Others, renew};

/// A session unseen for so long is dead.
pub const IDLE_MS: i64 = HOUR_MS;
/// A session this old is dead, however busy.
pub const LIFETIME_MS: i64 = 12 * HOUR_MS;
/// Characters of the id: 190 bits.
const ID_LENGTH: usize = 32;
/// Characters of the digest that are no secret.
const HANDLE_LENGTH: usize = 12;
/// Sessions an account may have; the oldest ends when another begins.
const SESSIONS_MAX: i64 = 10;
/// Sign-ins that may be half done at a time, and how long each may take.
const HALF_SESSIONS_MAX: i64 = 3;
const HALF_LIFETIME_MS: i64 = 15 * MINUTE_MS;
/// Wrong codes that end a sign-in which is half done.
const CODES_MAX: i64 = 5;
/// `last_seen` is written at most this often.
const TOUCH_EVERY_MS: i64 = MINUTE_MS;

/// Where a request comes from, as far as is known.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub ip: Option<IpAddr>,
    pub user_agent: String,
    pub request_id: RequestId,
}

impl Caller {
    #[must_use]
    pub fn origin(&self, session_id: Option<String>) -> Origin {
        Origin {
            ip: self.ip.map(|ip| ip.to_canonical().to_string()),
            session_id,
            request_id: Some(self.request_id.as_str().to_owned()),
        }
    }
}

/// Who is signed in, for the frame of every page.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub actor: Actor,
    pub account_name: String,
    pub account_email: String,
    /// Whether a second factor is in force.
    pub has_factor: bool,
    pub memberships: Vec<Membership>,
}

pub(super) fn digest(session_id: &str) -> String {
    hex(&Sha256::digest(session_id.as_bytes()))
}

/// The session's public name, in the audit log and in addresses: the first characters of its digest, good for telling
/// sessions apart only.
pub(super) fn handle(id_sha256: &str) -> String {
    id_sha256.chars().take(HANDLE_LENGTH).collect()
}

/// Whether a cookie's value could be a session id at all.
#[must_use]
pub fn has_shape(value: &str) -> bool {
    value.len() == ID_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Makes a session and gives its id, which exists nowhere else from then on.
pub async fn begin(
    ctx: &Context,
    tx: &mut Tx,
    account: (&AccountId, i64),
    org: Option<&OrgId>,
    stage: SessionStage,
    caller: &Caller,
    now: Timestamp,
) -> Result<(SecretText, String), StoreError> {
    let lifetime_ms = match stage {
        SessionStage::Complete => LIFETIME_MS,
        SessionStage::SecondFactorDue => HALF_LIFETIME_MS,
    };
    let span = Span {
        created_at: now,
        auth_at: now,
        step_up_at: None,
        expires_at: now.plus_ms(lifetime_ms),
    };
    begin_over(ctx, tx, account, org, stage, caller, (now, span)).await
}

/// From when to when a session is, and when whoever it is proved that.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub created_at: Timestamp,
    pub auth_at: Timestamp,
    pub step_up_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

pub(super) async fn begin_over(
    ctx: &Context,
    tx: &mut Tx,
    account: (&AccountId, i64),
    org: Option<&OrgId>,
    stage: SessionStage,
    caller: &Caller,
    (now, span): (Timestamp, Span),
) -> Result<(SecretText, String), StoreError> {
    let id = Secret::new(base62(ctx.rng.as_ref(), ID_LENGTH));
    let id_sha256 = digest(id.expose());
    let ip = caller.ip.map(|ip| ip.to_canonical().to_string());
    let new = NewSession {
        id_sha256: &id_sha256,
        account_id: account.0,
        session_epoch: account.1,
        org_id: org,
        stage,
        created_at: span.created_at,
        auth_at: span.auth_at,
        step_up_at: span.step_up_at,
        expires_at: span.expires_at,
        ip: ip.as_deref(),
        user_agent: &text::shown(&caller.user_agent, 200),
    };
    store::insert(tx, &new, now).await?;
    let most = match stage {
        SessionStage::Complete => SESSIONS_MAX,
        SessionStage::SecondFactorDue => HALF_SESSIONS_MAX,
    };
    store::delete_beyond(tx, account.0, stage, most).await?;
    Ok((id, handle(&id_sha256)))
}

/// Who a cookie's value stands for. `None` when the session is unknown, over, or its account may not be here.
pub async fn resolve(
    ctx: &Context,
    session_id: &str,
    caller: &Caller,
) -> Result<Option<SignedIn>, DomainError> {
    let now = ctx.clock.now();
    let id_sha256 = digest(session_id);
    let mut tx = ctx.db.begin_read().await?;
    let Some(live) = store::find_alive(&mut tx, &id_sha256, now, now.minus_ms(IDLE_MS)).await? else {
        return Ok(None);
    };
    let memberships = orgs::list_memberships(&mut tx, &live.account_id).await?;
    let chosen = memberships
        .iter()
        .find(|m| Some(&m.org_id) == live.org_id.as_ref())
        .or(memberships.first());
    let policies = match chosen {
        Some(chosen) => policy::of_developer(&mut tx, chosen, now).await?,
        None => None,
    };
    drop(tx);
    if now.since_ms(live.last_seen_at) >= TOUCH_EVERY_MS {
        let org = chosen.map(|m| m.org_id);
        touch(ctx, &id_sha256, (&live.account_id, org.as_ref()), now).await;
    }
    let membership = chosen.map(|m| (m.org_id, m.role));
    let is_due = |m: &Membership| m.two_factor_due_at.is_some_and(|due| due <= now);
    let origin = caller.origin(Some(handle(&id_sha256)));
    let actor = Actor::account(live.account_id, membership, live.stage, origin)
        .proved_for(live.proved_at, ctx.site.proof_lifetime_ms)
        .with_instance_powers(live.is_instance_admin);
    let actor = match policies {
        Some(policies) => actor.under_policy(&policies.live, &policies.test),
        None => actor,
    };
    let actor = match chosen {
        Some(chosen) if is_due(chosen) && !live.has_factor => actor.owing_enrolment(),
        _ => actor,
    };
    Ok(Some(SignedIn {
        actor,
        has_factor: live.has_factor,
        account_name: live.account_name,
        account_email: live.account_email,
        memberships,
    }))
}

/// A read-only database must not sign people out, so a failure here is only noted.
async fn touch(ctx: &Context, id_sha256: &str, who: (&AccountId, Option<&OrgId>), now: Timestamp) {
    let touched = async {
        let mut tx = ctx.db.begin_write().await?;
        store::touch(&mut tx, id_sha256, now).await?;
        if let (account, Some(org)) = who {
            orgs::touch_member(&mut tx, org, account, now).await?;
        }
        tx.commit().await
    };
    if let Err(error) = touched.await {
        tracing::warn!(error = %error, "a session's last use could not be noted");
    }
}

/// Counts a code against a sign-in that is half done, before it is tried; tells whether it is the last that may be
/// wrong (R20). Errors: the sign-in is over.
pub(super) async fn count_code(tx: &mut Tx, session_id: &str) -> Result<bool, DomainError> {
    let tried = store::count_failure(tx, &digest(session_id)).await?;
    let tried = tried.ok_or(DomainError::from(Denied::Unauthenticated))?;
    Ok(tried >= CODES_MAX)
}

/// Ends a sign-in that is half done.
pub(super) async fn give_up(tx: &mut Tx, session_id: &str) -> Result<(), DomainError> {
    store::delete(tx, &digest(session_id)).await?;
    Ok(())
}

/// Ends a session. Ending one that is over already is no error.
pub async fn end(ctx: &Context, actor: &Actor, session_id: &str) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    if store::delete(&mut tx, &digest(session_id)).await? {
        let (_, account) = audit::actor_columns(actor);
        let entry = Entry::new("session.ended", "account", account);
        audit::record(ctx, &mut tx, None, actor, entry, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Shows this organisation from now on, within somebody else's act.
pub(in crate::server::domain) async fn show_org(
    tx: &mut Tx,
    session_id: &str,
    org: &OrgId,
) -> Result<(), StoreError> {
    store::set_org(tx, &digest(session_id), org).await
}

/// Shows another of the account's organisations from now on.
pub async fn switch_org(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    org: &OrgId,
) -> Result<(), DomainError> {
    if !signed_in.memberships.iter().any(|m| &m.org_id == org) {
        return Err(DomainError::NotFound);
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    store::set_org(&mut tx, &digest(session_id), org).await?;
    let entry = Entry::new("session.organisation_switched", "organisation", org.as_str()).with(json!({}));
    audit::record(ctx, &mut tx, Some(org), &signed_in.actor, entry, now).await?;
    tx.commit().await?;
    Ok(())
}
