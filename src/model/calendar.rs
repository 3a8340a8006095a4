//! Moments in words: RFC 3339, dates, "2 minutes ago". UTC throughout.

use time::{Date, Month, OffsetDateTime};

use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

impl Timestamp {
    fn civil(self) -> OffsetDateTime {
        // The range of Timestamp lies within the range of OffsetDateTime, so the fallback is never taken.
        OffsetDateTime::from_unix_timestamp(self.ms().div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `2026-01-29T10:30:00Z`: whole seconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let t = self.civil();
        format!(
            "{}T{:02}:{:02}:{:02}Z",
            self.iso_date(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// `2026-01-29`.
    #[must_use]
    pub fn iso_date(self) -> String {
        let t = self.civil();
        format!("{:04}-{:02}-{:02}", t.year(), u8::from(t.month()), t.day())
    }

    /// `29 January 2026`.
    #[must_use]
    pub fn date_in_words(self) -> String {
        let t = self.civil();
        format!("{} {} {}", t.day(), month_name(t.month()), t.year())
    }

    /// The last day on which something that ends here (exclusive) is still valid: `29 January 2026`.
    #[must_use]
    pub fn last_day_in_words(self) -> String {
        self.minus_ms(1).date_in_words()
    }

    /// `29 Jan`.
    #[must_use]
    pub fn day_and_month(self) -> String {
        let t = self.civil();
        format!("{} {}", t.day(), &month_name(t.month())[..3])
    }

    /// `10:30`.
    #[must_use]
    pub fn clock_time(self) -> String {
        let t = self.civil();
        format!("{:02}:{:02}", t.hour(), t.minute())
    }

    /// `29 January 2026, 10:30:05 UTC`: the exact moment for tooltips and screen readers.
    #[must_use]
    pub fn exact_in_words(self) -> String {
        let t = self.civil();
        format!(
            "{}, {:02}:{:02}:{:02} UTC",
            self.date_in_words(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// The end of the day (exclusive: the next midnight) that `2026-01-29` names. `None` when it is no date.
    #[must_use]
    pub fn end_of_iso_date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        if !(digits(year) && digits(month) && digits(day)) {
            return None;
        }
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
        Some(Self::from_ms(date.midnight().assume_utc().unix_timestamp() * 1_000).plus_ms(DAY_MS))
    }

    /// How long before `now` this was, coarsely: `just now`, `2 minutes ago`, `yesterday`, `94 days ago`.
    #[must_use]
    pub fn ago(self, now: Self) -> String {
        let passed = now.since_ms(self);
        match passed {
            ..MINUTE_MS => "just now".to_owned(),
            MINUTE_MS..HOUR_MS => format!("{} ago", counted(passed / MINUTE_MS, "minute")),
            HOUR_MS..DAY_MS => format!("{} ago", counted(passed / HOUR_MS, "hour")),
            _ if passed < 2 * DAY_MS => "yesterday".to_owned(),
            _ => format!("{} ago", counted(passed / DAY_MS, "day")),
        }
    }

    /// How long this has lasted: `4 minutes`, `26 hours`, `12 days`.
    #[must_use]
    pub fn lasting(self, now: Self) -> String {
        let passed = now.since_ms(self);
        match passed {
            ..HOUR_MS => counted(passed / MINUTE_MS, "minute"),
            _ if passed < 2 * DAY_MS => counted(passed / HOUR_MS, "hour"),
            _ => counted(passed / DAY_MS, "day"),
        }
    }

    /// How long after `now` this will be: `in 61 days`, `in 3 hours`, `in less than a minute`.
    #[must_use]
    pub fn ahead(self, now: Self) -> String {
        let left = self.since_ms(now);
        match left {
            ..MINUTE_MS => "in less than a minute".to_owned(),
            MINUTE_MS..HOUR_MS => format!("in {}", counted(left / MINUTE_MS, "minute")),
            _ if left < 2 * DAY_MS => format!("in {}", counted(left / HOUR_MS, "hour")),
            _ => format!("in {}", counted(left / DAY_MS, "day")),
        }
    }
}

/// `1 key`, `2 keys`, `1,204 requests`.
#[must_use]
pub fn counted(count: i64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Groups thousands: `1,204`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const fn month_name(month: Month) -> &'static str {
    match month {
        Month::January => "January",
        Month::February => "February",
        Month::March => "March",
        Month::April => "April",
        Month::May => "May",
        Month::June => "June",
        Month::July => "July",
        Month::August => "August",
        Month::September => "September",
        Month::October => "October",
        Month::November => "November",
        Month::December => "December",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    #[test]
    fn a_moment_is_written_as_the_contract_says() {
        assert_eq!(MOMENT.rfc3339(), "2026-01-29T10:30:05Z");
        assert_eq!(MOMENT.date_in_words(), "29 January 2026");
    }

    #[test]
    fn a_chosen_day_lasts_until_its_end() {
        let end = Timestamp::end_of_iso_date("2026-01-29").unwrap();
        assert_eq!(end.rfc3339(), "2026-01-30T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "2026-02-30",
            "2026-1-29",
            "20260129",
            "2026-01-29x",
            "+026-01-29",
            "٢٠٢٦-01-29",
            "",
        ] {
            assert_eq!(Timestamp::end_of_iso_date(text), None, "{text}");
        }
    }

    #[test]
    fn distance_is_told_in_the_largest_fitting_unit() {
        let now = MOMENT;
        assert_eq!(now.minus_ms(30_000).ago(now), "just now");
        assert_eq!(now.minus_ms(60_000).ago(now), "1 minute ago");
        assert_eq!(now.minus_ms(DAY_MS).ago(now), "yesterday");
        assert_eq!(now.minus_ms(94 * DAY_MS).ago(now), "94 days ago");
        assert_eq!(now.plus_ms(61 * DAY_MS).ahead(now), "in 61 days");
        assert_eq!(now.plus_ms(36 * HOUR_MS).ahead(now), "in 36 hours");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_204), "1,204");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(counted(1, "key"), "1 key");
    }
}
