//! Signing in with a password. Unknown, disabled, locked and wrong take the same path, time and answer (R08).

use serde_json::json;

use super::nobody;
use super::places;
use super::session::{self, Caller};
use super::throttle::{self, Door};
use crate::model::account::{Email, SessionStage};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::password::MAX_BYTES;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::platform::crypto::password::StoredPassword;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts::{self, SignInRow};
use crate::server::store::db::Tx;
use crate::server::store::{factors, orgs};

fn wrong() -> DomainError {
    let message = "The e-mail address or the password is not right. After many failed attempts an account is locked \
                   until an administrator releases it.";
    DomainError::refused(Code::Unauthenticated, message)
}

/// A session that began, and whether it still owes its second factor.
pub struct Begun {
    /// For the cookie alone.
    pub session_id: SecretText,
    pub stage: SessionStage,
}

/// Checks the password and begins a session.
pub async fn sign_in(
    ctx: &Context,
    email: &str,
    password: SecretText,
    caller: &Caller,
) -> Result<Begun, DomainError> {
    // An address that is none cannot have an account: it goes the same way as an unknown one.
    let typed = email.chars().take(300).collect::<String>();
    let email_folded = Email::parse("email", &typed)
        .map_or_else(|_| crate::model::text::folded(&typed), |email| email.folded);
    let door = Door::SignIn {
        email_folded: &email_folded,
    };
    let tried = try_password(ctx, door, &email_folded, &password, caller).await?;
    match (&tried.account, tried.matches) {
        (Some(account), true) => let_in(ctx, account, password, &email_folded, caller).await,
        _ => {
            note_refusal(ctx, tried.account.as_ref(), tried.locks, caller).await?;
            Err(wrong())
        }
    }
}

/// What came of trying a password.
pub(super) struct Tried {
    pub account: Option<SignInRow>,
    pub matches: bool,
    /// This attempt, if it was wrong, locked the account.
    pub locks: bool,
}

/// Tries a password, throttled, with exactly one argon2 whether there is such an account or not (R08). The attempt stays
/// counted until [`forgive`] takes it back.
pub(super) async fn try_password(
    ctx: &Context,
    door: Door<'_>,
    email_folded: &str,
    password: &SecretText,
    caller: &Caller,
) -> Result<Tried, DomainError> {
    if password.expose().len() > MAX_BYTES {
        let message = format!("The password is longer than {MAX_BYTES} bytes.");
        return Err(FieldError::new("password", "too_long", message).into());
    }
    let admitted = throttle::admit(ctx, door, caller.ip).await?;
    let account = find(ctx, email_folded).await?;
    let usable = account
        .as_ref()
        .filter(|account| account.is_active && !admitted.locked);
    let stored = usable.map(|account| account.password.clone());
    let matches = ctx.passwords.matches(password.clone(), stored.clone()).await;
    let matches = match matches {
        Ok(matches) => matches,
        // Nothing was tried, so nothing may be held against them.
        Err(error) => {
            let now = ctx.clock.now();
            let mut tx = ctx.db.begin_write().await?;
            throttle::forgive_one(ctx, &mut tx, door, caller.ip, now).await?;
            tx.commit().await?;
            return Err(error.into());
        }
    };
    let matches = matches && usable.is_some();
    Ok(Tried {
        account,
        matches,
        locks: admitted.locks,
    })
}

/// Takes back what a right password was counted as.
pub(super) async fn forgive(
    ctx: &Context,
    tx: &mut Tx,
    email_folded: &str,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), DomainError> {
    throttle::forgive(ctx, tx, Door::SignIn { email_folded }, caller.ip, now).await
}

async fn find(ctx: &Context, email_folded: &str) -> Result<Option<SignInRow>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    Ok(accounts::find_for_sign_in(&mut tx, email_folded).await?)
}

async fn let_in(
    ctx: &Context,
    account: &SignInRow,
    password: SecretText,
    email_folded: &str,
    caller: &Caller,
) -> Result<Begun, DomainError> {
    let upgraded: Option<StoredPassword> = match ctx.passwords.is_outdated(&account.password) {
        true => Some(ctx.passwords.hash(password).await?),
        false => None,
    };
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    forgive(ctx, &mut tx, email_folded, caller, now).await?;
    if let Some(upgraded) = upgraded {
        accounts::renew_password(&mut tx, &account.id, &account.password, &upgraded).await?;
    }
    let org = orgs::first_of(&mut tx, &account.id).await?;
    let of = (&account.id, account.session_epoch);
    let stage = match factors::find_totp(&mut tx, &account.id).await? {
        Some(_) => SessionStage::SecondFactorDue,
        None => SessionStage::Complete,
    };
    if stage == SessionStage::Complete {
        accounts::set_signed_in(&mut tx, &account.id, now).await?;
    }
    let (id, handle) = session::begin(ctx, &mut tx, of, org.as_ref(), stage, caller, now).await?;
    let actor = Actor::account(account.id, None, stage, caller.origin(Some(handle)));
    let act = match stage {
        SessionStage::Complete => "session.started",
        SessionStage::SecondFactorDue => "session.password_passed",
    };
    let entry = Entry::new(act, "account", account.id.as_str()).with(json!({ "factors": ["password"] }));
    audit::record(ctx, &mut tx, org.as_ref(), &actor, entry, now).await?;
    if stage == SessionStage::Complete {
        places::arrive(ctx, &mut tx, &actor, caller, now).await?;
    }
    tx.commit().await?;
    Ok(Begun {
        session_id: id,
        stage,
    })
}

/// Refusals are told of the account, in the chain of its first organisation; of an unknown address only that it
/// happened: it may be a password typed into the wrong field.
pub(super) async fn note_refusal(
    ctx: &Context,
    account: Option<&SignInRow>,
    locks: bool,
    caller: &Caller,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let actor = Actor::anonymous(caller.origin(None));
    let mut tx = ctx.db.begin_write().await?;
    let target = account.map_or("-", |account| account.id.as_str());
    // Asked for nobody, too: an answer must not come sooner because there is no account (R08).
    let id = account.map_or_else(nobody, |account| Ok(account.id))?;
    let org = orgs::first_of(&mut tx, &id).await?;
    audit::record(
        ctx,
        &mut tx,
        org.as_ref(),
        &actor,
        Entry::new("session.refused", "account", target),
        now,
    )
    .await?;
    if locks && account.is_some() {
        audit::record(
            ctx,
            &mut tx,
            org.as_ref(),
            &actor,
            Entry::new("session.locked", "account", target),
            now,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
