//! The account of whoever is signed in.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::factor::TwoFactor;

#[server(endpoint = "account/two-factor")]
pub async fn my_two_factor() -> Result<TwoFactor, AppError> {
    use crate::server::{domain::accounts::factors, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let state = factors::state(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "account.two_factor", state).await
}
