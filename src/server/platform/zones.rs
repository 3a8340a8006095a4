//! The world's time zones, by their IANA names, from the table in the binary.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::model::restriction::Local;
use crate::model::time::Timestamp;

/// The table has older aliases and fixed offsets as well; these are where people live.
const REGIONS: [&str; 10] = [
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
];

/// The names to choose from: `UTC`, then places in the order of the alphabet.
#[must_use]
pub fn names() -> Vec<String> {
    let table = TimeZoneDatabase::bundled();
    let mut places: Vec<String> = table
        .available()
        .map(|name| name.to_string())
        .filter(|name| REGIONS.iter().any(|region| name.starts_with(region)))
        .collect();
    places.sort_unstable();
    places.insert(0, "UTC".to_owned());
    places
}

/// The clock of a place.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// The zone of this name, from the table in the binary.
#[must_use]
pub fn find(name: &str) -> Option<Zone> {
    TimeZoneDatabase::bundled().get(name).ok().map(Zone)
}

impl Zone {
    /// What the clock of the place says, summer time included.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Option<Local> {
        let at = jiff::Timestamp::from_millisecond(at.ms()).ok()?;
        let there = self.0.to_datetime(at);
        Some(Local {
            weekday: usize::try_from(there.weekday().to_monday_zero_offset()).ok()?,
            minute: u16::try_from(there.hour()).ok()? * 60 + u16::try_from(there.minute()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_begins_with_utc_and_has_places() {
        let names = names();
        assert_eq!(names[0], "UTC");
        for place in ["Europe/Berlin", "America/New_York", "Asia/Kolkata"] {
            assert!(names.iter().any(|name| name == place), "{place}");
        }
        assert!(names.len() > 300 && !names.iter().any(|name| name.starts_with("Etc/")));
    }

    #[test]
    fn the_clock_follows_summer_time() {
        let berlin = find("Europe/Berlin").unwrap();
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            let local = berlin.local(Timestamp::from_ms(at.as_millisecond())).unwrap();
            (local.weekday, local.minute)
        };
        // The night of 29 March 2026: two o'clock does not exist.
        assert_eq!(at("2026-03-29T00:59:00Z"), (6, 119));
        assert_eq!(at("2026-03-29T01:00:00Z"), (6, 180));
        // The night of 25 October 2026: two o'clock comes twice.
        assert_eq!(at("2026-10-25T00:30:00Z"), (6, 150));
        assert_eq!(at("2026-10-25T01:30:00Z"), (6, 150));
        assert_eq!(at("2026-10-26T22:59:00Z"), (0, 1439));
        assert!(find("Europe/Nowhere").is_none());
    }
}
