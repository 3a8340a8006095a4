//! Rotations that somebody opens for others: whoever is to have the new secret collects it, and only that makes it.

use serde::{Deserialize, Serialize};

use super::calendar::counted;
use super::id::KeyId;
use super::key::{Badge, Environment};
use super::org::Role;
use super::overlap::OverlapLimit;
use super::rotation::RotationEntry;
use super::time::{HOUR_MS, Timestamp};

/// Who collects the new secret of a key. It follows the key's owner: whoever owns it when they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// The owner, who alone may.
    Owner,
    /// Any admin: the owner is a team, or somebody who manages no keys.
    Admins,
}

impl Collector {
    /// Of a key whose owner is a person with this role, or a team.
    #[must_use]
    pub const fn of(owner: Option<Role>) -> Self {
        match owner {
            Some(Role::Owner | Role::Admin | Role::Developer) => Self::Owner,
            Some(Role::Auditor) | None => Self::Admins,
        }
    }

    /// Who that is, given the owner's name.
    #[must_use]
    pub fn in_words(self, owner: &str) -> String {
        match self {
            Self::Owner => owner.to_owned(),
            Self::Admins => "any admin".to_owned(),
        }
    }
}

/// A rotation that waits for whoever collects the new secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedRotation {
    pub opened_at: Timestamp,
    /// Who opened it, by name.
    pub opened_by: String,
    pub overlap_ms: i64,
    pub from_first_use: bool,
    /// Who collects, in words.
    pub collector: String,
    /// Whether whoever asks may.
    pub may_collect: bool,
    /// Whether they may call it off.
    pub may_call_off: bool,
}

impl OpenedRotation {
    /// What becomes of the secret that there is, as the end of a sentence.
    #[must_use]
    pub fn overlap_in_words(&self) -> String {
        let hours = counted(self.overlap_ms / HOUR_MS, "hour");
        match (self.overlap_ms, self.from_first_use) {
            (0, false) => "ends at once".to_owned(),
            (0, true) => "ends with the first use of the new one".to_owned(),
            (_, false) => format!("goes on for {hours}"),
            (_, true) => format!("goes on for {hours} after the first use of the new one"),
        }
    }
}

/// One of them on the page of rotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRotation {
    pub entry: RotationEntry,
    pub opened: OpenedRotation,
}

/// Why the rotation of a key that was chosen is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    NotYours,
    Revoked,
    /// Nobody has collected its first secret.
    Pending,
    Disabled,
    Expired,
    OwnerInactive,
    Rotating,
    /// It was opened before.
    Waiting,
    AgainstPolicy,
    /// The policy lets an old secret go on for so many hours at most.
    TooLong(u32),
}

/// What of a key decides whether its rotation can be opened.
#[derive(Clone, Copy, Debug)]
pub struct Rotatable {
    pub badge: Badge,
    pub may_rotate: bool,
    pub is_waiting: bool,
    pub breaks_policy: bool,
    /// Of the policy for its environment.
    pub max_overlap_hours: u32,
}

impl Skip {
    /// Why not, the first reason that somebody can do nothing about here. An old secret that ends at once is always allowed
    /// by the policy.
    #[must_use]
    pub fn of(key: Rotatable, overlap_ms: i64, from_first_use: bool) -> Option<Self> {
        let by_badge = match key.badge {
            Badge::Revoked => Some(Self::Revoked),
            Badge::Pending => Some(Self::Pending),
            Badge::Disabled => Some(Self::Disabled),
            Badge::Expired => Some(Self::Expired),
            Badge::OwnerInactive => Some(Self::OwnerInactive),
            Badge::Rotating => Some(Self::Rotating),
            Badge::NotYetValid | Badge::RotationOverdue | Badge::Active => None,
        };
        if !key.may_rotate {
            return Some(Self::NotYours);
        }
        if by_badge.is_some() {
            return by_badge;
        }
        let ends_at_once = overlap_ms == 0 && !from_first_use;
        if key.is_waiting {
            Some(Self::Waiting)
        } else if key.breaks_policy && !ends_at_once {
            Some(Self::AgainstPolicy)
        } else if overlap_ms > i64::from(key.max_overlap_hours) * HOUR_MS {
            Some(Self::TooLong(key.max_overlap_hours))
        } else {
            None
        }
    }

    /// The reason, for a table.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::NotYours => "Left out: not yours to rotate".to_owned(),
            Self::Revoked => "Left out: it is revoked".to_owned(),
            Self::Pending => "Left out: its first secret waits to be collected".to_owned(),
            Self::Disabled => "Left out: it is disabled".to_owned(),
            Self::Expired => "Left out: it has expired".to_owned(),
            Self::OwnerInactive => "Left out: its owner has left, transfer it first".to_owned(),
            Self::Rotating => "Left out: it rotates already".to_owned(),
            Self::Waiting => "Left out: a new secret waits to be collected already".to_owned(),
            Self::AgainstPolicy => "Left out: it breaks the policy, edit it first".to_owned(),
            Self::TooLong(0) => "Left out: the policy lets no old secret go on".to_owned(),
            Self::TooLong(hours) => {
                let most = counted(i64::from(hours), "hour");
                format!("Left out: the policy lets an old secret go on for {most} at most")
            }
        }
    }
}

/// A key that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningRow {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub owner: String,
    /// Who would collect, in words.
    pub collector: String,
    pub due_at: Option<Timestamp>,
    pub requests_day: i64,
    pub version: i64,
    pub skip: Option<Skip>,
}

/// What opening the chosen rotations would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningPreview {
    pub now: Timestamp,
    /// Those that would be opened first, the busiest at the top.
    pub rows: Vec<OpeningRow>,
    /// How many would be opened.
    pub count: i64,
    /// How many people would collect them; any admin counts as one.
    pub collectors: i64,
    /// How many were chosen and are not there any more.
    pub missing: i64,
    /// What the policy says of the overlap of those that could be opened.
    pub limit: OverlapLimit,
    /// The overlap that it was looked at with, as the form says it back.
    pub seen: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningDone {
    pub opened: i64,
    /// Left out for a reason that the preview tells.
    pub skipped: i64,
    /// Somebody changed it since it was looked at.
    pub changed: i64,
    pub missing: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: Rotatable = Rotatable {
        badge: Badge::RotationOverdue,
        may_rotate: true,
        is_waiting: false,
        breaks_policy: false,
        max_overlap_hours: 24,
    };

    #[test]
    fn a_key_is_left_out_for_the_first_reason_that_holds() {
        let of = |key| Skip::of(key, HOUR_MS, false);
        assert_eq!(of(READY), None);
        for badge in [Badge::Active, Badge::NotYetValid] {
            assert_eq!(of(Rotatable { badge, ..READY }), None);
        }
        for (badge, skip) in [
            (Badge::Revoked, Skip::Revoked),
            (Badge::Pending, Skip::Pending),
            (Badge::Disabled, Skip::Disabled),
            (Badge::Expired, Skip::Expired),
            (Badge::OwnerInactive, Skip::OwnerInactive),
            (Badge::Rotating, Skip::Rotating),
        ] {
            let key = Rotatable {
                badge,
                is_waiting: true,
                ..READY
            };
            assert_eq!(of(key), Some(skip));
            let not_mine = Rotatable {
                may_rotate: false,
                ..key
            };
            assert_eq!(of(not_mine), Some(Skip::NotYours));
        }
        let waiting = Rotatable {
            is_waiting: true,
            breaks_policy: true,
            ..READY
        };
        assert_eq!(of(waiting), Some(Skip::Waiting));
    }

    #[test]
    fn the_policy_bounds_the_overlap_and_never_keeps_an_old_secret_from_ending_at_once() {
        let broken = Rotatable {
            breaks_policy: true,
            ..READY
        };
        assert_eq!(Skip::of(broken, HOUR_MS, false), Some(Skip::AgainstPolicy));
        assert_eq!(Skip::of(broken, 0, true), Some(Skip::AgainstPolicy));
        assert_eq!(Skip::of(broken, 0, false), None);
        assert_eq!(Skip::of(READY, 24 * HOUR_MS, true), None);
        assert_eq!(Skip::of(READY, 25 * HOUR_MS, true), Some(Skip::TooLong(24)));
        let none = Rotatable {
            max_overlap_hours: 0,
            ..READY
        };
        assert_eq!(Skip::of(none, HOUR_MS, false), Some(Skip::TooLong(0)));
        assert_eq!(Skip::of(none, 0, false), None);
    }

    #[test]
    fn a_team_s_key_and_an_auditor_s_are_collected_by_admins() {
        assert_eq!(Collector::of(Some(Role::Developer)), Collector::Owner);
        assert_eq!(Collector::of(Some(Role::Auditor)), Collector::Admins);
        assert_eq!(Collector::of(None), Collector::Admins);
    }
}
