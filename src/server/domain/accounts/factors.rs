//! Second factors: an authenticator app, and recovery codes for whoever lost it (R16–R23).
//!
//! Proving a factor is one short transaction that counts first, tries, takes the step or the code by a conditional
//! UPDATE, and only then changes anything: of parallel attempts with one code one wins.

use serde_json::json;

use super::session::{self, Caller, Others, SignedIn};
use super::{sign_in, throttle};
use crate::model::actor::{Actor, Denied};
use crate::model::error::{Code, FieldError};
use crate::model::factor::{
    Proof, RECOVERY_ALPHABET, RECOVERY_CODES, RECOVERY_LENGTH, TwoFactor, grouped, parse_code, parse_proof,
};
use crate::model::id::{AccountId, FactorId};
use crate::model::time::{MINUTE_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mint::{self, Credential, StoredHash};
use crate::server::platform::crypto::keyring::HASH_ALG;
use crate::server::platform::crypto::seal::Place;
use crate::server::platform::crypto::secret::{Secret, SecretText};
use crate::server::platform::crypto::totp;
use crate::server::store::db::Tx;
use crate::server::store::factors::{self as store, TotpRow};
use crate::server::store::{accounts, orgs};

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

/// A fresh set of recovery codes, and the session that goes on under a new id.
pub struct NewCodes {
    pub session_id: SecretText,
    pub codes: Vec<SecretText>,
}

fn account_of(signed_in: &SignedIn) -> Result<&AccountId, DomainError> {
    Ok(signed_in.actor.account_id().ok_or(Denied::Unauthenticated)?)
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

/// The password once more, at the same door and under the same throttle as signing in.
async fn prove_password(
    ctx: &Context,
    account: &AccountId,
    password: &SecretText,
    caller: &Caller,
) -> Result<(), DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let email = accounts::find_email(&mut tx, account).await?;
    drop(tx);
    let email = email.ok_or(DomainError::NotFound)?;
    let tried = sign_in::try_password(ctx, &email.folded, password, caller).await?;
    if !tried.matches {
        sign_in::note_refusal(ctx, tried.account.as_ref(), tried.locks, caller).await?;
        return Err(FieldError::new("password", "wrong", "This is not your password.").into());
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    sign_in::forgive(ctx, &mut tx, &email.folded, caller, now).await?;
    Ok(tx.commit().await?)
}

fn place_of<'a>(account: &'a AccountId, id: &'a FactorId) -> Place<'a> {
    Place {
        table: "factors",
        column: "sealed",
        // A factor belongs to a person, in whichever organisations they are.
        org: account.as_str(),
        row: id.as_str(),
    }
}

fn opened(ctx: &Context, account: &AccountId, row: &TotpRow) -> Result<Secret<Vec<u8>>, DomainError> {
    let opened = ctx.seals.open(place_of(account, &row.id), &row.sealed);
    opened.map_err(|_| DomainError::Defect("a second factor's secret does not open under this master key"))
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
    let now = ctx.clock.now();
    let secret = totp::random_secret(ctx.rng.as_ref());
    let id = mint::factor_id(ctx)?;
    let sealed = ctx.seals.seal(place_of(account, &id), secret.expose());
    let mut tx = ctx.db.begin_write().await?;
    refuse_second_app(&mut tx, account).await?;
    let session = session::digest(session_id);
    store::replace_enrolment(&mut tx, account, &id, &sealed, &session, now).await?;
    tx.commit().await?;
    Ok(shown(signed_in, secret.expose()))
}

async fn refuse_second_app(tx: &mut Tx, account: &AccountId) -> Result<(), DomainError> {
    match store::find_totp(tx, account).await? {
        Some(_) => {
            let message = "An authenticator app is set up already. Turn it off first to use another.";
            Err(DomainError::refused(Code::Conflict, message))
        }
        None => Ok(()),
    }
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

/// Puts the enrolment in force when the code is right. Every other session of the account ends: it began without.
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
    throttle::admit_code(&mut tx, account, now).await?;
    let secret = opened(ctx, account, &row)?;
    let Some(step) = totp::matching_step(secret.expose(), &code, now) else {
        let drift = totp::drift_minutes(secret.expose(), &code, now);
        tx.commit().await?;
        return Err(FieldError::new("code", "wrong", wrong_code(drift, now)).into());
    };
    if !store::confirm(&mut tx, account, &row.id, step, now).await? {
        return Err(DomainError::NotFound);
    }
    throttle::forgive_codes(&mut tx, account).await?;
    let codes = renew_codes(ctx, &mut tx, account, now).await?;
    let (session_id, actor) =
        session::renew(ctx, &mut tx, signed_in, session_id, Others::End, caller).await?;
    note(
        ctx,
        &mut tx,
        &actor,
        "factor.enrolled",
        json!({ "othersEnded": true }),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(NewCodes { session_id, codes })
}

fn wrong_code(drift_minutes: Option<i64>, now: Timestamp) -> String {
    let clock = now.rfc3339();
    let clock = clock.get(11..19).unwrap_or_default();
    match drift_minutes {
        Some(0) | None => format!(
            "The code is not right, was used before, or its half minute is over: wait for the next one. Codes depend on \
             the time: our clock says {clock} UTC. Set your phone’s clock to automatic if it differs."
        ),
        Some(minutes) => format!(
            "This code belongs to a time {} minutes {}: your clock or ours is off. Ours says {clock} UTC. Set your \
             phone’s clock to automatic, then enter the code it shows.",
            minutes.abs(),
            if minutes < 0 { "ago" } else { "from now" }
        ),
    }
}

/// What is wrong with a well-formed proof that was refused.
fn refusal(proof: &Proof, now: Timestamp) -> DomainError {
    let message = match proof {
        Proof::Code(_) => wrong_code(None, now),
        Proof::Recovery(_) => {
            "This recovery code is not right, or it was used before. Each works once; try another.".to_owned()
        }
    };
    FieldError::new("code", "wrong", message).into()
}

/// Makes ten codes and forgets all earlier ones.
async fn renew_codes(
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

fn credential_of(account: &AccountId) -> Credential<'_> {
    Credential::Recovery {
        account_id: account.as_str(),
    }
}

/// Tries a proof and uses it up. `false` when it is wrong or was used before.
async fn take(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    proof: &Proof,
    now: Timestamp,
) -> Result<bool, DomainError> {
    match proof {
        Proof::Code(code) => {
            let Some(row) = store::find_totp(tx, account).await? else {
                return Ok(false);
            };
            let secret = opened(ctx, account, &row)?;
            match totp::matching_step(secret.expose(), code, now) {
                Some(step) => Ok(store::take_step(tx, account, &row.id, step, now).await?),
                None => Ok(false),
            }
        }
        Proof::Recovery(text) => {
            let mut found = None;
            for (mac, pepper_id) in store::list_unused_codes(tx, account).await? {
                let hash = StoredHash::from_row(&ctx.keyring, HASH_ALG, &pepper_id, &mac);
                if mint::is_match(ctx, credential_of(account), text, &hash) {
                    found = Some(mac);
                }
            }
            match found {
                Some(mac) => Ok(store::use_code(tx, account, &mac, now).await?),
                None => Ok(false),
            }
        }
    }
}

/// Records an act on the account, in the chain of its present or else its first organisation.
async fn note(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    act: &'static str,
    detail: serde_json::Value,
    now: Timestamp,
) -> Result<(), DomainError> {
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let org = match actor.org_id() {
        Some(org) => Some(*org),
        None => orgs::first_of(tx, account).await?,
    };
    let entry = Entry::new(act, "account", account.as_str()).with(detail);
    audit::record(ctx, tx, org.as_ref(), actor, entry, now).await?;
    Ok(())
}

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
    throttle::admit_code(&mut tx, account, now).await?;
    let is_last = session::count_code(&mut tx, session_id).await?;
    if !take(ctx, &mut tx, account, &proof, now).await? {
        note(ctx, &mut tx, &pending.actor, "factor.refused", json!({}), now).await?;
        if is_last {
            session::give_up(&mut tx, session_id).await?;
        }
        tx.commit().await?;
        if is_last {
            let message =
                "That was the fifth wrong code. Sign in again with your password, then enter a new code.";
            return Err(DomainError::refused(Code::Unauthenticated, message));
        }
        return Err(refusal(&proof, now));
    }
    throttle::forgive_codes(&mut tx, account).await?;
    accounts::set_signed_in(&mut tx, account, now).await?;
    let (id, actor) = session::renew(ctx, &mut tx, pending, session_id, Others::Stay, caller).await?;
    let factor = match proof {
        Proof::Code(_) => "totp",
        Proof::Recovery(_) => {
            note(ctx, &mut tx, &actor, "factor.recovery_code_used", json!({}), now).await?;
            "recovery_code"
        }
    };
    let factors = json!({ "factors": ["password", factor] });
    note(ctx, &mut tx, &actor, "session.started", factors, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Tries a proof of somebody who is signed in, throttled; a wrong one is counted and told beside its field.
/// Gives the transaction in which it was used up, for what hangs on it.
async fn prove(
    ctx: &Context,
    signed_in: &SignedIn,
    proof: &Proof,
    now: Timestamp,
) -> Result<Tx, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_write().await?;
    throttle::admit_code(&mut tx, account, now).await?;
    if take(ctx, &mut tx, account, proof, now).await? {
        throttle::forgive_codes(&mut tx, account).await?;
        return Ok(tx);
    }
    note(ctx, &mut tx, &signed_in.actor, "factor.refused", json!({}), now).await?;
    tx.commit().await?;
    Err(refusal(proof, now))
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
    let mut tx = prove(ctx, signed_in, &proof, now).await?;
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
    let (password, proof) = proofs;
    let proof = parse_proof("code", proof)?;
    prove_password(ctx, account, password, caller).await?;
    let now = ctx.clock.now();
    let mut tx = prove(ctx, signed_in, &proof, now).await?;
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
    let had = store::delete_all(&mut tx, &account.id).await?;
    accounts::raise_session_epoch(&mut tx, &account.id).await?;
    throttle::forgive_codes(&mut tx, &account.id).await?;
    let org = orgs::first_of(&mut tx, &account.id).await?;
    let entry = Entry::new("factor.reset", "account", account.id.as_str()).with(json!({ "hadFactor": had }));
    audit::record(ctx, &mut tx, org.as_ref(), actor, entry, now).await?;
    tx.commit().await?;
    Ok(had)
}
