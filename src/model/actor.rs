//! Who acts, and the one door to an organisation's data.
//!
//! [`Actor::require`] is the only maker of an [`OrgScope`], and every tenant query takes one: code that forgot to ask
//! does not compile. Fields are private for that reason.

use super::account::SessionStage;
use super::error::AppError;
use super::id::{AccountId, OrgId, TokenId};
use super::key::Environment;
use super::org::Role;
use super::permission::Permission;
use super::policy::{Creators, Policy};
use super::time::{MINUTE_MS, Timestamp};

/// How long a proof of identity is fresh enough for a sensitive act (R26). It does not slide.
pub const FRESH_MS: i64 = 10 * MINUTE_MS;

/// Without a policy developers create test keys alone.
const BY_ROLE: (bool, bool) = (false, true);

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
    /// A member whom the organisation lets in only with a second factor that the account does not have.
    MemberWithoutFactor,
    Everything,
}

/// Somebody, at most in one organisation, with the powers they have there right now.
#[derive(Clone, Debug)]
pub struct Actor {
    who: Who,
    org: Option<OrgId>,
    power: Power,
    stage: SessionStage,
    /// Until when the person's last proof of who they are, in this session, is fresh.
    fresh_until: Option<Timestamp>,
    instance_admin: bool,
    /// Whether the organisation's policy lets developers create live and test keys.
    developers_create: (bool, bool),
    /// Whether it lets them ask for those that they may not create.
    developers_ask: (bool, bool),
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
    #[error("the organisation asks for a second factor")]
    EnrolmentDue,
    #[error("the last proof of identity is too old")]
    StepUpDue,
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
            Denied::EnrolmentDue => Self::new(
                super::error::Code::EnrolmentRequired,
                "This organisation asks everybody for a second factor. Set one up under Account › Two-factor to go on.",
            ),
            Denied::StepUpDue => Self::new(
                super::error::Code::StepUpRequired,
                "This needs a fresh proof that it is you: the last one is too old.",
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
            fresh_until: None,
            instance_admin: false,
            developers_create: BY_ROLE,
            developers_ask: (false, false),
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
            fresh_until: None,
            instance_admin: false,
            developers_create: BY_ROLE,
            developers_ask: (false, false),
            origin,
        }
    }

    /// The same, who last proved who they are at this moment.
    #[must_use]
    pub fn proved(self, at: Timestamp) -> Self {
        self.proved_for(at, FRESH_MS)
    }

    /// The same, where a proof holds for less than ten minutes.
    #[must_use]
    pub fn proved_for(mut self, at: Timestamp, lifetime_ms: i64) -> Self {
        self.fresh_until = Some(at.plus_ms(lifetime_ms.min(FRESH_MS)));
        self
    }

    /// The same, who may also act on the installation as a whole.
    #[must_use]
    pub fn with_instance_powers(mut self, is_instance_admin: bool) -> Self {
        self.instance_admin = is_instance_admin;
        self
    }

    /// The same, without a second factor that their organisation asks for: nothing of it opens.
    #[must_use]
    pub fn owing_enrolment(mut self) -> Self {
        if matches!(self.power, Power::Member(_)) {
            self.power = Power::MemberWithoutFactor;
        }
        self
    }

    /// The same, under policies that say who creates live and test keys, and who may ask for them.
    #[must_use]
    pub fn under_policy(mut self, live: &Policy, test: &Policy) -> Self {
        let creates = |policy: &Policy| policy.creators == Creators::Developers;
        self.developers_create = (creates(live), creates(test));
        self.developers_ask = (live.approvals.new_keys, test.approvals.new_keys);
        self
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
            fresh_until: None,
            instance_admin: true,
            developers_create: BY_ROLE,
            developers_ask: (false, false),
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
            fresh_until: None,
            instance_admin: true,
            developers_create: BY_ROLE,
            developers_ask: (false, false),
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
        if self.power == Power::MemberWithoutFactor {
            return Err(Denied::EnrolmentDue);
        }
        match (&self.org, self.may(permission)) {
            (Some(org_id), true) => Ok(OrgScope { org_id: *org_id }),
            _ => Err(Denied::Forbidden),
        }
    }

    /// The same door for a sensitive act: a person must have proved who they are within the last ten minutes.
    pub fn require_fresh(&self, permission: Permission, now: Timestamp) -> Result<OrgScope, Denied> {
        let scope = self.require(permission)?;
        self.require_proof(now)?;
        Ok(scope)
    }

    /// That a person has proved who they are within the last ten minutes. The command line and the house itself need not.
    pub fn require_proof(&self, now: Timestamp) -> Result<(), Denied> {
        match self.who {
            Who::Operator(_) | Who::System => Ok(()),
            Who::Anonymous => Err(Denied::Unauthenticated),
            Who::Account(_) | Who::ServiceToken(_) => {
                let fresh = self.fresh_until.is_some_and(|until| now < until);
                if fresh { Ok(()) } else { Err(Denied::StepUpDue) }
            }
        }
    }

    /// That somebody is signed in, both halves done.
    pub fn require_complete(&self) -> Result<(), Denied> {
        match (&self.who, self.stage) {
            (Who::Anonymous, _) => Err(Denied::Unauthenticated),
            (_, SessionStage::SecondFactorDue) => Err(Denied::SecondFactorDue),
            (_, SessionStage::Complete) => Ok(()),
        }
    }

    /// The door to the installation as a whole, which is no organisation's.
    pub fn require_instance(&self) -> Result<(), Denied> {
        self.require_complete()?;
        if self.instance_admin {
            Ok(())
        } else {
            Err(Denied::Forbidden)
        }
    }

    /// Whether the organisation lets them in only after they have set up a second factor.
    #[must_use]
    pub fn owes_enrolment(&self) -> bool {
        self.power == Power::MemberWithoutFactor
    }

    #[must_use]
    pub fn is_instance_admin(&self) -> bool {
        self.instance_admin
    }

    /// The role, of a member.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self.power {
            Power::Member(role) => Some(role),
            Power::None | Power::MemberWithoutFactor | Power::Everything => None,
        }
    }

    /// Whether they may make somebody `role`, or act on somebody who is: never above themselves.
    #[must_use]
    pub fn may_grant(&self, role: Role) -> bool {
        match self.power {
            Power::Member(own) => own.may_grant(role),
            Power::Everything => true,
            Power::None | Power::MemberWithoutFactor => false,
        }
    }

    /// Whether the power is there; grants nothing by itself.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.stage == SessionStage::Complete
            && match self.power {
                Power::None | Power::MemberWithoutFactor => false,
                Power::Member(role) => self.member_may(role, permission),
                Power::Everything => true,
            }
    }

    /// What a role may, where policy moves the line: whether developers create keys.
    fn member_may(&self, role: Role, permission: Permission) -> bool {
        let (live, test) = self.developers_create;
        match (role, permission) {
            (Role::Developer, Permission::KeysCreateLive) => live,
            (Role::Developer, Permission::KeysCreateTest) => test,
            _ => role.allows(permission),
        }
    }

    /// Whether they may ask for a key of this environment without being allowed to create one.
    #[must_use]
    pub fn asks_for(&self, environment: Environment) -> bool {
        let (permission, asks) = match environment {
            Environment::Live => (Permission::KeysCreateLive, self.developers_ask.0),
            Environment::Test => (Permission::KeysCreateTest, self.developers_ask.1),
        };
        asks && self.role() == Some(Role::Developer) && !self.may(permission)
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
mod tests;
