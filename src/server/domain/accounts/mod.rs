//! People at the door: set-up, sign-in, sessions, second factors, and what an operator does for them.

pub mod administer;
pub mod enrolment;
pub mod factors;
pub mod links;
pub mod notices;
pub mod operate;
pub mod places;
pub mod proof;
mod renewal;
pub mod second_half;
pub mod session;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod throttle;
