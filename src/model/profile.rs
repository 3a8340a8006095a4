//! What the account's own pages show, and what a link's page does.

use serde::{Deserialize, Serialize};

use super::id::KeyId;
use super::key::Environment;
use super::org::Role;
use super::password::ContextWords;
use super::time::Timestamp;

/// A new address that waits to be confirmed at both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEmail {
    pub email: String,
    pub old_confirmed: bool,
    pub new_confirmed: bool,
    pub expires_at: Timestamp,
}

/// The account of whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub email: String,
    pub time_zone: String,
    /// Every zone to choose from.
    pub zones: Vec<String>,
    pub password_set_at: Option<Timestamp>,
    pub has_factor: bool,
    pub pending_email: Option<PendingEmail>,
    /// Whether this installation sends mail.
    pub mail: bool,
    pub now: Timestamp,
}

/// What the form for a new password asks and warns by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordForm {
    pub has_factor: bool,
    pub min_length: u32,
    pub context: ContextWords,
}

/// What a link for a new password opens; it tells of the account only enough to recognise one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetForm {
    pub masked_email: String,
    pub min_length: u32,
    /// Somebody else is signed in, in this browser.
    pub signed_in_as_other: bool,
}

/// What a link for a new address opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailForm {
    pub masked_old: String,
    pub new_email: String,
    /// The link came to the address that the account has now.
    pub is_old: bool,
    pub other_confirmed: bool,
    pub signed_in_as_other: bool,
}

/// An organisation somebody would leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOrganisation {
    pub name: String,
    pub role: Role,
    /// Nobody else owns it: it may not be left.
    pub is_last_owner: bool,
    /// Names of those who can take over keys.
    pub ask: Vec<String>,
}

/// A key that would lose its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftKey {
    pub id: KeyId,
    pub name: String,
    pub organisation: String,
    pub environment: Environment,
    pub last_used_at: Option<Timestamp>,
}

/// What deleting the account would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    pub email: String,
    pub organisations: Vec<LeftOrganisation>,
    /// The most recently used ones.
    pub keys: Vec<LeftKey>,
    pub keys_in_all: i64,
    /// Nobody else administers the installation: it may not be left.
    pub is_last_administrator: bool,
    pub now: Timestamp,
}

impl Departure {
    #[must_use]
    pub fn is_possible(&self) -> bool {
        !self.is_last_administrator && self.organisations.iter().all(|org| !org.is_last_owner)
    }
}
