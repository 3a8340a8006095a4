//! What the create form offers, and what it begins with.

use super::prefill::{self, Opening};
use super::{issue, read};
use crate::model::actor::Actor;
use crate::model::form::FormValues;
use crate::model::id::{KeyId, TemplateId};
use crate::model::key::Environment;
use crate::model::key_page::KeyFormMaterial;
use crate::model::permission::Permission;
use crate::model::template::TemplateChoice;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, mint, orgs, policy, projects, templates};
use crate::server::platform::zones;

/// Projects, owners, templates, powers and a fresh nonce; and what the query of the page's address begins with. Looking
/// creates nothing.
pub async fn material(
    ctx: &Context,
    actor: &Actor,
    asked: &FormValues,
) -> Result<KeyFormMaterial, DomainError> {
    issue::require_some_way(actor)?;
    let key = match asked.first("from").parse::<KeyId>() {
        Ok(id) => read::find(ctx, actor, &id).await.ok(),
        Err(_) => None,
    };
    let templates = templates::list(ctx, actor).await?;
    let template = asked.first("template").parse::<TemplateId>().ok();
    let template = template.and_then(|id| templates.iter().find(|one| one.id == id));
    let projects = projects::list_active(ctx, actor).await?;
    let members = orgs::member_names(ctx, actor).await?;
    let now = ctx.clock.now();
    let origin = ctx.site.public_origin.as_str();
    let opening = Opening {
        actor,
        projects: &projects,
        members: &members,
        now,
        origin,
        countries: &ctx.countries,
    };
    let beginning = prefill::beginning(&opening, asked, key.as_ref(), template);
    let choice = |template: &crate::model::template::KeyTemplate| TemplateChoice {
        id: template.id,
        name: template.name.clone(),
        description: template.description.clone(),
    };
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let (live, live_plan) = policy::with_plan(&mut tx, &scope, Environment::Live, now).await?;
    let (test, test_plan) = policy::with_plan(&mut tx, &scope, Environment::Test, now).await?;
    drop(tx);
    Ok(KeyFormMaterial {
        now,
        live,
        test,
        live_plan,
        test_plan,
        nonce: mint::form_nonce(ctx),
        templates: templates.iter().map(choice).collect(),
        beginning,
        projects,
        members,
        me: actor.account_id().cloned(),
        way_to_live: issue::way_to(actor, Environment::Live),
        way_to_test: issue::way_to(actor, Environment::Test),
        may_choose_owner: actor.may(Permission::KeysManageAny),
        zones: zones::names(),
        country_database: ctx.countries.is_ready(),
        my_address: actor.origin().ip.clone(),
    })
}
