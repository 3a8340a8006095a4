//! The world's time zones, by their IANA names, from the table in the binary.

use jiff::tz::TimeZoneDatabase;

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
}
