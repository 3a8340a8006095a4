//! Enrolling an authenticator app: a fresh secret, bound to its session, in force once a code proves it (R21). A second
//! one takes the place of the first in the same moment, so that nobody is ever without.

use serde_json::json;

use super::factors::{NewCodes, renew_codes};
use super::proof::{account_of, note, opened, place_of, prove, prove_password, wrong_code};
use super::renewal::renew_enrolled;
use super::session::{self, Caller, SignedIn};
use super::{notices, throttle};
use crate::model::error::{Code, FieldError};
use crate::model::factor::{parse_code, parse_proof};
use crate::model::id::{AccountId, FactorId};
use crate::model::notice::SecurityEvent;
use crate::model::time::MINUTE_MS;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, mint};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::platform::crypto::totp;
use crate::server::store::db::Tx;
use crate::server::store::factors::{self as store, NewEnrolment, TotpRow};

/// How long an enrolment may take.
const ENROLMENT_MS: i64 = 15 * MINUTE_MS;

/// Who the app shows the account under.
const ISSUER: &str = "Keywright";

/// A secret on its way into an app; shown while it is enrolled and never again.
pub struct Enrolment {
    /// For typing.
    pub secret: SecretText,
    /// For the QR code.
    pub uri: SecretText,
}

/// Begins an enrolment after the password: a fresh secret, which guards nothing until a code proves it.
pub async fn begin(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    password: &SecretText,
    caller: &Caller,
) -> Result<Enrolment, DomainError> {
    let account = account_of(signed_in)?;
    prove_password(ctx, account, password, caller).await?;
    let mut tx = ctx.db.begin_write().await?;
    if store::find_totp(&mut tx, account).await?.is_some() {
        let message = "An authenticator app is set up already. To use another, replace it.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    start(ctx, tx, signed_in, session_id, None).await
}

/// Begins to move to another app, for the password and a code of the present one or a recovery code. The present app
/// stays in force until the new one is proved.
pub async fn begin_replacement(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    (password, proof): (&SecretText, &str),
    caller: &Caller,
) -> Result<Enrolment, DomainError> {
    let account = account_of(signed_in)?;
    let proof = parse_proof("code", proof)?;
    prove_password(ctx, account, password, caller).await?;
    let mut tx = prove(ctx, signed_in, &proof, caller, ctx.clock.now()).await?;
    let present = store::find_totp(&mut tx, account).await?;
    let present = present.ok_or(DomainError::NotFound)?;
    start(ctx, tx, signed_in, session_id, Some(&present.id)).await
}

async fn start(
    ctx: &Context,
    mut tx: Tx,
    signed_in: &SignedIn,
    session_id: &str,
    replaces: Option<&FactorId>,
) -> Result<Enrolment, DomainError> {
    let account = account_of(signed_in)?;
    let secret = totp::random_secret(ctx.rng.as_ref());
    let id = mint::factor_id(ctx)?;
    let sealed = ctx.seals.seal(place_of(account, &id), secret.expose());
    let new = NewEnrolment {
        id: &id,
        sealed: &sealed,
        session_sha256: &session::digest(session_id),
        replaces,
    };
    store::replace_enrolment(&mut tx, account, new, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok(shown(signed_in, secret.expose()))
}

fn shown(signed_in: &SignedIn, secret: &[u8]) -> Enrolment {
    Enrolment {
        secret: totp::base32(secret),
        uri: totp::uri(secret, ISSUER, &signed_in.account_email),
    }
}

/// What this session began within the last quarter of an hour; nobody else is shown its secret.
async fn find_enrolment(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    session_id: &str,
) -> Result<TotpRow, DomainError> {
    let since = ctx.clock.now().minus_ms(ENROLMENT_MS);
    let found = store::find_enrolment(tx, account, &session::digest(session_id), since).await?;
    found.ok_or(DomainError::NotFound)
}

/// The enrolment that is under way, for showing it again beside a code that was mistyped.
pub async fn under_way(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
) -> Result<Enrolment, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_read().await?;
    let row = find_enrolment(ctx, &mut tx, account, session_id).await?;
    Ok(shown(signed_in, opened(ctx, account, &row)?.expose()))
}

/// Puts the enrolment in force when the code is right, in the place of the app that it replaces. Every other session of
/// the account ends: it began without.
pub async fn confirm(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    code: &str,
    caller: &Caller,
) -> Result<NewCodes, DomainError> {
    let account = account_of(signed_in)?;
    let code = parse_code("code", code)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let row = find_enrolment(ctx, &mut tx, account, session_id).await?;
    throttle::admit_code(&mut tx, account, throttle::CodeDoor::Inside, now).await?;
    let secret = opened(ctx, account, &row)?;
    let Some(step) = totp::matching_step(secret.expose(), &code, now) else {
        let drift = totp::drift_minutes(secret.expose(), &code, now);
        tx.commit().await?;
        return Err(FieldError::new("code", "wrong", wrong_code(drift, now)).into());
    };
    make_room(&mut tx, account, &row).await?;
    if !store::confirm(&mut tx, account, &row.id, step, now).await? {
        return Err(DomainError::NotFound);
    }
    throttle::forgive_codes(&mut tx, account).await?;
    let codes = renew_codes(ctx, &mut tx, account, now).await?;
    let (session_id, actor) = renew_enrolled(ctx, &mut tx, signed_in, session_id, caller).await?;
    let (act, event) = match row.replaces {
        Some(_) => ("factor.replaced", SecurityEvent::FactorReplaced),
        None => ("factor.enrolled", SecurityEvent::FactorEnrolled),
    };
    note(ctx, &mut tx, &actor, act, json!({ "othersEnded": true }), now).await?;
    notices::tell(ctx, &mut tx, account, event, Some(caller), now).await?;
    tx.commit().await?;
    Ok(NewCodes { session_id, codes })
}

/// Takes away the app that this enrolment replaces. Errors: what is in force is not what it was begun for, because
/// another session was faster.
async fn make_room(tx: &mut Tx, account: &AccountId, row: &TotpRow) -> Result<(), DomainError> {
    let present = store::find_totp(tx, account).await?.map(|present| present.id);
    if present != row.replaces {
        return Err(DomainError::NotFound);
    }
    if let Some(present) = present {
        store::delete_one(tx, account, &present).await?;
    }
    Ok(())
}
