//! Who hears of what happens to a key without anybody of the organisation doing it.

use crate::model::actor::OrgScope;
use crate::model::id::AccountId;
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::members;

/// The key's owner; where that is a team, or somebody who is no active member, the owners and admins of the organisation.
pub async fn responsible(
    tx: &mut Tx,
    scope: &OrgScope,
    owner: Option<&str>,
) -> Result<Vec<AccountId>, DomainError> {
    match active_owner(tx, scope, owner).await? {
        Some(owner) => Ok(vec![owner]),
        None => Ok(members::list_administrators(tx, scope).await?),
    }
}

/// The key's owner and every owner and admin of the organisation, each once.
pub async fn all_concerned(
    tx: &mut Tx,
    scope: &OrgScope,
    owner: Option<&str>,
) -> Result<Vec<AccountId>, DomainError> {
    let mut all = members::list_administrators(tx, scope).await?;
    if let Some(owner) = active_owner(tx, scope, owner).await?
        && !all.contains(&owner)
    {
        all.insert(0, owner);
    }
    Ok(all)
}

async fn active_owner(
    tx: &mut Tx,
    scope: &OrgScope,
    owner: Option<&str>,
) -> Result<Option<AccountId>, DomainError> {
    let Some(owner) = owner else { return Ok(None) };
    let owner: AccountId = owner.parse()?;
    let role = members::find_role(tx, scope.org_id(), &owner).await?;
    Ok(role.map(|_| owner))
}
