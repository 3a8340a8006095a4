//! The installation as a whole, for instance administrators.

use leptos::prelude::*;

use crate::model::account::{AccountList, PersonPage};
use crate::model::error::AppError;
use crate::model::id::AccountId;
use crate::model::org::OrganisationSummary;

#[server(endpoint = "instance/organisations")]
pub async fn list_organisations() -> Result<Vec<OrganisationSummary>, AppError> {
    use crate::server::{domain::orgs, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = orgs::list(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "instance.organisations", listed).await
}

#[server(endpoint = "instance/accounts")]
pub async fn list_accounts() -> Result<AccountList, AppError> {
    use crate::server::{domain::accounts::administer, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = administer::list(&ctx, &actor).await.map(|accounts| AccountList {
        now: ctx.clock.now(),
        accounts,
    });
    rpc_edge::answer(&ctx, &actor, "instance.accounts", listed).await
}

#[server(endpoint = "instance/account")]
pub async fn get_account(id: AccountId) -> Result<PersonPage, AppError> {
    use crate::server::{domain::accounts::administer, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let found = administer::page(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "instance.accounts", found).await
}
