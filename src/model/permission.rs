//! Who may do what: the one table that pages hide by and use cases enforce.

use serde::{Deserialize, Serialize};

use super::org::Role;

/// A thing an actor may be allowed to do within one organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    KeysRead,
    KeysCreateTest,
    KeysCreateLive,
    /// Edit, disable and revoke the keys one owns.
    KeysManageOwn,
    /// The same for everybody's keys.
    KeysManageAny,
    UsageRead,
    ProjectsRead,
    ProjectsManage,
    TokensRead,
    TokensManage,
    AuditRead,
    /// See who belongs to the organisation, with which factors and how many keys.
    MembersRead,
    /// Invite, suspend, remove, and change roles below the owner's.
    MembersManage,
    /// The same where it concerns owners.
    OwnersManage,
    /// What the organisation asks of everybody: two-factor.
    SecurityManage,
    /// The organisation's own name.
    OrganisationManage,
    /// What is asked of every key.
    PolicyManage,
    /// Approve or decline what others ask for.
    ApprovalsDecide,
}

impl Permission {
    pub const ALL: [Self; 18] = [
        Self::KeysRead,
        Self::KeysCreateTest,
        Self::KeysCreateLive,
        Self::KeysManageOwn,
        Self::KeysManageAny,
        Self::UsageRead,
        Self::ProjectsRead,
        Self::ProjectsManage,
        Self::TokensRead,
        Self::TokensManage,
        Self::AuditRead,
        Self::MembersRead,
        Self::MembersManage,
        Self::OwnersManage,
        Self::SecurityManage,
        Self::OrganisationManage,
        Self::PolicyManage,
        Self::ApprovalsDecide,
    ];
}

impl Role {
    /// What each role may do before any policy says otherwise.
    #[must_use]
    pub const fn allows(self, permission: Permission) -> bool {
        use Permission as P;
        match permission {
            P::KeysRead | P::UsageRead | P::ProjectsRead => true,
            P::KeysCreateTest | P::KeysManageOwn => !matches!(self, Self::Auditor),
            P::KeysCreateLive
            | P::KeysManageAny
            | P::ProjectsManage
            | P::TokensManage
            | P::TokensRead
            | P::MembersManage
            | P::SecurityManage
            | P::ApprovalsDecide => matches!(self, Self::Owner | Self::Admin),
            P::OwnersManage | P::OrganisationManage | P::PolicyManage => matches!(self, Self::Owner),
            P::AuditRead | P::MembersRead => !matches!(self, Self::Developer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_as_the_product_says() {
        let allowed = |role: Role| {
            Permission::ALL
                .into_iter()
                .filter(|p| role.allows(*p))
                .collect::<Vec<_>>()
        };
        assert_eq!(allowed(Role::Owner), Permission::ALL);
        use Permission as P;
        let below_owner: Vec<_> = Permission::ALL
            .into_iter()
            .filter(|p| !matches!(p, P::OwnersManage | P::OrganisationManage | P::PolicyManage))
            .collect();
        assert_eq!(allowed(Role::Admin), below_owner);
        assert_eq!(
            allowed(Role::Developer),
            [
                P::KeysRead,
                P::KeysCreateTest,
                P::KeysManageOwn,
                P::UsageRead,
                P::ProjectsRead
            ]
        );
        assert_eq!(
            allowed(Role::Auditor),
            [
                P::KeysRead,
                P::UsageRead,
                P::ProjectsRead,
                P::AuditRead,
                P::MembersRead
            ]
        );
    }
}
