//! Moments as the recipient's clock shows them, and in UTC.

use jiff::tz::TimeZone;

use crate::model::time::Timestamp;

/// `19 February 2027, 14:30 CET (13:30 UTC)`; with the date where it is another day in UTC. An unknown zone is UTC.
#[must_use]
pub fn told(at: Timestamp, zone: &str) -> String {
    let (here, utc) = (civil(at, zone), civil(at, "UTC"));
    let local = here.strftime("%-d %B %Y, %H:%M").to_string();
    if here.offset().seconds() == 0 {
        return format!("{local} UTC");
    }
    let other = match here.date() == utc.date() {
        true => utc.strftime("%H:%M"),
        false => utc.strftime("%-d %B, %H:%M"),
    };
    format!("{local} {} ({other} UTC)", here.strftime("%Z"))
}

/// `19 February 2027`, in the zone.
#[must_use]
pub fn day(at: Timestamp, zone: &str) -> String {
    civil(at, zone).strftime("%-d %B %Y").to_string()
}

fn civil(at: Timestamp, zone: &str) -> jiff::Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_millisecond(at.ms())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_zone_and_in_utc() {
        let at = Timestamp::from_ms(1_803_043_800_000);
        for (zone, expected) in [
            ("UTC", "19 February 2027, 13:30 UTC"),
            ("Mars/Olympus", "19 February 2027, 13:30 UTC"),
            ("Africa/Abidjan", "19 February 2027, 13:30 UTC"),
            ("Europe/Berlin", "19 February 2027, 14:30 CET (13:30 UTC)"),
            ("Asia/Kolkata", "19 February 2027, 19:00 IST (13:30 UTC)"),
            (
                "Pacific/Auckland",
                "20 February 2027, 02:30 NZDT (19 February, 13:30 UTC)",
            ),
            ("America/Sao_Paulo", "19 February 2027, 10:30 -03 (13:30 UTC)"),
        ] {
            assert_eq!(told(at, zone), expected, "{zone}");
        }
        assert_eq!(day(at, "Pacific/Auckland"), "20 February 2027");
    }
}
