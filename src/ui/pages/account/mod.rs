//! What a person manages of themselves.

pub mod sessions;
pub mod two_factor;
