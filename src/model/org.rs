//! Organisations and who belongs to them.

use serde::{Deserialize, Serialize};

use super::id::{AccountId, OrgId};
use super::permission::Permission;
use super::time::Timestamp;

/// What a member may do, from most to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Developer,
    Auditor,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Auditor];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Auditor => "auditor",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Developer => "Developer",
            Self::Auditor => "Auditor",
        }
    }

    /// What the role is for, in a line.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "Everything, roles of owners and the organisation itself included",
            Self::Admin => "Live keys, everybody’s keys, projects, service tokens, members, the audit log",
            Self::Developer => "Test keys, and the keys they own",
            Self::Auditor => "Reads everything, changes nothing",
        }
    }

    /// Whether somebody of this role may make somebody else `other`: never more than oneself. Auditors grant nothing.
    #[must_use]
    pub const fn may_grant(self, other: Self) -> bool {
        self.allows(match other {
            Self::Owner => Permission::OwnersManage,
            Self::Admin | Self::Developer | Self::Auditor => Permission::MembersManage,
        })
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// One of the organisations an account is an active member of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub org_id: OrgId,
    pub org_name: String,
    pub role: Role,
    /// From when on the organisation lets nobody in without a second factor; none while it does not ask.
    pub two_factor_due_at: Option<Timestamp>,
}

/// An organisation in the list of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationSummary {
    pub id: OrgId,
    pub name: String,
    pub slug: String,
    pub members: i64,
    /// Keys that are not revoked.
    pub keys: i64,
}

/// A person who may own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberName {
    pub account_id: AccountId,
    pub name: String,
}
