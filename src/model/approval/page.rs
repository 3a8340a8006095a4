//! What the pages of approvals show.

use serde::{Deserialize, Serialize};

use super::{ApprovalKind, ApprovalState, Reason};
use crate::model::id::{AccountId, ApprovalId, KeyId};
use crate::model::key::Environment;
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;

/// Which requests a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalFilter {
    /// None shows all.
    pub state: Option<ApprovalState>,
    pub page: PageRequest,
}

/// A request in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalSummary {
    pub id: ApprovalId,
    pub kind: ApprovalKind,
    /// As the clock has it: nobody decides a request that has lapsed.
    pub state: ApprovalState,
    /// The key that is to change, or that the request made.
    pub key_id: Option<KeyId>,
    pub key_name: String,
    pub project_name: String,
    pub environment: Environment,
    pub reasons: Vec<Reason>,
    pub requested_by: AccountId,
    pub requested_by_name: String,
    pub requested_at: Timestamp,
    pub lapses_at: Timestamp,
    pub decided_by_name: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub collected_at: Option<Timestamp>,
}

/// The page of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalList {
    pub now: Timestamp,
    pub page: Page<ApprovalSummary>,
    /// Whoever asks sees everybody's requests, else their own.
    pub sees_all: bool,
    pub me: Option<AccountId>,
    /// Whether the policy of any environment needs approvals.
    pub is_asked: bool,
}

/// One thing that a request changes: what there was, and what there is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub what: String,
    /// What goes.
    pub without: Vec<String>,
    /// What comes.
    pub with: Vec<String>,
}

/// What a request would do, in words: sentences for a new key, differences for a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub said: Vec<String>,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalComment {
    pub by: String,
    pub at: Timestamp,
    pub text: String,
}

/// What whoever looks at a request may do with it now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub may_decide: bool,
    pub may_comment: bool,
    pub may_withdraw: bool,
    pub may_collect: bool,
    /// Or have a link made that hands the secret over.
    pub may_hand_over: bool,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalPage {
    pub now: Timestamp,
    pub approval: ApprovalSummary,
    pub justification: String,
    /// As things are now while it waits, else as they were when it was asked for.
    pub told: Told,
    /// Why it could not be carried out as things are.
    pub obstacles: Vec<String>,
    pub comments: Vec<ApprovalComment>,
    pub turn: Turn,
    /// What of it was shown: only that is approved.
    pub seen: String,
    /// The form to ask again, for whoever asked in vain.
    pub again: Option<String>,
}

/// What the page of a key tells of its requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyApproval {
    pub id: ApprovalId,
    pub kind: ApprovalKind,
    pub requested_by_name: String,
    pub requested_at: Timestamp,
    /// Whoever looks is whoever asked.
    pub mine: bool,
}
