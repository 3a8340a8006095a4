//! What people are told about the safety of their own account: by mail, and in the frame until they have seen it.

use serde::{Deserialize, Serialize};

use super::id::NoticeId;
use super::time::Timestamp;

/// Something that happened to an account that its owner should know of (R15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecurityEvent {
    /// Signed in from a network or device that was not seen before.
    NewPlace,
    FactorEnrolled,
    /// Another app took the place of the one before.
    FactorReplaced,
    FactorRemoved,
    /// An administrator or the operator took it away.
    FactorReset,
    RecoveryCodeUsed {
        left: i64,
    },
    RecoveryCodesRenewed,
    /// The password was right and the second factor was not.
    FactorRefused,
    PasswordChanged,
    /// By a one-time link.
    PasswordReset,
    /// By whoever runs the installation, at the command line.
    PasswordSetByOperator,
    EmailChanged,
}

impl SecurityEvent {
    /// The name under which it is stored.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NewPlace => "new_place",
            Self::FactorEnrolled => "factor_enrolled",
            Self::FactorReplaced => "factor_replaced",
            Self::FactorRemoved => "factor_removed",
            Self::FactorReset => "factor_reset",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::FactorRefused => "factor_refused",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordSetByOperator => "password_set_by_operator",
            Self::EmailChanged => "email_changed",
        }
    }

    /// What happened, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NewPlace => "Somebody signed in from a new place or device.".to_owned(),
            Self::FactorEnrolled => "Two-factor was switched on.".to_owned(),
            Self::FactorReplaced => "Another authenticator app was set up in place of the one before.".to_owned(),
            Self::FactorRemoved => "Two-factor was switched off.".to_owned(),
            Self::FactorReset => "Your second factor was reset by an administrator.".to_owned(),
            Self::RecoveryCodeUsed { left } => match left {
                0 => "Your last recovery code was used.".to_owned(),
                1 => "A recovery code was used; one is left.".to_owned(),
                left => format!("A recovery code was used; {left} are left."),
            },
            Self::RecoveryCodesRenewed => "New recovery codes were made; the old ones are void.".to_owned(),
            Self::FactorRefused => {
                "Somebody knew your password, but not the second factor. If it was not you, change the password."
                    .to_owned()
            }
            Self::PasswordChanged => "Your password was changed.".to_owned(),
            Self::PasswordReset => "Your password was set anew by a one-time link.".to_owned(),
            Self::PasswordSetByOperator => {
                "Your password was set by whoever runs this installation.".to_owned()
            }
            Self::EmailChanged => "Your e-mail address was changed.".to_owned(),
        }
    }
}

/// What happened, with when and from where, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    pub event: SecurityEvent,
    pub at: Timestamp,
    pub ip: Option<String>,
    /// Browser and system, in words.
    pub device: String,
}

/// A notice that was not seen yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: NoticeId,
    pub happening: Happening,
}
