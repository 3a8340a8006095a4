//! Deleting one's own account: memberships and sessions end, name and address are erased, keys stay and are refused as
//! `OWNER_INACTIVE` until somebody takes them over.

use serde_json::json;

use super::proof::account_of;
use super::session::SignedIn;
use super::throttle;
use crate::model::error::{Code, FieldError};
use crate::model::id::AccountId;
use crate::model::org::{Membership, Role};
use crate::model::profile::{Departure, LeftOrganisation};
use crate::model::text::folded;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::{accounts, departures as store, factors, instance, members, orgs};

/// What deleting the account would do, and whether it may be.
pub async fn look(ctx: &Context, signed_in: &SignedIn) -> Result<Departure, DomainError> {
    let account = account_of(signed_in)?;
    let mut tx = ctx.db.begin_read().await?;
    let mut organisations = Vec::new();
    for membership in &signed_in.memberships {
        organisations.push(LeftOrganisation {
            is_last_owner: is_last_owner(&mut tx, membership, account).await?,
            ask: store::list_other_admins(&mut tx, &membership.org_id, account).await?,
            name: membership.org_name.clone(),
            role: membership.role,
        });
    }
    let (keys, keys_in_all) = store::list_keys(&mut tx, account).await?;
    Ok(Departure {
        email: signed_in.account_email.clone(),
        organisations,
        keys,
        keys_in_all,
        is_last_administrator: signed_in.actor.is_instance_admin()
            && accounts::count_other_administrators(&mut tx, account).await? == 0,
        now: ctx.clock.now(),
    })
}

async fn is_last_owner(
    tx: &mut Tx,
    membership: &Membership,
    account: &AccountId,
) -> Result<bool, DomainError> {
    Ok(membership.role == Role::Owner
        && members::count_other_owners(tx, &membership.org_id, account).await? == 0)
}

/// Deletes the account of whoever has just proved who they are and typed its address. Errors: an organisation would have
/// no owner (R54), or the installation no administrator.
pub async fn delete(ctx: &Context, signed_in: &SignedIn, typed: &str) -> Result<(), DomainError> {
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    if folded(typed) != folded(&signed_in.account_email) {
        let message = format!("Type {} to confirm.", signed_in.account_email);
        return Err(FieldError::new("email", "other", message).into());
    }
    signed_in.actor.require_proof(now)?;
    let mut tx = ctx.db.begin_write().await?;
    hold_what_counts(ctx, &mut tx, account).await?;
    refuse_last(&mut tx, account).await?;
    let profile = accounts::find_profile(&mut tx, account).await?;
    let profile = profile.ok_or(DomainError::NotFound)?;
    let orgs = store::end_memberships(&mut tx, account, now).await?;
    let entry = || Entry::new("account.deleted", "account", account.as_str()).with(json!({}));
    for org in &orgs {
        audit::record(ctx, &mut tx, Some(org), &signed_in.actor, entry(), now).await?;
    }
    if orgs.is_empty() || profile.is_instance_admin {
        audit::record(ctx, &mut tx, None, &signed_in.actor, entry(), now).await?;
    }
    factors::delete_all(&mut tx, account).await?;
    throttle::release(ctx, &mut tx, &profile.email_folded).await?;
    throttle::forgive_codes(&mut tx, account).await?;
    if !store::erase(&mut tx, account, &profile.email_folded, now).await? {
        return Err(DomainError::NotFound);
    }
    changes::record(&mut tx, ChangeKind::Many, account.as_str(), now).await?;
    tx.commit().await?;
    // What hangs on the owner is in every entry of theirs, and memory does not know whose is whose.
    ctx.key_cache.forget_everything();
    Ok(())
}

/// Holds the installation and the account's organisations until the transaction ends: of two owners who leave at once,
/// the second counts after the first has gone.
async fn hold_what_counts(ctx: &Context, tx: &mut Tx, account: &AccountId) -> Result<(), DomainError> {
    instance::hold(tx).await?;
    for org in members::list_organisations(tx, account).await? {
        audit::hold(ctx, tx, &org).await?;
    }
    Ok(())
}

async fn refuse_last(tx: &mut Tx, account: &AccountId) -> Result<(), DomainError> {
    let mut owned_alone = Vec::new();
    for membership in orgs::list_memberships(tx, account).await? {
        if is_last_owner(tx, &membership, account).await? {
            owned_alone.push(membership.org_name);
        }
    }
    if !owned_alone.is_empty() {
        let message = format!(
            "You are the last owner of {}. Make somebody else an owner first.",
            owned_alone.join(", ")
        );
        return Err(DomainError::refused(Code::Conflict, message));
    }
    let profile = accounts::find_profile(tx, account).await?;
    let is_admin = profile.is_some_and(|profile| profile.is_instance_admin);
    if is_admin && accounts::count_other_administrators(tx, account).await? == 0 {
        let message =
            "You are the last administrator of this installation, so the account cannot be deleted.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    Ok(())
}
