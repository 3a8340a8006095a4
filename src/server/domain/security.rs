//! The security checklist: the facts it judges by, each counted in the database.

use crate::model::actor::Actor;
use crate::model::permission::Permission;
use crate::model::security::{Checklist, Facts, UNUSED_AFTER_DAYS, checklist};
use crate::model::time::DAY_MS;
use crate::server::ctx::Context;
use crate::server::domain::policy::Policies;
use crate::server::domain::{DomainError, mail};
use crate::server::store::{checks as store, incidents, keys, orgs};

/// The checks that whoever asks may see: those of keys and policy are everybody's, as keys and policy are.
pub async fn checks(ctx: &Context, actor: &Actor) -> Result<Checklist, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let since = now.minus_ms(UNUSED_AFTER_DAYS * DAY_MS);
    // The two long counts at the same time, each on a connection of its own.
    let unused = async {
        let mut tx = ctx.db.begin_read().await?;
        Ok::<_, DomainError>(keys::count_unused(&mut tx, &scope, (since, now)).await?)
    };
    let rest = async {
        let mut tx = ctx.db.begin_read().await?;
        let keys = store::count_keys(&mut tx, &scope, now).await?;
        let policies = Policies::in_force(&mut tx, &scope, now).await?;
        let reviews = store::find_reviews(&mut tx, &scope).await?;
        let open_incidents = incidents::count_open(&mut tx, &scope).await?;
        let people = match actor.may(Permission::MembersRead) {
            true => {
                let (_, due) = orgs::find_two_factor(&mut tx, &scope).await?;
                Some(store::count_people(&mut tx, &scope, due.is_some()).await?)
            }
            false => None,
        };
        let tokens = match actor.may(Permission::TokensRead) {
            true => Some(store::count_tokens(&mut tx, &scope, since, now).await?),
            false => None,
        };
        Ok::<_, DomainError>((keys, policies, reviews, open_incidents, people, tokens))
    };
    let (unused, (keys, policies, reviews, open_incidents, people, tokens)) = tokio::try_join!(unused, rest)?;
    let may_see_mail = actor.may(Permission::MembersRead);
    Ok(checklist(&Facts {
        now,
        keys: crate::model::security::KeyFacts { unused, ..keys },
        live: &policies.live,
        test: &policies.test,
        open_incidents,
        reviews,
        people,
        tokens,
        mail: may_see_mail.then(|| (mail::is_on(ctx), actor.is_instance_admin())),
        may_read_audit: actor.may(Permission::AuditRead),
    }))
}
