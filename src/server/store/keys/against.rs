//! Which keys break the policy, in SQL: the rules of `model::policy::terms` over columns. A property test compares the two.
//!
//! The text is made from the policies in force. It holds numbers and the checked texts of scopes, nothing that anybody typed.

use std::fmt::Write;

use crate::model::actor::OrgScope;
use crate::model::key::Environment;
use crate::model::policy::Policy;
use crate::model::scope::Scope;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::policies;

/// What of `k` breaks the policies in force.
pub(super) async fn condition(tx: &mut Tx, scope: &OrgScope, now: Timestamp) -> Result<String, StoreError> {
    let mut rules = Vec::new();
    for environment in Environment::ALL {
        let standing = policies::find(tx, scope, *environment).await?;
        rules.push((*environment, standing.in_force(now)));
    }
    Ok(broken(&rules))
}

/// What of `k` breaks the policy of its environment. Revoked keys are records.
fn broken(rules: &[(Environment, Policy)]) -> String {
    let mut text = String::from("k.status <> 'revoked' AND (");
    for (n, (environment, policy)) in rules.iter().enumerate() {
        let or = if n == 0 { "" } else { " OR " };
        let broken = broken_by(policy).join(" OR ");
        let environment = environment.as_str();
        let _ = write!(text, "{or}(k.environment = '{environment}' AND ({broken}))");
    }
    text.push(')');
    text
}

fn broken_by(policy: &Policy) -> Vec<String> {
    let mut broken = vec![format!("k.rotation_days > {}", policy.rotation_days)];
    match policy.max_lifetime_days {
        Some(days) => {
            let too_long = (i64::from(days) + 1) * DAY_MS;
            broken.push(format!(
                "COALESCE(k.expires_at_ms, k.created_at_ms + {too_long}) >= k.created_at_ms + {too_long}"
            ));
        }
        None if policy.expiry_required => broken.push("k.expires_at_ms IS NULL".to_owned()),
        None => {}
    }
    if policy.addresses_required {
        // What is allowed comes first in the object, and quotes within texts are escaped.
        broken.push("COALESCE(k.restrictions, '') NOT LIKE '%\"addresses\":{\"allow\":[\"%'".to_owned());
    }
    broken.extend(policy.forbidden_scopes.iter().flat_map(overlapping).map(|part| {
        // `LIKE` folds case on one database and knows wildcards that scopes have as letters.
        format!("REPLACE(' ' || k.scopes || ' ', '{part}', '') <> ' ' || k.scopes || ' '")
    }));
    broken
}

/// Parts of the stored scopes, between spaces, by which one of them overlaps with this one.
fn overlapping(scope: &Scope) -> Vec<String> {
    let text = scope.as_str();
    let mut parts = match text.strip_suffix('*') {
        // All that begins like it, itself included.
        Some(stem) => vec![format!(" {stem}")],
        None => vec![format!(" {text} ")],
    };
    let stem = text.strip_suffix('*').unwrap_or(text);
    let above = stem.match_indices(':').map(|(at, _)| &stem[..=at]);
    parts.push(" * ".to_owned());
    parts.extend(above.map(|above| format!(" {above}* ")));
    debug_assert!(parts.iter().all(|part| !part.contains('\'')));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::ScopeSet;

    #[test]
    fn a_scope_overlaps_with_what_is_below_and_above_it() {
        let of = |text: &str| overlapping(ScopeSet::from_stored(text).unwrap().iter().next().unwrap());
        assert_eq!(of("billing:refund"), [" billing:refund ", " * ", " billing:* "]);
        assert_eq!(
            of("admin:users:*"),
            [" admin:users:", " * ", " admin:* ", " admin:users:* "]
        );
        assert_eq!(of("admin"), [" admin ", " * "]);
    }
}
