//! The security checklist: what is usually advised, held against what is there.
//!
//! Only what Keywright knows is judged. What it cannot see, and what there is nothing of yet, is listed as not checked
//! rather than passed.

use serde::{Deserialize, Serialize};

use super::calendar::{counted, grouped};
use super::key::words;
use super::policy::{OnLeak, Policy};
use super::time::{DAY_MS, Timestamp};

/// A key or token that nobody used for so long is likely to be forgotten.
pub const UNUSED_AFTER_DAYS: i64 = 90;
/// Access is reviewed twice a year at least (PCI DSS 4.0, 7.2.4).
pub const REVIEWED_WITHIN_DAYS: i64 = 183;

words! {
    /// What a check found.
    CheckState {
        Passes = "passes", "Passes";
        Attention = "attention", "Needs attention";
        NotChecked = "not_checked", "Not checked";
    }
}

words! {
    /// What checks are sorted by, in the order of the page.
    Topic {
        Keys = "keys", "Keys";
        Rules = "rules", "Policy";
        People = "people", "People";
        Services = "services", "Services";
        Response = "response", "When something goes wrong";
    }
}

words! {
    /// The checks, each with the advice as its label.
    CheckName {
        Expiry = "expiry", "Live keys expire";
        Rotation = "rotation", "Secrets are rotated in time";
        LeastPrivilege = "least_privilege", "No key may do everything";
        Addresses = "addresses", "Live keys say from where they are used";
        Unused = "unused", "Keys that nobody uses are gone";
        Owners = "owners", "Every key has an owner who is here";
        ServiceOwned = "service_owned", "Live keys belong to a team";
        Stored = "stored", "Every secret is known to be stored";
        ExpiryRule = "expiry_rule", "New live keys must expire";
        AddressRule = "address_rule", "New live keys must name addresses";
        UnusedRule = "unused_rule", "Unused keys are disabled by themselves";
        LeakRule = "leak_rule", "A leaked key is revoked at once";
        Factors = "factors", "Everybody has a second factor";
        FactorRule = "factor_rule", "A second factor is asked of everybody";
        TwoOwners = "two_owners", "More than one owner";
        TokenExpiry = "token_expiry", "Service tokens expire";
        TokenUnused = "token_unused", "Service tokens are in use";
        Incidents = "incidents", "No incident is open";
        Reviews = "reviews", "Access is reviewed";
        Mail = "mail", "Warnings reach people";
        AuditLog = "audit_log", "The audit log is whole";
        Plan = "plan", "Everybody knows what to do about a leaked key";
    }
}

impl CheckName {
    #[must_use]
    pub const fn topic(self) -> Topic {
        match self {
            Self::Expiry
            | Self::Rotation
            | Self::LeastPrivilege
            | Self::Addresses
            | Self::Unused
            | Self::Owners
            | Self::ServiceOwned
            | Self::Stored => Topic::Keys,
            Self::ExpiryRule | Self::AddressRule | Self::UnusedRule | Self::LeakRule => Topic::Rules,
            Self::Factors | Self::FactorRule | Self::TwoOwners => Topic::People,
            Self::TokenExpiry | Self::TokenUnused => Topic::Services,
            Self::Incidents | Self::Reviews | Self::Mail | Self::AuditLog | Self::Plan => Topic::Response,
        }
    }

    /// Why it matters, in one sentence.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Expiry => {
                "A key that ends by itself cannot be found in an old backup years later and still work."
            }
            Self::Rotation => "The longer a secret is good, the more copies of it there are.",
            Self::LeastPrivilege => {
                "Whoever steals a key with every scope can do everything, also what is added to the project later."
            }
            Self::Addresses => "A stolen key is worth little where it is not accepted.",
            Self::Unused => {
                "Nobody would miss a forgotten key, and nobody would notice that somebody else uses it."
            }
            Self::Owners => {
                "Keys of somebody who has left are refused; what still uses them fails, and nobody answers for it."
            }
            Self::ServiceOwned => "What runs without people should not stop when one of them leaves.",
            Self::Stored => {
                "A secret that nobody stored is lost, and one nobody is sure of may lie anywhere."
            }
            Self::ExpiryRule => "A rule holds for the keys that are still to come; a habit does not.",
            Self::AddressRule => "A rule holds for the keys that are still to come; a habit does not.",
            Self::UnusedRule => "Nobody tidies up keys every month; a rule does.",
            Self::LeakRule => "A secret that is found in public is tried by others within minutes.",
            Self::Factors => "A password alone can be guessed, phished or reused, and opens every key here.",
            Self::FactorRule => "Whoever joins tomorrow needs one, too.",
            Self::TwoOwners => "When the only owner loses their access, nobody changes the rules any more.",
            Self::TokenExpiry => "A service token can ask about every key of its project.",
            Self::TokenUnused => "A token that no service uses can only be misused.",
            Self::Incidents => "As long as an incident is open, somebody has something to do about a key.",
            Self::Reviews => "Access that nobody looks at again only ever grows.",
            Self::Mail => "Reminders, leak reports and invitations go by mail.",
            Self::AuditLog => {
                "The log is a chain; recomputing it shows whether anything was changed or cut off."
            }
            Self::Plan => {
                "Keywright cannot see this. Rehearse it once with a test key: freeze, replace, close."
            }
        }
    }

    /// Where it is mended: words and address.
    #[must_use]
    pub const fn link(self) -> (&'static str, &'static str) {
        match self {
            Self::Expiry => (
                "Show these keys",
                "/settings/api-keys?environment=live&status=no_end",
            ),
            Self::Rotation => ("Show these keys", "/settings/api-keys?status=rotation_overdue"),
            Self::LeastPrivilege => ("Show these keys", "/settings/api-keys?status=all_scopes"),
            Self::Addresses => (
                "Show these keys",
                "/settings/api-keys?environment=live&status=any_address",
            ),
            Self::Unused => ("Show these keys", "/settings/api-keys/unused?days=90"),
            Self::Owners => ("Show these keys", "/settings/api-keys?status=owner_inactive"),
            Self::ServiceOwned => (
                "Show these keys",
                "/settings/api-keys?environment=live&status=of_person",
            ),
            Self::Stored => ("Show these keys", "/settings/api-keys?status=not_confirmed"),
            Self::ExpiryRule | Self::AddressRule | Self::UnusedRule | Self::LeakRule => {
                ("Policy", "/settings/policy")
            }
            Self::Factors | Self::FactorRule => ("Two-factor below", "#two-factor"),
            Self::TwoOwners => ("Members", "/settings/members"),
            Self::TokenExpiry | Self::TokenUnused => ("Service tokens", "/settings/service-tokens"),
            Self::Incidents => ("Open incidents", "/settings/incidents?status=open"),
            Self::Reviews => ("Reviews", "/settings/reviews"),
            Self::Mail => ("Mail", "/instance/mail"),
            Self::AuditLog => ("Audit log", "/settings/audit-log"),
            Self::Plan => ("Incidents", "/settings/incidents"),
        }
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: CheckName,
    pub state: CheckState,
    /// What there is, with its number.
    pub found: String,
    /// Whether whoever looks can open where it is mended.
    pub has_link: bool,
}

/// All that the page shows; what somebody may not see is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    pub checks: Vec<Check>,
}

impl Checklist {
    #[must_use]
    pub fn count(&self, state: CheckState) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }
}

/// Keys that pass at this moment, and what of them is worth a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    pub all: i64,
    pub live: i64,
    /// Of the live ones.
    pub no_end: i64,
    pub any_address: i64,
    pub of_person: i64,
    /// Of all.
    pub all_scopes: i64,
    pub not_confirmed: i64,
    pub overdue: i64,
    /// They would pass if their owner were here; not in `all`.
    pub owner_inactive: i64,
    /// Unused for [`UNUSED_AFTER_DAYS`].
    pub unused: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleFacts {
    pub active: i64,
    pub without_factor: i64,
    pub owners: i64,
    pub factor_is_asked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    pub active: i64,
    pub no_end: i64,
    pub unused: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReviewFacts {
    pub running: bool,
    pub finished_at: Option<Timestamp>,
}

/// What the checks judge by; parts that whoever asks may not see are absent.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub now: Timestamp,
    pub keys: KeyFacts,
    pub live: &'a Policy,
    pub test: &'a Policy,
    pub open_incidents: i64,
    pub reviews: ReviewFacts,
    pub people: Option<PeopleFacts>,
    pub tokens: Option<TokenFacts>,
    /// Whether there is a mail server, and whether whoever asks may set one up.
    pub mail: Option<(bool, bool)>,
    pub may_read_audit: bool,
}

/// Holds the facts against the advice.
#[must_use]
pub fn checklist(facts: &Facts<'_>) -> Checklist {
    let mut checks = of_keys(&facts.keys);
    checks.extend(of_rules(facts.live, facts.test));
    checks.extend(facts.people.iter().flat_map(of_people));
    checks.extend(facts.tokens.iter().flat_map(of_tokens));
    checks.extend(of_response(facts));
    Checklist { checks }
}

fn check(name: CheckName, state: CheckState, found: impl Into<String>) -> Check {
    Check {
        name,
        state,
        found: found.into(),
        has_link: true,
    }
}

fn passes_if(passes: bool) -> CheckState {
    match passes {
        true => CheckState::Passes,
        false => CheckState::Attention,
    }
}

/// So many of all there are; of nothing there is nothing to check.
fn none_of(name: CheckName, count: i64, (all, noun): (i64, &str), (one, many): (&str, &str)) -> Check {
    if all + count == 0 {
        return check(
            name,
            CheckState::NotChecked,
            format!("There is no {noun} in force."),
        );
    }
    let verb = if count == 1 { one } else { many };
    let found = format!("{} of {} {verb}.", grouped(count), counted(all, noun));
    check(name, passes_if(count == 0), found)
}

fn of_keys(keys: &KeyFacts) -> Vec<Check> {
    let (live, all) = ((keys.live, "live key"), (keys.all, "key"));
    let away = keys.all + keys.owner_inactive;
    vec![
        none_of(
            CheckName::Expiry,
            keys.no_end,
            live,
            ("has no expiry", "have no expiry"),
        ),
        none_of(
            CheckName::Rotation,
            keys.overdue,
            all,
            ("is overdue", "are overdue"),
        ),
        none_of(
            CheckName::LeastPrivilege,
            keys.all_scopes,
            all,
            ("has every scope", "have every scope"),
        ),
        none_of(
            CheckName::Addresses,
            keys.any_address,
            live,
            ("is accepted from any address", "are accepted from any address"),
        ),
        none_of(
            CheckName::Unused,
            keys.unused,
            (away.max(keys.unused), "key"),
            (
                "was not used for 90 days or more",
                "were not used for 90 days or more",
            ),
        ),
        none_of(
            CheckName::Owners,
            keys.owner_inactive,
            (away, "key"),
            (
                "belongs to somebody who is not here any more",
                "belong to somebody who is not here any more",
            ),
        ),
        none_of(
            CheckName::ServiceOwned,
            keys.of_person,
            live,
            ("belongs to a person", "belong to a person"),
        ),
        none_of(
            CheckName::Stored,
            keys.not_confirmed,
            all,
            ("is not confirmed as stored", "are not confirmed as stored"),
        ),
    ]
}

fn of_rules(live: &Policy, test: &Policy) -> Vec<Check> {
    let rule = |name, holds: bool, yes: String, no: &str| {
        check(name, passes_if(holds), if holds { yes } else { no.to_owned() })
    };
    let end = match live.max_lifetime_days {
        Some(days) => format!("A live key lives {} at most.", counted(i64::from(days), "day")),
        None => "A live key must have an end.".to_owned(),
    };
    let unused = [("live", live.unused_days), ("test", test.unused_days)];
    let left: Vec<&str> = unused
        .iter()
        .filter(|(_, days)| days.is_none())
        .map(|(of, _)| *of)
        .collect();
    let alerting: Vec<&str> = [("live", live), ("test", test)]
        .into_iter()
        .filter(|(_, policy)| policy.on_leak == OnLeak::Alert)
        .map(|(of, _)| of)
        .collect();
    vec![
        rule(
            CheckName::ExpiryRule,
            live.expiry_required || live.max_lifetime_days.is_some(),
            end,
            "A live key may be made without an end.",
        ),
        rule(
            CheckName::AddressRule,
            live.addresses_required,
            "A live key must name the addresses it is used from.".to_owned(),
            "A live key may be made that is accepted from any address.",
        ),
        rule(
            CheckName::UnusedRule,
            left.is_empty(),
            "Live and test keys are disabled when nobody uses them.".to_owned(),
            &format!("Unused {} keys stay as they are.", left.join(" and ")),
        ),
        rule(
            CheckName::LeakRule,
            alerting.is_empty(),
            "Live and test keys are revoked when their secret is found in public.".to_owned(),
            &format!(
                "For {} keys somebody is told, and the key goes on.",
                alerting.join(" and ")
            ),
        ),
    ]
}

fn of_people(people: &PeopleFacts) -> Vec<Check> {
    let asked = match people.factor_is_asked {
        true => "Asked of everybody.",
        false => "Everybody decides for themselves.",
    };
    let owners = match people.owners {
        1 => "There is one owner.".to_owned(),
        n => format!("There are {}.", counted(n, "owner")),
    };
    vec![
        none_of(
            CheckName::Factors,
            people.without_factor,
            (people.active, "active member"),
            ("has no second factor", "have no second factor"),
        ),
        check(CheckName::FactorRule, passes_if(people.factor_is_asked), asked),
        check(CheckName::TwoOwners, passes_if(people.owners > 1), owners),
    ]
}

fn of_tokens(tokens: &TokenFacts) -> Vec<Check> {
    let all = (tokens.active, "service token");
    vec![
        none_of(
            CheckName::TokenExpiry,
            tokens.no_end,
            all,
            ("has no expiry", "have no expiry"),
        ),
        none_of(
            CheckName::TokenUnused,
            tokens.unused,
            all,
            (
                "was not used for 90 days or more",
                "were not used for 90 days or more",
            ),
        ),
    ]
}

fn of_response(facts: &Facts<'_>) -> Vec<Check> {
    let open = match facts.open_incidents {
        1 => "1 incident is open.".to_owned(),
        n => format!("{} incidents are open.", grouped(n)),
    };
    let mut checks = vec![
        check(CheckName::Incidents, passes_if(facts.open_incidents == 0), open),
        review(facts),
    ];
    if let Some((is_on, may_set_up)) = facts.mail {
        let found = match is_on {
            true => "Keywright has a mail server.",
            false => "Keywright has no mail server: nobody is told anything outside this application.",
        };
        checks.push(Check {
            has_link: may_set_up,
            ..check(CheckName::Mail, passes_if(is_on), found)
        });
    }
    if facts.may_read_audit {
        let found = "It is recomputed on the server, not here: run keywright audit verify, best every night.";
        checks.push(check(CheckName::AuditLog, CheckState::NotChecked, found));
    }
    let plan = "Freezing, replacing and the checklist stand ready under Incidents.";
    checks.push(check(CheckName::Plan, CheckState::NotChecked, plan));
    checks
}

fn review(facts: &Facts<'_>) -> Check {
    let ReviewFacts { running, finished_at } = facts.reviews;
    let recent = finished_at.is_some_and(|at| facts.now.since_ms(at) <= REVIEWED_WITHIN_DAYS * DAY_MS);
    let last = finished_at.map(|at| format!("The last review was finished on {}.", at.date_in_words()));
    match (last, running) {
        (Some(last), _) if recent => check(CheckName::Reviews, CheckState::Passes, last),
        (None, _) if facts.keys.all + facts.keys.owner_inactive == 0 => check(
            CheckName::Reviews,
            CheckState::NotChecked,
            "There is no key to review.",
        ),
        (last, true) => {
            let before = last.unwrap_or_else(|| "It is the first.".to_owned());
            check(
                CheckName::Reviews,
                CheckState::Attention,
                format!("A review is running. {before}"),
            )
        }
        (Some(last), false) => {
            let found = format!("{last} That is more than half a year ago.");
            check(CheckName::Reviews, CheckState::Attention, found)
        }
        (None, false) => check(
            CheckName::Reviews,
            CheckState::Attention,
            "Nobody has reviewed the keys yet.",
        ),
    }
}

#[cfg(test)]
mod tests;
