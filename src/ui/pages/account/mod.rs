//! What a person manages of themselves.

pub mod two_factor;
