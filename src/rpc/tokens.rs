//! Service tokens.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::token::{TokenFormMaterial, TokenList};

#[server(endpoint = "tokens/list")]
pub async fn list_tokens() -> Result<TokenList, AppError> {
    use crate::server::{domain::tokens, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = tokens::list(&ctx, &actor).await.map(|tokens| TokenList {
        now: ctx.clock.now(),
        tokens,
    });
    rpc_edge::answer(&ctx, &actor, "tokens.list", listed).await
}

#[server(endpoint = "tokens/form")]
pub async fn token_form() -> Result<TokenFormMaterial, AppError> {
    use crate::server::{domain::tokens, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    rpc_edge::answer(
        &ctx,
        &actor,
        "tokens.create",
        tokens::form_material(&ctx, &actor).await,
    )
    .await
}
