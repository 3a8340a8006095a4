//! What waits for whoever looks, for the frame of every page: one query, none for whoever belongs to no organisation.

use crate::model::actor::Actor;
use crate::model::permission::Permission;
use crate::model::waiting::Waiting;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::waiting::{self as store, Reach};

pub async fn count(ctx: &Context, actor: &Actor) -> Result<Waiting, DomainError> {
    let Some(account) = actor.account_id() else {
        return Ok(Waiting::default());
    };
    let Ok(scope) = actor.require(Permission::KeysRead) else {
        return Ok(Waiting::default());
    };
    let reach = match (
        actor.may(Permission::KeysManageAny),
        actor.may(Permission::KeysManageOwn),
    ) {
        (true, _) => Reach::All,
        (false, true) => Reach::Own,
        (false, false) => Reach::None,
    };
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::count(&mut tx, &scope, (account, reach), ctx.clock.now()).await?)
}
