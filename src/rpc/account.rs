//! The account of whoever is signed in.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::factor::TwoFactor;
use crate::model::profile::{Departure, PasswordForm, Profile};

#[server(endpoint = "account/two-factor")]
pub async fn my_two_factor() -> Result<TwoFactor, AppError> {
    use crate::server::{domain::accounts::factors, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let state = factors::state(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "account.two_factor", state).await
}

#[server(endpoint = "account/profile")]
pub async fn my_profile() -> Result<Profile, AppError> {
    use crate::server::{domain::accounts::profile, rpc_edge};
    let (ctx, signed_in) = rpc_edge::signed_in()?;
    let found = profile::find(&ctx, &signed_in).await;
    rpc_edge::answer(&ctx, &signed_in.actor, "account.profile", found).await
}

/// What the form for a new password warns by.
#[server(endpoint = "account/password-form")]
pub async fn my_password_form() -> Result<PasswordForm, AppError> {
    use crate::server::{domain::accounts::password, rpc_edge};
    let (ctx, signed_in) = rpc_edge::signed_in()?;
    let form = password::form(&ctx, &signed_in).await;
    rpc_edge::answer(&ctx, &signed_in.actor, "account.password", form).await
}

/// What deleting the account would do.
#[server(endpoint = "account/departure")]
pub async fn my_departure() -> Result<Departure, AppError> {
    use crate::server::{domain::accounts::deletion, rpc_edge};
    let (ctx, signed_in) = rpc_edge::signed_in()?;
    let departure = deletion::look(&ctx, &signed_in).await;
    rpc_edge::answer(&ctx, &signed_in.actor, "account.delete", departure).await
}
