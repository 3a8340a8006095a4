//! Where an account is signed in, and ending that from elsewhere (R32, R33).
//!
//! One session ends by its row: what was never written cannot come back, because a session is kept alive by UPDATE
//! alone. All of them end by the account's epoch as well, which a sign-in that is still on its way does not have.

use serde_json::json;

use super::proof::{account_of, note};
use super::renewal::renew_alone;
use super::session::{self, Caller, IDLE_MS, SignedIn};
use crate::model::account::SessionStage;
use crate::model::device::device_of;
use crate::model::id::AccountId;
use crate::model::session::{SessionList, SessionSummary};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts;
use crate::server::store::db::Tx;
use crate::server::store::sessions::{self as store, ListedSession};

/// Where the account is signed in right now, half done sign-ins too.
pub async fn list(ctx: &Context, signed_in: &SignedIn) -> Result<SessionList, DomainError> {
    signed_in.actor.require_complete()?;
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let rows = store::list(&mut tx, account, now, now.minus_ms(IDLE_MS)).await?;
    drop(tx);
    let this = signed_in.actor.origin().session_id.as_deref();
    let mut sessions: Vec<SessionSummary> = rows.into_iter().map(|row| summary(row, this)).collect();
    sessions.sort_by_key(|session| !session.is_this);
    Ok(SessionList { sessions, now })
}

fn summary(row: ListedSession, this: Option<&str>) -> SessionSummary {
    let handle = session::handle(&row.id_sha256);
    SessionSummary {
        is_this: Some(handle.as_str()) == this,
        handle,
        device: device_of(&row.user_agent),
        ip: row.ip,
        signed_in_at: row.auth_at,
        last_seen_at: row.last_seen_at,
        is_half: row.stage == SessionStage::SecondFactorDue,
    }
}

/// Signs another of the account's sessions out. Errors: it has none of this handle, or not any more.
pub async fn end_one(ctx: &Context, signed_in: &SignedIn, handle: &str) -> Result<(), DomainError> {
    signed_in.actor.require_complete()?;
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    if !store::delete_by_handle(&mut tx, account, handle).await? {
        return Err(DomainError::NotFound);
    }
    let ended = json!({ "session": handle });
    note(
        ctx,
        &mut tx,
        &signed_in.actor,
        "session.ended_remotely",
        ended,
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// Signs the account out everywhere else, where a sign-in is just under way too. This session goes on under a new id.
/// Errors: it is over.
pub async fn end_others(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let mut tx = ctx.db.begin_write().await?;
    let renewed = renew_alone(ctx, &mut tx, signed_in, session_id, caller).await?;
    let ended = json!({ "ended": renewed.ended });
    let now = ctx.clock.now();
    note(ctx, &mut tx, &renewed.actor, "session.others_ended", ended, now).await?;
    tx.commit().await?;
    Ok(renewed.id)
}

/// Ends every session of an account, in the transaction of whatever is the reason; who may ask for it, and telling of
/// it, is the caller's.
pub async fn end_all_of(tx: &mut Tx, account: &AccountId) -> Result<(), DomainError> {
    accounts::raise_session_epoch(tx, account).await?;
    Ok(store::delete_all(tx, account).await?)
}
