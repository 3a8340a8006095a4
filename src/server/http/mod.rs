//! HTTP: what comes in, in which order it is checked, and how answers leave.
//!
//! Every request: request id → security headers → panic catcher → limits → client address → either `/v1` and health (no cookie, no
//! host check) or the site (host check → cross-site check → session → deny by default). Handlers call domain; none
//! knows SQL.

pub mod answer;
pub mod assets;
pub mod export;
pub mod forms;
pub mod health;
pub mod json;
pub mod leaks;
pub mod leptos;
pub mod middleware;
pub mod openapi;
pub mod reveal;
pub mod router;
pub mod self_revoke;
pub mod serve;
pub mod state;
pub mod verify;
