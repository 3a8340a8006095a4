//! What of a policy needs somebody else's consent, and whose requests do.

use serde::{Deserialize, Serialize};

use super::Terms;
use crate::model::approval::Reason;
use crate::model::calendar::counted;
use crate::model::scope::Scope;
use crate::model::time::{DAY_MS, Timestamp};

/// How many days a request waits at least: letters about what waits go out once a day.
pub const LAPSE_DAYS_MIN: u32 = 2;
/// How many days a request waits at most.
pub const LAPSE_DAYS_MAX: u32 = 30;
/// How many it waits unless a policy says otherwise.
pub const LAPSE_DAYS: u32 = 7;

/// Which acts a second person has to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct FourEyes {
    /// Every new key. Developers who may not create one may ask for one then.
    pub new_keys: bool,
    /// A scope that the project calls sensitive, for a key that did not have it.
    pub sensitive: bool,
    /// A change that lets a key do more, from more places, at more times or for longer.
    pub wider: bool,
    /// An end that is more days away than this, or none.
    pub beyond_days: Option<u32>,
    /// Days after which a request that nobody decided lapses.
    pub lapse_days: u32,
    /// Owners act without; the audit log says so each time.
    pub owners_exempt: bool,
}

impl Default for FourEyes {
    fn default() -> Self {
        Self {
            new_keys: false,
            sensitive: false,
            wider: false,
            beyond_days: None,
            lapse_days: LAPSE_DAYS,
            owners_exempt: false,
        }
    }
}

impl FourEyes {
    /// Whether anything needs approval at all.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.new_keys || self.sensitive || self.wider || self.beyond_days.is_some()
    }

    /// Why a new key of these terms needs approval; empty when it does not. `sensitive` are the project's sensitive scopes.
    #[must_use]
    pub fn of_new<'s>(
        &self,
        terms: &Terms<'_>,
        sensitive: impl IntoIterator<Item = &'s str>,
        now: Timestamp,
    ) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.new_keys {
            reasons.push(Reason::NewKey);
        }
        if self.sensitive && sensitive.into_iter().any(|scope| grants(terms, scope)) {
            reasons.push(Reason::Sensitive);
        }
        if self.is_beyond(terms.expires_at, now) {
            reasons.push(Reason::LongLife);
        }
        reasons
    }

    /// Why a change from one state of a key to another needs approval. What the key had before needs none again.
    #[must_use]
    pub fn of_change<'s>(
        &self,
        former: &Terms<'_>,
        terms: &Terms<'_>,
        sensitive: impl IntoIterator<Item = &'s str>,
        now: Timestamp,
    ) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let is_new = |scope: &str| grants(terms, scope) && !grants(former, scope);
        if self.sensitive && sensitive.into_iter().any(is_new) {
            reasons.push(Reason::Sensitive);
        }
        let ends_later = terms.ends_later_than(former);
        if self.wider && (ends_later || !terms.is_within(former)) {
            reasons.push(Reason::Wider);
        }
        if ends_later && self.is_beyond(terms.expires_at, now) {
            reasons.push(Reason::LongLife);
        }
        reasons
    }

    /// Whole days count, as they do for the longest lifetime.
    fn is_beyond(&self, end: Option<Timestamp>, now: Timestamp) -> bool {
        self.beyond_days.is_some_and(|days| {
            let latest = now.plus_ms((i64::from(days) + 1) * DAY_MS);
            end.is_none_or(|end| end >= latest)
        })
    }

    /// The rules as sentences; none when nothing needs approval.
    pub(super) fn in_words(&self) -> Vec<String> {
        if !self.asks() {
            return Vec::new();
        }
        let long = self.beyond_days.map(|days| {
            format!(
                "an end more than {} away, or none",
                counted(i64::from(days), "day")
            )
        });
        let asked = [
            self.new_keys.then(|| "every new key".to_owned()),
            self.sensitive.then(|| "a sensitive scope".to_owned()),
            self.wider.then(|| "a change that lets a key do more".to_owned()),
            long,
        ];
        let asked: Vec<String> = asked.into_iter().flatten().collect();
        let except = match self.owners_exempt {
            true => ", unless an owner acts",
            false => "",
        };
        let mut words = vec![format!("A second person approves {}{except}.", joined(&asked))];
        if self.new_keys {
            words.push("Developers ask for keys that they may not create.".to_owned());
        }
        words
    }
}

/// "a, b and c".
fn joined(parts: &[String]) -> String {
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// Whether a key of these terms has the scope, by its name or by a wildcard.
fn grants(terms: &Terms<'_>, scope: &str) -> bool {
    terms.scopes.iter().any(|own: &Scope| own.covers(scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::restriction::{Restrictions, RestrictionsDraft};
    use crate::model::scope::ScopeSet;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);
    const ALL: FourEyes = FourEyes {
        new_keys: false,
        sensitive: true,
        wider: true,
        beyond_days: Some(90),
        lapse_days: 7,
        owners_exempt: false,
    };

    struct Key(ScopeSet, Restrictions, Option<i64>);

    impl Key {
        fn new(scopes: &str, allow: &str, days: Option<i64>) -> Self {
            let draft = RestrictionsDraft {
                ip_allow: vec![allow],
                ..RestrictionsDraft::default()
            };
            let scopes = ScopeSet::from_stored(scopes).unwrap();
            Self(scopes, Restrictions::parse(&draft).unwrap(), days)
        }

        fn terms(&self) -> Terms<'_> {
            Terms {
                scopes: &self.0,
                restrictions: &self.1,
                created_at: NOW,
                expires_at: self.2.map(|days| NOW.plus_ms(days * DAY_MS)),
                rotation_days: None,
            }
        }
    }

    fn change(former: &Key, key: &Key) -> Vec<Reason> {
        ALL.of_change(&former.terms(), &key.terms(), ["images:write"], NOW)
    }

    #[test]
    fn nothing_needs_approval_until_a_policy_says_so() {
        let rules = FourEyes::default();
        let all = Key::new("*", "", None);
        assert!(!rules.asks());
        assert_eq!(rules.of_new(&all.terms(), ["images:write"], NOW), []);
        let little = Key::new("images:read", "10.0.0.1", Some(1));
        assert_eq!(
            rules.of_change(&little.terms(), &all.terms(), ["images:write"], NOW),
            []
        );
    }

    #[test]
    fn a_new_key_is_asked_about_for_what_it_would_be() {
        let of_new = |rules: FourEyes, key: &Key| rules.of_new(&key.terms(), ["images:write"], NOW);
        assert_eq!(of_new(ALL, &Key::new("images:read", "", Some(90))), []);
        assert_eq!(
            of_new(ALL, &Key::new("images:write", "", Some(90))),
            [Reason::Sensitive]
        );
        assert_eq!(
            of_new(ALL, &Key::new("images:*", "", None)),
            [Reason::Sensitive, Reason::LongLife],
            "a wildcard grants what it stands for"
        );
        assert_eq!(
            of_new(ALL, &Key::new("images:read", "", Some(91))),
            [Reason::LongLife]
        );
        let every = FourEyes {
            new_keys: true,
            ..ALL
        };
        assert_eq!(
            of_new(every, &Key::new("images:read", "", Some(1))),
            [Reason::NewKey]
        );
    }

    #[test]
    fn a_change_is_asked_about_for_what_it_adds() {
        let key = Key::new("images:read", "10.0.0.0/24", Some(30));
        assert_eq!(change(&key, &key), []);
        assert_eq!(
            change(&key, &Key::new("images:read", "10.0.0.1", Some(9))),
            [],
            "narrower"
        );
        assert_eq!(
            change(&key, &Key::new("images:read", "", Some(30))),
            [Reason::Wider]
        );
        assert_eq!(
            change(&key, &Key::new("images:read", "10.0.0.0/24", Some(31))),
            [Reason::Wider]
        );
        assert_eq!(
            change(&key, &Key::new("images:*", "10.0.0.0/24", None)),
            [Reason::Sensitive, Reason::Wider, Reason::LongLife]
        );
        let endless = Key::new("images:write", "", None);
        assert_eq!(
            change(&endless, &Key::new("images:write", "", Some(400))),
            [],
            "it had all of that"
        );
    }

    #[test]
    fn rules_are_told_in_one_sentence() {
        assert_eq!(FourEyes::default().in_words(), Vec::<String>::new());
        let rules = FourEyes {
            owners_exempt: true,
            ..ALL
        };
        assert_eq!(
            rules.in_words(),
            [
                "A second person approves a sensitive scope, a change that lets a key do more and an end more than 90 days away, or none, unless an owner acts."
            ]
        );
    }
}
