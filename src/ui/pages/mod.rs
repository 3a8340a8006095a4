//! Every page, by noun.

pub mod audit;
pub mod keys;
pub mod problem;
pub mod projects;
pub mod reveal;
pub mod set_up;
pub mod sign_in;
pub mod styleguide;
pub mod tokens;
