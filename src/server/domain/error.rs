//! The ways in which a use case fails, and their one mapping to the answer that leaves the house.

use crate::model::actor::Denied;
use crate::model::error::{AppError, Code, FieldError};
use crate::server::platform::crypto::password::PasswordError;
use crate::server::store::error::StoreError;

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// Missing and foreign alike: `org_id` is in every WHERE, so both look the same from here.
    #[error("no such object in this organisation")]
    NotFound,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("some fields are not valid")]
    Invalid(Vec<FieldError>),
    /// Understood, allowed, but not possible in the present state.
    #[error("{1}")]
    Refused(Code, String),
    #[error("too many attempts")]
    Throttled { retry_after_s: u32 },
    #[error("too many passwords to check at once")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that must not happen did; the text is for the log only.
    #[error("{0}")]
    Defect(&'static str),
}

impl DomainError {
    #[must_use]
    pub fn refused(code: Code, detail: impl Into<String>) -> Self {
        Self::Refused(code, detail.into())
    }

    /// A unique value is taken: say which field.
    #[must_use]
    pub fn taken(self, field: &'static str, message: &str) -> Self {
        match self {
            Self::Store(StoreError::Taken) => Self::Invalid(vec![FieldError::new(field, "taken", message)]),
            other => other,
        }
    }
}

impl From<FieldError> for DomainError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<PasswordError> for DomainError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Defect("a password could not be hashed"),
        }
    }
}

impl From<DomainError> for AppError {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::NotFound => Self::not_found(),
            DomainError::Denied(denied) => denied.into(),
            DomainError::Invalid(fields) => Self::invalid(fields),
            DomainError::Refused(code, detail) => Self::new(code, detail),
            DomainError::Throttled { retry_after_s } => {
                let detail = format!("Too many attempts. Wait {retry_after_s} seconds and try again.");
                Self {
                    retry_after_s: Some(retry_after_s),
                    ..Self::new(Code::Throttled, detail)
                }
            }
            DomainError::Busy => {
                let detail = "Many people are signing in right now. Try again in a few seconds.";
                Self {
                    retry_after_s: Some(3),
                    ..Self::new(Code::Busy, detail)
                }
            }
            DomainError::Store(StoreError::Taken) => Self::new(
                Code::Conflict,
                "Somebody else changed this at the same moment. Reload and try again.",
            ),
            DomainError::Store(error) if error.is_unavailable() => {
                tracing::warn!(error = %error, "the database is unavailable");
                Self::unavailable()
            }
            error @ (DomainError::Store(_) | DomainError::Defect(_)) => {
                tracing::error!(error = %error, "internal error");
                Self::internal()
            }
        }
    }
}
