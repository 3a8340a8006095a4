//! What letters say: data here, words in the templates.

use serde::{Deserialize, Serialize};

use crate::model::approval::{ApprovalKind, ApprovalState};
use crate::model::key::Environment;
use crate::model::notice::Happening;
use crate::model::org::Role;
use crate::model::review::Progress;
use crate::model::time::Timestamp;

/// Who a letter goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub email: String,
    /// Empty when it is not known.
    pub name: String,
    /// IANA name; times in the letter are told in it.
    pub time_zone: String,
}

impl Recipient {
    /// Somebody who has no account yet.
    #[must_use]
    pub fn stranger(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            name: String::new(),
            time_zone: "UTC".to_owned(),
        }
    }
}

/// A letter. Links are single-use secrets: the outbox is sealed, and no log names them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    Invitation {
        organisation: String,
        inviter: String,
        role: Role,
        link: String,
        expires_at: Timestamp,
    },
    PasswordReset {
        /// The administrator who began it; none when somebody asked for it at the sign-in page.
        by: Option<String>,
        link: String,
        expires_at: Timestamp,
    },
    /// To the address an account has: may the other one take its place?
    EmailChangeOld {
        new_email: String,
        link: String,
        expires_at: Timestamp,
    },
    /// To the address it is to have.
    EmailChangeNew {
        link: String,
        expires_at: Timestamp,
    },
    Security {
        happening: Happening,
        /// Where to look: the account's page of sessions.
        link: String,
    },
    /// An organisation ended or suspended somebody's access.
    MembershipEnded {
        organisation: String,
        suspended: bool,
    },
    /// Keys of somebody who left are now the recipient's.
    KeysTransferred {
        organisation: String,
        /// Those whose secrets go on as they are.
        keys: Vec<String>,
        /// Those whose new secret waits for the recipient.
        #[serde(default)]
        to_collect: Vec<String>,
    },
    /// The organisation asks for a second factor from a day on.
    TwoFactorRequired {
        organisation: String,
        due_at: Timestamp,
        link: String,
    },
    /// A policy that keys of the recipient's do not keep.
    PolicyBreaks {
        organisation: String,
        environment: Environment,
        from: Timestamp,
        keys: Vec<String>,
    },
    /// A key may have leaked.
    IncidentOpened {
        organisation: String,
        key: String,
        /// None when Keywright or the operator opened it.
        by: Option<String>,
        suspected_since: Timestamp,
        frozen: bool,
        link: String,
    },
    /// Something that is to be done about it is the recipient's now.
    IncidentItem {
        organisation: String,
        key: String,
        item: String,
        by: Option<String>,
        link: String,
    },
    /// A secret was reported as found in public.
    KeyLeaked {
        organisation: String,
        /// The key's name and id.
        key: String,
        key_id: String,
        /// What became of it.
        end: LeakEnd,
        /// What the reporter says of where it was found; cleaned, and nobody's word but theirs.
        source: String,
        url: String,
    },
    /// Keys that nobody uses: they will be disabled from a moment on, or are.
    KeysUnused {
        organisation: String,
        keys: Vec<String>,
        /// Of the rule.
        days: i64,
        /// None when it has happened.
        from: Option<Timestamp>,
    },
    /// Secrets that are to be replaced.
    RotationDue {
        organisation: String,
        keys: Vec<DueKey>,
    },
    /// New secrets wait for the recipient to collect them.
    RotationsOpened {
        organisation: String,
        keys: Vec<String>,
    },
    /// Keys wait for the recipient's decision in an access review.
    ReviewDue {
        organisation: String,
        review: String,
        open: i64,
        deadline: Timestamp,
        link: String,
    },
    /// An access review has ended.
    ReviewFinished {
        organisation: String,
        review: String,
        progress: Progress,
        link: String,
    },
    /// Requests that the recipient may decide.
    ApprovalsWaiting {
        organisation: String,
        requests: Vec<WaitingRequest>,
        link: String,
    },
    /// What became of a request of the recipient's.
    ApprovalResult {
        organisation: String,
        key: String,
        what: ApprovalKind,
        state: ApprovalState,
        /// None when nobody decided.
        by: Option<String>,
        comment: String,
        link: String,
    },
    Test,
}

/// A request that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRequest {
    pub kind: ApprovalKind,
    pub key: String,
    pub by: String,
    pub lapses_at: Timestamp,
}

/// A key whose rotation is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueKey {
    pub name: String,
    pub due_at: Timestamp,
    pub is_overdue: bool,
}

/// What became of a key whose secret was found in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakEnd {
    Revoked,
    /// The policy leaves it to people.
    GoesOn,
    /// The secret had been replaced before.
    Replaced,
}

impl Letter {
    /// The name of the kind, for the outbox and the log.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::PasswordReset { .. } => "password_reset",
            Self::EmailChangeOld { .. } => "email_change_old",
            Self::EmailChangeNew { .. } => "email_change_new",
            Self::Security { .. } => "security",
            Self::MembershipEnded { .. } => "membership_ended",
            Self::KeysTransferred { .. } => "keys_transferred",
            Self::TwoFactorRequired { .. } => "two_factor_required",
            Self::PolicyBreaks { .. } => "policy_breaks",
            Self::IncidentOpened { .. } => "incident_opened",
            Self::IncidentItem { .. } => "incident_item",
            Self::KeyLeaked { .. } => "key_leaked",
            Self::KeysUnused { .. } => "keys_unused",
            Self::RotationDue { .. } => "rotation_due",
            Self::RotationsOpened { .. } => "rotations_opened",
            Self::ReviewDue { .. } => "review_due",
            Self::ReviewFinished { .. } => "review_finished",
            Self::ApprovalsWaiting { .. } => "approvals_waiting",
            Self::ApprovalResult { .. } => "approval_result",
            Self::Test => "test",
        }
    }
}
