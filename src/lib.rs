//! Keywright: a self-hosted home for API keys.
//!
//! # The import law
//!
//! *room × noun* finds any file. A test reads every `crate::` path and refuses what this table does not allow.
//!
//! | room | may use | never |
//! |---|---|---|
//! | model | nothing of ours | sqlx, leptos, tokio, cfg |
//! | ui, app | model, rpc, ui | server |
//! | rpc | model; inside bodies `server::{rpc_edge, domain}` | store, ui |
//! | `server::{platform, store}` | model (store also platform) | domain, axum |
//! | `server::domain` | model, store, platform, ctx | http, jobs, cli, rpc, leptos, axum |
//! | `server::{http, jobs, cli}` | model, domain, platform, ctx, config (cli also boot, scan and http's description) | store, each other |
//! | `server::scan` | model; called by cli | everything else, the network |
//! | `server::boot`, `server::rpc_edge`, `http::leptos` | everything | – |
//!
//! `cfg(feature` stands in this file, `main.rs` and `ui/target.rs` alone.

pub mod app;
pub mod model;
pub mod rpc;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Gets the browser ready for islands; `public/boot.js` then brings each to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
