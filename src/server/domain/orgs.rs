//! Organisations: made at set-up, named by the operator.

use serde_json::json;

use super::DomainError;
use super::audit::{self, Entry};
use crate::model::actor::{Actor, Denied, OrgScope};
use crate::model::error::{Code, FieldError};
use crate::model::id::OrgId;
use crate::model::org::{MemberName, OrganisationSummary, Role};
use crate::model::permission::Permission;
use crate::model::template::STARTERS;
use crate::model::text::{self, NAME_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::store::db::Tx;
use crate::server::store::orgs::{self as store, NewOrganisation};
use crate::server::store::{members, templates};

/// An organisation's name, checked: it must leave a slug.
#[derive(Clone, Debug)]
pub struct OrganisationName {
    pub shown: String,
    pub folded: String,
    pub slug: String,
}

impl OrganisationName {
    pub fn parse(field: &'static str, raw: &str) -> Result<Self, FieldError> {
        let shown = text::line(field, "The organisation’s name", raw, 1, NAME_MAX)?;
        let slug = text::slug(&shown);
        if slug.is_empty() {
            let message = "The organisation’s name needs at least one letter a–z or digit.";
            return Err(FieldError::new(field, "slug", message));
        }
        Ok(Self {
            folded: text::folded(&shown),
            shown,
            slug,
        })
    }
}

pub(super) async fn insert(
    ctx: &Context,
    tx: &mut Tx,
    id: &OrgId,
    name: &OrganisationName,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), DomainError> {
    let new = NewOrganisation {
        id,
        name: &name.shown,
        name_folded: &name.folded,
        slug: &name.slug,
    };
    store::insert(tx, &new, now).await?;
    templates::insert_starters(tx, id, &STARTERS, now).await?;
    let entry =
        Entry::new("organisation.created", "organisation", id.as_str()).with(json!({ "slug": name.slug }));
    audit::record(ctx, tx, Some(id), actor, entry, now).await?;
    Ok(())
}

/// The organisation an operator means: the one named by id, slug or name, or the only one there is.
pub async fn choose(ctx: &Context, named: Option<&str>) -> Result<OrgId, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let all = store::list_all(&mut tx).await?;
    match (named, all.as_slice()) {
        (Some(named), all) => all
            .iter()
            .find(|(id, name, slug)| {
                id.as_str() == named || slug == named || text::folded(name) == text::folded(named)
            })
            .map(|(id, _, _)| *id)
            .ok_or(DomainError::NotFound),
        (None, [(only, _, _)]) => Ok(*only),
        (None, []) => Err(DomainError::refused(
            Code::NotFound,
            "This installation is not set up yet. Run keywright setup first.",
        )),
        (None, several) => {
            let slugs = several
                .iter()
                .map(|(_, _, slug)| slug.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("Several organisations exist: {slugs}. Name one with --organisation.");
            Err(DomainError::refused(Code::SeveralOrganisations, message))
        }
    }
}

/// Every organisation of the installation. For instance administrators.
pub async fn list(ctx: &Context, actor: &Actor) -> Result<Vec<OrganisationSummary>, DomainError> {
    actor.require_instance()?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list_counted(&mut tx).await?)
}

/// Makes another organisation; who made it owns it, and invites whom it is for. For instance administrators.
pub async fn create(ctx: &Context, actor: &Actor, name: &str) -> Result<OrgId, DomainError> {
    let now = ctx.clock.now();
    actor.require_instance()?;
    actor.require_proof(now)?;
    let owner = actor.account_id().ok_or(Denied::Forbidden)?;
    let name = OrganisationName::parse("name", name)?;
    let id = super::mint::org_id(ctx)?;
    let mut tx = ctx.db.begin_write().await?;
    insert(ctx, &mut tx, &id, &name, actor, now)
        .await
        .map_err(|error| {
            error.taken(
                "name",
                "Another organisation has this name, or one that looks like it in addresses. Choose another.",
            )
        })?;
    store::insert_member(&mut tx, &id, owner, Role::Owner, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives the organisation another name. Its slug stays: commands may have written it down.
pub async fn rename(ctx: &Context, actor: &Actor, name: &str) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(Permission::OrganisationManage)?;
    let name = OrganisationName::parse("name", name)?;
    let mut tx = audit::begin(ctx, actor).await?;
    let before = store::find_name(&mut tx, &scope).await?;
    let saved = store::set_name(&mut tx, &scope, &name.shown, &name.folded).await;
    saved.map_err(|error| {
        DomainError::from(error).taken("name", "Another organisation has this name. Choose another.")
    })?;
    let detail = json!({ "before": before, "after": name.shown });
    let entry = Entry::new("organisation.renamed", "organisation", scope.org_id().as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    Ok(tx.commit().await?)
}

/// That whoever acts is a member still, and stays one until the transaction ends: what is made must not slip past
/// somebody who removes them at the same moment.
pub(super) async fn hold_membership(tx: &mut Tx, actor: &Actor, scope: &OrgScope) -> Result<(), DomainError> {
    let Some(account) = actor.account_id() else {
        return Ok(());
    };
    match members::hold_active(tx, scope.org_id(), account).await? {
        true => Ok(()),
        false => Err(Denied::Forbidden.into()),
    }
}

/// Who may own a key.
pub async fn member_names(ctx: &Context, actor: &Actor) -> Result<Vec<MemberName>, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list_member_names(&mut tx, &scope).await?)
}
