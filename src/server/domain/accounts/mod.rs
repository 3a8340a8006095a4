//! People at the door: set-up, sign-in, sessions, and what an operator does for them.

pub mod factors;
pub mod operate;
pub mod session;
pub mod set_up;
pub mod sign_in;
pub mod throttle;
