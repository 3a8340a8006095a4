//! The installation's own secrets, and the one-time set-up link.

use super::DomainError;
use super::mint::{self, Credential};
use crate::model::key_text::{TokenKind, parse_token};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::platform::crypto::keyring::{HASH_ALG, Keyring, Purpose};
use crate::server::platform::crypto::master_key::MasterKey;
use crate::server::platform::crypto::seal::{self, OpenError, Place};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::platform::rng::{Rng, base62};
use crate::server::store::db::{Db, Tx};
use crate::server::store::error::StoreError;
use crate::server::store::instance::{self as store, SealedSecret};

/// Why the installation's secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the master key does not belong to this database. Use the one that was backed up with it")]
    WrongMasterKey,
    #[error("the secret {0} in the database is damaged")]
    Damaged(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "server_secrets",
        column: "sealed",
        org: "instance",
        row,
    }
}

/// Whether the database already holds sealed secrets: then a missing master key must not be replaced by a new one.
pub async fn has_secrets(db: &Db) -> Result<bool, StoreError> {
    let mut tx = db.begin_read().await?;
    Ok(!store::list_secrets(&mut tx).await?.is_empty())
}

/// Opens all peppers and MAC keys; on the first start makes them.
pub async fn open_keyring(
    db: &Db,
    master: &MasterKey,
    rng: &dyn Rng,
    now: Timestamp,
) -> Result<Keyring, KeyringError> {
    let mut tx = db.begin_write().await?;
    store::insert_instance(&mut tx, now).await?;
    let mut secrets = store::list_secrets(&mut tx).await?;
    if secrets.is_empty() {
        for purpose in Purpose::ALL {
            let secret = new_secret(master, rng, purpose);
            store::insert_secret(&mut tx, &secret, now).await?;
            secrets.push(secret);
        }
    }
    tx.commit().await?;
    keyring_of(master, &secrets)
}

/// Opens the secrets without ever writing, for commands that only look.
pub async fn open_existing_keyring(db: &Db, master: &MasterKey) -> Result<Keyring, KeyringError> {
    let mut tx = db.begin_read().await?;
    keyring_of(master, &store::list_secrets(&mut tx).await?)
}

fn new_secret(master: &MasterKey, rng: &dyn Rng, purpose: Purpose) -> SealedSecret {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    rng.fill(bytes.as_mut());
    let id = format!("{}_{}", purpose.as_str(), base62(rng, 8));
    let sealed = seal::seal(master, rng, place(&id), bytes.as_ref());
    SealedSecret {
        id,
        purpose: purpose.as_str().to_owned(),
        sealed,
        active: true,
    }
}

fn keyring_of(master: &MasterKey, secrets: &[SealedSecret]) -> Result<Keyring, KeyringError> {
    let mut ring = Keyring::default();
    for secret in secrets {
        let damaged = || KeyringError::Damaged(secret.id.clone());
        let opened = seal::open(master, place(&secret.id), &secret.sealed).map_err(|error| match error {
            OpenError::OtherMasterKey => KeyringError::WrongMasterKey,
            OpenError::Damaged => damaged(),
        })?;
        let bytes = <[u8; 32]>::try_from(opened.expose().as_slice()).map_err(|_| damaged())?;
        ring.add(
            Purpose::parse(&secret.purpose).ok_or_else(damaged)?,
            &secret.id,
            bytes,
            secret.active,
        );
    }
    Ok(ring)
}

pub async fn is_set_up(ctx: &Context) -> Result<bool, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::is_set_up(&mut tx).await?)
}

/// Makes a fresh set-up token and voids all older ones. `None` once the installation is set up.
pub async fn new_setup_token(ctx: &Context) -> Result<Option<SecretText>, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    if store::is_set_up(&mut tx).await? {
        return Ok(None);
    }
    store::delete_setup_tokens(&mut tx).await?;
    let minted = mint::credential(ctx, TokenKind::Setup.prefix());
    let hashed = mint::hashed(ctx, Credential::Setup { id: &minted.kid }, &minted.text);
    store::insert_setup_token(&mut tx, &minted.kid, &hashed.hash, &hashed.pepper_id, now).await?;
    tx.commit().await?;
    Ok(Some(minted.text))
}

/// Whether `text` is the set-up token in force.
pub async fn is_setup_token(ctx: &Context, tx: &mut Tx, text: &str) -> Result<bool, StoreError> {
    let Some(id) = parse_token(TokenKind::Setup, text) else {
        return Ok(false);
    };
    let Some((hash, pepper_id)) = store::find_setup_token(tx, id).await? else {
        return Ok(false);
    };
    let hash = mint::StoredHash::from_row(&ctx.keyring, HASH_ALG, &pepper_id, &hash);
    Ok(mint::is_match(ctx, Credential::Setup { id }, text, &hash))
}
