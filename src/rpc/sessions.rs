//! Where whoever is signed in is signed in elsewhere.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::session::SessionList;

#[server(endpoint = "account/sessions")]
pub async fn my_sessions() -> Result<SessionList, AppError> {
    use crate::server::{domain::accounts::sessions, rpc_edge};
    let (ctx, signed_in) = rpc_edge::signed_in()?;
    let listed = sessions::list(&ctx, &signed_in).await;
    rpc_edge::answer(&ctx, &signed_in.actor, "account.sessions", listed).await
}
