//! Importing keys that somebody else made, by their digests: a file is checked as a whole, then written as a whole or not
//! at all.
//!
//! `rows` reads the file, `digest` the digests, `check` decides about each row by the same rules as creating one
//! key, `run` goes through the file, and `upload` keeps a checked file until somebody says yes.
//!
//! 2026-11: one transaction, rejected steps under an import's id: what is half there would have to be hidden from
//! verification, lists, names and counts until it is whole, and cleared away when nobody comes back.

mod check;
mod digest;
mod rows;
mod run;
mod upload;

pub use run::{check_file, import_file};
pub use upload::{Sent, form, import_upload, receive, too_large};
