//! Passwords: what a new one must be like, changing one's own, and setting it anew by a single-use link.

mod change;
mod reset;
mod rules;

pub use change::{NewPassword, change, form};
pub use reset::{ask, begin_reset_for, look, reset};
pub use rules::{check_new, context_of};
