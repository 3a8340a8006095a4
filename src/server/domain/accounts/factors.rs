//! What an account's second factors are, and how they change: new recovery codes, turning off, an operator's reset.

use serde_json::json;

use super::administer::{By, take_factors};
use super::notices;
use super::proof::{account_of, credential_of, note, prove, prove_password};
use super::session::{self, Caller, Others, SignedIn};
use crate::model::actor::{Actor, Denied};
use crate::model::error::Code;
use crate::model::factor::{
    Proof, RECOVERY_ALPHABET, RECOVERY_CODES, RECOVERY_LENGTH, TwoFactor, grouped, parse_code, parse_proof,
};
use crate::model::id::AccountId;
use crate::model::notice::SecurityEvent;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::mint;
use crate::server::platform::crypto::secret::{Secret, SecretText};
use crate::server::store::db::Tx;
use crate::server::store::factors as store;
use crate::server::store::{accounts, orgs};

/// A fresh set of recovery codes, and the session that goes on under a new id.
pub struct NewCodes {
    pub session_id: SecretText,
    pub codes: Vec<SecretText>,
}

pub async fn state(ctx: &Context, actor: &Actor) -> Result<TwoFactor, DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let mut tx = ctx.db.begin_read().await?;
    let totp = store::find_totp(&mut tx, account).await?;
    Ok(TwoFactor {
        totp_since: totp.as_ref().and_then(|totp| totp.confirmed_at),
        totp_used_at: totp.and_then(|totp| totp.used_at),
        recovery_codes_left: store::count_unused_codes(&mut tx, account).await?,
        now: ctx.clock.now(),
    })
}

/// Makes ten codes and forgets all earlier ones.
pub(super) async fn renew_codes(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    now: Timestamp,
) -> Result<Vec<SecretText>, DomainError> {
    let (mut texts, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0_u8; RECOVERY_LENGTH];
        ctx.rng.fill(&mut bytes);
        // 32 letters: five bits of each byte, every letter equally likely.
        let letters = bytes
            .iter()
            .map(|b| char::from(RECOVERY_ALPHABET[usize::from(b & 31)]));
        let text = Secret::new(letters.collect::<String>());
        let hashed = mint::hashed(ctx, credential_of(account), &text);
        rows.push((hashed.hash, hashed.pepper_id));
        texts.push(Secret::new(grouped(text.expose())));
    }
    store::replace_codes(tx, account, &rows, now).await?;
    Ok(texts)
}

/// New recovery codes for a code of the app; all earlier ones are void.
pub async fn new_codes(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    code: &str,
    caller: &Caller,
) -> Result<NewCodes, DomainError> {
    let account = account_of(signed_in)?;
    let proof = Proof::Code(parse_code("code", code)?);
    let now = ctx.clock.now();
    let mut tx = prove(ctx, signed_in, &proof, caller, now).await?;
    let codes = renew_codes(ctx, &mut tx, account, now).await?;
    let (session_id, actor) =
        session::renew(ctx, &mut tx, signed_in, session_id, Others::Stay, caller).await?;
    note(
        ctx,
        &mut tx,
        &actor,
        "factor.recovery_codes_renewed",
        json!({}),
        now,
    )
    .await?;
    let event = SecurityEvent::RecoveryCodesRenewed;
    notices::tell(ctx, &mut tx, account, event, Some(caller), now).await?;
    tx.commit().await?;
    Ok(NewCodes { session_id, codes })
}

/// Turns the second factor off, for the password and a code or recovery code. Every other session ends.
pub async fn remove(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    proofs: (&SecretText, &str),
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let account = account_of(signed_in)?;
    refuse_last(signed_in)?;
    let (password, proof) = proofs;
    let proof = parse_proof("code", proof)?;
    prove_password(ctx, account, password, caller).await?;
    let now = ctx.clock.now();
    let mut tx = prove(ctx, signed_in, &proof, caller, now).await?;
    store::delete_all(&mut tx, account).await?;
    let (id, actor) = session::renew(ctx, &mut tx, signed_in, session_id, Others::End, caller).await?;
    note(
        ctx,
        &mut tx,
        &actor,
        "factor.removed",
        json!({ "othersEnded": true }),
        now,
    )
    .await?;
    let event = SecurityEvent::FactorRemoved;
    notices::tell(ctx, &mut tx, account, event, Some(caller), now).await?;
    tx.commit().await?;
    Ok(id)
}

/// What the operator does for somebody who lost both app and codes: no second factor any more, and no session.
pub async fn reset(ctx: &Context, actor: &Actor, email: &str) -> Result<bool, DomainError> {
    let email = crate::model::account::Email::parse("email", email)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let account = accounts::find_for_sign_in(&mut tx, &email.folded).await?;
    let account = account.ok_or(DomainError::NotFound)?;
    let org = orgs::first_of(&mut tx, &account.id).await?;
    let by = By {
        actor,
        org: org.as_ref(),
        now,
    };
    let had = take_factors(ctx, &mut tx, by, &account.id).await?;
    tx.commit().await?;
    Ok(had)
}

/// The last factor stays while an organisation asks for one (R24).
fn refuse_last(signed_in: &SignedIn) -> Result<(), DomainError> {
    let asking = signed_in
        .memberships
        .iter()
        .find(|m| m.two_factor_due_at.is_some());
    asking.map_or(Ok(()), |m| {
        let message = format!(
            "{} asks its members for a second factor, so the last one cannot be turned off. To move to another app or \
             phone, replace the app instead.",
            m.org_name
        );
        Err(DomainError::refused(Code::Conflict, message))
    })
}
