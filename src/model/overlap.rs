//! How long an old secret may go on beside a new one: what the policy lets it, and what a form offers of that.

use serde::{Deserialize, Serialize};

use super::calendar::counted;
use super::key::Environment;
use super::policy::OVERLAP_HOURS_MAX;
use super::rotation::{DEFAULT_OVERLAP, OVERLAPS, Overlap, Rotation, capped};
use super::time::{HOUR_MS, Timestamp};

/// So many hours in words, for “at most”.
#[must_use]
pub fn longest_in_words(hours: u32) -> String {
    match hours {
        OVERLAP_HOURS_MAX => "thirty days".to_owned(),
        hours => counted(i64::from(hours), "hour"),
    }
}

/// The most hours that the policy lets old secrets go on, of the keys that a form is about; none where no such key is among
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapLimit {
    pub live: Option<u32>,
    pub test: Option<u32>,
}

impl OverlapLimit {
    /// For keys of these environments; `hours` is what the policy of each says.
    #[must_use]
    pub fn of(
        environments: impl IntoIterator<Item = Environment>,
        hours: impl Fn(Environment) -> u32,
    ) -> Self {
        let mut limit = Self::default();
        for environment in environments {
            match environment {
                Environment::Live => limit.live = Some(hours(environment)),
                Environment::Test => limit.test = Some(hours(environment)),
            }
        }
        limit
    }

    /// What holds for all of them: of two, the shorter time.
    #[must_use]
    pub fn hours(self) -> u32 {
        let both = [self.live, self.test];
        both.into_iter().flatten().min().unwrap_or(OVERLAP_HOURS_MAX)
    }

    /// What the policy says, as a sentence, where it says less than what is possible anyway.
    #[must_use]
    pub fn in_words(self) -> Option<String> {
        let most = |hours| match hours {
            0 => "not at all".to_owned(),
            hours => format!("{} at most", longest_in_words(hours)),
        };
        match (self.live, self.test, self.hours()) {
            (.., OVERLAP_HOURS_MAX) => None,
            (Some(live), Some(test), _) if live != test => Some(format!(
                "How long the policy lets old secrets go on: those of live keys {}, those of test keys {}. For keys of both at once the shorter time holds.",
                most(live),
                most(test)
            )),
            (.., 0) => Some("The policy lets no old secret go on beside a new one.".to_owned()),
            (.., hours) => Some(format!(
                "The policy lets an old secret go on for {}.",
                most(hours)
            )),
        }
    }

    /// The overlap that a form begins with: a day, or else the longest of the named lengths that is allowed.
    #[must_use]
    pub fn first(self) -> Overlap {
        Overlap::parse(self.choices().first, "", false).unwrap_or(Overlap::NONE)
    }

    /// What a form offers that starts a rotation.
    #[must_use]
    pub fn choices(self) -> OverlapChoices {
        let hours = self.hours();
        let most_ms = i64::from(hours) * HOUR_MS;
        let mut choices = OverlapChoices::of(0, |length_ms| length_ms <= most_ms);
        choices.from_first_use = (hours > 0).then(|| longest_in_words(hours));
        choices
    }
}

/// The lengths that a form offers: none of them is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlapChoices {
    /// Values and labels.
    pub named: Vec<(&'static str, &'static str)>,
    /// The fewest and the most hours that can be typed instead; none where the named ones are all there are.
    pub hours: Option<(i64, i64)>,
    /// The value that is chosen at first.
    pub first: &'static str,
    /// How long both secrets go on at most when it is counted from the first use of the new one; none where that is not
    /// offered.
    pub from_first_use: Option<String>,
}

impl OverlapChoices {
    /// Of the lengths from `least_ms` on, those that fit. The first is the default, or else the longest that has a name.
    fn of(least_ms: i64, fits: impl Fn(i64) -> bool) -> Self {
        let offered = OVERLAPS
            .iter()
            .filter(|(.., length_ms)| *length_ms >= least_ms && fits(*length_ms));
        let named: Vec<_> = offered.map(|(value, label, _)| (*value, *label)).collect();
        let typed: Vec<i64> = (1..=i64::from(OVERLAP_HOURS_MAX))
            .filter(|hours| fits(hours * HOUR_MS))
            .collect();
        let hours = typed.first().copied().zip(typed.last().copied());
        Self {
            first: match named.iter().find(|(value, _)| *value == DEFAULT_OVERLAP) {
                Some((value, _)) => value,
                None => named.last().map_or("custom", |(value, _)| value),
            },
            hours: hours.filter(|(least, most)| least < most || named.is_empty()),
            named,
            from_first_use: None,
        }
    }

    /// What a form offers that lets the old secret of a running rotation go on longer, counted from now; none if it cannot.
    /// `most_hours` is what the policy says, from the beginning of the rotation on.
    #[must_use]
    pub fn of_extension(
        rotation: &Rotation,
        most_hours: u32,
        key_expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Self> {
        let latest = rotation.started_at.plus_ms(i64::from(most_hours) * HOUR_MS);
        let choices = Self::of(1, |length_ms| {
            let wanted = capped(now.plus_ms(length_ms), key_expires_at);
            wanted > rotation.ends_at && wanted <= latest
        });
        (choices.hours.is_some() || !choices.named.is_empty()).then_some(choices)
    }

    /// Whether this value is among them.
    #[must_use]
    pub fn offers(&self, value: &str) -> bool {
        self.named.iter().any(|(name, _)| *name == value) || (value == "custom" && self.hours.is_some())
    }

    /// The hours that can be typed, as a hint.
    #[must_use]
    pub fn hours_in_words(&self) -> Option<String> {
        let (least, most) = self.hours?;
        Some(match most == i64::from(OVERLAP_HOURS_MAX) {
            true => format!("{least} to {most}, which are 30 days."),
            false => format!("{least} to {most}."),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rotation::SecretUse;
    use crate::model::time::DAY_MS;

    fn live(hours: u32) -> OverlapLimit {
        OverlapLimit::of([Environment::Live], |_| hours)
    }

    fn values(choices: &OverlapChoices) -> Vec<&'static str> {
        choices.named.iter().map(|(value, _)| *value).collect()
    }

    #[test]
    fn what_is_offered_is_never_longer_than_the_policy_lets_it() {
        for (hours, named, typed, first) in [
            (0, vec!["now"], None, "now"),
            (1, vec!["now", "1h"], None, "1h"),
            (12, vec!["now", "1h"], Some((1, 12)), "1h"),
            (24, vec!["now", "1h", "24h"], Some((1, 24)), "24h"),
            (720, vec!["now", "1h", "24h", "3d", "7d"], Some((1, 720)), "24h"),
        ] {
            let choices = live(hours).choices();
            assert_eq!(
                (values(&choices), choices.hours, choices.first),
                (named, typed, first),
                "{hours}"
            );
            let first = live(hours).first();
            assert_eq!(Overlap::parse(choices.first, "", false).unwrap(), first);
            assert_eq!(choices.from_first_use.is_some(), hours > 0);
        }
    }

    #[test]
    fn the_policy_is_told_where_it_says_less_than_what_is_possible() {
        let both = |live, test| OverlapLimit {
            live: Some(live),
            test: Some(test),
        };
        assert_eq!((live(720).in_words(), both(720, 720).in_words()), (None, None));
        assert_eq!(live(0).in_words().unwrap(), both(0, 0).in_words().unwrap());
        assert!(live(1).in_words().unwrap().ends_with("for 1 hour at most."));
        let told = both(0, 720).in_words().unwrap();
        assert!(
            told.contains("live keys not at all, those of test keys thirty days at most"),
            "{told}"
        );
        assert_eq!((both(0, 720).hours(), both(720, 12).hours()), (0, 12));
        assert_eq!(OverlapLimit::default().hours(), OVERLAP_HOURS_MAX);
    }

    #[test]
    fn an_extension_is_longer_than_it_is_and_ends_in_time() {
        let started_at = Timestamp::from_ms(1_769_682_605_000);
        let rotation = |ends_after_ms| Rotation {
            started_at,
            ends_at: started_at.plus_ms(ends_after_ms),
            countdown_ms: None,
            current: SecretUse::default(),
            previous: SecretUse::default(),
        };
        let later = started_at.plus_ms(HOUR_MS);
        let of = |ends_after_ms, most, key_ends| {
            OverlapChoices::of_extension(&rotation(ends_after_ms), most, key_ends, later)
        };
        let day = of(DAY_MS, 720, None).unwrap();
        assert_eq!(
            (values(&day), day.hours, day.first),
            (vec!["24h", "3d", "7d"], Some((24, 719)), "24h")
        );
        let short = of(2 * HOUR_MS, 24, None).unwrap();
        assert_eq!(
            (values(&short), short.hours, short.first),
            (vec![], Some((2, 23)), "custom")
        );
        assert_eq!(of(DAY_MS, 24, None), None, "as long as the policy lets it");
        assert_eq!(of(DAY_MS, 720, Some(started_at.plus_ms(DAY_MS))), None);
        assert_eq!(of(DAY_MS, 0, None), None, "the policy was another one");
    }
}
