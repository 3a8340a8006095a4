//! Changing one's own password (R07).

use serde_json::json;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{check_new, context_of};
use crate::model::error::{Code, FieldError};
use crate::model::factor::parse_proof;
use crate::model::notice::SecurityEvent;
use crate::model::password::min_length;
use crate::model::profile::PasswordForm;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::links::{self, Purpose};
use crate::server::domain::accounts::notices;
use crate::server::domain::accounts::proof::{account_of, note, prove, prove_password};
use crate::server::domain::accounts::session::{self, Caller, Others, SignedIn};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts;

/// What the form asks for, as typed.
pub struct NewPassword<'a> {
    pub current: &'a SecretText,
    /// A code or recovery code; ignored where no second factor is in force.
    pub code: &'a SecretText,
    pub new: SecretText,
    pub end_others: bool,
}

/// What the form warns by.
pub async fn form(ctx: &Context, signed_in: &SignedIn) -> Result<PasswordForm, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(PasswordForm {
        has_factor: signed_in.has_factor,
        min_length: min_length(signed_in.has_factor),
        context: context_of(&mut tx, account).await?,
    })
}

/// Changes the password, for the current one and, where a second factor is in force, a code. The session goes on under
/// a new id; the others end unless they are to stay. Links for setting it anew are void.
pub async fn change(
    ctx: &Context,
    signed_in: &SignedIn,
    session_id: &str,
    wanted: NewPassword<'_>,
    caller: &Caller,
) -> Result<SecretText, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_read().await?;
    let context = context_of(&mut tx, account).await?;
    drop(tx);
    check_new("new_password", &wanted.new, signed_in.has_factor, &context)?;
    let code = match signed_in.has_factor {
        true => Some(parse_proof("code", wanted.code.expose())?),
        false => None,
    };
    let proved = prove_password(ctx, account, wanted.current, caller).await?;
    refuse_same(wanted.current, &wanted.new)?;
    // Before the transaction: hashing takes longer than anybody should wait for the writer.
    let new = ctx.passwords.hash(wanted.new).await?;
    let now = ctx.clock.now();
    let mut tx = match &code {
        Some(code) => prove(ctx, signed_in, code, caller, now).await?,
        None => ctx.db.begin_write().await?,
    };
    if !accounts::replace_password(&mut tx, account, &proved, &new, now).await? {
        let message = "The password was changed elsewhere at the same moment. Sign in again with that one.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    links::void(&mut tx, Purpose::PasswordReset, account.as_str()).await?;
    let others = if wanted.end_others {
        Others::End
    } else {
        Others::Stay
    };
    let (id, actor) = session::renew(ctx, &mut tx, signed_in, session_id, others, caller).await?;
    let event = SecurityEvent::PasswordChanged;
    notices::tell(ctx, &mut tx, account, event, Some(caller), now).await?;
    let detail = json!({ "othersEnded": wanted.end_others });
    note(ctx, &mut tx, &actor, "account.password_changed", detail, now).await?;
    tx.commit().await?;
    Ok(id)
}

fn refuse_same(current: &SecretText, new: &SecretText) -> Result<(), FieldError> {
    let normal = |text: &SecretText| Zeroizing::new(text.expose().nfc().collect::<String>());
    if bool::from(normal(current).as_bytes().ct_eq(normal(new).as_bytes())) {
        let message = "This is the password you have now. Choose another.";
        return Err(FieldError::new("new_password", "same", message));
    }
    Ok(())
}
