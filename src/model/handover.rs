//! Handing a key over: whoever opens a link that works once gets its secret, which did not exist before.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::key::Environment;
use super::time::Timestamp;

/// Days a link works, at most and unless somebody says otherwise.
pub const CLAIM_DAYS_MAX: i64 = 7;
pub const CLAIM_DAYS: i64 = 3;
/// Characters of a passphrase: it is told separately, and guessed at a few times only.
pub const PASSPHRASE_MIN: usize = 8;
pub const PASSPHRASE_MAX: usize = 128;
/// Passphrases that may be tried on one link.
pub const TRIES_MAX: i64 = 5;

/// How a link is bound, as it was typed; the passphrase travels beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaimDraft<'a> {
    pub days: &'a str,
    /// Of the account that alone may collect; empty for whoever has the link.
    pub email: &'a str,
}

impl ClaimDraft<'_> {
    /// Days from 1 to 7.
    pub fn days(&self) -> Result<i64, FieldError> {
        match self.days.trim() {
            "" => Ok(CLAIM_DAYS),
            text => match text.parse::<i64>() {
                Ok(days @ 1..=CLAIM_DAYS_MAX) => Ok(days),
                _ => {
                    let message = format!("Give the days as a number from 1 to {CLAIM_DAYS_MAX}.");
                    Err(FieldError::new("claim_days", "range", message))
                }
            },
        }
    }
}

/// Where the hand-over of a key stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whom it is for, when it names somebody.
    pub recipient: Option<String>,
    pub has_passphrase: bool,
    pub claimed_at: Option<Timestamp>,
    /// Who collected it, when they were signed in, and from where.
    pub claimed_by: Option<String>,
    pub claimed_ip: Option<String>,
}

/// Whether whoever looks at a link may collect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimStanding {
    Ready,
    /// It is for somebody who must sign in first.
    SignInFirst,
    /// It is for another account than the one that is signed in.
    SomebodyElse {
        signed_in_as: String,
    },
}

/// What the holder of a link sees. Looking uses nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPage {
    pub now: Timestamp,
    pub organisation: String,
    pub key_name: String,
    pub project_name: String,
    pub environment: Environment,
    pub made_by: String,
    pub expires_at: Timestamp,
    pub needs_passphrase: bool,
    pub standing: ClaimStanding,
}

/// What the page that makes a link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverForm {
    pub now: Timestamp,
    pub key_name: String,
    pub environment: Environment,
    pub handover: Option<Handover>,
    /// A link is of no use to a key that has its secret.
    pub is_pending: bool,
}
