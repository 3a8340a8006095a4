//! Least privilege: what of a key's access nothing needed for 90 days, and the key without it.
//!
//! In doubt nothing is advised: whoever follows the advice must not find a service refused. So nothing is called unused
//! that was not watched for the whole time, nor where requests did not say what they need.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::restriction::{Pattern, Restrictions};
use super::scope::{SCOPES_MAX, Scope, ScopeSet};
use super::time::{DAY_MS, HOUR_MS, Timestamp};

/// How long nothing must need something before it is called unused.
pub const WATCHED_MS: i64 = 90 * DAY_MS;
/// How long a tightening can be undone.
pub const UNDO_MS: i64 = 7 * DAY_MS;
/// A use is noted again only when this has passed since.
pub const NOTED_EACH_MS: i64 = HOUR_MS;
/// Concrete scopes kept of one key's wildcards; what comes after is noted as “more”.
pub const CONCRETES_MAX: usize = 100;
/// Addresses that are looked at; a key used from more gets no advice about addresses.
pub const ADDRESSES_SEEN_MAX: usize = 300;
/// A wildcard used as so many scopes at most is better replaced by them.
const FEW_SCOPES: usize = 5;
/// A key used from so many addresses at most is better limited to them.
const FEW_ADDRESSES: usize = 5;
/// Networks in one list of advice: a form has a limit, and nobody reads more.
const NETWORKS_LISTED: usize = 100;

/// What a request that passed needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseKind {
    /// A scope as the key holds it.
    Grant,
    /// What was asked for, under a wildcard.
    Concrete,
    /// Further concrete scopes, which are not kept one by one.
    More,
    /// No permission was asked for: what the service needs is not known.
    Unasked,
    /// A pattern of resources as the key holds it.
    Pattern,
    /// No address of a client was told: limited to addresses, the key would be refused.
    Unaddressed,
}

impl UseKind {
    pub const ALL: [Self; 6] = [
        Self::Grant,
        Self::Concrete,
        Self::More,
        Self::Unasked,
        Self::Pattern,
        Self::Unaddressed,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Concrete => "concrete",
            Self::More => "more",
            Self::Unasked => "unasked",
            Self::Pattern => "pattern",
            Self::Unaddressed => "unaddressed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that was needed, and when last, to the hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedUse {
    pub kind: UseKind,
    pub name: String,
    pub last_at: Timestamp,
}

/// All that advice about one key rests on.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    pub scopes: &'a ScopeSet,
    pub rules: &'a Restrictions,
    /// Since when it could be used at all.
    pub born_at: Timestamp,
    /// Since when its access is what it is now, and watched.
    pub watched_since: Timestamp,
    /// The last request, whatever became of it.
    pub last_used: Option<Timestamp>,
    pub uses: &'a [NotedUse],
    /// Where requests came from within the time watched, whatever became of them; [`ADDRESSES_SEEN_MAX`] at most.
    pub addresses: &'a [IpAddr],
}

/// One thing to take away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Advice {
    /// A scope that nothing needed.
    Scope { scope: Scope },
    /// A wildcard of which only these were needed.
    Wildcard { scope: Scope, used: Vec<Scope> },
    /// A pattern of resources that nothing needed.
    Pattern { pattern: Pattern },
    /// An allowed network that no request came from.
    Network { network: IpNet },
    /// No network is set, and all requests came from these addresses.
    Addresses { addresses: Vec<IpNet> },
}

/// Why nothing can be told of a part of the access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blind {
    /// Requests came, but none passed.
    NothingPassed,
    /// Some requests named no permission.
    Scopes,
    /// Some requests told no address of the client.
    Addresses,
}

impl Blind {
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::NothingPassed => {
                "Requests came, but none of them passed, so what the key needs is not known."
            }
            Self::Scopes => {
                "Some requests did not say which permission they need, so nothing can be told of its scopes. Services say it in “permissions” when they ask."
            }
            Self::Addresses => {
                "Some requests did not say which address the client has, so nothing can be told of where it is used. Services say it in “clientIp” when they ask."
            }
        }
    }
}

/// How far the advice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Knowledge {
    /// Not yet for the whole time.
    Watching { since: Timestamp, until: Timestamp },
    /// Nothing used it for the whole time; `since` its last use, or its birth.
    Unused { since: Timestamp },
    /// For the whole time, since then.
    Whole { since: Timestamp },
}

/// What the advisor says of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAdvice {
    pub knowledge: Knowledge,
    pub advice: Vec<Advice>,
    pub blind: Vec<Blind>,
}

/// A tightening that can still be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoable {
    pub at: Timestamp,
    pub by: String,
    pub until: Timestamp,
    /// What comes back, one sentence each.
    pub back: Vec<String>,
    /// Why a second person has to approve that; none when nobody has to.
    pub needs_approval: Option<String>,
}

/// The section of a key's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeastPrivilege {
    pub advice: KeyAdvice,
    pub undo: Option<Undoable>,
}

impl Advice {
    /// Its name in a form.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Scope { scope } => format!("scope {scope}"),
            Self::Wildcard { scope, .. } => format!("narrow {scope}"),
            Self::Pattern { pattern } => format!("resource {}", pattern.as_str()),
            Self::Network { network } => format!("network {network}"),
            Self::Addresses { .. } => "addresses".to_owned(),
        }
    }

    /// What to do, and why.
    #[must_use]
    pub fn in_words(&self) -> (String, String) {
        let listed = |names: Vec<String>| names.join(", ");
        match self {
            Self::Scope { scope } => (
                format!("Take away {scope}"),
                "No request needed it for 90 days.".to_owned(),
            ),
            Self::Wildcard { scope, used } => {
                let used = listed(used.iter().map(ToString::to_string).collect());
                (
                    format!("Grant {used} instead of {scope}"),
                    format!("For 90 days it was used only as {used}."),
                )
            }
            Self::Pattern { pattern } => (
                format!("No longer allow the resource {}", pattern.as_str()),
                "No request named a resource that fits it for 90 days.".to_owned(),
            ),
            Self::Network { network } => (
                format!("No longer allow {}", shown(network)),
                "No request came from there for 90 days.".to_owned(),
            ),
            Self::Addresses { addresses } => {
                let from = listed(addresses.iter().map(shown).collect());
                (
                    format!("Allow it only from {from}"),
                    "It passes from anywhere, and all requests of 90 days came from there.".to_owned(),
                )
            }
        }
    }
}

/// Without the length where it is a single address.
fn shown(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// What could be taken away without any request of the last 90 days being refused for it.
#[must_use]
pub fn advise(key: &Observed<'_>, now: Timestamp) -> KeyAdvice {
    let begin = now.minus_ms(WATCHED_MS);
    let silent = |knowledge| KeyAdvice {
        knowledge,
        advice: Vec::new(),
        blind: Vec::new(),
    };
    let quiet_since = key.last_used.map_or(key.born_at, |used| used.max(key.born_at));
    if quiet_since <= begin {
        return silent(Knowledge::Unused { since: quiet_since });
    }
    let since = key.watched_since.max(key.born_at);
    if since > begin {
        let until = since.plus_ms(WATCHED_MS);
        return silent(Knowledge::Watching { since, until });
    }
    let recent = Recent {
        uses: key.uses,
        // What was noted is as old as an hour.
        begin: begin.minus_ms(NOTED_EACH_MS),
    };
    let mut told = silent(Knowledge::Whole { since });
    if key.uses.iter().all(|noted| noted.last_at < recent.begin) {
        told.blind.push(Blind::NothingPassed);
        return told;
    }
    match recent.has(UseKind::Unasked, "") {
        true => told.blind.push(Blind::Scopes),
        false => told.advice.extend(about_scopes(key.scopes, &recent)),
    }
    told.advice.extend(about_resources(key.rules, &recent));
    match about_addresses(key, &recent) {
        Ok(advice) => told.advice.extend(advice),
        Err(blind) => told.blind.push(blind),
    }
    told
}

struct Recent<'a> {
    uses: &'a [NotedUse],
    begin: Timestamp,
}

impl Recent<'_> {
    fn of(&self, kind: UseKind) -> impl Iterator<Item = &str> {
        let is_recent = move |noted: &&NotedUse| noted.kind == kind && noted.last_at >= self.begin;
        self.uses
            .iter()
            .filter(is_recent)
            .map(|noted| noted.name.as_str())
    }

    fn has(&self, kind: UseKind, name: &str) -> bool {
        self.of(kind).any(|used| used == name)
    }
}

fn about_scopes(scopes: &ScopeSet, recent: &Recent<'_>) -> Vec<Advice> {
    let is_used = |scope: &&Scope| {
        let name = scope.as_str();
        recent.has(UseKind::Grant, name) || recent.has(UseKind::Concrete, name)
    };
    // A key that may do nothing is of no use: then something else is wrong.
    if !scopes.iter().any(|scope| is_used(&scope)) {
        return Vec::new();
    }
    let mut advice = Vec::new();
    for scope in scopes.iter() {
        if !is_used(&scope) {
            advice.push(Advice::Scope { scope: scope.clone() });
        } else if let Some(used) = narrowed(scope, scopes, recent) {
            advice.push(Advice::Wildcard {
                scope: scope.clone(),
                used,
            });
        }
    }
    advice
}

/// The few scopes that a wildcard was used as, if they are known and few.
fn narrowed(scope: &Scope, scopes: &ScopeSet, recent: &Recent<'_>) -> Option<Vec<Scope>> {
    if !scope.is_wildcard() || recent.of(UseKind::More).next().is_some() {
        return None;
    }
    let is_its_own = |name: &&str| scopes.narrowest_over(name) == Some(scope);
    let used = recent.of(UseKind::Concrete).filter(is_its_own);
    let used: Vec<Scope> = used.filter_map(|name| name.parse().ok()).collect();
    let fits = (1..=FEW_SCOPES).contains(&used.len()) && scopes.len() + used.len() <= SCOPES_MAX;
    fits.then_some(used)
}

fn about_resources(rules: &Restrictions, recent: &Recent<'_>) -> Vec<Advice> {
    let allow = &rules.resources.allow;
    let is_used = |pattern: &&Pattern| recent.has(UseKind::Pattern, pattern.as_str());
    // Without any left every resource would pass.
    if !allow.iter().any(|pattern| is_used(&pattern)) {
        return Vec::new();
    }
    let unused = allow.iter().filter(|pattern| !is_used(pattern));
    unused
        .map(|pattern| Advice::Pattern {
            pattern: pattern.clone(),
        })
        .collect()
}

fn about_addresses(key: &Observed<'_>, recent: &Recent<'_>) -> Result<Vec<Advice>, Blind> {
    let rules = &key.rules.addresses;
    if key.addresses.is_empty() || key.addresses.len() >= ADDRESSES_SEEN_MAX {
        return Ok(Vec::new());
    }
    if rules.allow.is_empty() {
        if recent.has(UseKind::Unaddressed, "") {
            return Err(Blind::Addresses);
        }
        let passes = |address: &&IpAddr| rules.refusal(Some(**address)).is_none();
        let mut addresses: Vec<IpNet> = key
            .addresses
            .iter()
            .filter(passes)
            .map(|ip| IpNet::from(*ip))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let few = (1..=FEW_ADDRESSES).contains(&addresses.len());
        return Ok(few
            .then_some(Advice::Addresses { addresses })
            .into_iter()
            .collect());
    }
    let is_used = |network: &&IpNet| key.addresses.iter().any(|address| network.contains(address));
    if !rules.allow.iter().any(|network| is_used(&network)) {
        return Ok(Vec::new());
    }
    let unused = rules.allow.iter().filter(|network| !is_used(network));
    let unused = unused.take(NETWORKS_LISTED);
    Ok(unused
        .map(|network| Advice::Network { network: *network })
        .collect())
}

/// The access that is left when the advice is followed.
#[must_use]
pub fn follow(advice: &[Advice], scopes: &ScopeSet, rules: &Restrictions) -> (ScopeSet, Restrictions) {
    let mut left: Vec<Scope> = scopes.iter().cloned().collect();
    let mut rules = rules.clone();
    for one in advice {
        match one {
            Advice::Scope { scope } => left.retain(|held| held != scope),
            Advice::Wildcard { scope, used } => {
                left.retain(|held| held != scope);
                left.extend(used.iter().cloned());
            }
            Advice::Pattern { pattern } => rules.resources.allow.retain(|held| held != pattern),
            Advice::Network { network } => rules.addresses.allow.retain(|held| held != network),
            Advice::Addresses { addresses } => rules.addresses.allow.clone_from(addresses),
        }
    }
    (ScopeSet::new(left), rules)
}

#[cfg(test)]
mod tests;
