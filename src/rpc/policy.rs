//! Policy: the rules of both environments, one to change, and what rules would break.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::key::Environment;
use crate::model::policy::{PolicyEditForm, PolicyPage, PolicyPreview};

#[server(endpoint = "policy/get")]
pub async fn get_policies() -> Result<PolicyPage, AppError> {
    use crate::server::{domain::policy::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = read::page(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "policy.read", page).await
}

#[server(endpoint = "policy/edit-form")]
pub async fn get_policy_edit_form(environment: Environment) -> Result<PolicyEditForm, AppError> {
    use crate::server::{domain::policy::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = read::edit_form(&ctx, &actor, environment).await;
    rpc_edge::answer(&ctx, &actor, "policy.change", form).await
}

/// What the rules that were typed, by field, would break. Saves nothing.
#[server(endpoint = "policy/preview")]
pub async fn preview_policy(
    environment: Environment,
    typed: Vec<(String, String)>,
) -> Result<PolicyPreview, AppError> {
    use crate::model::form::FormValues;
    use crate::model::policy::PolicyDraft;
    use crate::server::{domain::policy::preview, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let values = FormValues::from_pairs(typed);
    let draft = PolicyDraft::from_values(&values);
    let seen = preview::preview(&ctx, &actor, environment, &draft).await;
    rpc_edge::answer(&ctx, &actor, "policy.change", seen).await
}
