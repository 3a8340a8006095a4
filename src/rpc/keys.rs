//! Keys: the list, one key with its usage, the material of the create form, and acts without typed text.

use leptos::prelude::*;

use crate::model::bulk::BulkPreview;
use crate::model::error::AppError;
use crate::model::form::FormValues;
use crate::model::handover::HandoverForm;
use crate::model::id::KeyId;
use crate::model::import::ImportForm;
use crate::model::key::KeyFilter;
use crate::model::key_page::{KeyEditForm, KeyFormMaterial, KeyList, KeyPage, UnusedKeys};
use crate::model::opening::OpeningPreview;
use crate::model::rotation::RotationPage;
use crate::model::usage::UsageRange;

#[server(endpoint = "keys/list")]
pub async fn list_keys(filter: KeyFilter) -> Result<KeyList, AppError> {
    use crate::server::{domain::keys::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let filter = KeyFilter {
        page: crate::model::page::PageRequest::clamped(filter.page.number, filter.page.size),
        ..filter
    };
    let listed = read::list_page(&ctx, &actor, &filter).await;
    rpc_edge::answer(&ctx, &actor, "keys.list", listed).await
}

#[server(endpoint = "keys/get")]
pub async fn get_key(id: KeyId, range: UsageRange) -> Result<KeyPage, AppError> {
    use crate::server::{domain::keys::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = read::page(&ctx, &actor, &id, range).await;
    rpc_edge::answer(&ctx, &actor, "keys.read", page).await
}

#[server(endpoint = "keys/edit-form")]
pub async fn get_key_edit_form(id: KeyId) -> Result<KeyEditForm, AppError> {
    use crate::server::{domain::keys::edit, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = edit::form(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "keys.edit", form).await
}

#[server(endpoint = "keys/handover")]
pub async fn get_handover_form(id: KeyId) -> Result<HandoverForm, AppError> {
    use crate::server::{domain::keys::handover, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = handover::form(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "keys.handover", form).await
}

/// What the create form offers; `asked` is the query of the page's address.
#[server(endpoint = "keys/form")]
pub async fn key_form(#[server(default)] asked: FormValues) -> Result<KeyFormMaterial, AppError> {
    use crate::server::{domain::keys::form, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "keys.create",
        form::material(&ctx, &actor, &asked).await,
    )
    .await
}

#[server(endpoint = "keys/import-form")]
pub async fn key_import_form(upload: String) -> Result<ImportForm, AppError> {
    use crate::server::{domain::keys::import, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = import::form(&ctx, &actor, &upload).await;
    rpc_edge::answer(&ctx, &actor, "keys.import", form).await
}

#[server(endpoint = "keys/disable")]
pub async fn disable_key(key_id: KeyId) -> Result<(), AppError> {
    use crate::server::{domain::keys::lifecycle, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "keys.disable",
        lifecycle::disable(&ctx, &actor, &key_id).await,
    )
    .await
}

#[server(endpoint = "keys/enable")]
pub async fn enable_key(key_id: KeyId) -> Result<(), AppError> {
    use crate::server::{domain::keys::lifecycle, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "keys.enable",
        lifecycle::enable(&ctx, &actor, &key_id).await,
    )
    .await
}

/// What stopping the keys that a form names would do. Stops nothing.
#[server(endpoint = "keys/bulk")]
pub async fn preview_bulk(typed: Vec<(String, String)>) -> Result<BulkPreview, AppError> {
    use crate::model::bulk::{BulkAct, Chosen};
    use crate::model::form::FormValues;
    use crate::server::{domain::keys::bulk, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let values = FormValues::from_pairs(typed);
    let act = BulkAct::parse(values.first("act")).unwrap_or(BulkAct::Disable);
    let preview = bulk::preview(&ctx, &actor, act, &Chosen::from_values(&values)).await;
    rpc_edge::answer(&ctx, &actor, "keys.bulk", preview).await
}

#[server(endpoint = "keys/unused")]
pub async fn list_unused_keys(days: i64) -> Result<UnusedKeys, AppError> {
    use crate::server::{domain::keys::unused, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = unused::page(&ctx, &actor, days).await;
    rpc_edge::answer(&ctx, &actor, "keys.list", page).await
}

#[server(endpoint = "keys/rotations")]
pub async fn list_rotations() -> Result<RotationPage, AppError> {
    use crate::server::{domain::keys::rotations, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = rotations::page(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "keys.rotations", page).await
}

/// What opening the rotations of the keys that a form names would do. Opens none.
#[server(endpoint = "keys/rotations/preview")]
pub async fn preview_rotations(typed: Vec<(String, String)>) -> Result<OpeningPreview, AppError> {
    use crate::model::bulk::Chosen;
    use crate::model::form::FormValues;
    use crate::model::rotation::Overlap;
    use crate::server::{domain::keys::openings, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let values = FormValues::from_pairs(typed);
    let overlap = Overlap::typed(&values);
    let preview = openings::preview(&ctx, &actor, &Chosen::from_values(&values), overlap).await;
    rpc_edge::answer(&ctx, &actor, "keys.rotations", preview).await
}
