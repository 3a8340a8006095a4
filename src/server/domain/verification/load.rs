//! From memory, or else from the database.

use std::sync::Arc;

use super::entry::{AllFormats, CachedKey, CachedToken};
use crate::model::id::{KeyId, TokenId};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::platform::crypto::master_key::hex;
use crate::server::platform::redaction;
use crate::server::store::error::StoreError;
use crate::server::store::{import_formats, keys, tokens};

pub(super) async fn key(
    ctx: &Context,
    id: &KeyId,
    now: Timestamp,
) -> Result<Option<Arc<CachedKey>>, StoreError> {
    let cache = &ctx.key_cache;
    let read = async || {
        cache.count_read();
        let mut tx = ctx.db.begin_read().await?;
        let row = keys::find_verifiable(&mut tx, id).await?;
        row.map(|row| CachedKey::from_row(row, &ctx.keyring)).transpose()
    };
    cache.keys.get_or_read(id, now, cache.is_trusted(now), read).await
}

pub(super) async fn token(
    ctx: &Context,
    id: &TokenId,
    now: Timestamp,
) -> Result<Option<Arc<CachedToken>>, StoreError> {
    let cache = &ctx.key_cache;
    let read = async || {
        cache.count_read();
        let mut tx = ctx.db.begin_read().await?;
        let row = tokens::find_any(&mut tx, id).await?;
        let row = row.map(|row| CachedToken::from_row(row, &ctx.keyring));
        row.transpose()
            .inspect(|token| redaction::learn(token.iter().flat_map(|token| &token.formats)))
    };
    cache
        .tokens
        .get_or_read(id, now, cache.is_trusted(now), read)
        .await
}

/// Which key a digest leads to, by its keyed hash.
pub(super) async fn imported(
    ctx: &Context,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<KeyId>, StoreError> {
    let cache = &ctx.key_cache;
    let read = async || {
        cache.count_read();
        let mut tx = ctx.db.begin_read().await?;
        keys::find_imported(&mut tx, &hex(hash)).await
    };
    let id = cache
        .imports
        .get_or_read(hash, now, cache.is_trusted(now), read)
        .await?;
    Ok(id.map(|id| *id))
}

/// What imported keys look like, in every project.
pub(super) async fn all_formats(ctx: &Context, now: Timestamp) -> Result<Arc<AllFormats>, StoreError> {
    let cache = &ctx.key_cache;
    let read = async || {
        cache.count_read();
        let mut tx = ctx.db.begin_read().await?;
        let all = import_formats::list_all(&mut tx).await?;
        redaction::learn(all.values().flatten());
        Ok(Some(AllFormats(all.into_iter().collect())))
    };
    let all = cache
        .formats
        .get_or_read(&(), now, cache.is_trusted(now), read)
        .await?;
    Ok(all.unwrap_or_default())
}
