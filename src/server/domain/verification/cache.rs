//! The memory of verification: keys and tokens by id, what does not exist, and when all of it may be trusted.
//!
//! An entry is served while it is younger than the hard limit *and* the change log was read successfully within the
//! last three seconds. Writers on this node evict before they answer; other nodes' writes arrive through
//! [`follow_changes`]. A removed placeholder makes a load in flight uncacheable, so that a row read before a
//! revocation cannot be put back after it.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use quick_cache::sync::Cache;

use super::entry::{AllFormats, CachedKey, CachedToken};
use crate::model::id::{KeyId, TokenId};
use crate::model::time::{SECOND_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::store::changes::{self, Change, ChangeKind};
use crate::server::store::error::StoreError;

/// Without news of changes for so long, nothing in memory is trusted.
const NEWS_MAX_AGE_MS: i64 = 3 * SECOND_MS;

/// How much is remembered, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    pub keys: usize,
    pub tokens: usize,
    pub unknown: usize,
    /// Hard age limit of an entry.
    pub ttl_ms: i64,
    pub unknown_ttl_ms: i64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            keys: 1_000_000,
            tokens: 10_000,
            unknown: 10_000,
            ttl_ms: 5 * SECOND_MS,
            unknown_ttl_ms: 30 * SECOND_MS,
        }
    }
}

/// A value with the moment its reading began.
pub struct Aged<T> {
    value: Arc<T>,
    read_at: Timestamp,
}

impl<T> Clone for Aged<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            read_at: self.read_at,
        }
    }
}

/// One kind of thing by id, single-flight: of many askers for one missing id, one reads the database.
pub struct Shelf<K, T> {
    known: Cache<K, Aged<T>>,
    unknown: Cache<K, Timestamp>,
    /// When the database last failed to answer for an id.
    failed: Cache<K, Instant>,
    /// Rises whenever what is unknown is forgotten: what was not found before that is not remembered after it.
    cleared: AtomicU64,
    ttl_ms: i64,
    unknown_ttl_ms: i64,
}

impl<K: Copy + Eq + Hash, T> Shelf<K, T> {
    fn new(capacity: usize, limits: CacheLimits) -> Self {
        Self {
            known: Cache::new(capacity),
            unknown: Cache::new(limits.unknown),
            failed: Cache::new(limits.unknown),
            cleared: AtomicU64::new(0),
            ttl_ms: limits.ttl_ms,
            unknown_ttl_ms: limits.unknown_ttl_ms,
        }
    }

    fn forget(&self, id: &K) {
        self.cleared.fetch_add(1, Ordering::SeqCst);
        self.known.remove(id);
        self.unknown.remove(id);
    }

    fn clear(&self) {
        self.cleared.fetch_add(1, Ordering::SeqCst);
        self.known.clear();
        self.unknown.clear();
    }

    fn is_unknown(&self, id: &K, now: Timestamp) -> bool {
        let at = self.unknown.get(id);
        at.is_some_and(|at| now.since_ms(at) < self.unknown_ttl_ms)
    }

    /// The value of `id`, from memory if it may be trusted, else by `read`.
    pub async fn get_or_read<F>(
        &self,
        id: &K,
        now: Timestamp,
        trusted: bool,
        read: F,
    ) -> Result<Option<Arc<T>>, StoreError>
    where
        F: AsyncFnOnce() -> Result<Option<T>, StoreError>,
    {
        if !trusted {
            return Ok(read().await?.map(Arc::new));
        }
        if let Some(aged) = self.known.get(id) {
            if now.since_ms(aged.read_at) < self.ttl_ms {
                return Ok(Some(aged.value));
            }
            self.known.remove_if(id, |stale| stale.read_at == aged.read_at);
        }
        if self.is_unknown(id, now) {
            return Ok(None);
        }
        let asked_at = Instant::now();
        match self.known.get_value_or_guard_async(id).await {
            Ok(aged) => Ok(Some(aged.value)),
            Err(guard) => {
                // Waiters behind a reader that found nothing come here one by one; they need not ask again.
                if self.is_unknown(id, now) {
                    return Ok(None);
                }
                // Nor behind one that failed: each would wait for the database as long as the one before.
                if self.failed.get(id).is_some_and(|at| at >= asked_at) {
                    return Err(StoreError::Unavailable("a reading just failed".to_owned()));
                }
                let cleared = self.cleared.load(Ordering::SeqCst);
                let read = read().await.inspect_err(|error| {
                    if error.is_unavailable() {
                        self.failed.insert(*id, Instant::now());
                    }
                });
                let Some(value) = read? else {
                    self.unknown.insert(*id, now);
                    if self.cleared.load(Ordering::SeqCst) != cleared {
                        self.unknown.remove(id);
                    }
                    return Ok(None);
                };
                let value = Arc::new(value);
                // Refused when the id was forgotten while it was read: then the next asker reads again.
                let _ = guard.insert(Aged {
                    value: Arc::clone(&value),
                    read_at: now,
                });
                Ok(Some(value))
            }
        }
    }
}

/// Everything verification remembers.
pub struct VerificationCache {
    pub keys: Shelf<KeyId, CachedKey>,
    pub tokens: Shelf<TokenId, CachedToken>,
    /// Keys that somebody else made, by the keyed hash of their digest. Where it leads never changes.
    pub imports: Shelf<[u8; 32], KeyId>,
    /// What such keys look like, in every project that declares it.
    pub formats: Shelf<(), AllFormats>,
    /// Up to which change this memory is true, and when that was last confirmed (unix ms).
    seq: AtomicI64,
    confirmed_at_ms: AtomicI64,
    /// Database reads for keys and tokens: tests count them.
    reads: AtomicU64,
}

impl VerificationCache {
    #[must_use]
    pub fn new(limits: CacheLimits) -> Self {
        Self {
            keys: Shelf::new(limits.keys, limits),
            tokens: Shelf::new(limits.tokens, limits),
            imports: Shelf::new(limits.keys, limits),
            formats: Shelf::new(1, limits),
            seq: AtomicI64::new(-1),
            confirmed_at_ms: AtomicI64::new(i64::MIN / 2),
            reads: AtomicU64::new(0),
        }
    }

    pub fn forget_key(&self, id: &KeyId) {
        self.keys.forget(id);
    }

    pub fn forget_token(&self, id: &TokenId) {
        self.tokens.forget(id);
    }

    /// After an import, or a change of what imported keys look like, which is kept beside tokens.
    pub fn forget_imports(&self) {
        self.imports.clear();
        self.formats.clear();
        self.tokens.clear();
    }

    /// After a change that many keys hang on: a project, a membership.
    pub fn forget_everything(&self) {
        self.keys.clear();
        self.forget_imports();
    }

    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether news of changes is fresh enough to trust what is remembered.
    #[must_use]
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        now.ms() - self.confirmed_at_ms.load(Ordering::Acquire) <= NEWS_MAX_AGE_MS
    }

    fn apply(&self, change: &Change) {
        match change.kind {
            ChangeKind::Key => match change.entity_id.parse() {
                Ok(id) => self.forget_key(&id),
                Err(_) => self.forget_everything(),
            },
            ChangeKind::Token => match change.entity_id.parse() {
                Ok(id) => self.forget_token(&id),
                Err(_) => self.forget_everything(),
            },
            ChangeKind::Import => self.forget_imports(),
            ChangeKind::Many => self.forget_everything(),
        }
    }
}

/// Reads what changed since the last time and evicts it. Called each second by a job on every node.
pub async fn follow_changes(ctx: &Context) -> Result<(), StoreError> {
    let cache = &ctx.key_cache;
    // Taken before the reading begins: a slow answer must not count as fresh news.
    let asked_at = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let mut seq = cache.seq.load(Ordering::Acquire);
    if seq < 0 {
        seq = changes::latest_seq(&mut tx).await?;
        cache.forget_everything();
    } else {
        loop {
            let news = changes::list_after(&mut tx, seq).await?;
            let Some(last) = news.last().map(|change| change.seq) else {
                break;
            };
            // A gap means that lines were pruned before this node read them.
            if news.first().is_some_and(|first| first.seq != seq + 1) {
                cache.forget_everything();
            }
            news.iter().for_each(|change| cache.apply(change));
            seq = last;
        }
    }
    cache.seq.store(seq, Ordering::Release);
    cache.confirmed_at_ms.store(asked_at.ms(), Ordering::Release);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::{join, join_all};
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_was_not_found_before_it_came_is_not_remembered_after() {
        let shelf: Shelf<u8, ()> = Shelf::new(10, CacheLimits::default());
        let now = Timestamp::from_ms(0);
        let found = shelf.get_or_read(&1, now, true, async || {
            // It comes, and is told of, while the reading that missed it is under way.
            shelf.clear();
            Ok(None)
        });
        assert!(found.await.unwrap().is_none());
        let again = shelf.get_or_read(&1, now, true, async || Ok(Some(()))).await;
        assert!(again.unwrap().is_some());
    }

    #[tokio::test]
    async fn who_waited_behind_a_failing_reader_fails_with_it_and_the_next_reads_again() {
        let shelf: Shelf<KeyId, ()> = Shelf::new(10, CacheLimits::default());
        let id = KeyId::from_random("0123456789AB").unwrap();
        let now = Timestamp::from_ms(0);
        let (reads, gate) = (AtomicUsize::new(0), Notify::new());
        let ask = || {
            shelf.get_or_read(&id, now, true, async || {
                reads.fetch_add(1, Ordering::Relaxed);
                gate.notified().await;
                Err(StoreError::Unavailable("down".to_owned()))
            })
        };
        let (answers, ()) = join(join_all((0..64).map(|_| ask())), async { gate.notify_waiters() }).await;
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Err(StoreError::Unavailable(_))))
        );
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        gate.notify_one();
        assert!(ask().await.is_err());
        assert_eq!(reads.load(Ordering::Relaxed), 2);
    }
}
