//! Access reviews: a campaign over keys, decided one by one by whoever answers for them.

use serde::{Deserialize, Serialize};

use super::advice::KeyAdvice;
use super::error::FieldError;
use super::id::{AccountId, KeyId, ReviewId};
use super::key::{Badge, Environment, KeyFilter, words};
use super::org::MemberName;
use super::page::Page;
use super::project::ProjectChoice;
use super::time::{DAY_MS, Timestamp};
use super::usage::LastUsed;

/// The most keys one review takes.
pub const KEYS_MAX: usize = 10_000;
/// Rows of one page: each is a decision with a note, and a form has a limit.
pub const ROWS: u32 = 25;
/// The longest a review may run.
const DAYS_MAX: i64 = 180;
/// The most people one review is divided among.
pub const REVIEWERS_MAX: usize = 50;

words! {
    /// How far a review has come.
    ReviewStatus {
        Running = "running", "Running";
        Finished = "finished", "Finished";
        Cancelled = "cancelled", "Cancelled";
    }
}

words! {
    /// What becomes of keys that nobody has decided about at the deadline.
    OnUndecided {
        Nothing = "nothing", "They stay as they are";
        Disable = "disable", "They are disabled";
    }
}

words! {
    /// Who reviews.
    Assignment {
        Owners = "owners", "Owners review their own keys";
        Members = "members", "Chosen members review keys of others";
    }
}

words! {
    /// What somebody decided about a key.
    Decision {
        Keep = "keep", "Keep";
        Tighten = "tighten", "Tighten";
        Revoke = "revoke", "Revoke";
    }
}

words! {
    /// What became of an item without a decision.
    Outcome {
        Disabled = "disabled", "Disabled";
        Undecided = "undecided", "Left as it was";
        Revoked = "revoked", "Revoked meanwhile";
        Failed = "failed", "Could not be disabled";
    }
}

words! {
    /// Which items a page shows.
    Shown {
        Mine = "mine", "Mine to decide";
        Open = "open", "To decide";
        Decided = "decided", "Decided";
        All = "all", "All";
    }
}

/// Reads the last day of a review: tomorrow at the earliest, in 180 days at the latest.
pub fn parse_deadline(text: &str, now: Timestamp) -> Result<Timestamp, FieldError> {
    let refuse = |code: &str, message: String| Err(FieldError::new("deadline", code, message));
    let Some(end) = Timestamp::end_of_iso_date(text.trim()) else {
        return refuse(
            "date",
            "Choose the last day of the review, as YYYY-MM-DD.".to_owned(),
        );
    };
    let today = now.floor_to(DAY_MS);
    if end <= today.plus_ms(DAY_MS) {
        let first = today.plus_ms(DAY_MS).iso_date();
        return refuse(
            "past",
            format!("Reviewers need some time. Choose {first} or a later day."),
        );
    }
    if end > today.plus_ms((DAYS_MAX + 1) * DAY_MS) {
        let last = today.plus_ms(DAYS_MAX * DAY_MS).iso_date();
        return refuse(
            "too_far",
            format!("A review runs for {DAYS_MAX} days at most. Choose {last} or an earlier day."),
        );
    }
    Ok(end)
}

/// How many of its keys are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    pub all: i64,
    pub kept: i64,
    pub tightened: i64,
    pub revoked: i64,
    /// Nobody decided, and it was disabled.
    pub disabled: i64,
    /// Nobody decided (yet).
    pub open: i64,
}

impl Progress {
    #[must_use]
    pub const fn decided(self) -> i64 {
        self.kept + self.tightened + self.revoked
    }
}

/// A review in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewSummary {
    pub id: ReviewId,
    pub name: String,
    pub status: ReviewStatus,
    pub started_at: Timestamp,
    pub started_by: AccountId,
    pub started_by_name: String,
    pub deadline: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub assignment: Assignment,
    pub on_undecided: OnUndecided,
    pub filter: KeyFilter,
    pub progress: Progress,
    /// Items that wait for whoever looks.
    pub mine: i64,
}

/// What is somebody's to decide is counted so far: whoever has more to do needs no number, and what is decided leaves the list.
pub const MINE_COUNTED: i64 = 1_000;

/// The page of reviews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewList {
    pub now: Timestamp,
    pub page: Page<ReviewSummary>,
    pub may_start: bool,
}

/// One key of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItem {
    pub key_id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub project_name: String,
    pub owner: String,
    /// None for a team.
    pub owner_account: Option<AccountId>,
    pub badge: Badge,
    pub scopes: Vec<String>,
    pub rules: Vec<String>,
    pub created_at: Timestamp,
    pub last_used: Option<LastUsed>,
    pub advice: Option<KeyAdvice>,
    /// Whose turn it is today: whoever was chosen, or who began the review in the place of one who has left.
    pub reviewer: AccountId,
    pub reviewer_name: String,
    pub decision: Option<Decision>,
    pub note: String,
    pub decided_at: Option<Timestamp>,
    pub decided_by: Option<String>,
    pub outcome: Option<Outcome>,
    /// Whether whoever looks may decide it now.
    pub may_decide: bool,
}

/// The page of one review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewPage {
    pub now: Timestamp,
    pub review: ReviewSummary,
    pub items: Page<ReviewItem>,
    pub shown: Shown,
    /// Whether whoever looks may finish or cancel it, and export it.
    pub may_manage: bool,
    pub may_export: bool,
    /// The key that exports are signed with, to be compared by whoever checks one.
    pub public_key: String,
}

/// What the form for a new review offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewReviewForm {
    pub now: Timestamp,
    pub projects: Vec<ProjectChoice>,
    /// Who may review everybody's keys.
    pub reviewers: Vec<MemberName>,
    pub me: Option<AccountId>,
    /// Keys that match the filter and are not revoked.
    pub matching: i64,
    pub filter: KeyFilter,
}

/// A filter in words.
#[must_use]
pub fn filter_in_words(filter: &KeyFilter, project: Option<&str>) -> String {
    let mut parts = Vec::new();
    parts.extend(
        filter
            .environment
            .map(|environment| format!("{} keys", environment.as_str())),
    );
    parts.extend(
        filter
            .badge
            .map(|badge| format!("status {}", badge.label().to_lowercase())),
    );
    if filter.against_policy {
        parts.push("against the policy".to_owned());
    }
    parts.extend(filter.concern.map(|concern| concern.label().to_lowercase()));
    if filter.project.is_some() {
        parts.push(format!(
            "project {}",
            project.unwrap_or("that is no longer there")
        ));
    }
    if !filter.search.is_empty() {
        parts.push(format!("“{}”", filter.search));
    }
    match parts.is_empty() {
        true => "All keys".to_owned(),
        false => {
            let words = parts.join(", ");
            let mut letters = words.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 21 November 2026, 10:00 UTC.
    const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

    #[test]
    fn a_deadline_is_tomorrow_at_the_earliest_and_in_180_days_at_the_latest() {
        let code = |text: &str| parse_deadline(text, NOW).unwrap_err().code;
        let day = |n: i64| NOW.plus_ms(n * DAY_MS).iso_date();
        assert_eq!(
            parse_deadline(&day(1), NOW).unwrap(),
            NOW.floor_to(DAY_MS).plus_ms(2 * DAY_MS)
        );
        assert!(parse_deadline(&day(180), NOW).is_ok());
        assert_eq!(
            (code(&day(0)), code(&day(-1)), code(&day(181)), code("soon")),
            ("past".into(), "past".into(), "too_far".into(), "date".into())
        );
    }

    #[test]
    fn a_filter_reads_as_words() {
        let mut filter = KeyFilter::default();
        assert_eq!(filter_in_words(&filter, None), "All keys");
        filter.environment = Some(Environment::Live);
        filter.search = "billing".to_owned();
        assert_eq!(filter_in_words(&filter, None), "Live keys, “billing”");
    }
}
