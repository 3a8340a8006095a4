//! Members and invitations.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::{AccountId, InvitationId};
use crate::model::member::{
    InvitationPage, InvitationSummary, MemberList, MemberPage, OffboardPage, TwoFactorPolicy,
};

#[server(endpoint = "members/list")]
pub async fn list_members() -> Result<MemberList, AppError> {
    use crate::server::{domain::members::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let listed = read::list(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "members.list", listed).await
}

#[server(endpoint = "members/get")]
pub async fn get_member(id: AccountId) -> Result<MemberPage, AppError> {
    use crate::server::{domain::members::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let found = read::page(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "members.read", found).await
}

/// What is to be decided when the member leaves.
#[server(endpoint = "members/leaving")]
pub async fn get_leaving(id: AccountId) -> Result<OffboardPage, AppError> {
    use crate::server::{domain::members::read, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let found = read::leaving(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "members.offboard", found).await
}

#[server(endpoint = "members/invitation")]
pub async fn get_invitation(id: InvitationId) -> Result<InvitationSummary, AppError> {
    use crate::server::{domain::members::invite, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let found = invite::show(&ctx, &actor, &id).await;
    rpc_edge::answer(&ctx, &actor, "members.invite", found).await
}

/// What the holder of an invitation's link sees. Without a token, the one that the browser keeps. Errors: it is over.
#[server(endpoint = "doors/invitation")]
pub async fn look_at_invitation(token: String) -> Result<InvitationPage, AppError> {
    use crate::server::{domain::members::accept, rpc_edge};
    let (ctx, signed_in, caller, kept) = rpc_edge::anyone();
    let kept = kept.as_ref().map_or("", |kept| kept.expose().as_str());
    let token = if token.is_empty() { kept } else { token.as_str() };
    let looked = accept::look(&ctx, token, signed_in.as_ref(), &caller).await;
    looked.map_err(|error| rpc_edge::finish(error.into()))
}

#[server(endpoint = "members/two-factor")]
pub async fn get_two_factor_policy() -> Result<TwoFactorPolicy, AppError> {
    use crate::server::{domain::members::two_factor, rpc_edge};
    let (ctx, actor) = rpc_edge::caller()?;
    let policy = two_factor::policy(&ctx, &actor).await;
    rpc_edge::answer(&ctx, &actor, "security.read", policy).await
}
