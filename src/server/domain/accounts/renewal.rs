//! A session that goes on under a new id (R28), alone or beside the account's others.

use super::session::{Caller, LIFETIME_MS, SignedIn, Span, begin_over, digest};
use crate::model::account::SessionStage;
use crate::model::actor::{Actor, Denied};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts;
use crate::server::store::db::Tx;
use crate::server::store::sessions as store;

/// What becomes of an account's other sessions when one goes on under a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Stay,
    /// Those that are just being made, too.
    End,
}

/// What a session that goes on under a new id says of when its owner last proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// They have just done so.
    Fresh,
    AsItWas,
}

/// A complete session in the place of another, under a new id (R28): the id and its handle for the audit log. It is
/// worth what the old one was, so that one that was ended elsewhere meanwhile does not come back. Finishing a sign-in
/// begins the lifetime; nothing else prolongs it. Errors: the old one is over.
pub(super) async fn renew(
    ctx: &Context,
    tx: &mut Tx,
    signed_in: &SignedIn,
    old_id: &str,
    others: Others,
    caller: &Caller,
) -> Result<(SecretText, Actor), DomainError> {
    let renewed = renew_with(ctx, tx, signed_in, old_id, (others, Proof::Fresh), caller).await?;
    Ok((renewed.id, renewed.actor))
}

/// The same where the factor that was shown is a new one, which proves nothing of who they are: every other session ends,
/// and the last proof keeps its age.
pub(super) async fn renew_enrolled(
    ctx: &Context,
    tx: &mut Tx,
    signed_in: &SignedIn,
    old_id: &str,
    caller: &Caller,
) -> Result<(SecretText, Actor), DomainError> {
    let renewed = renew_with(ctx, tx, signed_in, old_id, (Others::End, Proof::AsItWas), caller).await?;
    Ok((renewed.id, renewed.actor))
}

/// The same for somebody who has proved nothing and wants to be the only one signed in: whoever holds a copy of the old
/// id is out, too. Also gives how many sessions ended. Errors: the old one is over.
pub(super) async fn renew_alone(
    ctx: &Context,
    tx: &mut Tx,
    signed_in: &SignedIn,
    old_id: &str,
    caller: &Caller,
) -> Result<Renewed, DomainError> {
    signed_in.actor.require_complete()?;
    renew_with(ctx, tx, signed_in, old_id, (Others::End, Proof::AsItWas), caller).await
}

pub(super) struct Renewed {
    pub id: SecretText,
    pub actor: Actor,
    /// Other sessions that ended.
    pub ended: u64,
}

async fn renew_with(
    ctx: &Context,
    tx: &mut Tx,
    signed_in: &SignedIn,
    old_id: &str,
    (others, proof): (Others, Proof),
    caller: &Caller,
) -> Result<Renewed, DomainError> {
    let over = || DomainError::from(Denied::Unauthenticated);
    let account = signed_in.actor.account_id().ok_or_else(over)?;
    let old_sha256 = digest(old_id);
    let next = match others {
        Others::End => Some(
            accounts::next_epoch(tx, account, &old_sha256)
                .await?
                .ok_or_else(over)?,
        ),
        Others::Stay => None,
    };
    let old = store::take(tx, &old_sha256).await?.ok_or_else(over)?;
    let epoch = next.unwrap_or(old.epoch);
    let now = ctx.clock.now();
    let stage = SessionStage::Complete;
    let span = match signed_in.actor.stage() {
        SessionStage::SecondFactorDue => Span {
            created_at: now,
            auth_at: now,
            step_up_at: None,
            expires_at: now.plus_ms(LIFETIME_MS),
        },
        SessionStage::Complete => Span {
            created_at: old.created_at,
            auth_at: old.auth_at,
            step_up_at: match proof {
                Proof::Fresh => Some(now),
                Proof::AsItWas => old.step_up_at,
            },
            expires_at: old.expires_at,
        },
    };
    let org = signed_in.actor.org_id();
    let (id, handle) = begin_over(ctx, tx, (account, epoch), org, stage, caller, (now, span)).await?;
    let ended = match others {
        Others::End => store::delete_others(tx, account, &digest(id.expose())).await?,
        Others::Stay => 0,
    };
    let membership = signed_in
        .memberships
        .iter()
        .find(|m| Some(&m.org_id) == org)
        .map(|m| (m.org_id, m.role));
    let actor = Actor::account(*account, membership, stage, caller.origin(Some(handle)))
        .proved(span.step_up_at.unwrap_or(span.auth_at))
        .with_instance_powers(signed_in.actor.is_instance_admin());
    Ok(Renewed { id, actor, ended })
}
