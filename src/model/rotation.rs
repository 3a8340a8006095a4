//! Rotation: a key gets another secret while the one before goes on for a while.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::form::FormValues;
use super::id::KeyId;
use super::key::Environment;
use super::opening::WaitingRotation;
use super::time::{DAY_MS, HOUR_MS, Timestamp};
use super::usage::LastUsed;

/// The longest that two secrets of a key are good at once.
pub const OVERLAP_MAX_MS: i64 = 30 * DAY_MS;
/// A previous secret that was quiet for so long is most likely used by nobody any more.
pub const QUIET_MS: i64 = DAY_MS;
/// Days a key may have between rotations of its own.
pub const INTERVAL_MAX_DAYS: i64 = 3_653;
/// What is due so soon is shown and reminded of.
pub const SOON_MS: i64 = 14 * DAY_MS;

/// Days between rotations where nothing else is said.
#[must_use]
pub const fn default_interval_days(environment: Environment) -> i64 {
    match environment {
        Environment::Live => 90,
        Environment::Test => 180,
    }
}

/// Lengths that the form offers, with their names.
pub const OVERLAPS: [(&str, &str, i64); 5] = [
    ("now", "None", 0),
    ("1h", "1 hour", HOUR_MS),
    ("24h", "24 hours", DAY_MS),
    ("3d", "3 days", 3 * DAY_MS),
    ("7d", "7 days", 7 * DAY_MS),
];
/// The length that is offered first, where the policy allows it.
pub const DEFAULT_OVERLAP: &str = "24h";

/// How long the previous secret goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub length_ms: i64,
    /// Counted from the first use of the new secret instead of from now.
    pub from_first_use: bool,
}

impl Overlap {
    /// Reads one of [`OVERLAPS`], or `custom` with a number of hours.
    pub fn parse(choice: &str, hours: &str, from_first_use: bool) -> Result<Self, FieldError> {
        let known = OVERLAPS.iter().find(|(name, ..)| *name == choice);
        let length_ms = match known {
            Some((.., length_ms)) => *length_ms,
            None if choice == "custom" => match hours.trim().parse::<i64>() {
                Ok(hours @ 1..=720) => hours * HOUR_MS,
                _ => {
                    let message = "Give the hours as a number from 1 to 720, which are 30 days.";
                    return Err(FieldError::new("overlap_hours", "range", message));
                }
            },
            None => {
                let message = "Choose how long the old secret goes on.";
                return Err(FieldError::new("overlap", "choice", message));
            }
        };
        Ok(Self {
            length_ms,
            from_first_use,
        })
    }

    /// An old secret that ends at once.
    pub const NONE: Self = Self {
        length_ms: 0,
        from_first_use: false,
    };

    /// What a form says; none where it says nothing yet, or nothing that can be.
    #[must_use]
    pub fn typed(values: &FormValues) -> Option<Self> {
        let from_first_use = values.first("from_first_use") == "1";
        let (choice, hours) = (values.first("overlap"), values.first("overlap_hours"));
        Self::parse(choice, hours, from_first_use).ok()
    }

    /// The same as one word, by which a form says which it was looked at with.
    #[must_use]
    pub fn mark(self) -> String {
        format!("{}.{}", self.length_ms, u8::from(self.from_first_use))
    }

    /// When the previous secret ends at the latest: after the overlap, never past the key's own end. Counted from a
    /// first use that does not come, it ends after the longest overlap all the same.
    #[must_use]
    pub fn ends_at(self, now: Timestamp, longest_ms: i64, key_expires_at: Option<Timestamp>) -> Timestamp {
        let length_ms = match self.countdown_ms() {
            Some(_) => longest_ms,
            None => self.length_ms,
        };
        capped(now.plus_ms(length_ms), key_expires_at)
    }

    /// What is counted down from the first use; with no overlap the old secret ends in that moment.
    #[must_use]
    pub fn countdown_ms(self) -> Option<i64> {
        self.from_first_use.then_some(self.length_ms)
    }
}

/// Not past the key's own end.
#[must_use]
pub fn capped(at: Timestamp, key_expires_at: Option<Timestamp>) -> Timestamp {
    key_expires_at.map_or(at, |end| at.min(end))
}

/// What is known of the use of one of a key's two secrets since the rotation began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    pub last: Option<LastUsed>,
    /// Requests an hour over the last 24, oldest first.
    pub hours: Vec<i64>,
}

/// A rotation that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    pub started_at: Timestamp,
    /// When the previous secret ends, at the latest.
    pub ends_at: Timestamp,
    /// The previous secret ends so long after the first use of the current one, which has not come yet.
    pub countdown_ms: Option<i64>,
    pub current: SecretUse,
    pub previous: SecretUse,
}

/// Whether the previous secret can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nobody has used the new secret yet.
    NewUnused,
    /// The old secret was used within the last 24 hours.
    OldInUse,
    /// The old secret was not used since the rotation began, which is less than 24 hours ago.
    OldUnused,
    /// The old secret was not used for 24 hours.
    Quiet,
}

impl Rotation {
    #[must_use]
    pub fn readiness(&self, now: Timestamp) -> Readiness {
        let quiet_since = self
            .previous
            .last
            .as_ref()
            .map_or(self.started_at, |last| last.at);
        let is_quiet = now.since_ms(quiet_since) >= QUIET_MS;
        match (&self.current.last, &self.previous.last) {
            (None, _) => Readiness::NewUnused,
            (Some(_), _) if is_quiet => Readiness::Quiet,
            (Some(_), Some(_)) => Readiness::OldInUse,
            (Some(_), None) => Readiness::OldUnused,
        }
    }

    /// The same as a sentence, with the evidence.
    #[must_use]
    pub fn readiness_in_words(&self, now: Timestamp) -> String {
        let last_used = self.previous.last.as_ref().map(|last| {
            let from = last
                .ip
                .as_ref()
                .map(|ip| format!(" from {ip}"))
                .unwrap_or_default();
            format!("The old secret was last used {}{from}.", last.at.ago(now))
        });
        match self.readiness(now) {
            Readiness::NewUnused => {
                let so_far = last_used.unwrap_or_else(|| "Neither was the old one since.".to_owned());
                format!("The new secret has not been used yet. {so_far}")
            }
            Readiness::OldInUse => format!("{} Something still has it.", last_used.unwrap_or_default()),
            Readiness::OldUnused => {
                "The old secret has not been used since the rotation began. What runs once a day may still have it."
                    .to_owned()
            }
            Readiness::Quiet => {
                let since = self.previous.last.as_ref().map_or(self.started_at, |last| last.at);
                format!("The old secret has been quiet for {}: safe to finish.", since.lasting(now))
            }
        }
    }
}

/// A key on the page of rotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationEntry {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub project_name: String,
    pub owner: String,
    pub due_at: Option<Timestamp>,
    pub overlap_until: Option<Timestamp>,
    pub last_used: Option<LastUsed>,
    /// Whether whoever asks may rotate it.
    pub may_rotate: bool,
}

/// All that the page of rotations shows; each list at most [`LISTED_MAX`] long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationPage {
    pub now: Timestamp,
    /// Opened, and not collected yet; one's own first.
    pub waiting: Vec<WaitingRotation>,
    pub waiting_in_all: i64,
    pub running: Vec<RotationEntry>,
    pub running_in_all: i64,
    pub overdue: Vec<RotationEntry>,
    /// Due within 14 days.
    pub due: Vec<RotationEntry>,
    pub overdue_in_all: i64,
    pub due_in_all: i64,
    /// After how many days the policy has live and test keys rotate.
    pub live_days: u32,
    pub test_days: u32,
}

/// Keys that one list of the page of rotations shows.
pub const LISTED_MAX: i64 = 50;

/// The field of a key's own interval, in every form that has it.
pub const OWN_DAYS_FIELD: &str = "rotation_days";

/// Reads a key's own interval: none follows the environment's.
pub fn parse_interval(text: &str) -> Result<Option<i64>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        days => match days.parse::<i64>() {
            Ok(days @ 1..=INTERVAL_MAX_DAYS) => Ok(Some(days)),
            _ => {
                let message = format!("Give the days as a number from 1 to {INTERVAL_MAX_DAYS}, or nothing.");
                Err(FieldError::new("rotation_days", "range", message))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    fn used(ago_ms: i64) -> SecretUse {
        let at = NOW.minus_ms(ago_ms);
        let ip = Some("10.0.2.7".to_owned());
        SecretUse {
            last: Some(LastUsed {
                at,
                ip,
                country: None,
            }),
            hours: Vec::new(),
        }
    }

    #[test]
    fn an_overlap_is_one_of_the_lengths_or_hours_up_to_thirty_days() {
        assert_eq!(Overlap::parse("3d", "", false).unwrap().length_ms, 3 * DAY_MS);
        assert_eq!(
            Overlap::parse("custom", " 720 ", false).unwrap().length_ms,
            OVERLAP_MAX_MS
        );
        for (choice, hours, field) in [
            ("custom", "721", "overlap_hours"),
            ("custom", "0", "overlap_hours"),
            ("custom", "-5", "overlap_hours"),
            ("custom", "1.5", "overlap_hours"),
            ("custom", "", "overlap_hours"),
            ("", "", "overlap"),
            ("31d", "", "overlap"),
        ] {
            assert_eq!(
                Overlap::parse(choice, hours, false).unwrap_err().field,
                field,
                "{choice} {hours}"
            );
        }
    }

    #[test]
    fn an_overlap_never_passes_the_end_of_the_key() {
        let week = Overlap::parse("7d", "", false).unwrap();
        assert_eq!(week.ends_at(NOW, OVERLAP_MAX_MS, None), NOW.plus_ms(7 * DAY_MS));
        assert_eq!(
            week.ends_at(NOW, OVERLAP_MAX_MS, Some(NOW.plus_ms(DAY_MS))),
            NOW.plus_ms(DAY_MS)
        );
        let from_use = Overlap::parse("7d", "", true).unwrap();
        assert_eq!(
            from_use.ends_at(NOW, OVERLAP_MAX_MS, None),
            NOW.plus_ms(OVERLAP_MAX_MS),
            "the use may never come"
        );
        let none = Overlap::parse("now", "", false).unwrap();
        assert_eq!(
            (none.ends_at(NOW, OVERLAP_MAX_MS, None), none.countdown_ms()),
            (NOW, None)
        );
        let with_use = Overlap::parse("now", "", true).unwrap();
        assert_eq!(with_use.countdown_ms(), Some(0), "it ends with the first use");
    }

    #[test]
    fn readiness_goes_by_what_was_seen() {
        let mut rotation = Rotation {
            started_at: NOW.minus_ms(HOUR_MS),
            ends_at: NOW.plus_ms(DAY_MS),
            countdown_ms: None,
            current: SecretUse::default(),
            previous: SecretUse::default(),
        };
        let said = |rotation: &Rotation| (rotation.readiness(NOW), rotation.readiness_in_words(NOW));
        assert_eq!(said(&rotation).0, Readiness::NewUnused);
        rotation.previous = used(4 * 60_000);
        assert!(
            said(&rotation)
                .1
                .contains("not been used yet. The old secret was last used 4 minutes ago from 10.0.2.7.")
        );
        rotation.current = used(1_000);
        assert_eq!(said(&rotation).0, Readiness::OldInUse);
        rotation.previous = SecretUse::default();
        assert_eq!(said(&rotation).0, Readiness::OldUnused);
        rotation.started_at = NOW.minus_ms(3 * DAY_MS);
        assert_eq!(said(&rotation).0, Readiness::Quiet);
        rotation.previous = used(26 * HOUR_MS);
        assert!(
            said(&rotation).1.contains("quiet for 26 hours: safe to finish"),
            "{}",
            said(&rotation).1
        );
        rotation.previous = used(DAY_MS - 1);
        assert_eq!(said(&rotation).0, Readiness::OldInUse, "not a moment sooner");
    }
}
