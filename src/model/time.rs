//! Moments and lengths of time.

use serde::{Deserialize, Serialize};

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment: unix milliseconds, UTC. The year is kept within 0 to 9999 so that every moment has an RFC 3339 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999Z.
const LATEST_MS: i64 = 253_402_300_799_999;
/// 0000-01-01T00:00:00Z.
const EARLIEST_MS: i64 = -62_167_219_200_000;

impl Timestamp {
    #[must_use]
    pub const fn from_ms(unix_ms: i64) -> Self {
        Self(if unix_ms > LATEST_MS {
            LATEST_MS
        } else if unix_ms < EARLIEST_MS {
            EARLIEST_MS
        } else {
            unix_ms
        })
    }

    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn plus_ms(self, duration_ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(duration_ms))
    }

    #[must_use]
    pub const fn minus_ms(self, duration_ms: i64) -> Self {
        Self::from_ms(self.0.saturating_sub(duration_ms))
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The start of the bucket of `width_ms` that this moment falls in, counted from the epoch.
    #[must_use]
    pub const fn floor_to(self, width_ms: i64) -> Self {
        Self(self.0.div_euclid(width_ms) * width_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_before_the_epoch_round_down_too() {
        assert_eq!(Timestamp::from_ms(-1).floor_to(DAY_MS).ms(), -DAY_MS);
        assert_eq!(Timestamp::from_ms(DAY_MS + 5).floor_to(DAY_MS).ms(), DAY_MS);
    }

    #[test]
    fn arithmetic_stays_within_the_years_that_can_be_written() {
        assert_eq!(
            Timestamp::from_ms(0).plus_ms(i64::MAX).rfc3339(),
            "9999-12-31T23:59:59Z"
        );
    }
}
