//! Verification: may this key pass? Asked on every request of somebody's API, so: no write, no lock across an await,
//! the database only on a miss, and never for text that is no key.
//!
//! Order: the caller's token → the key's text → cache or store → secret → [`decide()`] (pure) → usage event.

mod cache;
mod decide;
mod entry;
mod imported;
mod load;

pub use cache::{CacheLimits, VerificationCache, follow_changes};
pub use decide::{Denial, Verdict, VerifyRequest, decide};
pub use entry::{AllFormats, CachedKey, CachedRestrictions, CachedSecret, CachedToken};

use std::net::IpAddr;
use std::sync::Arc;

use super::DomainError;
use super::mint::{self, Credential};
use super::usage::{Told, UsageEvent};
use crate::model::id::TokenId;
use crate::model::key::KeyStatus;
use crate::model::key_text::{self, TokenKind};
use crate::model::permission_query::PermissionQuery;
use crate::model::project::ProjectStatus;
use crate::model::request_id::RequestId;
use crate::model::time::Timestamp;
use crate::model::token::TokenPermission;
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;

/// Why a caller may not ask at all.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    #[error("no valid service token")]
    Unauthenticated,
    #[error("the service token may not verify")]
    Forbidden,
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// A question with what the usage log keeps of it.
pub struct Question<'a> {
    pub key: &'a str,
    pub request: VerifyRequest<'a>,
    pub permissions: Option<Box<PermissionQuery>>,
    pub told: Told,
    pub dry_run: bool,
    pub request_id: RequestId,
    /// Where the question itself came from; noted as the token's last use.
    pub caller_ip: Option<IpAddr>,
}

/// An answer: the verdict, and the key it is about once the secret has matched.
pub struct Answer {
    pub verdict: Verdict,
    pub key: Option<Arc<CachedKey>>,
    /// While the key has two secrets that are good.
    pub rotating: Option<Rotating>,
}

/// Which of two secrets was presented, and until when the older one is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotating {
    pub is_current: bool,
    pub previous_ends_at: Timestamp,
}

/// Who asks: the token behind a bearer text, if it may verify.
pub async fn authenticate(ctx: &Context, bearer: &str) -> Result<Arc<CachedToken>, CallerError> {
    let now = ctx.clock.now();
    let id = key_text::parse_token(TokenKind::Service, bearer).and_then(|id| TokenId::from_random(id).ok());
    let Some(id) = id else {
        return Err(CallerError::Unauthenticated);
    };
    let Some(token) = load::token(ctx, &id, now).await.map_err(DomainError::from)? else {
        mint::compare_with_nothing(ctx, bearer);
        return Err(CallerError::Unauthenticated);
    };
    let credential = Credential::Token {
        org_id: token.org_id.as_str(),
        token_id: token.id.as_str(),
    };
    let matches = mint::is_match(ctx, credential, bearer, &token.hash);
    if !matches || !token.is_intact || token.revoked || token.expires_at.is_some_and(|at| at <= now) {
        return Err(CallerError::Unauthenticated);
    }
    if token.permissions.has(TokenPermission::Verify) {
        Ok(token)
    } else {
        Err(CallerError::Forbidden)
    }
}

/// Answers a question for the token's project. Errors only when the database is needed and does not answer.
pub async fn verify(
    ctx: &Context,
    token: &Arc<CachedToken>,
    question: Question<'_>,
) -> Result<Answer, DomainError> {
    let now = ctx.clock.now();
    let refuse = |code, detail| Answer {
        verdict: Verdict::refused(code, detail),
        key: None,
        rotating: None,
    };
    let not_found = || refuse(VerdictCode::NotFound, "No key of this project matches.");
    let found = match key_text::parse_key(question.key) {
        Some(parsed) => find_matching(ctx, &parsed, question.key, now).await?,
        // Ours never come here; text that fits no declared format ends here, before any lookup.
        None => match imported::presented(&token.formats, question.key).as_slice() {
            [] => {
                return Ok(refuse(
                    VerdictCode::Malformed,
                    "The text is not a key: a part is missing, added or mistyped.",
                ));
            }
            presented => imported::find_matching(ctx, &token.project_id, presented, now).await?,
        },
    };
    let is_ours = |key: &CachedKey| key.project_id == token.project_id && key.org_id == token.org_id;
    let Some((key, at)) = found.filter(|(key, _)| is_ours(key)) else {
        return Ok(not_found());
    };
    let secret = &key.secrets[at];
    let verdict = decide(
        &key,
        secret,
        &question.request,
        question.permissions.as_deref(),
        |address| ctx.countries.whereabouts(address),
        now,
    );
    let overlap_until = key.overlap_until(now);
    // A key that is stopped has no secret that is good.
    let is_open = key.status == KeyStatus::Active && key.project_status == ProjectStatus::Active;
    let rotating = overlap_until
        .filter(|_| is_open)
        .map(|previous_ends_at| Rotating {
            is_current: secret.is_current,
            previous_ends_at,
        });
    // Told apart only while there are two, or for one whose time is over.
    let is_told_apart = overlap_until.is_some() || !secret.is_current;
    let secret_number = is_told_apart.then_some(secret.number);
    if !question.dry_run {
        record(ctx, token, &key, question, (verdict.code, secret_number), now);
    }
    Ok(Answer {
        verdict,
        key: Some(key),
        rotating,
    })
}

/// Reads what imported keys look like, so that logs hide them from the first line on.
pub async fn learn_formats(ctx: &Context) -> Result<(), DomainError> {
    load::all_formats(ctx, ctx.clock.now()).await?;
    Ok(())
}

/// The keys whose present secret this is, whatever may be said against their passing: one at most of ours; of a text that
/// somebody else made one for each project it was imported into. A secret that was replaced holds nothing.
pub async fn find_held(ctx: &Context, text: &str) -> Result<Vec<Arc<CachedKey>>, DomainError> {
    let held = find_known(ctx, text).await?.into_iter();
    Ok(held
        .filter_map(|(key, is_present)| is_present.then_some(key))
        .collect())
}

/// The keys that this is or was a secret of, and whether it still is one: not once it was replaced and its time is over.
pub async fn find_known(ctx: &Context, text: &str) -> Result<Vec<(Arc<CachedKey>, bool)>, DomainError> {
    let now = ctx.clock.now();
    let found = match key_text::parse_key(text) {
        Some(parsed) => find_matching(ctx, &parsed, text, now)
            .await?
            .into_iter()
            .collect(),
        None => imported::find_anywhere(ctx, text, now).await?,
    };
    let is_present = |secret: &CachedSecret| secret.expires_at.is_none_or(|at| at > now);
    let known = found.into_iter().map(|(key, at)| {
        let is_present = is_present(&key.secrets[at]);
        (key, is_present)
    });
    Ok(known.collect())
}

/// The key that the whole text belongs to, and which of its secrets it is. The same work for an unknown id as for a wrong
/// secret; a key whose row was edited elsewhere is not found.
async fn find_matching(
    ctx: &Context,
    parsed: &key_text::ParsedKey<'_>,
    text: &str,
    now: Timestamp,
) -> Result<Option<(Arc<CachedKey>, usize)>, DomainError> {
    let id = mint::key_id(parsed.kid)?;
    let Some(key) = load::key(ctx, &id, now).await? else {
        (0..SECRETS_MAX).for_each(|_| mint::compare_with_nothing(ctx, text));
        return Ok(None);
    };
    let credential = Credential::Key {
        org_id: key.org_id.as_str(),
        key_id: id.as_str(),
    };
    let matching = matching_secret(ctx, &key, credential, text);
    let is_same_key = *key.prefix == *parsed.prefix && key.environment == parsed.environment;
    Ok(matching
        .filter(|_| is_same_key && key.is_intact)
        .map(|at| (key, at)))
}

/// Secrets a key has at most.
const SECRETS_MAX: usize = 2;

/// Compares with every stored secret of the key of the credential's kind, ours or imported, and with nothing in the place
/// of the others and of those it has not, so that the work depends neither on which matches nor on how many there are
/// (R57).
fn matching_secret(ctx: &Context, key: &CachedKey, credential: Credential<'_>, text: &str) -> Option<usize> {
    let is_imported = matches!(credential, Credential::Imported { .. });
    let of_kind = |secret: &&CachedSecret| secret.hash.is_imported() == is_imported;
    let compared = key.secrets.iter().filter(of_kind).count();
    (compared..SECRETS_MAX).for_each(|_| mint::compare_with_nothing(ctx, text));
    let secrets = key.secrets.iter().enumerate();
    secrets
        .filter(|(_, secret)| of_kind(secret))
        .fold(None, |found, (at, secret)| {
            let matches = mint::is_match(ctx, credential, text, &secret.hash);
            if matches { Some(at) } else { found }
        })
}

fn record(
    ctx: &Context,
    token: &Arc<CachedToken>,
    key: &Arc<CachedKey>,
    question: Question<'_>,
    (code, secret_number): (VerdictCode, Option<u32>),
    now: Timestamp,
) {
    ctx.usage.record(UsageEvent {
        request_id: question.request_id,
        key: Arc::clone(key),
        token: Arc::clone(token),
        at: now,
        code,
        secret_number,
        // A service that does not say for whom it asks is taken to use the key itself.
        client_ip: question.request.client_ip.or(question.caller_ip),
        caller_ip: question.caller_ip,
        told: question.told.boxed(),
        asked: question.permissions.filter(|_| code == VerdictCode::Valid),
        is_addressed: question.request.client_ip.is_some(),
    });
}
