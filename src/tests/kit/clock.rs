//! Time under control.

use std::sync::atomic::{AtomicI64, Ordering};

use keywright::model::time::Timestamp;
use keywright::server::platform::clock::Clock;

/// Stands still until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.ms()))
    }

    pub fn advance_ms(&self, duration_ms: i64) {
        self.0.fetch_add(duration_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}
