//! Tests of the house from outside: every rule has a story that fails when the rule is broken.
//!
//! `KEYWRIGHT_TEST_DATABASES` says which databases take part (`sqlite`, or `sqlite,postgres`); a database that takes
//! part and is not there is a failure, never a skip.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod accounts;
mod approvals;
mod audit;
mod authz;
mod command_line;
mod create;
mod demo;
mod factors;
mod http;
mod import_law;
mod incidents;
mod keys;
mod kit;
mod mail;
mod members;
mod my_account;
mod notices;
mod pages;
mod papers;
mod passwords;
mod policy;
mod reviews;
mod scan;
mod secrets;
mod security;
mod sessions;
mod store;
mod usage;
mod verify;
mod waiting;
