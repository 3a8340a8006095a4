//! The decision itself: pure, in the order of the contract. A later check never runs once an earlier one refuses.

use std::net::IpAddr;

use super::entry::{CachedKey, CachedRestrictions, CachedSecret};
use crate::model::key::{Environment, KeyStatus};
use crate::model::permission_query::PermissionQuery;
use crate::model::project::ProjectStatus;
use crate::model::restriction::Whereabouts;
use crate::model::time::Timestamp;
use crate::model::verdict::VerdictCode;

/// What the service tells of the request it asks about.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyRequest<'a> {
    pub environment: Option<Environment>,
    /// `None` when it is missing or unreadable.
    pub client_ip: Option<IpAddr>,
    pub resource: Option<&'a str>,
}

/// Why a key may not pass, without echoing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub detail: String,
    pub missing: Vec<String>,
}

/// A code, and why unless it is `VALID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub code: VerdictCode,
    pub denial: Option<Denial>,
}

impl Verdict {
    pub(super) fn refused(code: VerdictCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            denial: Some(Denial {
                detail: detail.into(),
                missing: Vec::new(),
            }),
        }
    }

    const VALID: Self = Self {
        code: VerdictCode::Valid,
        denial: None,
    };
}

/// Decides about a key whose secret matched. `whereabouts` is only asked for a key that is limited to countries.
#[must_use]
pub fn decide(
    key: &CachedKey,
    secret: &CachedSecret,
    request: &VerifyRequest<'_>,
    permissions: Option<&PermissionQuery>,
    whereabouts: impl FnOnce(IpAddr) -> Whereabouts,
    now: Timestamp,
) -> Verdict {
    use VerdictCode as Code;
    match key.status {
        KeyStatus::Revoked => return Verdict::refused(Code::Revoked, "The key was revoked."),
        KeyStatus::Disabled => return Verdict::refused(Code::Disabled, "The key is disabled."),
        KeyStatus::Active => {}
    }
    if key.project_status == ProjectStatus::Archived {
        return Verdict::refused(Code::Disabled, "The key’s project is archived.");
    }
    let limits = key.restrictions.as_deref();
    let not_before = limits.and_then(|limits| limits.rules.not_before);
    if let Some(at) = not_before.filter(|at| *at > now) {
        let detail = format!("The key is valid from {} on.", at.exact_in_words());
        return Verdict::refused(Code::NotYetValid, detail);
    }
    if let Some(at) = key.expires_at.filter(|at| *at <= now) {
        return Verdict::refused(
            Code::Expired,
            format!("The key expired on {}.", at.date_in_words()),
        );
    }
    if let Some(at) = secret.expires_at.filter(|at| *at <= now) {
        return Verdict::refused(
            Code::Expired,
            format!(
                "This secret was replaced by another; it went on until {}.",
                at.exact_in_words()
            ),
        );
    }
    if let Some(wanted) = request.environment.filter(|wanted| *wanted != key.environment) {
        let detail = format!(
            "The key is for {}, the request for {}.",
            key.environment.as_str(),
            wanted.as_str()
        );
        return Verdict::refused(Code::EnvironmentMismatch, detail);
    }
    if !key.owner_is_active {
        return Verdict::refused(
            Code::OwnerInactive,
            "The key’s owner is no longer an active member.",
        );
    }
    if let Some(refused) = limits.and_then(|limits| refuse_place_or_time(limits, request, whereabouts, now)) {
        return refused;
    }
    if let Some(query) = permissions.filter(|query| !query.is_met_by(&key.scopes)) {
        let missing = query.missing_from(&key.scopes);
        let detail = format!("The key lacks {}.", missing.join(", "));
        return Verdict {
            code: Code::InsufficientScope,
            denial: Some(Denial { detail, missing }),
        };
    }
    if let Some(detail) = limits.and_then(|limits| limits.rules.resources.refusal(request.resource)) {
        return Verdict::refused(Code::ResourceNotAllowed, detail);
    }
    Verdict::VALID
}

/// From where and when: before what it wants to do is looked at.
fn refuse_place_or_time(
    limits: &CachedRestrictions,
    request: &VerifyRequest<'_>,
    whereabouts: impl FnOnce(IpAddr) -> Whereabouts,
    now: Timestamp,
) -> Option<Verdict> {
    if let Some(detail) = limits.rules.addresses.refusal(request.client_ip) {
        return Some(Verdict::refused(VerdictCode::IpNotAllowed, detail));
    }
    if let Some(detail) = limits.rules.countries.refusal(request.client_ip, whereabouts) {
        return Some(Verdict::refused(VerdictCode::CountryNotAllowed, detail));
    }
    let hours = limits.rules.hours.as_ref()?;
    let detail = match limits.zone.as_ref().and_then(|zone| zone.local(now)) {
        Some(local) => hours.refusal(local)?,
        None => format!("The clock of {} cannot be told.", hours.zone),
    };
    Some(Verdict::refused(VerdictCode::OutsideHours, detail))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::country::CountryCode;
    use crate::model::id::{KeyId, OrgId, ProjectId};
    use crate::model::restriction::{HoursDraft, Restrictions, RestrictionsDraft};
    use crate::model::scope::ScopeSet;
    use crate::server::domain::mint::StoredHash;
    use crate::server::platform::crypto::keyring::Keyring;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

    /// Rules that the request of the test meets none of.
    fn everything_forbidden() -> Restrictions {
        let draft = RestrictionsDraft {
            ip_allow: vec!["10.0.0.0/8"],
            country_allow: vec!["DE"],
            resource_allow: vec!["gpt-*"],
            hours: HoursDraft {
                days: vec!["mon"],
                zone: "UTC",
                ..HoursDraft::default()
            },
            not_before: "2026-02-01",
            ..RestrictionsDraft::default()
        };
        Restrictions::parse(&draft).unwrap()
    }

    fn rules(key: &mut CachedKey) -> &mut Restrictions {
        &mut key.restrictions.as_mut().unwrap().rules
    }

    fn everything_wrong() -> (CachedKey, CachedSecret) {
        let secret = CachedSecret {
            hash: StoredHash::from_row(&Keyring::default(), "", "", ""),
            expires_at: Some(NOW),
            number: 1,
            is_current: false,
            counts_down: false,
        };
        let key = CachedKey {
            id: KeyId::from_random("0123456789AB").unwrap(),
            org_id: OrgId::from_random("0123456789AB").unwrap(),
            project_id: ProjectId::from_random("0123456789AB").unwrap(),
            name: "".into(),
            prefix: "acme".into(),
            environment: Environment::Live,
            owner: None,
            owner_is_active: false,
            project_status: ProjectStatus::Archived,
            status: KeyStatus::Revoked,
            scopes: ScopeSet::default(),
            expires_at: Some(NOW),
            restrictions: CachedRestrictions::new(everything_forbidden()),
            secrets: Box::default(),
            is_intact: true,
        };
        (key, secret)
    }

    /// Starts with everything wrong and mends one thing after the other: each step must reach the next code.
    #[test]
    fn the_order_of_the_contract_holds() {
        let (mut key, mut secret) = everything_wrong();
        let mut request = VerifyRequest {
            environment: Some(Environment::Test),
            ..VerifyRequest::default()
        };
        let query = PermissionQuery::parse("a AND b").unwrap();
        let place = Cell::new(Whereabouts::Unknown);
        let code = |key: &CachedKey, secret: &CachedSecret, request: &VerifyRequest<'_>| {
            decide(key, secret, request, Some(&query), |_| place.get(), NOW).code
        };
        assert_eq!(code(&key, &secret, &request), VerdictCode::Revoked);
        key.status = KeyStatus::Disabled;
        assert_eq!(code(&key, &secret, &request), VerdictCode::Disabled);
        key.status = KeyStatus::Active;
        assert_eq!(
            code(&key, &secret, &request),
            VerdictCode::Disabled,
            "archived project"
        );
        key.project_status = ProjectStatus::Active;
        assert_eq!(code(&key, &secret, &request), VerdictCode::NotYetValid);
        rules(&mut key).not_before = Some(NOW);
        assert_eq!(code(&key, &secret, &request), VerdictCode::Expired);
        key.expires_at = Some(NOW.plus_ms(1));
        assert_eq!(
            code(&key, &secret, &request),
            VerdictCode::Expired,
            "past its overlap"
        );
        secret.expires_at = None;
        assert_eq!(code(&key, &secret, &request), VerdictCode::EnvironmentMismatch);
        request.environment = Some(Environment::Live);
        assert_eq!(code(&key, &secret, &request), VerdictCode::OwnerInactive);
        key.owner_is_active = true;
        assert_eq!(
            code(&key, &secret, &request),
            VerdictCode::IpNotAllowed,
            "no address is none that is allowed"
        );
        request.client_ip = "10.1.2.3".parse().ok();
        for nowhere in [Whereabouts::Unknown, Whereabouts::Untold] {
            place.set(nowhere);
            assert_eq!(code(&key, &secret, &request), VerdictCode::CountryNotAllowed);
        }
        place.set(Whereabouts::In(CountryCode::from_letters("DE").unwrap()));
        assert_eq!(
            code(&key, &secret, &request),
            VerdictCode::OutsideHours,
            "it is a Thursday"
        );
        rules(&mut key).hours = None;
        let verdict = decide(&key, &secret, &request, Some(&query), |_| place.get(), NOW);
        assert_eq!(verdict.code, VerdictCode::InsufficientScope);
        assert_eq!(verdict.denial.unwrap().missing, ["a", "b"]);
        key.scopes = ScopeSet::from_stored("*").unwrap();
        assert_eq!(
            code(&key, &secret, &request),
            VerdictCode::ResourceNotAllowed,
            "no resource is none that is allowed"
        );
        request.resource = Some("gpt-4.1");
        assert_eq!(code(&key, &secret, &request), VerdictCode::Valid);
    }
}
