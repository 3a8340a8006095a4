//! Nouns and pure rules, compiled for the server and the browser alike.
//!
//! Nothing here reads a clock, a database or the environment; time and chance come in as arguments. Everybody may
//! call this room and it calls none of ours, so that a rule has one text and one test wherever it is applied: the
//! form warns with the same function that the use case refuses with.

pub mod account;
pub mod actor;
pub mod advice;
pub mod approval;
pub mod audit;
pub mod bulk;
pub mod calendar;
pub mod country;
pub mod device;
pub mod error;
pub mod factor;
pub mod form;
pub mod handover;
pub mod id;
pub mod import;
pub mod import_format;
pub mod incident;
pub mod key;
pub mod key_link;
pub mod key_page;
pub mod key_text;
pub mod mail;
pub mod member;
pub mod notice;
pub mod opening;
pub mod org;
pub mod overlap;
pub mod page;
pub mod password;
pub mod permission;
pub mod permission_query;
pub mod policy;
pub mod profile;
pub mod project;
pub mod request_id;
pub mod resource;
pub mod restriction;
pub mod review;
pub mod rotation;
pub mod scope;
pub mod scope_group;
pub mod security;
pub mod session;
pub mod snippet;
pub mod template;
pub mod text;
pub mod time;
pub mod token;
pub mod usage;
pub mod verdict;
pub mod waiting;
