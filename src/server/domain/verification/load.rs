//! From memory, or else from the database.

use std::sync::Arc;

use super::entry::{CachedKey, CachedToken};
use crate::model::id::{KeyId, TokenId};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::store::error::StoreError;
use crate::server::store::{keys, tokens};

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
        row.map(|row| CachedToken::from_row(row, &ctx.keyring))
            .transpose()
    };
    cache
        .tokens
        .get_or_read(id, now, cache.is_trusted(now), read)
        .await
}
