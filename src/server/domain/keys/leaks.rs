//! A secret that somebody found in public. To hold it is the evidence: what happens is what the policy of the key's
//! environment says, and its people are told: of a key that goes on by an open incident, too, which needs no mail. A key's id alone
//! proves nothing.
//!
//! A secret that was replaced, and whose time is over, is one of ours but opens nothing: it is told of, and nothing is
//! revoked. A key that is revoked stays as it is, and nobody hears of it again.

use serde_json::json;

use super::lifecycle::{Stop, stop_in};
use super::{secured, told};
use crate::model::actor::{Actor, OrgScope, Origin};
use crate::model::key::{KeyStatus, RevocationReason};
use crate::model::key_text::{find_secret, redacted_address};
use crate::model::permission::Permission;
use crate::model::policy::OnLeak;
use crate::model::text::shown;
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::incidents::{self, OpenIncident};
use crate::server::domain::mail::{self, LeakEnd, Letter};
use crate::server::domain::verification::{self, CachedKey};
use crate::server::domain::{DomainError, policy};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::{leaks as store, orgs};

/// Reports of one key and outcome that the audit log takes in a day: whoever holds the key may repeat them for ever.
const RECORDED_A_DAY: i64 = 20;
/// What is kept of where it was found.
const SOURCE_MAX: usize = 60;
const URL_MAX: usize = 300;
/// Secrets that one pasted text may hold.
const PASTED_MAX: usize = 20;

/// What somebody says they found, as it came.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    pub token: &'a str,
    pub source: &'a str,
    pub url: &'a str,
}

/// What came of a report; what matters more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// No secret of this installation.
    Unknown,
    /// A secret that was replaced: it opens nothing.
    Replaced,
    RevokedBefore,
    /// The policy leaves the key to its people: an incident of it is open.
    GoesOn,
    Revoked,
}

impl Outcome {
    /// Whether it is, or was, the whole secret of a key.
    #[must_use]
    pub fn is_ours(self) -> bool {
        self != Self::Unknown
    }
}

/// Acts on a reported secret as the policy says. Errors: the database does not answer.
pub async fn report(ctx: &Context, report: &Report<'_>, origin: &Origin) -> Result<Outcome, DomainError> {
    let mut worst = Outcome::Unknown;
    for (key, is_present) in verification::find_known(ctx, report.token).await? {
        worst = worst.max(report_one(ctx, &key, is_present, report, origin).await?);
    }
    Ok(worst)
}

async fn report_one(
    ctx: &Context,
    key: &CachedKey,
    is_present: bool,
    report: &Report<'_>,
    origin: &Origin,
) -> Result<Outcome, DomainError> {
    if key.status == KeyStatus::Revoked {
        return Ok(Outcome::RevokedBefore);
    }
    let now = ctx.clock.now();
    let actor = Actor::system(Some(key.org_id));
    let scope = actor.require(Permission::KeysManageAny)?;
    let mut tx = audit::begin(ctx, &actor).await?;
    let policy = policy::in_force(&mut tx, &scope, key.environment, now).await?;
    let (outcome, end, name) = match (is_present, policy.on_leak) {
        (false, _) => (Outcome::Replaced, LeakEnd::Replaced, "replaced"),
        (true, OnLeak::Alert) => (Outcome::GoesOn, LeakEnd::GoesOn, "goes_on"),
        (true, OnLeak::Revoke) => (Outcome::Revoked, LeakEnd::Revoked, "revoked"),
    };
    let reports = store::count(&mut tx, &key.id, name, now, now.minus_ms(DAY_MS)).await?;
    let row = secured::find(ctx, &mut tx, &actor, &key.id).await?;
    if row.status == KeyStatus::Revoked.as_str() {
        return Ok(Outcome::RevokedBefore);
    }
    let (source, url) = (cleaned(report.source, SOURCE_MAX), cleaned(report.url, URL_MAX));
    if reports <= RECORDED_A_DAY {
        let detail = json!({ "outcome": name, "source": source, "url": url, "reportedFrom": origin.ip });
        let entry = Entry::new("key.leak_reported", "key", key.id.as_str()).with(detail);
        audit::record(ctx, &mut tx, Some(scope.org_id()), &actor, entry, now).await?;
    }
    if reports == 1 {
        let letter = Letter::KeyLeaked {
            organisation: orgs::find_name(&mut tx, &scope).await?,
            key: row.name.clone(),
            key_id: row.id.clone(),
            end,
            source: source.clone(),
            url: url.clone(),
        };
        tell(ctx, &mut tx, &scope, row.owner_account_id.as_deref(), letter, now).await?;
    }
    let note = note(origin, &source, &url);
    if outcome == Outcome::GoesOn {
        let opening = OpenIncident {
            suspected_since: now,
            noticed: note.clone(),
            freeze: false,
        };
        incidents::open_in(ctx, &mut tx, (&actor, &scope), &row, &opening, now).await?;
    }
    if outcome == Outcome::Revoked {
        let stop = Stop::Revoke {
            reason: RevocationReason::KeyCompromise,
            note: &note,
        };
        stop_in(ctx, &mut tx, (&actor, &scope), row, stop, now).await?;
        changes::record(&mut tx, ChangeKind::Key, key.id.as_str(), now).await?;
    }
    tx.commit().await?;
    ctx.key_cache.forget_key(&key.id);
    Ok(outcome)
}

/// The same for a text that somebody pasted: the secrets in it, one after the other.
pub async fn report_text(
    ctx: &Context,
    text: &str,
    url: &str,
    origin: &Origin,
) -> Result<Outcome, DomainError> {
    let mut worst = Outcome::Unknown;
    for token in secrets_in(text) {
        let found = Report {
            token,
            source: "found by hand",
            url,
        };
        worst = worst.max(report(ctx, &found, origin).await?);
    }
    Ok(worst)
}

/// Whatever in the text looks like a secret, each once.
fn secrets_in(text: &str) -> Vec<&str> {
    let (mut rest, mut found) = (text, Vec::new());
    while let Some((range, _)) = find_secret(rest) {
        let token = &rest[range.clone()];
        if !found.contains(&token) {
            found.push(token);
        }
        if found.len() == PASTED_MAX {
            break;
        }
        rest = &rest[range.end..];
    }
    found
}

/// What a stranger says, fit to be kept and shown: no secret in it, on one line, and cut.
fn cleaned(raw: &str, max: usize) -> String {
    shown(redacted_address(raw.trim()).trim(), max)
}

/// Why the key is revoked, or an incident of it open.
fn note(origin: &Origin, source: &str, url: &str) -> String {
    let from = origin.ip.as_deref().unwrap_or("an unknown address");
    let mut note = format!("Found in public, reported from {from}");
    if !source.is_empty() {
        note = format!("{note} ({source})");
    }
    match url {
        "" => format!("{note}."),
        url => format!("{note}: {url}"),
    }
}

/// A letter to everybody concerned.
async fn tell(
    ctx: &Context,
    tx: &mut Tx,
    scope: &OrgScope,
    owner: Option<&str>,
    letter: Letter,
    now: Timestamp,
) -> Result<(), DomainError> {
    if !mail::is_on(ctx) {
        return Ok(());
    }
    for account in told::all_concerned(tx, scope, owner).await? {
        if let Some(to) = mail::recipient(tx, &account).await? {
            mail::enqueue(ctx, tx, to, letter.clone(), now).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub";

    #[test]
    fn secrets_are_found_where_people_paste_them() {
        let pasted = format!("API_KEY={KEY}\nother: \"{KEY}\", and nothing");
        assert_eq!(secrets_in(&pasted), [KEY]);
        assert!(secrets_in("nothing at all, key_0123456789AB").is_empty());
    }

    #[test]
    fn r77_what_is_kept_of_a_place_holds_no_secret() {
        let plain = cleaned(&format!(" https://x.example/?k={KEY}&a=1\nB "), URL_MAX);
        assert!(
            !plain.contains("456789abcdef") && !plain.contains('\n'),
            "{plain}"
        );
        let hidden = cleaned(
            &format!("https://x.example/?k={}", KEY.replace('_', "%255F")),
            URL_MAX,
        );
        assert!(!hidden.contains("456789abcdef"), "{hidden}");
        assert_eq!(cleaned(&"x".repeat(2_000), URL_MAX).len(), URL_MAX);
    }
}
