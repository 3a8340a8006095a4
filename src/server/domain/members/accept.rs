//! Accepting an invitation: with the account of that address, or with a new one.

use serde_json::json;

use crate::model::account::SessionStage;
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, InvitationId};
use crate::model::member::{InvitationPage, InvitationStanding, MemberStatus};
use crate::model::password::ContextWords;
use crate::model::text::{self, NAME_MAX, folded};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::accounts::links::{self, Link, Purpose};
use crate::server::domain::accounts::session::{self, Caller, SignedIn};
use crate::server::domain::accounts::{password, places};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::{DomainError, mint};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts::{self, NewAccount};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::invitations::{self as store, OpenInvitation};
use crate::server::store::members;

/// The invitation behind a link. Whoever stood for it must still be able to: a link outlives no inviter's power.
async fn open(
    ctx: &Context,
    tx: &mut Tx,
    token: &str,
) -> Result<(Link, InvitationId, OpenInvitation), DomainError> {
    let link = links::find(ctx, tx, &[Purpose::Invitation], token).await?;
    let id: InvitationId = link.subject_id.parse().map_err(|_| links::over())?;
    let found = store::find_open(tx, &id, ctx.clock.now()).await?;
    let invitation = found.ok_or_else(links::over)?;
    let inviter = members::find_role(tx, &invitation.org_id, &invitation.invited_by).await?;
    if inviter.is_none_or(|role| !role.may_grant(invitation.role)) {
        return Err(links::over());
    }
    Ok((link, id, invitation))
}

/// The same, with guesses slowed down.
async fn open_throttled(
    ctx: &Context,
    token: &str,
    caller: &Caller,
) -> Result<(Link, InvitationId, OpenInvitation), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let opened = open(ctx, &mut tx, token).await;
    drop(tx);
    links::slowing_guesses(ctx, Purpose::Invitation, (token, caller), opened).await
}

/// What the holder of the link sees; looking uses nothing up.
pub async fn look(
    ctx: &Context,
    token: &str,
    signed_in: Option<&SignedIn>,
    caller: &Caller,
) -> Result<InvitationPage, DomainError> {
    let (_, _, invitation) = open_throttled(ctx, token, caller).await?;
    let standing = match signed_in {
        Some(who) if folded(&who.account_email) == invitation.email.folded => InvitationStanding::Ready,
        Some(who) => InvitationStanding::SomebodyElse {
            signed_in_as: who.account_email.clone(),
        },
        None => InvitationStanding::Stranger,
    };
    Ok(InvitationPage {
        now: ctx.clock.now(),
        organisation: invitation.organisation,
        inviter: invitation.inviter,
        email: invitation.email.shown,
        role: invitation.role,
        expires_at: invitation.expires_at,
        standing,
    })
}

/// Joins with the account that is signed in, which must be the invited address's.
pub async fn join(
    ctx: &Context,
    token: &str,
    signed_in: &SignedIn,
    session_id: &str,
    caller: &Caller,
) -> Result<(), DomainError> {
    signed_in.actor.require_complete()?;
    let (link, id, invitation) = open_throttled(ctx, token, caller).await?;
    let now = ctx.clock.now();
    let mut tx = audit::begin_in(ctx, Some(&invitation.org_id)).await?;
    let account = accounts::find_for_sign_in(&mut tx, &invitation.email.folded).await?;
    let account = account
        .filter(|account| signed_in.actor.account_id() == Some(&account.id))
        .ok_or_else(somebody_else)?;
    links::take(&mut tx, &link, now).await?;
    let actor = signed_in.actor.clone();
    enter(ctx, &mut tx, (&id, &invitation), &account.id, &actor, now).await?;
    session::show_org(&mut tx, session_id, &invitation.org_id).await?;
    changes::record(&mut tx, ChangeKind::Many, account.id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_everything();
    Ok(())
}

fn somebody_else() -> DomainError {
    let message = "This invitation is for another address than the one you are signed in with. Sign out, then open the link again.";
    DomainError::refused(Code::Conflict, message)
}

/// Joins with a new account of the invited address, and signs it in.
pub async fn join_as_newcomer(
    ctx: &Context,
    token: &str,
    name: &str,
    new_password: SecretText,
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let (link, id, invitation) = open_throttled(ctx, token, caller).await?;
    let name = check(name, &new_password, &invitation)?;
    let hashed = ctx.passwords.hash(new_password).await?;
    let now = ctx.clock.now();
    let account = mint::account_id(ctx)?;
    let mut tx = audit::begin_in(ctx, Some(&invitation.org_id)).await?;
    links::take(&mut tx, &link, now).await?;
    let new = NewAccount {
        id: &account,
        email: &invitation.email,
        name: &name,
        password: &hashed,
        is_instance_admin: false,
    };
    let made = accounts::insert(&mut tx, &new, now).await;
    made.map_err(|error| {
        DomainError::from(error).taken(
            "name",
            "This address could not get a new account. If it has one already, sign in with it to join.",
        )
    })?;
    let stage = SessionStage::Complete;
    let org = Some(&invitation.org_id);
    let begun = session::begin(ctx, &mut tx, (&account, 0), org, stage, caller, now).await?;
    places::remember(ctx, &mut tx, &account, caller, now).await?;
    let role = invitation.role;
    let actor = Actor::account(
        account,
        Some((invitation.org_id, role)),
        stage,
        caller.origin(Some(begun.1)),
    );
    let entry = Entry::new("account.created", "account", account.as_str());
    audit::record(ctx, &mut tx, org, &actor, entry, now).await?;
    enter(ctx, &mut tx, (&id, &invitation), &account, &actor, now).await?;
    let entry = Entry::new("session.started", "account", account.as_str());
    audit::record(
        ctx,
        &mut tx,
        org,
        &actor,
        entry.with(json!({ "factors": ["password"] })),
        now,
    )
    .await?;
    accounts::set_signed_in(&mut tx, &account, now).await?;
    tx.commit().await?;
    Ok(begun.0)
}

fn check(name: &str, new_password: &SecretText, invitation: &OpenInvitation) -> Result<String, DomainError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let name = text::line("name", "Your name", name, 0, NAME_MAX)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    let email = invitation.email.shown.as_str();
    let context = ContextWords::of([invitation.organisation.as_str()], &name, email);
    if let Err(error) = password::check_new("password", new_password, false, &context) {
        errors.push(error);
    }
    if !errors.is_empty() {
        return Err(DomainError::Invalid(errors));
    }
    let local = email.split('@').next().unwrap_or_default();
    Ok(if name.is_empty() { local.to_owned() } else { name })
}

/// Makes the membership, once.
async fn enter(
    ctx: &Context,
    tx: &mut Tx,
    (id, invitation): (&InvitationId, &OpenInvitation),
    account: &AccountId,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !store::accept(tx, id, account, now).await? {
        return Err(links::over());
    }
    let org = &invitation.org_id;
    if members::find_status(tx, org, account).await? == Some(MemberStatus::Suspended) {
        let message = "Your membership of this organisation is suspended. Ask an administrator to resume it.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    // An invitation raises nobody who joined by another one meanwhile, and demotes nobody either.
    if members::find_role(tx, org, account).await?.is_none() {
        members::upsert(tx, org, account, invitation.role, now).await?;
    }
    let detail = json!({ "invitationId": id.as_str(), "role": invitation.role.as_str() });
    let entry = Entry::new("member.joined", "account", account.as_str()).with(detail);
    audit::record(ctx, tx, Some(org), actor, entry, now).await?;
    Ok(())
}
