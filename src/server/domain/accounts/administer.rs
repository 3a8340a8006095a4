//! What others do about somebody's account as such: start a password reset, take away the second factor, end all
//! sessions, release a lock. Never choosing or seeing a password (R14).
//!
//! Here is how each is done, within a transaction; who may is asked before: by an organisation for its own members, and
//! below by instance administrators for everybody, the last resort.

use serde_json::json;

use super::session::SignedIn;
use super::throttle::forgive_codes;
use super::{notices, password, sessions, throttle};
use crate::model::account::{AccountSummary, PersonPage};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::id::{AccountId, OrgId};
use crate::model::notice::SecurityEvent;
use crate::model::text::folded;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::{accounts, factors, orgs};

/// Helping oneself would get round the present password and the last factor: that is what one's own pages ask for.
pub const ONESELF: &str =
    "This is your own account. Change your password, two-factor and sessions under Account.";

fn refuse_oneself(actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    if actor.account_id() == Some(account) {
        return Err(DomainError::refused(Code::Conflict, ONESELF));
    }
    Ok(())
}

/// A link for a new password, for the one answer that shows it.
pub struct PasswordLink {
    pub name: String,
    pub link: SecretText,
    /// Whether a letter with the link is on its way, too.
    pub mailed: bool,
}

/// Who acts, and in which organisation's chain that is recorded; the instance's when there is none.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub actor: &'a Actor,
    pub org: Option<&'a OrgId>,
    pub now: Timestamp,
}

/// Takes away the second factor and every recovery code; the account's sessions end, and its owner is told (R25).
pub(in crate::server::domain) async fn take_factors(
    ctx: &Context,
    tx: &mut Tx,
    by: By<'_>,
    account: &AccountId,
) -> Result<bool, DomainError> {
    let had = factors::delete_all(tx, account).await?;
    sessions::end_all_of(tx, account).await?;
    forgive_codes(tx, account).await?;
    let entry = Entry::new("factor.reset", "account", account.as_str()).with(json!({ "hadFactor": had }));
    audit::record(ctx, tx, by.org, by.actor, entry, by.now).await?;
    if had {
        // Whoever does it is not where the account is: the place is not its owner's business.
        notices::tell(ctx, tx, account, SecurityEvent::FactorReset, None, by.now).await?;
    }
    Ok(had)
}

/// Makes a link by which the owner of the account chooses a new password, and writes them a letter with it. Earlier
/// links are void.
pub(in crate::server::domain) async fn make_password_link(
    ctx: &Context,
    tx: &mut Tx,
    by: By<'_>,
    by_name: &str,
    account: &AccountId,
) -> Result<PasswordLink, DomainError> {
    let to = mail::recipient(tx, account).await?.ok_or(DomainError::NotFound)?;
    let link = password::begin_reset_for(ctx, tx, account, by, by_name).await?;
    Ok(PasswordLink {
        name: to.name,
        link,
        mailed: mail::is_on(ctx),
    })
}

/// Signs the account out everywhere.
pub(in crate::server::domain) async fn end_sessions(
    ctx: &Context,
    tx: &mut Tx,
    by: By<'_>,
    account: &AccountId,
) -> Result<(), DomainError> {
    sessions::end_all_of(tx, account).await?;
    let entry = Entry::new("member.sessions_ended", "account", account.as_str());
    Ok(audit::record(ctx, tx, by.org, by.actor, entry, by.now).await?)
}

/// Lets an account that is locked after too many failures try again (R10). One that is not locked is no error.
pub(in crate::server::domain) async fn release(
    ctx: &Context,
    tx: &mut Tx,
    by: By<'_>,
    account: &AccountId,
) -> Result<(), DomainError> {
    let email = accounts::find_email(tx, account)
        .await?
        .ok_or(DomainError::NotFound)?;
    throttle::release(ctx, tx, &email.folded).await?;
    forgive_codes(tx, account).await?;
    let entry = Entry::new("account.unlocked", "account", account.as_str());
    Ok(audit::record(ctx, tx, by.org, by.actor, entry, by.now).await?)
}

/// Every account of the installation.
pub async fn list(ctx: &Context, actor: &Actor) -> Result<Vec<AccountSummary>, DomainError> {
    actor.require_instance()?;
    super::operate::list(ctx).await
}

/// One account, with where it belongs.
pub async fn page(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<PersonPage, DomainError> {
    actor.require_instance()?;
    let mut tx = ctx.db.begin_read().await?;
    let found = accounts::find_summary(&mut tx, account).await?;
    let mut summary = found.ok_or(DomainError::NotFound)?;
    summary.locked = throttle::is_locked(ctx, &mut tx, &folded(&summary.email)).await?;
    Ok(PersonPage {
        now: ctx.clock.now(),
        account: summary,
        memberships: orgs::list_memberships(&mut tx, account).await?,
        has_factor: factors::find_totp(&mut tx, account).await?.is_some(),
    })
}

/// What an instance administrator does about any account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceAct {
    ResetFactors,
    SignOut,
    Unlock,
}

/// The last resort for somebody who is in several organisations, or in none.
pub async fn act(
    ctx: &Context,
    actor: &Actor,
    account: &AccountId,
    act: InstanceAct,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    actor.require_instance()?;
    actor.require_proof(now)?;
    let by = By {
        actor,
        org: None,
        now,
    };
    refuse_oneself(actor, account)?;
    let mut tx = ctx.db.begin_write().await?;
    mail::recipient(&mut tx, account)
        .await?
        .ok_or(DomainError::NotFound)?;
    match act {
        InstanceAct::ResetFactors => drop(take_factors(ctx, &mut tx, by, account).await?),
        InstanceAct::SignOut => end_sessions(ctx, &mut tx, by, account).await?,
        InstanceAct::Unlock => release(ctx, &mut tx, by, account).await?,
    }
    Ok(tx.commit().await?)
}

/// A link by which anybody chooses a new password, made by an instance administrator.
pub async fn begin_password_reset(
    ctx: &Context,
    signed_in: &SignedIn,
    account: &AccountId,
) -> Result<PasswordLink, DomainError> {
    let now = ctx.clock.now();
    let actor = &signed_in.actor;
    actor.require_instance()?;
    actor.require_proof(now)?;
    let by = By {
        actor,
        org: None,
        now,
    };
    refuse_oneself(actor, account)?;
    let mut tx = ctx.db.begin_write().await?;
    let made = make_password_link(ctx, &mut tx, by, &signed_in.account_name, account).await?;
    tx.commit().await?;
    Ok(made)
}
