//! The second half of signing in: the code, or a recovery code.

use serde_json::json;

use super::proof::{account_of, note, note_use, refusal, take};
use super::session::{self, Caller, Others, SignedIn};
use super::{notices, places, throttle};
use crate::model::account::Ended;
use crate::model::error::Code;
use crate::model::factor::{Proof, parse_proof};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts;

/// Finishes signing in. The session gets a new id; the fifth wrong code ends it, and ten an hour close the door.
pub async fn finish_sign_in(
    ctx: &Context,
    pending: &SignedIn,
    session_id: &str,
    proof: &str,
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let account = account_of(pending)?;
    let proof = parse_proof("code", proof)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    throttle::admit_code(&mut tx, account, throttle::CodeDoor::SignIn, now).await?;
    let is_last = session::count_code(&mut tx, session_id).await?;
    if !take(ctx, &mut tx, account, &proof, now).await? {
        note(ctx, &mut tx, &pending.actor, "factor.refused", json!({}), now).await?;
        notices::tell_refused(ctx, &mut tx, account, caller, now).await?;
        if is_last {
            session::give_up(&mut tx, session_id).await?;
        }
        tx.commit().await?;
        if is_last {
            return Err(DomainError::refused(
                Code::Unauthenticated,
                Ended::Codes.sentence(),
            ));
        }
        return Err(refusal(&proof, now));
    }
    throttle::forgive_codes(&mut tx, account).await?;
    accounts::set_signed_in(&mut tx, account, now).await?;
    let (id, actor) = session::renew(ctx, &mut tx, pending, session_id, Others::Stay, caller).await?;
    note_use(ctx, &mut tx, &actor, &proof, caller, now).await?;
    let factor = match proof {
        Proof::Code(_) => "totp",
        Proof::Recovery(_) => "recovery_code",
    };
    let factors = json!({ "factors": ["password", factor] });
    note(ctx, &mut tx, &actor, "session.started", factors, now).await?;
    places::arrive(ctx, &mut tx, &actor, caller, now).await?;
    tx.commit().await?;
    Ok(id)
}
