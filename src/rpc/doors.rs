//! What pages ask before anybody is signed in. Only pages being drawn call these: over HTTP they are closed to
//! strangers like every other function.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::error::AppError;
use crate::model::handover::ClaimPage;
use crate::model::profile::{EmailForm, ResetForm};

/// What the sign-in page offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInDoor {
    /// Whether a link for a new password can be mailed.
    pub mail: bool,
}

#[server(endpoint = "doors/sign-in")]
pub async fn at_sign_in() -> Result<SignInDoor, AppError> {
    use crate::server::{domain::mail, rpc_edge};
    let (ctx, _) = rpc_edge::visitor();
    Ok(SignInDoor {
        mail: mail::is_on(&ctx),
    })
}

/// What a link for a new password opens. Looking consumes nothing. Errors: the link is over.
#[server(endpoint = "doors/reset")]
pub async fn open_reset_link(token: String) -> Result<ResetForm, AppError> {
    use crate::server::{domain::accounts::password, rpc_edge};
    let (ctx, signed_in) = rpc_edge::visitor();
    let look = password::look(&ctx, &token, signed_in.as_ref()).await;
    look.map_err(|error| rpc_edge::finish(error.into()))
}

/// What the holder of a link to a key sees. Looking collects nothing. Errors: the link is over.
#[server(endpoint = "doors/claim")]
pub async fn look_at_claim(token: String) -> Result<ClaimPage, AppError> {
    use crate::server::{domain::keys::handover, rpc_edge};
    let (ctx, signed_in, caller, _) = rpc_edge::anyone();
    let looked = handover::look(&ctx, &token, signed_in.as_ref(), &caller).await;
    looked.map_err(|error| rpc_edge::finish(error.into()))
}

/// What a link for a new address opens. Looking confirms nothing. Errors: the link is over.
#[server(endpoint = "doors/email")]
pub async fn open_email_link(token: String) -> Result<EmailForm, AppError> {
    use crate::server::{domain::accounts::email_change, rpc_edge};
    let (ctx, signed_in) = rpc_edge::visitor();
    let look = email_change::look(&ctx, &token, signed_in.as_ref()).await;
    look.map_err(|error| rpc_edge::finish(error.into()))
}
