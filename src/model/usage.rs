//! Usage as charts show it.

use serde::{Deserialize, Serialize};

use super::country::CountryCode;
use super::time::{DAY_MS, HOUR_MS, Timestamp};
use super::verdict::VerdictCode;

/// How far back a chart looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UsageRange {
    #[default]
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
    #[serde(rename = "90d")]
    Quarter,
}

/// The width of the roll-up a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    Minute,
    Hour,
    Day,
}

impl Grain {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    #[must_use]
    pub const fn width_ms(self) -> i64 {
        match self {
            Self::Minute => super::time::MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }
}

impl UsageRange {
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// An unknown range is the shortest one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|range| range.as_str() == text)
            .unwrap_or_default()
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::Quarter => "90 days",
        }
    }

    /// Which roll-up answers it: rows read stay few whatever the range.
    #[must_use]
    pub const fn grain(self) -> Grain {
        match self {
            Self::Day | Self::Week => Grain::Hour,
            Self::Month | Self::Quarter => Grain::Day,
        }
    }

    /// Width of one bar.
    #[must_use]
    pub const fn bucket_ms(self) -> i64 {
        match self {
            Self::Day => HOUR_MS,
            Self::Week => 6 * HOUR_MS,
            Self::Month | Self::Quarter => DAY_MS,
        }
    }

    #[must_use]
    pub const fn bucket_count(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 28,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }

    /// The start of the first bar; the last bar contains `now`.
    #[must_use]
    pub const fn start(self, now: Timestamp) -> Timestamp {
        now.floor_to(self.bucket_ms())
            .minus_ms((self.bucket_count() - 1) * self.bucket_ms())
    }
}

/// One bar: how often each verdict was given, in the order of the codes, zero counts left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageBucket {
    pub at: Timestamp,
    pub counts: Vec<(VerdictCode, i64)>,
}

impl UsageBucket {
    #[must_use]
    pub fn total(&self) -> i64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }
}

/// Requests per bar, oldest first, **including empty bars**.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageSeries {
    pub range: UsageRange,
    pub buckets: Vec<UsageBucket>,
}

impl UsageSeries {
    /// Sorts counted cells `(moment, code, count)` into the bars of a range; cells outside it are dropped.
    #[must_use]
    pub fn from_cells(range: UsageRange, now: Timestamp, cells: &[(Timestamp, VerdictCode, i64)]) -> Self {
        let start = range.start(now);
        let mut buckets: Vec<UsageBucket> = (0..range.bucket_count())
            .map(|n| UsageBucket {
                at: start.plus_ms(n * range.bucket_ms()),
                counts: Vec::new(),
            })
            .collect();
        for &(at, code, count) in cells {
            let index = at.since_ms(start).div_euclid(range.bucket_ms());
            let Some(bucket) = usize::try_from(index).ok().and_then(|i| buckets.get_mut(i)) else {
                continue;
            };
            match bucket.counts.iter_mut().find(|(known, _)| *known == code) {
                Some((_, sum)) => *sum += count,
                None => bucket.counts.push((code, count)),
            }
        }
        for bucket in &mut buckets {
            bucket.counts.sort_by_key(|(code, _)| *code);
        }
        Self { range, buckets }
    }

    #[must_use]
    pub fn allowed(&self) -> i64 {
        self.count_where(|code| code == VerdictCode::Valid)
    }

    #[must_use]
    pub fn refused(&self) -> i64 {
        self.count_where(|code| code != VerdictCode::Valid)
    }

    /// Refusal codes that occur, in their order.
    #[must_use]
    pub fn refusal_codes(&self) -> Vec<VerdictCode> {
        let occurs = |code: VerdictCode| {
            self.buckets
                .iter()
                .any(|b| b.counts.iter().any(|(c, n)| *c == code && *n > 0))
        };
        VerdictCode::ALL
            .into_iter()
            .filter(|code| *code != VerdictCode::Valid && occurs(*code))
            .collect()
    }

    fn count_where(&self, wanted: impl Fn(VerdictCode) -> bool) -> i64 {
        self.buckets
            .iter()
            .flat_map(|b| &b.counts)
            .filter(|(code, _)| wanted(*code))
            .map(|(_, n)| n)
            .sum()
    }
}

/// When and from where a key was used last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    pub at: Timestamp,
    pub ip: Option<String>,
    /// As the country database had it then; where that is not shown, it is not read.
    #[serde(default)]
    pub country: Option<CountryCode>,
}

/// An address a key was used from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAddress {
    pub ip: String,
    /// As the country database had it the last time.
    pub country: Option<CountryCode>,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub requests: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_bars_are_kept_and_the_last_one_holds_now() {
        let now = Timestamp::from_ms(10 * DAY_MS + 5 * HOUR_MS + 1);
        let series = UsageSeries::from_cells(
            UsageRange::Day,
            now,
            &[
                (now.floor_to(HOUR_MS), VerdictCode::Valid, 2),
                (now.minus_ms(2 * DAY_MS), VerdictCode::Valid, 9),
            ],
        );
        assert_eq!(series.buckets.len(), 24);
        assert_eq!(series.buckets.last().unwrap().total(), 2);
        assert_eq!((series.allowed(), series.refused()), (2, 0));
    }

    #[test]
    fn cells_of_one_bar_are_added_up_by_code() {
        let now = Timestamp::from_ms(10 * DAY_MS);
        let series = UsageSeries::from_cells(
            UsageRange::Week,
            now,
            &[
                (now, VerdictCode::Valid, 1),
                (now.plus_ms(HOUR_MS), VerdictCode::Valid, 1),
                (now, VerdictCode::Expired, 4),
            ],
        );
        let last = series.buckets.last().unwrap();
        assert_eq!(last.counts, [(VerdictCode::Expired, 4), (VerdictCode::Valid, 2)]);
        assert_eq!(series.refusal_codes(), [VerdictCode::Expired]);
    }
}
