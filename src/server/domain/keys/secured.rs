//! Changing what verification trusts: read, check the MAC, change, raise the version, sign, save.

use crate::model::actor::{Actor, OrgScope};
use crate::model::error::Code;
use crate::model::id::KeyId;
use crate::model::key::{KeyStatus, RevocationReason};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::actor_columns;
use crate::server::platform::crypto::keyring::{Keyring, Purpose, StoredMac};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, SecuredKey};

#[must_use]
pub fn sign(keyring: &Keyring, key: &SecuredKey) -> StoredMac {
    keyring.sign(Purpose::Row, &key.mac_parts())
}

/// Whether the row is one that this application wrote.
#[must_use]
pub fn is_intact(keyring: &Keyring, key: &SecuredKey) -> bool {
    keyring.is_signed(Purpose::Row, &key.row_mac_key_id, &key.mac_parts(), &key.row_mac)
}

/// Reads the key for a change. A row that was edited behind our back is not signed afresh by accident.
pub async fn find(ctx: &Context, tx: &mut Tx, actor: &Actor, id: &KeyId) -> Result<SecuredKey, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let key = store::find_secured(tx, &scope, id)
        .await?
        .ok_or(DomainError::NotFound)?;
    if !is_intact(&ctx.keyring, &key) {
        let message = "This key’s record was changed outside Keywright, so it is refused everywhere and cannot be changed. \
                       Create a new key in its place and tell whoever runs this installation.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    Ok(key)
}

/// Marks the key as ended for ever: when, by whom and why. The row stays.
pub fn mark_revoked(
    key: &mut SecuredKey,
    actor: &Actor,
    reason: RevocationReason,
    note: &str,
    now: Timestamp,
) {
    let (kind, who) = actor_columns(actor);
    key.status = KeyStatus::Revoked.as_str().to_owned();
    key.revoked_at_ms = Some(now.ms());
    key.revoked_by_type = Some(kind.to_owned());
    key.revoked_by_id = Some(who.to_owned());
    key.revoked_reason = Some(reason.as_str().to_owned());
    note.clone_into(&mut key.revoked_note);
}

/// Signs and saves a changed key, and tells every node. Call it last before the commit.
pub async fn save(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    key: SecuredKey,
    now: Timestamp,
) -> Result<(), DomainError> {
    let id = key.id.clone();
    write(ctx, tx, scope, key).await?;
    Ok(changes::record(tx, ChangeKind::Key, &id, now).await?)
}

/// The same for one of many: whoever calls tells every node once, at the end.
pub async fn write(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    mut key: SecuredKey,
) -> Result<(), DomainError> {
    let read_version = key.version;
    key.version += 1;
    let mac = sign(&ctx.keyring, &key);
    if !store::save_secured(tx, scope, &key, &mac, read_version).await? {
        let message = "Somebody else changed this key at the same moment. Reload the page and look again.";
        return Err(DomainError::refused(Code::Conflict, message));
    }
    Ok(())
}
