//! Proving who one is: a password, a code of the app, a recovery code; at sign-in and again before sensitive acts.
//!
//! Proving is one short transaction that counts first, tries, takes the step or the code by a conditional UPDATE, and
//! only then changes anything: of parallel attempts with one code one wins.

use serde_json::json;

use super::session::{self, Caller, Others, SignedIn};
use super::throttle::Door;
use super::{notices, sign_in, throttle};
use crate::model::actor::{Actor, Denied};
use crate::model::error::FieldError;
use crate::model::factor::{Proof, parse_proof};
use crate::model::id::{AccountId, FactorId};
use crate::model::notice::SecurityEvent;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mint::{self, Credential, StoredHash};
use crate::server::platform::crypto::keyring::HASH_ALG;
use crate::server::platform::crypto::password::StoredPassword;
use crate::server::platform::crypto::seal::Place;
use crate::server::platform::crypto::secret::{Secret, SecretText};
use crate::server::platform::crypto::totp;
use crate::server::store::db::Tx;
use crate::server::store::factors::{self as store, TotpRow};
use crate::server::store::{accounts, orgs};

pub(super) fn account_of(signed_in: &SignedIn) -> Result<&AccountId, DomainError> {
    Ok(signed_in.actor.account_id().ok_or(Denied::Unauthenticated)?)
}

/// The password once more, throttled as at sign-in but at a door of its own. Gives the hash it matched.
pub(super) async fn prove_password(
    ctx: &Context,
    account: &AccountId,
    password: &SecretText,
    caller: &Caller,
) -> Result<StoredPassword, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let email = accounts::find_email(&mut tx, account).await?;
    drop(tx);
    let email = email.ok_or(DomainError::NotFound)?;
    let door = Door::Proof { account };
    let tried = sign_in::try_password(ctx, door, &email.folded, password, caller).await?;
    let Some(proved) = tried.account.as_ref().filter(|_| tried.matches) else {
        sign_in::note_refusal(ctx, tried.account.as_ref(), tried.locks, caller).await?;
        return Err(FieldError::new("password", "wrong", "This is not your password.").into());
    };
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    throttle::forgive(ctx, &mut tx, door, caller.ip, now).await?;
    tx.commit().await?;
    Ok(proved.password.clone())
}

pub(super) fn place_of<'a>(account: &'a AccountId, id: &'a FactorId) -> Place<'a> {
    Place {
        table: "factors",
        column: "sealed",
        // A factor belongs to a person, in whichever organisations they are.
        org: account.as_str(),
        row: id.as_str(),
    }
}

pub(super) fn opened(
    ctx: &Context,
    account: &AccountId,
    row: &TotpRow,
) -> Result<Secret<Vec<u8>>, DomainError> {
    let opened = ctx.seals.open(place_of(account, &row.id), &row.sealed);
    opened.map_err(|_| DomainError::Defect("a second factor's secret does not open under this master key"))
}

pub(super) fn wrong_code(drift_minutes: Option<i64>, now: Timestamp) -> String {
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
pub(super) fn refusal(proof: &Proof, now: Timestamp) -> DomainError {
    let message = match proof {
        Proof::Code(_) => wrong_code(None, now),
        Proof::Recovery(_) => {
            "This recovery code is not right, or it was used before. Each works once; try another.".to_owned()
        }
    };
    FieldError::new("code", "wrong", message).into()
}

pub(super) fn credential_of(account: &AccountId) -> Credential<'_> {
    Credential::Recovery {
        account_id: account.as_str(),
    }
}

/// Tries a proof and uses it up. `false` when it is wrong or was used before.
pub(super) async fn take(
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
pub(super) async fn note(
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

/// Records and tells that a recovery code was used up; a code of the app is nothing special.
pub(super) async fn note_use(
    ctx: &Context,
    tx: &mut Tx,
    actor: &Actor,
    proof: &Proof,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), DomainError> {
    let Proof::Recovery(_) = proof else { return Ok(()) };
    let account = actor.account_id().ok_or(Denied::Unauthenticated)?;
    let left = store::count_unused_codes(tx, account).await?;
    let event = SecurityEvent::RecoveryCodeUsed { left };
    notices::tell(ctx, tx, account, event, Some(caller), now).await?;
    let left = json!({ "left": left });
    note(ctx, tx, actor, "factor.recovery_code_used", left, now).await
}

/// Tries a proof of somebody who is signed in, throttled; a wrong one is counted and told beside its field, a recovery
/// code is told of. Gives the transaction in which it was used up, for what hangs on it.
pub(super) async fn prove(
    ctx: &Context,
    signed_in: &SignedIn,
    proof: &Proof,
    caller: &Caller,
    now: Timestamp,
) -> Result<Tx, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_write().await?;
    throttle::admit_code(&mut tx, account, throttle::CodeDoor::Inside, now).await?;
    if take(ctx, &mut tx, account, proof, now).await? {
        throttle::forgive_codes(&mut tx, account).await?;
        note_use(ctx, &mut tx, &signed_in.actor, proof, caller, now).await?;
        return Ok(tx);
    }
    note(ctx, &mut tx, &signed_in.actor, "factor.refused", json!({}), now).await?;
    tx.commit().await?;
    Err(refusal(proof, now))
}

/// Confirms who they are before a sensitive act (R26): a code or recovery code where a second factor is in force, else the
/// password. The session goes on under a new id; others learn nothing of it.
pub async fn step_up(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    proof: &SecretText,
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let account = account_of(signed_in)?;
    let (mut tx, factor) = if signed_in.has_factor {
        let proof = parse_proof("step_up", proof.expose())?;
        let now = ctx.clock.now();
        let tx = prove(ctx, signed_in, &proof, caller, now).await;
        let tx = tx.map_err(beside_step_up)?;
        (tx, "second_factor")
    } else {
        let proved = prove_password(ctx, account, proof, caller).await;
        proved.map_err(beside_step_up)?;
        (ctx.db.begin_write().await?, "password")
    };
    let (id, actor) = session::renew(ctx, &mut tx, signed_in, session_id, Others::Stay, caller).await?;
    let now = ctx.clock.now();
    note(
        ctx,
        &mut tx,
        &actor,
        "session.confirmed",
        json!({ "factor": factor }),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// The one field of the page that asks again.
fn beside_step_up(error: DomainError) -> DomainError {
    match error {
        DomainError::Invalid(mut fields) => {
            for field in &mut fields {
                "step_up".clone_into(&mut field.field);
            }
            DomainError::Invalid(fields)
        }
        other => other,
    }
}
