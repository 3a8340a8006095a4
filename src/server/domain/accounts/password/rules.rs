//! The one place that says whether a new password is good enough.

use crate::model::error::FieldError;
use crate::model::id::AccountId;
use crate::model::password::{ContextWords, check_length};
use crate::server::domain::DomainError;
use crate::server::platform::crypto::blocklist;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::{accounts, orgs};

/// What is wrong with a new password, if anything: its length (R01, R02), or that anybody would try it (R04), which is
/// told of a short one too. The error is beside `field`.
pub fn check_new(
    field: &str,
    password: &SecretText,
    has_factor: bool,
    context: &ContextWords,
) -> Result<(), FieldError> {
    let length = check_length(field, password.expose(), has_factor);
    if length.as_ref().is_err_and(|error| error.code == "too_long") || password.expose().is_empty() {
        return length;
    }
    match (length, blocklist::find(password.expose(), context)) {
        (length, None) => length,
        (Ok(()), Some(listed)) => {
            let message = format!(
                "Choose another password. {} Four or five unrelated words do well.",
                listed.reason()
            );
            Err(FieldError::new(field, "listed", message))
        }
        (Err(error), Some(listed)) => {
            let message = format!("{} {}", error.message, listed.reason());
            Err(FieldError::new(field, &error.code, message))
        }
    }
}

/// The words that somebody who knows the account's owner would try.
pub async fn context_of(tx: &mut Tx, account: &AccountId) -> Result<ContextWords, DomainError> {
    let profile = accounts::find_profile(tx, account).await?;
    let profile = profile.ok_or(DomainError::NotFound)?;
    let memberships = orgs::list_memberships(tx, account).await?;
    let organisations = memberships.iter().map(|m| m.org_name.as_str());
    Ok(ContextWords::of(organisations, &profile.name, &profile.email))
}
