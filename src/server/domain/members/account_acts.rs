//! What an administrator may do about a member's account as such: start a password reset, take away the second factor,
//! end all sessions.
//!
//! An account may be in several organisations and one of them must not take it over: the member's whole account has to
//! be here, the actor's role at least theirs, and it must not look after the installation. Otherwise an instance
//! administrator, or `keywright accounts` (R25).

use serde_json::json;

use super::{find, refuse_above};
use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::AccountId;
use crate::model::member::{MemberStatus, MemberSummary};
use crate::model::notice::SecurityEvent;
use crate::model::permission::Permission;
use crate::model::time::HOUR_MS;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::links::{self, Purpose};
use crate::server::domain::accounts::session::SignedIn;
use crate::server::domain::accounts::{notices, throttle};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::{accounts, factors, members as store};

/// Why the actor may do none of it; `None` when they may.
pub(super) async fn reason_against(
    tx: &mut Tx,
    scope: &OrgScope,
    actor: &Actor,
    member: &MemberSummary,
) -> Result<Option<String>, DomainError> {
    if !actor.may(Permission::MembersManage) || !actor.may_grant(member.role) {
        let reason = "Only an administrator whose role is at least theirs may do this.";
        return Ok(Some(reason.to_owned()));
    }
    let found = store::find_elsewhere(tx, scope, &member.account_id).await?;
    let (elsewhere, looks_after_instance) = found.ok_or(DomainError::NotFound)?;
    let reason = match () {
        () if !member.is_account_active => "The account was deleted.",
        () if actor.is_instance_admin() => return Ok(None),
        () if member.status == MemberStatus::Removed => "They are no member any more.",
        () if looks_after_instance => {
            "They look after the whole installation. Another instance administrator, or the operator with keywright accounts, can."
        }
        () if elsewhere > 0 => {
            "They belong to other organisations too. An instance administrator, or the operator with keywright accounts, can."
        }
        () => return Ok(None),
    };
    Ok(Some(reason.to_owned()))
}

/// Opens the transaction for such an act, once all of that is checked.
async fn begin(
    ctx: &Context,
    actor: &Actor,
    account: &AccountId,
) -> Result<(Tx, OrgScope, MemberSummary), DomainError> {
    let scope = actor.require_fresh(Permission::MembersManage, ctx.clock.now())?;
    let mut tx = ctx.db.begin_write().await?;
    let member = find(&mut tx, &scope, account).await?;
    refuse_above(actor, member.role)?;
    match reason_against(&mut tx, &scope, actor, &member).await? {
        Some(reason) => Err(DomainError::refused(Code::Conflict, reason)),
        None => Ok((tx, scope, member)),
    }
}

/// Takes away the member's second factor and recovery codes; their sessions end, and they are told.
pub async fn reset_factors(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let (mut tx, scope, _) = begin(ctx, actor, account).await?;
    let had = factors::delete_all(&mut tx, account).await?;
    accounts::raise_session_epoch(&mut tx, account).await?;
    throttle::forgive_codes(&mut tx, account).await?;
    let entry = Entry::new("factor.reset", "account", account.as_str()).with(json!({ "hadFactor": had }));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    notices::tell(ctx, &mut tx, account, SecurityEvent::FactorReset, None, now).await?;
    Ok(tx.commit().await?)
}

/// A link by which the member sets a new password. The administrator neither sees nor chooses one, and the second
/// factor stays (R14).
pub async fn begin_password_reset(
    ctx: &Context,
    signed_in: &SignedIn,
    account: &AccountId,
) -> Result<PasswordLink, DomainError> {
    let now = ctx.clock.now();
    let actor = &signed_in.actor;
    let (mut tx, scope, member) = begin(ctx, actor, account).await?;
    let by_name = signed_in.account_name.as_str();
    let span = (now, now.plus_ms(HOUR_MS));
    let link = links::make(ctx, &mut tx, Purpose::PasswordReset, account.as_str(), span).await?;
    if let Some(to) = mail::recipient(&mut tx, account).await? {
        let letter = Letter::PasswordReset {
            by: Some(by_name.to_owned()),
            link: link.expose().clone(),
            expires_at: span.1,
        };
        mail::enqueue(ctx, &mut tx, to, letter, now).await?;
    }
    let entry = Entry::new("account.password_reset_begun", "account", account.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    tx.commit().await?;
    Ok(PasswordLink {
        name: member.name,
        link,
        mailed: mail::is_on(ctx),
    })
}

/// A link for a new password, for the one answer that shows it.
pub struct PasswordLink {
    pub name: String,
    pub link: SecretText,
    pub mailed: bool,
}

/// Signs the member out everywhere.
pub async fn end_sessions(ctx: &Context, actor: &Actor, account: &AccountId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let (mut tx, scope, _) = begin(ctx, actor, account).await?;
    accounts::raise_session_epoch(&mut tx, account).await?;
    let entry = Entry::new("member.sessions_ended", "account", account.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}
