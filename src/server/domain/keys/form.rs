//! What the create form offers.

use super::read;
use crate::model::actor::{Actor, Denied};
use crate::model::id::KeyId;
use crate::model::key::Environment;
use crate::model::key_page::KeyFormMaterial;
use crate::model::permission::Permission;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, mint, orgs, policy, projects};
use crate::server::platform::zones;

/// Projects, owners, powers and a fresh nonce; with `from`, a key to begin with.
pub async fn material(
    ctx: &Context,
    actor: &Actor,
    from: Option<&KeyId>,
) -> Result<KeyFormMaterial, DomainError> {
    if !actor.may(Permission::KeysCreateTest) {
        return Err(Denied::Forbidden.into());
    }
    let from = match from {
        Some(id) => read::find(ctx, actor, id).await.ok(),
        None => None,
    };
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let live = policy::in_force(&mut tx, &scope, Environment::Live, now).await?;
    let test = policy::in_force(&mut tx, &scope, Environment::Test, now).await?;
    drop(tx);
    Ok(KeyFormMaterial {
        now,
        live,
        test,
        nonce: mint::form_nonce(ctx),
        projects: projects::list_active(ctx, actor).await?,
        members: orgs::member_names(ctx, actor).await?,
        me: actor.account_id().cloned(),
        may_create_live: actor.may(Permission::KeysCreateLive),
        may_choose_owner: actor.may(Permission::KeysManageAny),
        zones: zones::names(),
        my_address: actor.origin().ip.clone(),
        from,
    })
}
