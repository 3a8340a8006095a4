//! Templates of keys.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::TemplateId;
use crate::model::template::{TemplateForm, TemplateList};

#[server(endpoint = "templates/list")]
pub async fn list_templates() -> Result<TemplateList, AppError> {
    use crate::server::{domain::templates, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let page = templates::page(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "templates.list", page).await
}

/// What the form offers; with an id, to edit that template.
#[server(endpoint = "templates/form")]
pub async fn get_template_form(id: Option<TemplateId>) -> Result<TemplateForm, AppError> {
    use crate::server::{domain::templates, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let form = templates::form(&ctx, &actor, id.as_ref()).await;
    rpc_edge::answer(&ctx, &actor, "templates.edit", form).await
}
