//! What the pages of policies show.

use serde::{Deserialize, Serialize};

use super::{Policy, Violation};
use crate::model::id::KeyId;
use crate::model::key::{Environment, Owner};
use crate::model::time::Timestamp;

/// Other rules that are to hold from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub policy: Policy,
    pub from: Timestamp,
}

impl Plan {
    /// What will be asked that is not asked under these rules, as sentences.
    #[must_use]
    pub fn new_in_words(&self, present: &Policy) -> Vec<String> {
        let present = present.in_words();
        let mut words = self.policy.in_words();
        words.retain(|line| !present.contains(line));
        words
    }
}

/// The rules of an environment: those in force, and those planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStanding {
    pub environment: Environment,
    pub policy: Policy,
    pub plan: Option<Plan>,
    /// Rises with each change; 0 while nobody has changed anything.
    pub version: i64,
    pub changed_at: Option<Timestamp>,
}

impl PolicyStanding {
    /// What is planned and does not hold yet.
    #[must_use]
    pub fn planned(self, now: Timestamp) -> Option<Plan> {
        self.plan.filter(|plan| plan.from > now)
    }

    /// The rules that hold at this moment: planned ones from their day on, whether or not anybody has looked since.
    #[must_use]
    pub fn in_force(self, now: Timestamp) -> Policy {
        match self.plan {
            Some(plan) if plan.from <= now => plan.policy,
            _ => self.policy,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPage {
    pub now: Timestamp,
    pub standings: Vec<PolicyStanding>,
    pub may_change: bool,
}

/// What the form for one environment begins with; once it was sent, what its rules would break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyEditForm {
    pub now: Timestamp,
    pub standing: PolicyStanding,
    pub may_change: bool,
}

/// A key that would break rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenKey {
    pub id: KeyId,
    pub name: String,
    pub owner: Owner,
    pub last_used: Option<Timestamp>,
    pub violations: Vec<Violation>,
    /// Whether it breaks at least one rule that it keeps as the rules are now.
    pub newly: bool,
}

/// Whose keys would break rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenOwner {
    pub owner: Owner,
    pub keys: i64,
    /// Of them, used within the last 24 hours.
    pub in_use: i64,
}

/// What rules would break among the keys that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPreview {
    /// Those used most recently first, at most fifty.
    pub keys: Vec<BrokenKey>,
    /// Whose all of them are, whoever has most first, at most fifty.
    pub owners: Vec<BrokenOwner>,
    pub owners_in_all: i64,
    pub broken: i64,
    /// Of them, used within the last 24 hours.
    pub in_use: i64,
    /// Of them, those that break at least one rule which they keep as the rules are now.
    pub newly: i64,
    /// The rules, as the form says them back: only what was looked at is saved.
    pub seen: String,
    /// How many keys were looked at.
    pub looked_at: i64,
}
