//! Everything about a person, for them to take away: no secret, no hash, nothing about others.

use serde_json::{Value, json};

use super::proof::{account_of, note};
use super::session::SignedIn;
use crate::model::device::device_of;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::accounts;
use crate::server::store::exports::{self as store, Belongings};

/// Keys and acts that an export has at most, each.
const ROWS_MAX: i64 = 10_000;

fn at(ms: i64) -> String {
    Timestamp::from_ms(ms).rfc3339()
}

fn maybe(ms: Option<i64>) -> Option<String> {
    ms.map(at)
}

/// A detail as it was stored, read: JSON within JSON would be unreadable.
fn read(detail: &str) -> Value {
    serde_json::from_str(detail).unwrap_or(Value::Null)
}

/// The export as one JSON object, for whoever has just proved who they are.
pub async fn export(ctx: &Context, signed_in: &SignedIn) -> Result<Value, DomainError> {
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    signed_in.actor.require_proof(now)?;
    let mut tx = ctx.db.begin_write().await?;
    note(ctx, &mut tx, &signed_in.actor, "account.exported", json!({}), now).await?;
    tx.commit().await?;
    let mut tx = ctx.db.begin_snapshot().await?;
    let profile = accounts::find_profile(&mut tx, account).await?;
    let profile = profile.ok_or(DomainError::NotFound)?;
    // One more than fits, to see whether there are more.
    let mut all = store::collect(&mut tx, account, &profile.email_folded, ROWS_MAX + 1).await?;
    drop(tx);
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let is_cut = all.acts.len() > most || all.keys.len() > most;
    all.acts.truncate(most);
    all.keys.truncate(most);
    let notes =
        is_cut.then(|| format!("At most {ROWS_MAX} keys and {ROWS_MAX} acts are listed; there are more."));
    let mut export = json!({
        "format": "keywright-personal-export-1",
        "exportedAt": now.rfc3339(),
        "installation": ctx.site.public_origin.as_str(),
        "note": notes,
        "account": {
            "id": account, "name": profile.name, "email": profile.email, "language": profile.language,
            "timeZone": profile.time_zone, "instanceAdministrator": profile.is_instance_admin,
            "createdAt": at(profile.created_at_ms), "lastSignInAt": maybe(profile.last_sign_in_at_ms),
            "passwordSetAt": maybe(profile.password_set_at_ms),
        },
    });
    if let (Some(export), Value::Object(rest)) = (export.as_object_mut(), belongings(&all)) {
        export.extend(rest);
    }
    Ok(export)
}

fn belongings(all: &Belongings) -> Value {
    let memberships = all.memberships.iter().map(|row| json!({
        "organisationId": row.org_id, "organisation": row.organisation, "role": row.role, "status": row.status,
        "since": at(row.created_at_ms), "statusSince": maybe(row.status_at_ms), "lastActiveAt": maybe(row.last_active_at_ms),
    }));
    let factors = all.factors.iter().map(|row| {
        json!({
            "kind": row.kind, "begunAt": at(row.created_at_ms), "inForceSince": maybe(row.confirmed_at_ms),
            "lastUsedAt": maybe(row.used_at_ms),
        })
    });
    let sessions = all.sessions.iter().map(|row| json!({
        "stage": row.stage, "startedAt": at(row.created_at_ms), "lastSeenAt": at(row.last_seen_at_ms),
        "expiresAt": at(row.expires_at_ms), "ip": row.ip, "device": device_of(&row.user_agent), "userAgent": row.user_agent,
    }));
    let notices = all.notices.iter().map(|row| {
        json!({
            "happening": read(&row.detail), "at": at(row.created_at_ms), "seenAt": maybe(row.seen_at_ms),
        })
    });
    let places = all
        .places
        .iter()
        .map(|(first, last)| json!({ "firstSeenAt": at(*first), "lastSeenAt": at(*last) }));
    let invitations = all.invitations.iter().map(|row| json!({
        "organisationId": row.org_id, "role": row.role, "status": row.status, "sentAt": at(row.created_at_ms),
        "expiresAt": at(row.expires_at_ms),
    }));
    let keys = all.keys.iter().map(|row| json!({
        "id": row.id, "organisationId": row.org_id, "projectId": row.project_id, "environment": row.environment,
        "name": row.name, "purpose": row.purpose, "scopes": row.scopes, "status": row.status, "owner": row.is_owner == 1,
        "creator": row.is_creator == 1, "createdAt": at(row.created_at_ms), "expiresAt": maybe(row.expires_at_ms),
        "revokedAt": maybe(row.revoked_at_ms), "lastUsedAt": maybe(row.last_used_at_ms),
    }));
    let acts = all.acts.iter().map(|row| json!({
        "chain": row.chain, "seq": row.seq, "at": at(row.at_ms), "ip": row.ip, "session": row.session_id,
        "action": row.action, "targetType": row.target_type, "targetId": row.target_id, "detail": read(&row.detail),
    }));
    json!({
        "memberships": memberships.collect::<Vec<_>>(),
        "secondFactors": factors.collect::<Vec<_>>(),
        "sessions": sessions.collect::<Vec<_>>(),
        "notices": notices.collect::<Vec<_>>(),
        "knownPlaces": places.collect::<Vec<_>>(),
        "invitations": invitations.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "acts": acts.collect::<Vec<_>>(),
    })
}
