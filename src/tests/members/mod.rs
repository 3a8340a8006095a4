//! Who belongs to an organisation, and what becomes of those who leave.

mod instance;
mod invitations;
mod leaving;
mod roles;
mod step_up;
mod two_factor;
