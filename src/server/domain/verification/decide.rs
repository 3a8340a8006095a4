//! The decision itself: pure, in the order of the contract. A later check never runs once an earlier one refuses.

use std::net::IpAddr;

use super::entry::{CachedKey, CachedSecret};
use crate::model::key::{Environment, KeyStatus};
use crate::model::permission_query::PermissionQuery;
use crate::model::project::ProjectStatus;
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

/// Decides about a key whose secret matched.
#[must_use]
pub fn decide(
    key: &CachedKey,
    secret: &CachedSecret,
    request: &VerifyRequest<'_>,
    permissions: Option<&PermissionQuery>,
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
    if let Some(at) = key.expires_at.filter(|at| *at <= now) {
        return Verdict::refused(
            Code::Expired,
            format!("The key expired on {}.", at.date_in_words()),
        );
    }
    if let Some(at) = secret.expires_at.filter(|at| *at <= now) {
        return Verdict::refused(
            Code::Expired,
            format!("This secret was replaced on {}.", at.date_in_words()),
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
    if let Some(query) = permissions.filter(|query| !query.is_met_by(&key.scopes)) {
        let missing = query.missing_from(&key.scopes);
        let detail = format!("The key lacks {}.", missing.join(", "));
        return Verdict {
            code: Code::InsufficientScope,
            denial: Some(Denial { detail, missing }),
        };
    }
    Verdict::VALID
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{KeyId, OrgId, ProjectId};
    use crate::model::scope::ScopeSet;
    use crate::server::domain::mint::StoredHash;
    use crate::server::platform::crypto::keyring::Keyring;

    const NOW: Timestamp = Timestamp::from_ms(1_769_682_605_000);

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
        let code = |key: &CachedKey, secret: &CachedSecret, request: &VerifyRequest<'_>| {
            decide(key, secret, request, Some(&query), NOW).code
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
        let verdict = decide(&key, &secret, &request, Some(&query), NOW);
        assert_eq!(verdict.code, VerdictCode::InsufficientScope);
        assert_eq!(verdict.denial.unwrap().missing, ["a", "b"]);
        key.scopes = ScopeSet::from_stored("*").unwrap();
        assert_eq!(code(&key, &secret, &request), VerdictCode::Valid);
    }
}
