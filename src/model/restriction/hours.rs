//! Days and hours on which a key passes, by the clock of a place.

use serde::{Deserialize, Serialize};

use crate::model::error::FieldError;

/// Monday first, with what stands in forms.
pub const WEEKDAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

const MINUTES: u16 = 24 * 60;

/// When a key passes. A span that ends before it begins goes on after midnight, and belongs to the day it began on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// IANA name of the place whose clock counts.
    pub zone: String,
    /// From Monday on.
    pub days: [bool; 7],
    /// Minutes since midnight; until `to`, which does not belong.
    pub from: u16,
    pub to: u16,
}

/// Hours as they were typed; all empty for none.
#[derive(Clone, Debug, Default)]
pub struct HoursDraft<'a> {
    pub days: Vec<&'a str>,
    /// `HH:MM`.
    pub from: &'a str,
    pub to: &'a str,
    pub zone: &'a str,
}

/// What the clock of the place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// 0 for Monday.
    pub weekday: usize,
    pub minute: u16,
}

fn clock(field: &'static str, text: &str) -> Result<u16, FieldError> {
    let wrong = || FieldError::new(field, "time", "Give the time as HH:MM, from 00:00 to 24:00.");
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !(is_number(hours) && is_number(minutes)) {
        return Err(wrong());
    }
    let (hours, minutes): (u16, u16) = (
        hours.parse().map_err(|_| wrong())?,
        minutes.parse().map_err(|_| wrong())?,
    );
    let all = hours * 60 + minutes;
    if minutes > 59 || all > MINUTES {
        return Err(wrong());
    }
    Ok(all)
}

fn clock_text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Hours {
    pub(super) fn parse(draft: &HoursDraft<'_>) -> Result<Option<Self>, FieldError> {
        if draft.days.is_empty() && draft.from.trim().is_empty() && draft.to.trim().is_empty() {
            return Ok(None);
        }
        let mut days = [false; 7];
        for day in &draft.days {
            let at = WEEKDAYS.iter().position(|(name, _)| name == day);
            let wrong = || FieldError::new("hours_days", "choice", "Choose days of the week.");
            days[at.ok_or_else(wrong)?] = true;
        }
        if !days.contains(&true) {
            let message = "Choose at least one day, or leave the hours empty.";
            return Err(FieldError::new("hours_days", "required", message));
        }
        let whole_day = draft.from.trim().is_empty() && draft.to.trim().is_empty();
        let (from, to) = match whole_day {
            true => (0, MINUTES),
            false => (clock("hours_from", draft.from)?, clock("hours_to", draft.to)?),
        };
        if from == to || from == MINUTES {
            let message = "This span is empty. Let it end after it begins, or the next morning.";
            return Err(FieldError::new("hours_to", "empty", message));
        }
        if draft.zone.trim().is_empty() {
            let message = "Choose the place whose clock counts.";
            return Err(FieldError::new("hours_zone", "required", message));
        }
        Ok(Some(Self {
            zone: draft.zone.trim().to_owned(),
            days,
            from,
            to,
        }))
    }

    /// Whether the key passes when the clock of the place says this.
    #[must_use]
    pub fn contains(&self, local: Local) -> bool {
        let on = |weekday: usize| self.days[weekday % 7];
        if self.from < self.to {
            return on(local.weekday) && (self.from..self.to).contains(&local.minute);
        }
        let began_today = on(local.weekday) && local.minute >= self.from;
        let began_yesterday = on(local.weekday + 6) && local.minute < self.to;
        began_today || began_yesterday
    }

    /// `HH:MM`, as fields show them.
    #[must_use]
    pub fn texts(&self) -> (String, String) {
        (clock_text(self.from), clock_text(self.to))
    }

    /// Why a key may not pass when the clock of the place says this.
    #[must_use]
    pub fn refusal(&self, local: Local) -> Option<String> {
        let day = WEEKDAYS[local.weekday % 7].1;
        let message = || {
            let now = clock_text(local.minute);
            format!("It is {day} {now} in {}. {}", self.zone, self.in_words())
        };
        (!self.contains(local)).then(message)
    }

    #[must_use]
    pub fn in_words(&self) -> String {
        let (from, to) = self.texts();
        let span = match (self.from, self.to) {
            (0, MINUTES) => String::new(),
            _ => format!(", {from} to {to}"),
        };
        format!("Only {}{span} in {}.", self.days_in_words(), self.zone)
    }

    fn days_in_words(&self) -> String {
        let chosen: Vec<usize> = (0..7).filter(|day| self.days[*day]).collect();
        let in_a_row = chosen.windows(2).all(|pair| pair[1] == pair[0] + 1);
        match (chosen.first(), chosen.last()) {
            _ if chosen.len() == 7 => "every day".to_owned(),
            (Some(first), Some(last)) if in_a_row && chosen.len() > 2 => {
                format!("{} to {}", WEEKDAYS[*first].1, WEEKDAYS[*last].1)
            }
            _ => chosen
                .iter()
                .map(|day| WEEKDAYS[*day].1)
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[&str], from: &str, to: &str) -> Hours {
        Hours::parse(&draft(days, from, to)).unwrap().unwrap()
    }

    fn draft<'a>(days: &[&'a str], from: &'a str, to: &'a str) -> HoursDraft<'a> {
        HoursDraft {
            days: days.to_vec(),
            from,
            to,
            zone: "Europe/Berlin",
        }
    }

    fn at(weekday: usize, hour: u16, minute: u16) -> Local {
        Local {
            weekday,
            minute: hour * 60 + minute,
        }
    }

    #[test]
    fn a_span_holds_its_first_minute_and_not_its_last() {
        let office = hours(&["mon", "tue", "wed", "thu", "fri"], "08:00", "18:00");
        assert!(office.contains(at(0, 8, 0)) && office.contains(at(4, 17, 59)));
        assert!(
            !office.contains(at(0, 7, 59))
                && !office.contains(at(4, 18, 0))
                && !office.contains(at(5, 12, 0))
        );
        assert_eq!(
            office.in_words(),
            "Only Monday to Friday, 08:00 to 18:00 in Europe/Berlin."
        );
        assert!(
            office
                .refusal(at(5, 14, 10))
                .unwrap()
                .starts_with("It is Saturday 14:10 in Europe/Berlin.")
        );
    }

    #[test]
    fn a_span_past_midnight_belongs_to_the_day_it_began_on() {
        let nights = hours(&["sun"], "22:00", "06:00");
        assert!(
            nights.contains(at(6, 22, 0)) && nights.contains(at(0, 5, 59)),
            "Sunday night into Monday"
        );
        assert!(
            !nights.contains(at(6, 5, 0)) && !nights.contains(at(0, 22, 0)) && !nights.contains(at(0, 6, 0))
        );
    }

    #[test]
    fn mistakes_are_told_beside_their_field() {
        let field =
            |days: &[&str], from: &str, to: &str| Hours::parse(&draft(days, from, to)).unwrap_err().field;
        assert_eq!(field(&[], "08:00", "18:00"), "hours_days");
        assert_eq!(field(&["someday"], "08:00", "18:00"), "hours_days");
        assert_eq!(field(&["mon"], "8", "18:00"), "hours_from");
        assert_eq!(field(&["mon"], "08:60", "18:00"), "hours_from");
        assert_eq!(field(&["mon"], "08:00", "24:01"), "hours_to");
        assert_eq!(field(&["mon"], "08:00", "08:00"), "hours_to");
        assert_eq!(field(&["mon"], "08:00", ""), "hours_to");
        assert!(Hours::parse(&HoursDraft::default()).unwrap().is_none());
        let weekend = hours(&["sat", "sun"], "", "");
        assert!(
            weekend.contains(at(5, 0, 0))
                && weekend.contains(at(6, 23, 59))
                && !weekend.contains(at(0, 0, 0))
        );
        assert_eq!(weekend.in_words(), "Only Saturday, Sunday in Europe/Berlin.");
    }
}
