//! People: at the door (set-up, sign-in, sessions, second factors, links), at home (profile, password, address, export,
//! deletion), and what an operator does for them.

pub mod administer;
pub mod deletion;
pub mod email_change;
pub mod enrolment;
pub mod export;
pub mod factors;
pub mod links;
pub mod notices;
pub mod operate;
pub mod password;
pub mod places;
pub mod profile;
pub mod proof;
mod renewal;
pub mod second_half;
pub mod session;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod throttle;

use super::DomainError;
use crate::model::id::AccountId;

/// An account that does not exist, for doing the work that an account would make.
fn nobody() -> Result<AccountId, DomainError> {
    Ok(AccountId::from_random("000000000000")?)
}
