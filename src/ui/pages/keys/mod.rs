//! Keys: list, create, one key, edit, rotate, revoke.

pub mod advice;
pub mod bulk;
mod countries;
pub mod detail;
pub mod edit;
pub mod handover;
pub mod import;
pub mod list;
pub mod new;
pub mod openings;
mod policy;
pub(super) mod restrict;
pub mod revoke;
pub mod rotate;
pub mod rotations;
mod scopes;
mod start;
mod stopped;
pub mod unused;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::error::AppError;
use crate::model::id::KeyId;
use crate::model::key_page::KeyPage;
use crate::model::usage::UsageRange;
use crate::rpc::keys::get_key;
use crate::ui::components::{Loaded, ask};

/// The breadcrumb back to the list.
fn list_crumb() -> Vec<(String, String)> {
    vec![("API keys".to_owned(), "/settings/api-keys".to_owned())]
}

pub(super) fn key_address(id: &KeyId) -> String {
    format!("/settings/api-keys/{id}")
}

/// The key that the address names; what is no id is as missing as an unknown one.
fn key_of_address() -> Loaded<KeyPage> {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    ask(id, async |id| match id.parse::<KeyId>() {
        Ok(id) => get_key(id, UsageRange::Day).await,
        Err(_) => Err(AppError::not_found()),
    })
}
