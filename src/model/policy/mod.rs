//! Policy: what an organisation asks of every key of one environment, whoever makes or changes it.
//!
//! It is looked at on the state that a key would have after an act, never on the act alone: two changes that are harmless by
//! themselves do not add up to what is forbidden.

mod draft;
mod four_eyes;
mod page;
mod terms;

pub use draft::PolicyDraft;
pub use four_eyes::{FourEyes, LAPSE_DAYS, LAPSE_DAYS_MAX, LAPSE_DAYS_MIN};
pub use page::{BrokenKey, BrokenOwner, Plan, PolicyEditForm, PolicyPage, PolicyPreview, PolicyStanding};
pub use terms::{Rule, Terms, Violation};

use serde::{Deserialize, Serialize};

use super::key::Environment;
use super::rotation::default_interval_days;
use super::scope::ScopeSet;

/// The longest that two secrets of a key may be good at once, whatever a policy says: thirty days.
pub const OVERLAP_HOURS_MAX: u32 = 720;
/// Days of any rule: ten years.
pub const DAYS_MAX: u32 = 3_653;
/// Keys unused for less are not switched off: a job that runs each month is no corpse.
pub const UNUSED_DAYS_MIN: u32 = 7;
/// How long before an unused key is switched off its owner is told.
pub const UNUSED_NOTICE_DAYS: u32 = 7;
/// How far ahead a change may be planned.
pub const PLAN_DAYS_MAX: u32 = 365;

/// Who may create keys of an environment, and do what is as good as that: give one another secret, let one do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Creators {
    /// Admins and owners.
    Admins,
    /// Developers, too.
    Developers,
}

/// What becomes of a key whose secret somebody reports as found in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLeak {
    Revoke,
    /// An incident is opened, and owner and admins are told; the key goes on until one of them acts.
    Alert,
}

/// The rules of one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    pub creators: Creators,
    /// A key must end some day.
    pub expiry_required: bool,
    /// From its creation on, a key lives so long at most.
    pub max_lifetime_days: Option<u32>,
    /// A key must name the addresses it is used from.
    pub addresses_required: bool,
    /// Days between rotations, for keys that say none; others may say fewer.
    pub rotation_days: u32,
    /// How long the secret before goes on at most.
    pub max_overlap_hours: u32,
    /// What no key may be allowed to do.
    pub forbidden_scopes: ScopeSet,
    /// A key that was unused for so long is switched off, a week after its owner was told.
    pub unused_days: Option<u32>,
    pub on_leak: OnLeak,
    /// What a second person has to approve.
    #[serde(default)]
    pub approvals: FourEyes,
}

impl Policy {
    /// What holds until an organisation says otherwise.
    #[must_use]
    pub fn default_of(environment: Environment) -> Self {
        Self {
            creators: match environment {
                Environment::Live => Creators::Admins,
                Environment::Test => Creators::Developers,
            },
            expiry_required: false,
            max_lifetime_days: None,
            addresses_required: false,
            rotation_days: u32::try_from(default_interval_days(environment)).unwrap_or(DAYS_MAX),
            max_overlap_hours: OVERLAP_HOURS_MAX,
            forbidden_scopes: ScopeSet::default(),
            unused_days: None,
            on_leak: OnLeak::Revoke,
            approvals: FourEyes::default(),
        }
    }

    /// The rules as sentences, those that ask for nothing left out.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let days = |n: u32| super::calendar::counted(i64::from(n), "day");
        let mut words = vec![match self.creators {
            Creators::Admins => "Only admins create, rotate and widen keys.".to_owned(),
            Creators::Developers => "Developers create, rotate and widen keys of their own, too.".to_owned(),
        }];
        match (self.max_lifetime_days, self.expiry_required) {
            (Some(most), _) => words.push(format!("A key lives {} at most.", days(most))),
            (None, true) => words.push("A key must have an end.".to_owned()),
            (None, false) => {}
        }
        if self.addresses_required {
            words.push("A key must name the addresses it is used from.".to_owned());
        }
        words.push(format!(
            "A key rotates every {} or sooner.",
            days(self.rotation_days)
        ));
        if self.max_overlap_hours < OVERLAP_HOURS_MAX {
            let hours = super::calendar::counted(i64::from(self.max_overlap_hours), "hour");
            words.push(match self.max_overlap_hours {
                0 => "An old secret ends as soon as there is a new one.".to_owned(),
                _ => format!("An old secret goes on for {hours} at most."),
            });
        }
        if !self.forbidden_scopes.is_empty() {
            let names: Vec<&str> = self
                .forbidden_scopes
                .iter()
                .map(super::scope::Scope::as_str)
                .collect();
            words.push(format!("No key may have {}.", names.join(", ")));
        }
        if let Some(unused) = self.unused_days {
            words.push(format!(
                "A key that was unused for {} is disabled, {} after its owner was told.",
                days(unused),
                days(UNUSED_NOTICE_DAYS)
            ));
        }
        words.extend(self.approvals.in_words());
        words.push(match self.on_leak {
            OnLeak::Revoke => "A key whose secret is found in public is revoked at once.".to_owned(),
            OnLeak::Alert => {
                "When a secret is found in public, an incident is opened, and owner and admins are told; the key goes on."
                    .to_owned()
            }
        });
        words
    }
}
