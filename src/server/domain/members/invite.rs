//! Inviting: a link that works once, bound to an address, by mail and in the inviter's hand.

use serde_json::json;

use super::refuse_above;
use crate::model::account::Email;
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::InvitationId;
use crate::model::member::{INVITATION_MS, InvitationSummary, MemberStatus};
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::text::folded;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::accounts::links::{self, Purpose};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter, Recipient};
use crate::server::domain::{DomainError, mint};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::invitations::{self as store, NewInvitation};
use crate::server::store::{accounts, members, orgs};

/// An invitation with its link, for the one answer that shows it.
pub struct Invited {
    pub email: String,
    pub link: SecretText,
    pub expires_at: Timestamp,
    /// Whether a letter with the link is on its way, too.
    pub mailed: bool,
}

/// Invites an address into the organisation. The role is the actor's own at most.
pub async fn invite(ctx: &Context, actor: &Actor, email: &str, role: &str) -> Result<Invited, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::MembersManage, now)?;
    let (email, role) = check(email, role)?;
    refuse_above(actor, role)?;
    let by = actor.account_id().ok_or(Denied::Forbidden)?;
    let id = mint::invitation_id(ctx)?;
    let expires_at = now.plus_ms(INVITATION_MS);
    let mut tx = audit::begin(ctx, actor).await?;
    refuse_member(&mut tx, &scope, &email).await?;
    store::end_expired(&mut tx, &scope, &email.folded, now).await?;
    let new = NewInvitation {
        id: &id,
        email: &email,
        role,
        invited_by: by,
        expires_at,
    };
    store::insert(&mut tx, &scope, &new, now)
        .await
        .map_err(already_invited)?;
    let entry =
        Entry::new("member.invited", "invitation", id.as_str()).with(json!({ "role": role.as_str() }));
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    let invited = send(
        ctx,
        &mut tx,
        (actor, &scope),
        &id,
        (email.shown, role),
        (now, expires_at),
    )
    .await?;
    tx.commit().await?;
    Ok(invited)
}

fn check(email: &str, role: &str) -> Result<(Email, Role), DomainError> {
    let email = Email::parse("email", email);
    let choice = || FieldError::new("role", "choice", "Choose one of the roles.");
    match (email, Role::parse(role).ok_or_else(choice)) {
        (Ok(email), Ok(role)) => Ok((email, role)),
        (email, role) => Err(DomainError::Invalid(
            [email.err(), role.err()].into_iter().flatten().collect(),
        )),
    }
}

fn already_invited(error: StoreError) -> DomainError {
    let message =
        "This address is invited already. Send the invitation again, or revoke it to change the role.";
    DomainError::from(error).taken("email", message)
}

/// That the address is no member's.
async fn refuse_member(tx: &mut Tx, scope: &OrgScope, email: &Email) -> Result<(), DomainError> {
    let Some(account) = accounts::find_for_sign_in(tx, &email.folded).await? else {
        return Ok(());
    };
    let message = match members::find(tx, scope, &account.id)
        .await?
        .map(|member| member.status)
    {
        Some(MemberStatus::Active) => "This person is a member already. Change their role on their page.",
        Some(MemberStatus::Suspended) => "This person is a suspended member. Resume them on their page.",
        Some(MemberStatus::Removed) | None => return Ok(()),
    };
    Err(FieldError::new("email", "member", message).into())
}

/// Makes the link, which voids every earlier one, and writes the letter.
async fn send(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    id: &InvitationId,
    (email, role): (String, Role),
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<Invited, DomainError> {
    let link = links::make(ctx, tx, Purpose::Invitation, id.as_str(), (now, expires_at)).await?;
    let inviter = match actor.account_id() {
        Some(id) => accounts::find_recipient(tx, id).await?.map(|(_, name, _)| name),
        None => None,
    };
    let letter = Letter::Invitation {
        organisation: orgs::find_name(tx, scope).await?,
        inviter: inviter.unwrap_or_default(),
        role,
        link: link.expose().clone(),
        expires_at,
    };
    mail::enqueue(ctx, tx, Recipient::stranger(&email), letter, now).await?;
    Ok(Invited {
        email,
        link,
        expires_at,
        mailed: mail::is_on(ctx),
    })
}

/// Another link for an invitation that waits; the old one is void, and the time begins anew.
pub async fn resend(ctx: &Context, actor: &Actor, id: &InvitationId) -> Result<Invited, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require_fresh(Permission::MembersManage, now)?;
    let by = actor.account_id().ok_or(Denied::Forbidden)?;
    let expires_at = now.plus_ms(INVITATION_MS);
    let mut tx = audit::begin(ctx, actor).await?;
    let invitation = find(&mut tx, &scope, id).await?;
    refuse_above(actor, invitation.role)?;
    if !store::renew(&mut tx, &scope, id, by, (now, expires_at)).await? {
        return Err(ended());
    }
    let entry = Entry::new("member.invitation_resent", "invitation", id.as_str());
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    let to = (invitation.email, invitation.role);
    let invited = send(ctx, &mut tx, (actor, &scope), id, to, (now, expires_at)).await?;
    tx.commit().await?;
    Ok(invited)
}

/// The invitation that waits, for its pages.
pub async fn show(ctx: &Context, actor: &Actor, id: &InvitationId) -> Result<InvitationSummary, DomainError> {
    let scope = actor.require(Permission::MembersManage)?;
    let mut tx = ctx.db.begin_read().await?;
    find(&mut tx, &scope, id).await
}

async fn find(tx: &mut Tx, scope: &OrgScope, id: &InvitationId) -> Result<InvitationSummary, DomainError> {
    store::find_pending(tx, scope, id)
        .await?
        .ok_or(DomainError::NotFound)
}

fn ended() -> DomainError {
    DomainError::refused(
        Code::Conflict,
        "This invitation was accepted or revoked meanwhile.",
    )
}

/// Voids an invitation and its link.
pub async fn revoke(ctx: &Context, actor: &Actor, id: &InvitationId) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::MembersManage)?;
    let mut tx = audit::begin(ctx, actor).await?;
    find(&mut tx, &scope, id).await?;
    end(ctx, &mut tx, actor, &scope, id, now).await?;
    Ok(tx.commit().await?)
}

/// Ends the invitation that waits for an address, within somebody else's act: it must not bring back who has just gone.
pub(super) async fn end_for(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    email: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
    let email_folded = folded(email);
    for invitation in store::list_pending(tx, scope).await? {
        if folded(&invitation.email) == email_folded {
            end(ctx, tx, actor, scope, &invitation.id, now).await?;
        }
    }
    Ok(())
}

/// Ends an invitation within somebody else's act.
pub(super) async fn end(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    scope: &OrgScope,
    id: &InvitationId,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !store::revoke(tx, scope, id, now).await? {
        return Err(ended());
    }
    links::void(tx, Purpose::Invitation, id.as_str()).await?;
    let entry = Entry::new("member.invitation_revoked", "invitation", id.as_str());
    audit::record(ctx, tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(())
}
