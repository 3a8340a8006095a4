//! A key as somebody looked at it. What they ask for is meant for the secret they saw: one who comes second makes no other
//! secret by mistake, and ends none that is not the one they looked at.

use crate::model::error::Code;
use crate::model::id::KeyId;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::store::keys::SecuredKey;

/// A key, and since when the secret exists that its page told of; none where nobody looked at a page.
#[derive(Clone, Copy, Debug)]
pub struct LookedAt<'a> {
    pub id: &'a KeyId,
    pub secret_since: Option<Timestamp>,
}

impl<'a> From<&'a KeyId> for LookedAt<'a> {
    fn from(id: &'a KeyId) -> Self {
        Self {
            id,
            secret_since: None,
        }
    }
}

/// Refuses whoever looked at another secret than the key has now.
pub(in crate::server::domain) fn refuse_other_secret(
    key: &SecuredKey,
    secret_since: Option<Timestamp>,
) -> Result<(), DomainError> {
    match secret_since.is_some_and(|since| since.ms() != key.secret_since_ms) {
        true => {
            let message = "The key has got another secret since you opened this page. Look at the key before you go on.";
            Err(DomainError::refused(Code::Conflict, message))
        }
        false => Ok(()),
    }
}
