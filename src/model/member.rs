//! Who belongs to an organisation, who is invited, and what somebody who leaves holds.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::id::{AccountId, InvitationId, KeyId};
use super::key::{Badge, Environment};
use super::org::{MemberName, Role};
use super::overlap::OverlapLimit;
use super::time::{DAY_MS, Timestamp};
use super::token::TokenSummary;

/// The longest time an organisation may give its members to set up a second factor, in days.
pub const GRACE_DAYS_MAX: u32 = 30;
/// How long an invitation can be accepted.
pub const INVITATION_MS: i64 = 7 * DAY_MS;
/// Keys that one offboarding revokes or transfers at most; beyond it they are dealt with in several goes.
pub const OFFBOARDED_KEYS_MAX: usize = 1_000;
/// Keys that are listed one by one; the rest is decided about together.
pub const LISTED_KEYS_MAX: usize = 50;

/// Whether somebody's membership counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    Active,
    Suspended,
    Removed,
}

impl MemberStatus {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Removed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::Removed => "Removed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A member in the list of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberSummary {
    pub account_id: AccountId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub status: MemberStatus,
    pub joined_at: Timestamp,
    pub last_active_at: Option<Timestamp>,
    /// Since when a second factor is in force.
    pub factor_since: Option<Timestamp>,
    pub recovery_codes_left: i64,
    /// Keys that are not revoked.
    pub keys_owned: i64,
    /// Whether the account is over, of all organisations.
    pub is_account_active: bool,
}

/// An invitation that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationSummary {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub invited_by: String,
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
}

/// All that the page of members shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    pub now: Timestamp,
    pub me: Option<AccountId>,
    pub members: Vec<MemberSummary>,
    pub invitations: Vec<InvitationSummary>,
    pub may_manage: bool,
}

/// One member, and what the asking actor may do about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberPage {
    pub now: Timestamp,
    pub member: MemberSummary,
    pub is_me: bool,
    /// Change the role, suspend, remove.
    pub may_manage: bool,
    /// Roles that the actor may give.
    pub grantable: Vec<Role>,
    /// Start a password reset, reset factors, end sessions: none, or why not.
    pub account_acts_refused: Option<String>,
    pub is_last_owner: bool,
    /// Their password no longer signs in, after too many failures.
    pub locked: bool,
}

/// A key that somebody holds: owned, or made and so perhaps known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldKey {
    pub id: KeyId,
    pub name: String,
    pub project_name: String,
    pub environment: Environment,
    pub hint: String,
    pub badge: Badge,
    /// Owned by the member; otherwise only made by them, for somebody else.
    pub owned: bool,
    pub owner_name: String,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub requests_24h: i64,
}

/// All that the page of somebody's leaving shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffboardPage {
    pub now: Timestamp,
    pub member: MemberSummary,
    /// The busiest first; at most [`LISTED_KEYS_MAX`].
    pub keys: Vec<HeldKey>,
    /// Owned and made keys beyond those listed.
    pub more_owned: i64,
    pub more_made: i64,
    /// Service tokens in force that they made: the organisation’s, so nothing becomes of them by itself.
    pub tokens: Vec<TokenSummary>,
    /// What the policy says of the overlap of the keys they own.
    pub overlap: OverlapLimit,
    /// Who may take over keys.
    pub heirs: Vec<MemberName>,
    pub me: Option<AccountId>,
    pub is_last_owner: bool,
    pub may_manage: bool,
}

/// What becomes of a key whose owner or maker leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFate {
    Revoke,
    Transfer,
    /// Transferred, with a new secret for the new owner to collect: what the old one knows ends then.
    TransferAndRotate,
    /// An owned key is refused as long as its owner is no active member; another's key goes on.
    Leave,
}

impl KeyFate {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Transfer => "transfer",
            Self::TransferAndRotate => "transfer_and_rotate",
            Self::Leave => "leave",
        }
    }

    /// Whether the key gets another owner.
    #[must_use]
    pub const fn transfers(self) -> bool {
        matches!(self, Self::Transfer | Self::TransferAndRotate)
    }

    pub fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        let all = [Self::Revoke, Self::Transfer, Self::TransferAndRotate, Self::Leave];
        let found = all.into_iter().find(|fate| fate.as_str() == text);
        found.ok_or_else(|| FieldError::new(field, "choice", "Say what becomes of the key."))
    }
}

/// How somebody's access ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    Suspend,
    Remove,
}

impl Departure {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Remove => "remove",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Suspend, Self::Remove]
            .into_iter()
            .find(|departure| departure.as_str() == text)
    }

    #[must_use]
    pub const fn leads_to(self) -> MemberStatus {
        match self {
            Self::Suspend => MemberStatus::Suspended,
            Self::Remove => MemberStatus::Removed,
        }
    }
}

/// What the holder of an invitation's link sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationPage {
    pub now: Timestamp,
    pub organisation: String,
    pub inviter: String,
    pub email: String,
    pub role: Role,
    pub expires_at: Timestamp,
    pub standing: InvitationStanding,
}

/// How whoever opened the link stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStanding {
    /// Nobody is signed in. Whether there is an account of this address is not told: whoever invited holds the link, too.
    Stranger,
    /// Signed in as the one who is invited.
    Ready,
    /// Signed in as somebody else.
    SomebodyElse { signed_in_as: String },
}

/// What the page of security shows: the second factor that everybody must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoFactorPolicy {
    pub now: Timestamp,
    pub since: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub active_members: i64,
    /// Active members without a second factor, by name.
    pub without: Vec<MemberName>,
    pub may_change: bool,
}
