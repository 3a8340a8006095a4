//! The server: everything that a browser must never hold.
//!
//! Data flows one way: http, rpc, jobs and cli call domain; domain calls store and platform. See the import law in
//! the crate's documentation.

pub mod boot;
pub mod cli;
pub mod config;
pub mod ctx;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod platform;
pub mod rpc_edge;
pub mod scan;
pub mod store;
