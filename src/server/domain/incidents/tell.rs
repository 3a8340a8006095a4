//! Letters about incidents: to whoever looks after the organisation and owns the key, and to whoever is to do something.

use std::collections::BTreeSet;

use super::{Held, OpenIncident};
use crate::model::actor::{Actor, OrgScope};
use crate::model::id::{AccountId, IncidentId};
use crate::model::incident::ItemKind;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::mail::{self, Letter};
use crate::server::store::db::Tx;
use crate::server::store::incidents::ItemRow;
use crate::server::store::keys::SecuredKey;
use crate::server::store::{accounts, members, orgs};

fn link(ctx: &Context, id: &IncidentId) -> String {
    let origin = ctx.site.public_origin.as_str();
    format!("{}/settings/incidents/{id}", origin.trim_end_matches('/'))
}

/// The name of whoever acts, for a letter; none for the house itself.
async fn name_of(tx: &mut Tx, actor: &Actor) -> Result<Option<String>, DomainError> {
    let Some(account) = actor.account_id() else {
        return Ok(None);
    };
    let found = accounts::find_recipient(tx, account).await?;
    Ok(found.map(|(_, name, _)| name))
}

/// Tells owners, admins and the key's owner that an incident was opened; not whoever opened it.
pub(super) async fn opened(
    ctx: &Context,
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    key: &SecuredKey,
    (id, opening): (&IncidentId, &OpenIncident),
    now: Timestamp,
) -> Result<(), DomainError> {
    if !mail::is_on(ctx) {
        return Ok(());
    }
    let mut to: BTreeSet<AccountId> = members::list_administrators(tx, scope)
        .await?
        .into_iter()
        .collect();
    let owner: Option<AccountId> = key.owner_account_id.as_deref().and_then(|id| id.parse().ok());
    if let Some(owner) = owner
        && members::find_role(tx, scope.org_id(), &owner).await?.is_some()
    {
        to.insert(owner);
    }
    if let Some(account) = actor.account_id() {
        to.remove(account);
    }
    let by = name_of(tx, actor).await?;
    let organisation = orgs::find_name(tx, scope).await?;
    for account in to {
        let Some(recipient) = mail::recipient(tx, &account).await? else {
            continue;
        };
        let letter = Letter::IncidentOpened {
            organisation: organisation.clone(),
            key: key.name.clone(),
            by: by.clone(),
            suspected_since: opening.suspected_since,
            frozen: opening.freeze,
            link: link(ctx, id),
        };
        mail::enqueue(ctx, tx, recipient, letter, now).await?;
    }
    Ok(())
}

/// Tells a member that an item of a checklist is theirs now; nobody is told what they did themselves.
pub(super) async fn assigned(
    ctx: &Context,
    tx: &mut Tx,
    (actor, held): (&Actor, &Held),
    item: &ItemRow,
    to: &AccountId,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !mail::is_on(ctx) || actor.account_id() == Some(to) {
        return Ok(());
    }
    let Some(recipient) = mail::recipient(tx, to).await? else {
        return Ok(());
    };
    let letter = Letter::IncidentItem {
        organisation: orgs::find_name(tx, &held.scope).await?,
        key: held.key.name.clone(),
        item: match item.kind {
            ItemKind::Own => item.text.clone(),
            kind => kind.text().to_owned(),
        },
        by: name_of(tx, actor).await?,
        link: link(ctx, &held.incident.id),
    };
    mail::enqueue(ctx, tx, recipient, letter, now).await
}
