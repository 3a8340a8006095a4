//! Keys: their states, and what is shown of them.

use serde::{Deserialize, Serialize};

use super::bulk::{AGAINST_POLICY, ANY_STATUS};
use super::error::FieldError;
use super::handover::Handover;
use super::id::{AccountId, KeyId, ProjectId};
use super::opening::OpenedRotation;
use super::page::{DEFAULT_SIZE, PageRequest};
use super::policy::Violation;
use super::restriction::Restrictions;
use super::rotation::Rotation;
use super::scope::ScopeSet;
use super::time::{DAY_MS, Timestamp};
use super::usage::LastUsed;

/// Lifetime offered first, in days.
pub const DEFAULT_LIFETIME_DAYS: u32 = 90;
/// The choice that leaves the end of a key as it is.
pub const KEEP_EXPIRY: &str = "keep";
/// Longest lifetime a date may give: ten years.
const LIFETIME_MAX_DAYS: i64 = 3_653;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(super) use words;

words! {
    /// Part of the key's text; live and test keys never stand in for each other.
    Environment {
        Live = "live", "Live";
        Test = "test", "Test";
    }
}

words! {
    /// What is stored. Expired is derived from the clock.
    KeyStatus {
        Active = "active", "Active";
        Disabled = "disabled", "Disabled";
        Revoked = "revoked", "Revoked";
    }
}

words! {
    /// What is shown and filtered by. The order is that of precedence: revoked hides disabled, disabled hides expired.
    Badge {
        Revoked = "revoked", "Revoked";
        Pending = "pending", "Pending";
        Disabled = "disabled", "Disabled";
        Expired = "expired", "Expired";
        NotYetValid = "not_yet_valid", "Not yet valid";
        OwnerInactive = "owner_inactive", "Owner inactive";
        Rotating = "rotating", "Rotating";
        RotationOverdue = "rotation_overdue", "Rotation overdue";
        Active = "active", "Active";
    }
}

words! {
    /// Why a key was revoked (the reasons of RFC 5280 §5.3.1 that make sense for a key).
    RevocationReason {
        Unspecified = "unspecified", "No particular reason";
        KeyCompromise = "keyCompromise", "The key leaked or may have leaked";
        AffiliationChanged = "affiliationChanged", "The owner or team changed";
        Superseded = "superseded", "Another key replaces it";
        CessationOfOperation = "cessationOfOperation", "What used it has ended";
        PrivilegeWithdrawn = "privilegeWithdrawn", "It may no longer do this";
    }
}

words! {
    /// Something about a key that passes that is worth a look; a filter of the list.
    Concern {
        /// It never expires.
        NoEnd = "no_end", "No expiry";
        AnyAddress = "any_address", "From any address";
        AllScopes = "all_scopes", "Every scope";
        /// Rather than to a team.
        OfPerson = "of_person", "Owned by a person";
        NotConfirmed = "not_confirmed", "Not confirmed as stored";
    }
}

words! {
    /// Orders of the list.
    KeySort {
        Created = "created", "Newest";
        Name = "name", "Name";
        LastUsed = "last_used", "Last used";
        Expires = "expires", "Expires";
    }
}

/// What the badge of a key rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: KeyStatus,
    /// A key waits without one for whoever collects it.
    pub has_secret: bool,
    pub project_archived: bool,
    pub expires_at: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub owner_active: bool,
    /// Until when a previous secret goes on.
    pub overlap_until: Option<Timestamp>,
    pub rotation_due_at: Option<Timestamp>,
}

/// Derives the badge. Pure: the one place that knows the precedence.
#[must_use]
pub fn badge(key: Standing, now: Timestamp) -> Badge {
    let has_come = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    match key.status {
        KeyStatus::Revoked => Badge::Revoked,
        _ if !key.has_secret => Badge::Pending,
        KeyStatus::Disabled => Badge::Disabled,
        KeyStatus::Active if key.project_archived => Badge::Disabled,
        KeyStatus::Active if has_come(key.expires_at) => Badge::Expired,
        KeyStatus::Active if key.not_before.is_some_and(|at| at > now) => Badge::NotYetValid,
        KeyStatus::Active if !key.owner_active => Badge::OwnerInactive,
        KeyStatus::Active if key.overlap_until.is_some_and(|at| at > now) => Badge::Rotating,
        KeyStatus::Active if has_come(key.rotation_due_at) => Badge::RotationOverdue,
        KeyStatus::Active => Badge::Active,
    }
}

impl Badge {
    /// Whether a key that shows it passes.
    #[must_use]
    pub const fn passes(self) -> bool {
        matches!(self, Self::Active | Self::Rotating | Self::RotationOverdue)
    }
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Member {
        id: AccountId,
        name: String,
    },
    /// A label for keys that belong to a service rather than a person.
    Team(String),
}

impl Owner {
    /// The account of a member; a team has none.
    #[must_use]
    pub const fn account_id(&self) -> Option<&AccountId> {
        match self {
            Self::Member { id, .. } => Some(id),
            Self::Team(_) => None,
        }
    }

    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Member { name, .. } | Self::Team(name) => name,
        }
    }
}

/// How long a new key lives, as it was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    Unlimited,
    Days(u32),
    Until(Timestamp),
}

impl Lifetime {
    /// Reads `none`, a number of days, or `custom` with a date `YYYY-MM-DD`, that day included.
    pub fn parse(choice: &str, date: &str, now: Timestamp) -> Result<Self, FieldError> {
        let refuse = |code: &str, message: String| Err(FieldError::new("expiry", code, message));
        match choice {
            "none" => Ok(Self::Unlimited),
            "custom" => {
                let Some(end) = Timestamp::end_of_iso_date(date.trim()) else {
                    return refuse(
                        "date",
                        "Choose the last day on which the key is valid, as YYYY-MM-DD.".to_owned(),
                    );
                };
                if end <= now {
                    return refuse("past", format!("{} has passed. Choose a later day.", date.trim()));
                }
                if end.since_ms(now) > LIFETIME_MAX_DAYS * DAY_MS {
                    return refuse(
                        "too_far",
                        "A key lives ten years at most. Choose an earlier day, or “never”.".to_owned(),
                    );
                }
                Ok(Self::Until(end))
            }
            days => match days.parse::<u32>() {
                Ok(days) if (1..=3_653).contains(&days) => Ok(Self::Days(days)),
                _ => refuse(
                    "choice",
                    "Choose how long it is valid: 1 to 3653 days, a date, or never.".to_owned(),
                ),
            },
        }
    }

    #[must_use]
    pub fn expires_at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Unlimited => None,
            Self::Days(days) => Some(now.plus_ms(i64::from(days) * DAY_MS)),
            Self::Until(end) => Some(end),
        }
    }
}

/// A key in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySummary {
    pub id: KeyId,
    pub name: String,
    /// Prefix, environment and the first characters of the public id; never of the secret.
    pub hint: String,
    pub environment: Environment,
    pub project_id: ProjectId,
    pub project_name: String,
    pub owner: Owner,
    pub scopes: ScopeSet,
    pub badge: Badge,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// When somebody confirmed that the secret is stored; until then the key is "not confirmed".
    pub stored_at: Option<Timestamp>,
    pub last_used: Option<LastUsed>,
    /// Until when a previous secret goes on; in the past once it has ended.
    pub overlap_until: Option<Timestamp>,
    pub rotation_due_at: Option<Timestamp>,
    /// Requests a day over the last seven days, oldest first.
    pub week: Vec<i64>,
    /// Whether it breaks the policy in force.
    pub breaks_policy: bool,
    /// Whether whoever asks may edit, disable or revoke it.
    pub may_manage: bool,
}

/// All that the page of one key shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDetail {
    pub summary: KeySummary,
    pub purpose: String,
    pub status: KeyStatus,
    pub project_archived: bool,
    pub created_by: String,
    pub stored_note: String,
    pub disabled_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
    pub revoked_reason: Option<RevocationReason>,
    pub revoked_note: String,
    /// Requests of the last 60 minutes: what a revocation would refuse.
    pub requests_last_hour: i64,
    /// Whether the asking actor may edit, disable or revoke it.
    pub may_manage: bool,
    /// Whether they may do what is as good as a new key: give it another secret, let it do more again.
    pub may_rotate: bool,
    /// Since when the present secret exists.
    pub secret_since: Timestamp,
    /// The key's own interval between rotations.
    pub rotation_days: Option<i64>,
    /// From where, for what and when it passes.
    pub restrictions: Restrictions,
    /// Whether this installation can tell countries; without, a rule about them refuses every request.
    pub country_database: bool,
    /// Rules of the policy in force that it breaks.
    pub violations: Vec<Violation>,
    /// Of a key whose secret is, or was, collected by a link.
    pub handover: Option<Handover>,
    /// How many hours the policy lets an old secret of its go on at most.
    pub max_overlap_hours: u32,
    /// While two secrets are good at once.
    pub rotation: Option<Rotation>,
    /// While a new secret waits to be collected.
    pub opened: Option<OpenedRotation>,
    /// When whoever had it before left and handed it on: they know the present secret.
    pub handed_on_at: Option<Timestamp>,
    pub version: i64,
}

/// How many keys there are of what, for the head of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCounts {
    pub active: i64,
    pub not_confirmed: i64,
    /// Active keys that expire within 14 days.
    pub expiring: i64,
    /// Keys that should have got another secret by now.
    pub overdue: i64,
    /// Keys whose first secret waits to be collected.
    pub pending: i64,
    pub all: i64,
}

/// What the list is filtered and sorted by; its query string is the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFilter {
    /// Part of the name, or the start of an id or of a key.
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub project: Option<ProjectId>,
    #[serde(default)]
    pub environment: Option<Environment>,
    #[serde(default)]
    pub badge: Option<Badge>,
    /// In place of a badge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concern: Option<Concern>,
    /// Without a badge: revoked keys, too.
    #[serde(default)]
    pub with_revoked: bool,
    /// Only what breaks the policy in force.
    #[serde(default)]
    pub against_policy: bool,
    #[serde(default)]
    pub sort: Option<KeySort>,
    #[serde(default)]
    pub page: PageRequest,
}

impl KeyFilter {
    /// The filter that an address asks for; values that mean nothing are left out.
    #[must_use]
    pub fn asked(text: impl Fn(&str) -> String) -> Self {
        Self {
            sort: KeySort::parse(&text("sort")),
            page: PageRequest::clamped(text("page").parse().unwrap_or(1), DEFAULT_SIZE),
            ..Self::of_fields(text)
        }
    }

    /// What its fields say of which keys; in no order, from the first page.
    #[must_use]
    pub fn of_fields(text: impl Fn(&str) -> String) -> Self {
        Self {
            search: text("q").chars().take(200).collect(),
            project: text("project").parse().ok(),
            environment: Environment::parse(&text("environment")),
            badge: Badge::parse(&text("status")),
            concern: Concern::parse(&text("status")),
            with_revoked: text("status") == ANY_STATUS,
            against_policy: text("policy") == AGAINST_POLICY,
            ..Self::default()
        }
    }

    /// The state or concern it asks for, as an address says it; empty for none.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let concern = self.concern.map_or("", Concern::as_str);
        self.badge.map_or(concern, Badge::as_str)
    }

    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty()
            || self.project.is_some()
            || self.environment.is_some()
            || self.badge.is_some()
            || self.concern.is_some()
            || self.with_revoked
            || self.against_policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    #[test]
    fn each_state_hides_those_after_it() {
        let past = Some(NOW.minus_ms(1));
        let mut key = Standing {
            status: KeyStatus::Revoked,
            has_secret: false,
            project_archived: true,
            expires_at: Some(NOW),
            not_before: Some(NOW.plus_ms(1)),
            owner_active: false,
            overlap_until: Some(NOW.plus_ms(1)),
            rotation_due_at: past,
        };
        assert_eq!(badge(key, NOW), Badge::Revoked);
        key.status = KeyStatus::Disabled;
        assert_eq!(badge(key, NOW), Badge::Pending);
        key.has_secret = true;
        assert_eq!(badge(key, NOW), Badge::Disabled);
        key.status = KeyStatus::Active;
        assert_eq!(badge(key, NOW), Badge::Disabled, "archived project");
        key.project_archived = false;
        assert_eq!(badge(key, NOW), Badge::Expired);
        key.expires_at = Some(NOW.plus_ms(1));
        assert_eq!(badge(key, NOW), Badge::NotYetValid);
        key.not_before = Some(NOW);
        assert_eq!(badge(key, NOW), Badge::OwnerInactive);
        key.owner_active = true;
        assert_eq!(badge(key, NOW), Badge::Rotating);
        key.overlap_until = Some(NOW);
        assert_eq!(badge(key, NOW), Badge::RotationOverdue);
        key.rotation_due_at = Some(NOW.plus_ms(1));
        assert_eq!(badge(key, NOW), Badge::Active);
        assert!(
            [Badge::Active, Badge::Rotating, Badge::RotationOverdue]
                .into_iter()
                .all(Badge::passes)
        );
    }

    #[test]
    fn a_lifetime_is_days_a_date_or_none() {
        assert_eq!(
            Lifetime::parse("90", "", NOW).unwrap().expires_at(NOW),
            Some(NOW.plus_ms(90 * DAY_MS))
        );
        assert_eq!(Lifetime::parse("none", "", NOW).unwrap().expires_at(NOW), None);
        let until = Lifetime::parse("custom", "2026-01-29", NOW).unwrap();
        assert_eq!(until.expires_at(NOW).unwrap().rfc3339(), "2026-01-30T00:00:00Z");
        for (choice, date, code) in [
            ("0", "", "choice"),
            ("", "", "choice"),
            ("-1", "", "choice"),
            ("custom", "2026-01-28", "past"),
            ("custom", "tomorrow", "date"),
            ("custom", "2099-01-01", "too_far"),
            ("4000", "", "choice"),
        ] {
            assert_eq!(
                Lifetime::parse(choice, date, NOW).unwrap_err().code,
                code,
                "{choice} {date}"
            );
        }
    }
}
