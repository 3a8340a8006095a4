//! What a policy is held against: the state that a key has, or would have after an act.

use serde::{Deserialize, Serialize};

use super::Policy;
use crate::model::calendar::counted;
use crate::model::error::FieldError;
use crate::model::restriction::Restrictions;
use crate::model::scope::{Scope, ScopeSet};
use crate::model::time::{DAY_MS, Timestamp};

/// What of a key a policy looks at.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub scopes: &'a ScopeSet,
    pub restrictions: &'a Restrictions,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// Days between rotations that the key says itself.
    pub rotation_days: Option<i64>,
}

impl Terms<'_> {
    /// Whether whatever passes by these terms passed by the former, too; the end is another matter.
    #[must_use]
    pub fn is_within(&self, former: &Terms<'_>) -> bool {
        self.scopes.is_within(former.scopes) && self.restrictions.is_within(former.restrictions)
    }

    #[must_use]
    pub fn ends_later_than(&self, former: &Terms<'_>) -> bool {
        former
            .expires_at
            .is_some_and(|former| self.expires_at.is_none_or(|end| end > former))
    }
}

/// A rule of a policy that a key can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    ExpiryRequired,
    MaxLifetime,
    AddressesRequired,
    Rotation,
    ForbiddenScopes,
}

impl Rule {
    pub const ALL: [Self; 5] = [
        Self::ExpiryRequired,
        Self::MaxLifetime,
        Self::AddressesRequired,
        Self::Rotation,
        Self::ForbiddenScopes,
    ];

    /// The field of the forms for keys where it is told.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::ExpiryRequired | Self::MaxLifetime => "expiry",
            Self::AddressesRequired => "ip_allow",
            Self::Rotation => "rotation_days",
            Self::ForbiddenScopes => "scopes",
        }
    }

    /// The code of the error beside that field.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ExpiryRequired => "policy_expiry_required",
            Self::MaxLifetime => "policy_max_lifetime",
            Self::AddressesRequired => "policy_addresses_required",
            Self::Rotation => "policy_rotation",
            Self::ForbiddenScopes => "policy_forbidden_scopes",
        }
    }
}

/// A rule that is broken, and how, as a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub rule: Rule,
    pub message: String,
}

impl From<Violation> for FieldError {
    fn from(broken: Violation) -> Self {
        Self::new(broken.rule.field(), broken.rule.code(), broken.message)
    }
}

impl Policy {
    /// Everything in which a key of these terms breaks the policy.
    #[must_use]
    pub fn violations(&self, terms: &Terms<'_>) -> Vec<Violation> {
        let told = |rule: Rule, message: Option<String>| message.map(|message| Violation { rule, message });
        [
            told(Rule::ExpiryRequired, self.missing_expiry(terms)),
            told(Rule::MaxLifetime, self.too_long(terms)),
            told(Rule::AddressesRequired, self.missing_addresses(terms)),
            told(Rule::Rotation, self.too_seldom(terms)),
            told(Rule::ForbiddenScopes, self.too_much(terms)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn missing_expiry(&self, terms: &Terms<'_>) -> Option<String> {
        let missing = self.expiry_required && self.max_lifetime_days.is_none() && terms.expires_at.is_none();
        missing.then(|| "The policy asks that every key has an end. Choose when this one ends.".to_owned())
    }

    /// Whole days count: a key may go on until the end of its last day.
    fn too_long(&self, terms: &Terms<'_>) -> Option<String> {
        let most = i64::from(self.max_lifetime_days?);
        let latest = terms.created_at.plus_ms((most + 1) * DAY_MS);
        let too_long = terms.expires_at.is_none_or(|end| end >= latest);
        too_long.then(|| {
            format!(
                "The policy lets a key live {} at most: this one until {}. Choose an earlier end.",
                counted(most, "day"),
                terms.created_at.plus_ms(most * DAY_MS).date_in_words()
            )
        })
    }

    fn missing_addresses(&self, terms: &Terms<'_>) -> Option<String> {
        let missing = self.addresses_required && terms.restrictions.addresses.allow.is_empty();
        missing.then(|| {
            "The policy asks that every key names the addresses it is used from. Give at least one."
                .to_owned()
        })
    }

    fn too_seldom(&self, terms: &Terms<'_>) -> Option<String> {
        let own = terms.rotation_days?;
        (own > i64::from(self.rotation_days)).then(|| {
            format!(
                "The policy asks for a rotation every {} or sooner. Give fewer days, or none to follow the policy.",
                counted(i64::from(self.rotation_days), "day")
            )
        })
    }

    fn too_much(&self, terms: &Terms<'_>) -> Option<String> {
        let names: Vec<&str> = terms
            .scopes
            .iter()
            .filter(|scope| self.forbidden_scopes.iter().any(|not| not.overlaps(scope)))
            .map(Scope::as_str)
            .collect();
        let forbidden: Vec<&str> = self.forbidden_scopes.iter().map(Scope::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "The policy allows no key {}. Take {} away, or narrow it so that it does not include that.",
                forbidden.join(", "),
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::Environment;
    use crate::model::restriction::RestrictionsDraft;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    fn scopes(text: &str) -> ScopeSet {
        ScopeSet::from_stored(text).unwrap()
    }

    fn broken(policy: &Policy, text: &str, allow: &str, days: Option<i64>, own: Option<i64>) -> Vec<Rule> {
        let (scopes, draft) = (
            scopes(text),
            RestrictionsDraft {
                ip_allow: vec![allow],
                ..RestrictionsDraft::default()
            },
        );
        let restrictions = Restrictions::parse(&draft).unwrap();
        let terms = Terms {
            scopes: &scopes,
            restrictions: &restrictions,
            created_at: NOW,
            expires_at: days.map(|days| NOW.plus_ms(days * DAY_MS)),
            rotation_days: own,
        };
        policy.violations(&terms).into_iter().map(|v| v.rule).collect()
    }

    #[test]
    fn the_default_policy_is_broken_by_a_long_interval_alone() {
        let policy = Policy::default_of(Environment::Live);
        assert_eq!(broken(&policy, "*", "", None, None), []);
        assert_eq!(broken(&policy, "*", "", None, Some(90)), []);
        assert_eq!(broken(&policy, "*", "", None, Some(91)), [Rule::Rotation]);
    }

    #[test]
    fn each_rule_is_told_and_only_what_is_broken() {
        let policy = Policy {
            expiry_required: true,
            max_lifetime_days: None,
            addresses_required: true,
            forbidden_scopes: scopes("admin:* billing:refund"),
            ..Policy::default_of(Environment::Live)
        };
        assert_eq!(broken(&policy, "images:read", "10.0.0.1", Some(9), None), []);
        assert_eq!(
            broken(&policy, "images:read", "", None, None),
            [Rule::ExpiryRequired, Rule::AddressesRequired]
        );
        let limited = Policy {
            max_lifetime_days: Some(30),
            ..policy
        };
        assert_eq!(broken(&limited, "read", "10.0.0.1", Some(30), None), []);
        assert_eq!(
            broken(&limited, "read", "10.0.0.1", Some(31), None),
            [Rule::MaxLifetime]
        );
        assert_eq!(
            broken(&limited, "read", "10.0.0.1", None, None),
            [Rule::MaxLifetime]
        );
    }

    #[test]
    fn a_wildcard_that_includes_what_is_forbidden_is_forbidden() {
        let policy = Policy {
            forbidden_scopes: scopes("admin:* billing:refund"),
            ..Policy::default_of(Environment::Test)
        };
        let is_refused = |text: &str| !broken(&policy, text, "", None, None).is_empty();
        for text in [
            "*",
            "admin:*",
            "admin:users",
            "admin:users:*",
            "billing:*",
            "billing:refund",
        ] {
            assert!(is_refused(text), "{text}");
        }
        for text in ["admin", "billing:read", "administrate:*", "billing:refunds"] {
            assert!(!is_refused(text), "{text}");
        }
    }
}
