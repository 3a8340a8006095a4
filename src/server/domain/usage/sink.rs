//! The bounded queue between verification and the database.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::model::permission_query::PermissionQuery;
use crate::model::request_id::RequestId;
use crate::model::time::Timestamp;
use crate::model::verdict::VerdictCode;
use crate::server::domain::verification::{CachedKey, CachedToken};

/// Events that may wait. At 100,000 a second that is more than a second of a stalled database.
const QUEUE_MAX: usize = 131_072;

/// One verification of a known key.
#[derive(Clone, Debug)]
pub struct UsageEvent {
    pub request_id: RequestId,
    pub key: Arc<CachedKey>,
    pub token: Arc<CachedToken>,
    pub at: Timestamp,
    pub code: VerdictCode,
    /// Which secret was presented, of a key that rotates or has rotated.
    pub secret_number: Option<u32>,
    /// The address the key was used from.
    pub client_ip: Option<IpAddr>,
    /// The address the question came from.
    pub caller_ip: Option<IpAddr>,
    pub told: Option<Box<Told>>,
    /// What was asked for, of a request that passed; evaluated by the writer, not while somebody waits.
    pub asked: Option<Box<PermissionQuery>>,
    /// Whether the service said where its client is.
    pub is_addressed: bool,
}

/// What a service told of the request that it asked about; empty where it told nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    pub method: String,
    pub path: String,
    pub user_agent: String,
    pub resource: String,
}

impl Told {
    /// `None` when it is nothing: most services tell nothing, and every event would carry the room for it.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Where verification puts events: never waits, counts what it had to drop.
#[derive(Clone)]
pub struct UsageSink {
    events: mpsc::Sender<UsageEvent>,
    flushes: mpsc::UnboundedSender<oneshot::Sender<()>>,
    counts: Arc<Counts>,
    /// Uses, with their moments, of keys that an act held when they were to be noted: they are with the next batch.
    late: Arc<Mutex<Vec<(String, i64)>>>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    dropped: AtomicU64,
    persisted: AtomicU64,
}

/// The other end, for the one writer.
pub struct UsageReceiver {
    pub events: mpsc::Receiver<UsageEvent>,
    /// Requests to write everything now and say when it is done.
    pub flushes: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
}

impl UsageSink {
    #[must_use]
    pub fn new() -> (Self, UsageReceiver) {
        let (events, receiver) = mpsc::channel(QUEUE_MAX);
        let (flushes, flush_receiver) = mpsc::unbounded_channel();
        let sink = Self {
            events,
            flushes,
            counts: Arc::default(),
            late: Arc::default(),
        };
        (
            sink,
            UsageReceiver {
                events: receiver,
                flushes: flush_receiver,
            },
        )
    }

    pub fn record(&self, event: UsageEvent) {
        let counter = match self.events.try_send(event) {
            Ok(()) => &self.counts.accepted,
            Err(_) => &self.counts.dropped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until everything recorded so far is in the database. Returns at once when the writer has stopped.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.flushes.send(done).is_ok() {
            let _ = wait.await;
        }
    }

    /// Events that found the queue full: must stay 0.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.counts.accepted.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn persisted(&self) -> u64 {
        self.counts.persisted.load(Ordering::Relaxed)
    }

    /// Counts events that could not be written after all.
    pub fn count_dropped(&self, events: usize) {
        self.counts.dropped.fetch_add(events as u64, Ordering::Relaxed);
    }

    pub(super) fn late(&self) -> Vec<(String, i64)> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_late(&self, uses: &[(&str, i64)]) {
        let uses = uses.iter().map(|(id, at_ms)| ((*id).to_owned(), *at_ms));
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = uses.collect();
    }

    pub(super) fn count_persisted(&self, events: usize) {
        self.counts.persisted.fetch_add(events as u64, Ordering::Relaxed);
    }
}
