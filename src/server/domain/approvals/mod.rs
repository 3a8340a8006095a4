//! Approvals: what the policy wants a second person to decide.
//!
//! A request keeps what was typed. It is checked by all the rules when it is asked for, and by those in force when it is
//! approved, as whoever asked may then still do: approving grants nothing that asking could not have. The secret of a new
//! key does not exist before it is approved; whoever asked collects it, once.

mod ask;
pub(in crate::server::domain) mod collect;
mod decide;
mod proposal;
mod read;
mod waiting;

pub use ask::{ask_for_change, ask_for_key};
pub use collect::collect;
pub use decide::{approve, comment, decline, withdraw};
pub use read::{list, page};
pub use waiting::{lapse, tell};

use serde_json::{Value, json};

use crate::model::actor::{Actor, Denied, Who};
use crate::model::approval::{ApprovalState, Reason, reasons_in_words};
use crate::model::error::Code;
use crate::model::id::ApprovalId;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::policy::FourEyes;
use crate::server::domain::DomainError;
use crate::server::domain::keys::edit::Changed;
use crate::server::domain::keys::issue::permission_for;

/// By what right a key is made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave<'a> {
    /// One's own powers: what needs approval is refused.
    Own,
    /// A second person approved this request.
    Given(&'a ApprovalId),
}

/// What the audit log says beside an act: who approved it, or that whoever did it is exempt.
pub struct Remark(Option<(&'static str, Value)>);

impl Remark {
    #[must_use]
    pub fn beside(self, mut detail: Value) -> Value {
        if let Some((name, value)) = self.0 {
            detail[name] = value;
        }
        detail
    }
}

/// Refuses what a second person has to approve and has not.
pub fn check(
    actor: &Actor,
    rules: &FourEyes,
    reasons: &[Reason],
    leave: Leave<'_>,
) -> Result<Remark, DomainError> {
    match (leave, reasons) {
        (Leave::Given(id), _) => Ok(Remark(Some(("approvalId", json!(id.as_str()))))),
        (Leave::Own, []) => Ok(Remark(None)),
        (Leave::Own, _) if is_exempt(actor, rules) => {
            Ok(Remark(Some(("exemptFromApproval", json!(reasons)))))
        }
        (Leave::Own, _) => Err(DomainError::refused(
            Code::ApprovalRequired,
            reasons_in_words(reasons),
        )),
    }
}

/// Owners, where the policy says so; the command line, whose user holds the database anyway; and the house itself.
fn is_exempt(actor: &Actor, rules: &FourEyes) -> bool {
    match actor.who() {
        Who::Operator(_) | Who::System => true,
        Who::Account(_) => rules.owners_exempt && actor.role() == Some(Role::Owner),
        Who::Anonymous | Who::ServiceToken(_) => false,
    }
}

/// Whether they see everybody's requests; others see their own.
fn sees_all(actor: &Actor) -> bool {
    actor.may(Permission::AuditRead)
}

/// The answer to whoever acts on a request that is not theirs: to those who do not see it, there is none.
fn anothers(actor: &Actor) -> DomainError {
    match sees_all(actor) {
        true => Denied::Forbidden.into(),
        false => DomainError::NotFound,
    }
}

/// Why nobody decides a request any more.
fn over(state: ApprovalState) -> DomainError {
    let message = match state {
        ApprovalState::Waiting => "Somebody else decided this request at the same moment. Reload the page.",
        ApprovalState::Approved => "This request is approved already.",
        ApprovalState::Declined => {
            "This request was declined, so nothing more is decided. Ask again if it is still needed."
        }
        ApprovalState::Withdrawn => "This request was withdrawn, so nothing more is decided.",
        ApprovalState::Lapsed => {
            "This request has lapsed: nobody decided it in time. Ask again if it is still needed."
        }
    };
    DomainError::refused(Code::Conflict, message)
}

/// A rule that makes a change ask for approval lets nobody ask for more than it is about: whoever may not widen a key
/// asks for that only where widening, or every new key, is approved.
fn refuse_beyond(actor: &Actor, changed: &Changed) -> Result<(), DomainError> {
    let rules = &changed.policy.approvals;
    let is_asked = rules.wider || rules.new_keys;
    let needed = permission_for(&changed.key.environment);
    match changed.is_wider && !is_asked {
        true => Ok(actor.require(needed).map(drop)?),
        false => Ok(()),
    }
}
