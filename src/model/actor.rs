//! Who acts, and the one door to an organisation's data.
//!
//! [`Actor::require`] is the only maker of an [`OrgScope`], and every tenant query takes one: code that forgot to ask
//! does not compile. Fields are private for that reason.

use super::account::SessionStage;
use super::error::AppError;
use super::id::{AccountId, OrgId, TokenId};
use super::org::Role;
use super::permission::Permission;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    Account(AccountId),
    ServiceToken(TokenId),
    /// The command line, by its operating system user.
    Operator(String),
    /// The house itself: set-up, clean-up, demonstration data.
    System,
}

/// Where an act came from; written to the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Client address, canonical; none when unknown or local.
    pub ip: Option<String>,
    /// Public handle of the session: the first characters of its stored digest.
    pub session_id: Option<String>,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Power {
    None,
    Member(Role),
    Everything,
}

/// Somebody, at most in one organisation, with the powers they have there right now.
#[derive(Clone, Debug)]
pub struct Actor {
    who: Who,
    org: Option<OrgId>,
    power: Power,
    stage: SessionStage,
    origin: Origin,
}

/// Proof that its organisation's data may be touched: made by [`Actor::require`] alone.
#[derive(Clone, Debug)]
pub struct OrgScope {
    org_id: OrgId,
}

impl OrgScope {
    #[must_use]
    pub fn org_id(&self) -> &OrgId {
        &self.org_id
    }
}

/// Why a door stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("nobody is signed in")]
    Unauthenticated,
    #[error("the second factor is due")]
    SecondFactorDue,
    #[error("the role does not allow it")]
    Forbidden,
}

impl From<Denied> for AppError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Self::unauthenticated(),
            Denied::SecondFactorDue => Self::new(
                super::error::Code::SecondFactorRequired,
                "Finish signing in with your second factor.",
            ),
            Denied::Forbidden => Self::forbidden(),
        }
    }
}

impl Actor {
    #[must_use]
    pub fn anonymous(origin: Origin) -> Self {
        Self {
            who: Who::Anonymous,
            org: None,
            power: Power::None,
            stage: SessionStage::Complete,
            origin,
        }
    }

    /// A signed-in account; `membership` is its active role in the organisation it looks at.
    #[must_use]
    pub fn account(
        id: AccountId,
        membership: Option<(OrgId, Role)>,
        stage: SessionStage,
        origin: Origin,
    ) -> Self {
        let (org, power) = match membership {
            Some((org, role)) => (Some(org), Power::Member(role)),
            None => (None, Power::None),
        };
        Self {
            who: Who::Account(id),
            org,
            power,
            stage,
            origin,
        }
    }

    /// The operator at the command line: everything, in the organisation named.
    #[must_use]
    pub fn operator(user: &str, org: Option<OrgId>) -> Self {
        let who = Who::Operator(user.to_owned());
        Self {
            who,
            org,
            power: Power::Everything,
            stage: SessionStage::Complete,
            origin: Origin::default(),
        }
    }

    /// The house itself, for work nobody asked for by hand.
    #[must_use]
    pub fn system(org: Option<OrgId>) -> Self {
        Self {
            who: Who::System,
            org,
            power: Power::Everything,
            stage: SessionStage::Complete,
            origin: Origin::default(),
        }
    }

    /// Opens the organisation's data for one permission, or says why not.
    pub fn require(&self, permission: Permission) -> Result<OrgScope, Denied> {
        if self.who == Who::Anonymous {
            return Err(Denied::Unauthenticated);
        }
        if self.stage != SessionStage::Complete {
            return Err(Denied::SecondFactorDue);
        }
        match (&self.org, self.may(permission)) {
            (Some(org_id), true) => Ok(OrgScope { org_id: *org_id }),
            _ => Err(Denied::Forbidden),
        }
    }

    /// Whether the power is there; grants nothing by itself.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.stage == SessionStage::Complete
            && match self.power {
                Power::None => false,
                Power::Member(role) => role.allows(permission),
                Power::Everything => true,
            }
    }

    #[must_use]
    pub fn who(&self) -> &Who {
        &self.who
    }

    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        match &self.who {
            Who::Account(id) => Some(id),
            _ => None,
        }
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    #[must_use]
    pub fn stage(&self) -> SessionStage {
        self.stage
    }

    #[must_use]
    pub fn org_id(&self) -> Option<&OrgId> {
        self.org.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> OrgId {
        OrgId::from_random("000000000001").unwrap()
    }

    fn account(role: Role, stage: SessionStage) -> Actor {
        let id = AccountId::from_random("000000000001").unwrap();
        Actor::account(id, Some((org(), role)), stage, Origin::default())
    }

    #[test]
    fn the_door_opens_by_role() {
        let developer = account(Role::Developer, SessionStage::Complete);
        assert!(developer.require(Permission::KeysRead).is_ok());
        assert_eq!(
            developer.require(Permission::TokensManage).unwrap_err(),
            Denied::Forbidden
        );
    }

    #[test]
    fn r22_a_session_that_owes_its_second_factor_opens_nothing() {
        let owner = account(Role::Owner, SessionStage::SecondFactorDue);
        for permission in Permission::ALL {
            assert_eq!(owner.require(permission).unwrap_err(), Denied::SecondFactorDue);
        }
    }

    #[test]
    fn nobody_and_the_organisationless_open_nothing() {
        let nobody = Actor::anonymous(Origin::default());
        assert_eq!(
            nobody.require(Permission::KeysRead).unwrap_err(),
            Denied::Unauthenticated
        );
        let id = AccountId::from_random("000000000001").unwrap();
        let alone = Actor::account(id, None, SessionStage::Complete, Origin::default());
        assert_eq!(
            alone.require(Permission::KeysRead).unwrap_err(),
            Denied::Forbidden
        );
    }
}
