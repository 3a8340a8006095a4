//! Mail of the installation.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::mail::MailOverview;

/// Where mail goes and what has not gone yet. Errors: whoever asks does not administer the installation.
#[server(endpoint = "instance/mail")]
pub async fn see_mail() -> Result<MailOverview, AppError> {
    use crate::server::{domain::mail::operate, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let seen = operate::overview(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "instance.mail", seen).await
}
