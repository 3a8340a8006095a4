//! Every page, by noun.

pub mod account;
pub mod audit;
pub mod claim;
pub mod confirm_email;
pub mod enrolment;
pub mod forgot_password;
pub mod found;
pub mod incidents;
pub mod instance;
pub mod invitation;
pub mod keys;
pub mod members;
pub mod policy;
pub mod problem;
pub mod projects;
pub mod reset_password;
pub mod reveal;
pub mod reviews;
pub mod second_factor;
pub mod security;
pub mod set_up;
pub mod sign_in;
pub mod step_up;
pub mod styleguide;
pub mod templates;
pub mod tokens;
