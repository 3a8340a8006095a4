//! The rules: one file per use case. Each opens a transaction, authorises, writes, audits, commits; effects such as
//! evicting a cache come after the commit.
//!
//! Called by rpc, http, jobs and cli. Calls store, platform and the model.
//!
//! 2026-11: one [`DomainError`] for all use cases instead of an enum per use case: all of them fail in the same five
//! ways, and `Refused` carries the code that outsiders rely on.

pub mod accounts;
pub mod approvals;
pub mod audit;
pub mod demo;
pub mod diagnosis;
pub mod error;
pub mod housekeeping;
mod import_formats;
pub mod incidents;
pub mod instance;
pub mod keys;
pub mod mail;
pub mod members;
pub mod mint;
pub mod orgs;
pub mod policy;
pub mod projects;
pub mod retention;
pub mod reviews;
pub mod security;
mod spreadsheet;
pub mod templates;
pub mod tokens;
pub mod usage;
pub mod verification;
pub mod waiting;

pub use error::DomainError;
