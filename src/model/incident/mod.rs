//! Incidents: a key that may have leaked, from the first suspicion to what was learnt.

mod checklist;
mod uses;

use serde::{Deserialize, Serialize};

pub use checklist::{ChecklistItem, Fact, ITEM_NOTE_MAX, ITEM_TEXT_MAX, ItemKind, OWN_ITEMS_MAX};
pub use uses::{
    LISTED_MAX, SharedAddress, Sibling, SiblingKeys, Timeline, UseGroup, UseKind, Uses, VALUE_MAX,
    endpoint_of,
};

use super::error::FieldError;
use super::id::{AccountId, IncidentId, KeyId};
use super::key::{Environment, KeyDetail};
use super::org::MemberName;
use super::page::{Page, PageRequest};
use super::time::{DAY_MS, HOUR_MS, Timestamp};

/// Days before the suspected moment that the key's use is looked at.
pub const LOOK_BACK_DAYS: i64 = 30;
/// Incidents that somebody may open within a day of keys that they may not manage.
pub const BYSTANDER_DAILY_MAX: i64 = 20;
/// Longest cause, impact or lesson, in characters.
pub const FINDING_MAX: usize = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    Open,
    Closed,
}

impl IncidentStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Closed => "Closed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Closed]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// Reads since when a key is suspected: `now`, `hour`, or `custom` with `2026-01-29T10:30`, UTC.
pub fn parse_since(choice: &str, moment: &str, now: Timestamp) -> Result<Timestamp, FieldError> {
    let since = match choice {
        "now" => return Ok(now),
        "hour" => return Ok(now.minus_ms(HOUR_MS)),
        "custom" => minute(moment.trim()).ok_or_else(|| {
            let message = "Give the date and time, UTC, as in 2026-01-29 10:30.";
            FieldError::new("since", "moment", message)
        })?,
        _ => {
            let message = "Choose since when the key may have leaked.";
            return Err(FieldError::new("when", "choice", message));
        }
    };
    if since > now {
        let message = format!(
            "{} is still to come. Give a moment that has passed, UTC.",
            since.exact_in_words()
        );
        return Err(FieldError::new("since", "future", message));
    }
    Ok(since)
}

/// That the key was there at the suspected moment.
pub fn refuse_before(since: Timestamp, created: Timestamp) -> Result<(), FieldError> {
    if since >= created {
        return Ok(());
    }
    let message = format!(
        "The key was created on {}; it cannot have leaked before. Give a later moment.",
        created.exact_in_words()
    );
    Err(FieldError::new("since", "too_early", message))
}

/// `2026-01-29T10:30`, with a space or seconds, too.
fn minute(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.split_once(['T', ' '])?;
    let midnight = Timestamp::end_of_iso_date(date)?.minus_ms(DAY_MS);
    let mut parts = clock.split(':');
    let mut next = |below: i64| -> Option<i64> {
        let part = parts.next()?;
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|n| digits && *n < below)
    };
    let (hours, minutes) = (next(24)?, next(60)?);
    let seconds = next(60);
    let whole = clock.len() == if seconds.is_some() { 8 } else { 5 };
    whole.then(|| midnight.plus_ms(hours * HOUR_MS + minutes * 60_000 + seconds.unwrap_or(0) * 1_000))
}

/// What is known of one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub key_id: KeyId,
    pub status: IncidentStatus,
    pub suspected_since: Timestamp,
    /// How it was noticed.
    pub noticed: String,
    pub cause: String,
    pub impact: String,
    pub lessons: String,
    pub findings_version: i64,
    pub frozen_at: Option<Timestamp>,
    pub replaced_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub opened_by: String,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
}

/// An incident in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSummary {
    pub id: IncidentId,
    pub key_id: KeyId,
    pub key_name: String,
    pub key_hint: String,
    pub environment: Environment,
    pub status: IncidentStatus,
    pub suspected_since: Timestamp,
    pub opened_at: Timestamp,
    pub opened_by: String,
    pub closed_at: Option<Timestamp>,
    pub frozen: bool,
    pub replaced: bool,
    pub revoked: bool,
}

/// What the list is narrowed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFilter {
    #[serde(default)]
    pub status: Option<IncidentStatus>,
    #[serde(default)]
    pub key: Option<KeyId>,
    #[serde(default)]
    pub page: PageRequest,
}

/// All that the list shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentList {
    pub now: Timestamp,
    pub page: Page<IncidentSummary>,
    /// Open ones, of whichever filter.
    pub open: i64,
}

/// What the form that opens one needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakedForm {
    pub now: Timestamp,
    pub key: KeyDetail,
    /// One that is open already.
    pub open: Option<IncidentId>,
    /// Whether those who look after the key get a letter.
    pub tells_by_mail: bool,
}

/// All that the page of one incident, and its report, show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentPage {
    pub now: Timestamp,
    pub incident: Incident,
    pub organisation: String,
    pub key: KeyDetail,
    pub timeline: Timeline,
    pub siblings: SiblingKeys,
    pub checklist: Vec<ChecklistItem>,
    /// Who an item can be given to; nobody for whoever may not.
    pub members: Vec<MemberName>,
    pub me: Option<AccountId>,
    pub may_manage: bool,
    pub may_reopen: bool,
    /// A form's right to be submitted once: replacing shows a secret.
    pub nonce: String,
}

impl IncidentPage {
    /// Items that are neither done nor settled by a fact.
    #[must_use]
    pub fn open_items(&self) -> Vec<&ChecklistItem> {
        self.checklist.iter().filter(|item| !item.is_done()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    #[test]
    fn a_suspected_moment_is_now_an_hour_ago_or_one_that_has_passed() {
        assert_eq!(parse_since("now", "", NOW), Ok(NOW));
        assert_eq!(parse_since("hour", "x", NOW), Ok(NOW.minus_ms(HOUR_MS)));
        for text in ["2026-01-29T10:30", " 2026-01-29 10:30 ", "2026-01-29T10:30:00"] {
            let since = parse_since("custom", text, NOW).unwrap();
            assert_eq!(since.rfc3339(), "2026-01-29T10:30:00Z", "{text}");
        }
        for (choice, text, code) in [
            ("", "", "choice"),
            ("custom", "", "moment"),
            ("custom", "2026-01-29", "moment"),
            ("custom", "2026-01-29T24:00", "moment"),
            ("custom", "2026-01-29T1:30", "moment"),
            ("custom", "2026-01-29T10:30:00:00", "moment"),
            ("custom", "2026-01-29T10:30Z", "moment"),
            ("custom", "2026-02-30T10:30", "moment"),
            ("custom", "2026-01-29T10:31", "future"),
        ] {
            assert_eq!(
                parse_since(choice, text, NOW).unwrap_err().code,
                code,
                "{choice} {text}"
            );
        }
        assert!(refuse_before(NOW, NOW).is_ok() && refuse_before(NOW.minus_ms(1), NOW).is_err());
    }
}
