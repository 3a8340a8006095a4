//! The sessions of an account, as its owner sees them.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// One place where somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    /// A public name: the beginning of the stored digest, from which neither the digest nor the id can be had.
    pub handle: String,
    /// Browser and system, in words.
    pub device: String,
    pub ip: Option<String>,
    pub signed_in_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The password was right; the second factor is due.
    pub is_half: bool,
    /// The one that asks.
    pub is_this: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    /// The one that asks first, then the others by when they were last seen.
    pub sessions: Vec<SessionSummary>,
    pub now: Timestamp,
}
