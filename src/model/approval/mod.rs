//! Approvals: requests that a second person decides, and where they stand.

mod page;

pub use page::{
    ApprovalComment, ApprovalFilter, ApprovalList, ApprovalPage, ApprovalSummary, Difference, KeyApproval,
    Told, Turn,
};

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::text::{self, NOTE_MAX};

/// Requests of one person that may wait at once.
pub const WAITING_MAX: i64 = 50;
/// Requests that one person may make within a day.
pub const DAILY_MAX: i64 = 200;
/// How long the secret of an approved key can be collected: fourteen days.
pub const COLLECT_MS: i64 = 14 * super::time::DAY_MS;
/// Comments that one request takes.
pub const COMMENTS_MAX: i64 = 100;

super::key::words! {
    /// Why an act needs approval.
    Reason {
        NewKey = "new_key", "A new key";
        Sensitive = "sensitive_scope", "A sensitive scope";
        Wider = "wider", "It lets the key do more";
        LongLife = "long_life", "It lets the key live long";
    }
}

super::key::words! {
    /// What is asked for.
    ApprovalKind {
        Create = "create", "New key";
        Edit = "edit", "Change";
    }
}

super::key::words! {
    /// Where a request stands.
    ApprovalState {
        Waiting = "waiting", "Waiting";
        Approved = "approved", "Approved";
        Declined = "declined", "Declined";
        Withdrawn = "withdrawn", "Withdrawn";
        Lapsed = "lapsed", "Lapsed";
    }
}

/// Why it needs approval, in one sentence.
#[must_use]
pub fn reasons_in_words(reasons: &[Reason]) -> String {
    let said: Vec<&str> = reasons
        .iter()
        .map(|reason| match reason {
            Reason::NewKey => "it is a new key",
            Reason::Sensitive => "it gets a sensitive scope",
            Reason::Wider => "it may do more than before",
            Reason::LongLife => "it may live longer than keys do without approval",
        })
        .collect();
    format!(
        "The policy asks that a second person approves this: {}.",
        said.join("; ")
    )
}

/// Reads why something is asked for: whoever decides knows nothing else of it.
pub fn parse_justification(text: &str) -> Result<String, FieldError> {
    if text.trim().is_empty() {
        let message = "Say what it is needed for: whoever approves it decides by that.";
        return Err(FieldError::new("justification", "required", message));
    }
    text::lines("justification", "The justification", text, NOTE_MAX)
}
