//! A form that makes a secret may be submitted once.

use crate::model::error::Code;
use crate::model::id::AccountId;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::keys as store;

/// A form's right to be submitted once.
pub struct Nonce<'a> {
    pub text: &'a str,
    pub account: &'a AccountId,
}

/// Refuses a form that was submitted before, and says what became of it.
pub(in crate::server::domain) fn refuse_used(used: &Option<(String, Timestamp)>) -> Result<(), DomainError> {
    match used {
        None => Ok(()),
        Some((_, at)) => {
            let message = format!(
                "This form was submitted already and its secret was shown at {}. It cannot be shown again.",
                at.exact_in_words()
            );
            Err(DomainError::refused(Code::AlreadyShown, message))
        }
    }
}

/// Uses the form up, before anything else is written: of two submissions at once the second waits here and is refused.
pub(in crate::server::domain) async fn use_up(
    tx: &mut Tx,
    nonce: &Nonce<'_>,
    target_id: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
    match store::insert_nonce(tx, nonce.text, nonce.account, target_id, now).await {
        Err(StoreError::Taken) => refuse_used(&Some((String::new(), now))),
        done => Ok(done?),
    }
}

/// The object that a used-up form made, for the page that says "already shown".
pub async fn made_by_form(
    ctx: &Context,
    nonce: &Nonce<'_>,
) -> Result<Option<(String, Timestamp)>, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::find_nonce(&mut tx, nonce.text, nonce.account).await?)
}
