//! A new e-mail address: in force once both the old and the new one have agreed, by a link each.

use serde_json::json;

use super::links::{self, Link, Purpose};
use super::notices;
use super::proof::{account_of, note};
use super::session::{Caller, SignedIn};
use super::throttle::{self, Door};
use crate::model::account::{Email, masked};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::AccountId;
use crate::model::notice::SecurityEvent;
use crate::model::profile::EmailForm;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::mail::{self, Letter, Recipient};
use crate::server::store::db::Tx;
use crate::server::store::email_changes::{self as store, EmailChangeRow};
use crate::server::store::error::StoreError;
use crate::server::store::{accounts, orgs};

/// How long both ends have to agree.
const CHANGE_MS: i64 = DAY_MS;
const BOTH: [Purpose; 2] = [Purpose::OldEmail, Purpose::NewEmail];

/// Begins a change: a letter to the address the account has, and one to the new address unless somebody has it. That
/// is not told: whoever asks must not learn who exists.
pub async fn begin(ctx: &Context, signed_in: &SignedIn, email: &str) -> Result<(), DomainError> {
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    if !mail::is_on(ctx) {
        let message = "This installation sends no mail, so an address cannot be confirmed. Whoever runs it can change \
                       yours: keywright accounts set-email.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let email = Email::parse("email", email)?;
    signed_in.actor.require_proof(now)?;
    let mut tx = ctx.db.begin_write().await?;
    let own = mail::recipient(&mut tx, account)
        .await?
        .ok_or(DomainError::NotFound)?;
    if crate::model::text::folded(&own.email) == email.folded {
        return Err(FieldError::new("email", "same", "This is the address you have now.").into());
    }
    // Counted by account, not by address: letters to strangers must not be for the asking.
    if !throttle::admit_letter(ctx, &mut tx, account.as_str(), now).await? {
        tx.commit().await?;
        let message = "Three changes of address were begun within an hour. Try again in an hour.";
        return Err(DomainError::refused(Code::Throttled, message));
    }
    write_to_both(ctx, &mut tx, account, &email, own, now).await?;
    let act = "account.email_change_begun";
    note(ctx, &mut tx, &signed_in.actor, act, json!({}), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Notes the change and writes to both ends; to the new one only if nobody has it.
async fn write_to_both(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    email: &Email,
    own: Recipient,
    now: Timestamp,
) -> Result<(), DomainError> {
    let taken = accounts::find_for_sign_in(tx, &email.folded).await?.is_some();
    let expires_at = now.plus_ms(CHANGE_MS);
    let span = (now, expires_at);
    store::replace(tx, account, email, span).await?;
    let old_link = links::make(ctx, tx, Purpose::OldEmail, account.as_str(), span).await?;
    let new_link = links::make(ctx, tx, Purpose::NewEmail, account.as_str(), span).await?;
    let to_old = Letter::EmailChangeOld {
        new_email: email.shown.clone(),
        link: old_link.expose().clone(),
        expires_at,
    };
    let to_new = Letter::EmailChangeNew {
        link: new_link.expose().clone(),
        expires_at,
    };
    // Without the name: nobody shall be written to in words that a stranger chose.
    let new_end = Recipient {
        time_zone: own.time_zone.clone(),
        ..Recipient::stranger(&email.shown)
    };
    mail::enqueue(ctx, tx, own, to_old, now).await?;
    match taken {
        false => mail::enqueue(ctx, tx, new_end, to_new, now).await,
        true => mail::enqueue_for_nobody(ctx, tx, &new_link, now).await,
    }
}

/// Forgets a change that is under way; both links are void. None under way is no error.
pub async fn cancel(ctx: &Context, signed_in: &SignedIn) -> Result<(), DomainError> {
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    if forget(&mut tx, account).await? {
        let act = "account.email_change_cancelled";
        note(ctx, &mut tx, &signed_in.actor, act, json!({}), now).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn forget(tx: &mut Tx, account: &AccountId) -> Result<bool, DomainError> {
    for purpose in BOTH {
        links::void(tx, purpose, account.as_str()).await?;
    }
    Ok(store::delete(tx, account).await?)
}

struct Held {
    link: Link,
    account: AccountId,
    change: EmailChangeRow,
    old: Email,
}

async fn held(ctx: &Context, tx: &mut Tx, token: &str) -> Result<Held, DomainError> {
    let link = links::find(ctx, tx, &BOTH, token).await?;
    let account: AccountId = link.subject_id.parse()?;
    let change = store::find_open(tx, &account, ctx.clock.now()).await?;
    Ok(Held {
        old: accounts::find_email(tx, &account)
            .await?
            .ok_or_else(links::over)?,
        change: change.ok_or_else(links::over)?,
        link,
        account,
    })
}

/// What a link's page shows; looking confirms nothing. Errors: the link is over.
pub async fn look(
    ctx: &Context,
    token: &str,
    signed_in: Option<&SignedIn>,
) -> Result<EmailForm, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let held = held(ctx, &mut tx, token).await?;
    let is_old = held.link.purpose == Purpose::OldEmail;
    let other = if is_old {
        held.change.new_confirmed_at_ms
    } else {
        held.change.old_confirmed_at_ms
    };
    Ok(EmailForm {
        masked_old: masked(&held.old.shown),
        new_email: held.change.email,
        is_old,
        other_confirmed: other.is_some(),
        signed_in_as_other: signed_in.is_some_and(|who| who.actor.account_id() != Some(&held.account)),
    })
}

/// Agrees for the end that the link came to, and uses it up; `true` when that was the second and the new address is in
/// force. Signs nobody in. Errors: the link is over; the address was taken meanwhile, and then the link stays good.
pub async fn confirm(
    ctx: &Context,
    token: &str,
    signed_in: Option<&SignedIn>,
    caller: &Caller,
) -> Result<bool, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let held = match held(ctx, &mut tx, token).await {
        Err(error @ DomainError::Refused(Code::LinkOver, _)) => {
            drop(tx);
            throttle::admit(ctx, Door::Link, caller.ip).await?;
            return Err(error);
        }
        held => held?,
    };
    hold_log(ctx, &mut tx, &held.account).await?;
    links::take(&mut tx, &held.link, now).await?;
    store::confirm(
        &mut tx,
        &held.account,
        held.link.purpose == Purpose::OldEmail,
        now,
    )
    .await?;
    // Read again under the row's lock: both ends may agree at the same moment.
    let change = store::find_open(&mut tx, &held.account, now).await?;
    let change = change.ok_or_else(links::over)?;
    let is_whole = change.old_confirmed_at_ms.is_some() && change.new_confirmed_at_ms.is_some();
    if is_whole {
        let whose = signed_in.filter(|who| who.actor.account_id() == Some(&held.account));
        let actor = whose.map_or_else(|| Actor::anonymous(caller.origin(None)), |who| who.actor.clone());
        let new = Email {
            shown: change.email,
            folded: change.email_folded,
        };
        put_in_force(
            ctx,
            &mut tx,
            &held.account,
            (&held.old, &new),
            &actor,
            Some(caller),
            now,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(is_whole)
}

/// Waits for acts of the organisation in whose log a new address is told: they may name the account, which an address that
/// changes keeps them from.
pub(super) async fn hold_log(ctx: &Context, tx: &mut Tx, account: &AccountId) -> Result<(), DomainError> {
    if let Some(org) = orgs::first_of(tx, account).await? {
        audit::hold(ctx, tx, &org).await?;
    }
    Ok(())
}

/// Gives an account a new address, once the log is held. Failures counted under either are forgotten, links for a new
/// password are void, both addresses are told.
pub(super) async fn put_in_force(
    ctx: &Context,
    tx: &mut Tx,
    account: &AccountId,
    (old, new): (&Email, &Email),
    actor: &Actor,
    caller: Option<&Caller>,
    now: Timestamp,
) -> Result<(), DomainError> {
    let message = "Another account has this address now. Choose a different one.";
    let taken = || FieldError::new("email", "taken", message);
    let holder = accounts::find_for_sign_in(tx, &new.folded).await?;
    if holder.is_some_and(|holder| holder.id != *account) {
        return Err(taken().into());
    }
    let former = mail::recipient(tx, account).await?.ok_or(DomainError::NotFound)?;
    match accounts::set_email(tx, account, new).await {
        Err(StoreError::Taken) => return Err(taken().into()),
        done => done?,
    };
    forget(tx, account).await?;
    links::void(tx, Purpose::PasswordReset, account.as_str()).await?;
    for address in [&old.folded, &new.folded] {
        throttle::release(ctx, tx, address).await?;
    }
    let event = SecurityEvent::EmailChanged;
    notices::write_to(ctx, tx, former, event.clone(), caller, now).await?;
    notices::tell(ctx, tx, account, event, caller, now).await?;
    let org = orgs::first_of(tx, account).await?;
    let entry = Entry::new("account.email_changed", "account", account.as_str());
    audit::record(ctx, tx, org.as_ref(), actor, entry, now).await?;
    Ok(())
}
