//! The sessions of an account, as its owner sees them.

use serde::{Deserialize, Serialize};

use super::id::OrgId;
use super::notice::Notice;
use super::org::{Membership, Role};
use super::permission::Permission;
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

/// Who is signed in, as the frame of every page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub account_name: String,
    pub account_email: String,
    pub org_id: Option<OrgId>,
    pub org_name: String,
    pub role: Option<Role>,
    pub memberships: Vec<Membership>,
    pub has_factor: bool,
    /// The organisation lets them in only after they have set up a second factor.
    pub owes_enrolment: bool,
    pub now: Timestamp,
    /// Whether they may create a key of some environment, or ask for one.
    pub comes_to_keys: bool,
    /// Whether they administer the installation as a whole.
    pub is_instance_admin: bool,
    /// What they have not seen yet, newest first.
    pub notices: Vec<Notice>,
}

impl Session {
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        !self.owes_enrolment && self.role.is_some_and(|role| role.allows(permission))
    }

    /// From when on the organisation lets nobody in without a second factor, for whoever has none.
    #[must_use]
    pub fn enrolment_due_at(&self) -> Option<Timestamp> {
        let here = self.memberships.iter().find(|m| Some(m.org_id) == self.org_id);
        here.and_then(|m| m.two_factor_due_at)
            .filter(|_| !self.has_factor)
    }
}
