//! What the database holds of one person, for them to take away: no secret, no hash. Of one person, in whichever
//! organisations they are; of keys only where they are a member today.

use super::db::{Tx, on};
use super::error::StoreError;
use super::statements;
use crate::model::id::AccountId;

statements! {
    LIST_MEMBERSHIPS = "SELECT m.org_id, o.name AS organisation, m.role, m.status, m.created_at_ms, m.status_at_ms, m.last_active_at_ms
        FROM members m JOIN organisations o ON o.id = m.org_id WHERE m.account_id = $1 ORDER BY m.created_at_ms, m.org_id";
    LIST_FACTORS = "SELECT kind, created_at_ms, confirmed_at_ms, used_at_ms FROM factors WHERE account_id = $1 ORDER BY created_at_ms, id";
    LIST_SESSIONS = "SELECT stage, created_at_ms, last_seen_at_ms, expires_at_ms, ip, user_agent FROM sessions
        WHERE account_id = $1 ORDER BY created_at_ms, id_sha256";
    LIST_NOTICES = "SELECT detail, created_at_ms, seen_at_ms FROM notices WHERE account_id = $1 ORDER BY created_at_ms, id";
    LIST_PLACES = "SELECT first_at_ms, last_at_ms FROM known_places WHERE account_id = $1 ORDER BY first_at_ms, place";
    LIST_INVITATIONS = "SELECT i.org_id, i.role, i.status, i.created_at_ms, i.expires_at_ms FROM invitations i
        WHERE i.email_folded = $1 OR i.account_id = $2 ORDER BY i.created_at_ms, i.id";
    LIST_KEYS = "SELECT k.id, k.org_id, k.project_id, k.environment, k.name, k.purpose, k.scopes, k.status,
        CASE WHEN k.owner_account_id = $1 THEN 1 ELSE 0 END AS is_owner,
        CASE WHEN k.created_by_type = 'account' AND k.created_by_id = $1 THEN 1 ELSE 0 END AS is_creator,
        k.created_at_ms, k.expires_at_ms, k.revoked_at_ms, u.at_ms AS last_used_at_ms
        FROM api_keys k JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = $1
        LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE k.owner_account_id = $1 OR (k.created_by_type = 'account' AND k.created_by_id = $1)
        ORDER BY k.created_at_ms, k.id LIMIT $2";
    LIST_ACTS = "SELECT chain, seq, at_ms, ip, session_id, action, target_type, target_id, detail FROM audit_events
        WHERE actor_type = 'account' AND actor_id = $1 ORDER BY at_ms DESC, chain, seq DESC LIMIT $2";
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MembershipRow {
    pub org_id: String,
    pub organisation: String,
    pub role: String,
    pub status: String,
    pub created_at_ms: i64,
    pub status_at_ms: Option<i64>,
    pub last_active_at_ms: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FactorRow {
    pub kind: String,
    pub created_at_ms: i64,
    pub confirmed_at_ms: Option<i64>,
    pub used_at_ms: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub stage: String,
    pub created_at_ms: i64,
    pub last_seen_at_ms: i64,
    pub expires_at_ms: i64,
    pub ip: Option<String>,
    pub user_agent: String,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NoticeRow {
    pub detail: String,
    pub created_at_ms: i64,
    pub seen_at_ms: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InvitationRow {
    pub org_id: String,
    pub role: String,
    pub status: String,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: String,
    pub org_id: String,
    pub project_id: String,
    pub environment: String,
    pub name: String,
    pub purpose: String,
    pub scopes: String,
    pub status: String,
    pub is_owner: i32,
    pub is_creator: i32,
    pub created_at_ms: i64,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ActRow {
    pub chain: String,
    pub seq: i64,
    pub at_ms: i64,
    pub ip: Option<String>,
    pub session_id: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: String,
    pub detail: String,
}

/// Everything but the account's own row.
#[derive(Clone, Debug)]
pub struct Belongings {
    pub memberships: Vec<MembershipRow>,
    pub factors: Vec<FactorRow>,
    pub sessions: Vec<SessionRow>,
    pub notices: Vec<NoticeRow>,
    /// When known networks and devices were first and last seen; which they are is stored as digests only.
    pub places: Vec<(i64, i64)>,
    pub invitations: Vec<InvitationRow>,
    pub keys: Vec<KeyRow>,
    /// Newest first.
    pub acts: Vec<ActRow>,
}

/// Collects what belongs to an account: at most `most` keys, and `most` acts.
pub async fn collect(
    tx: &mut Tx,
    account: &AccountId,
    email_folded: &str,
    most: i64,
) -> Result<Belongings, StoreError> {
    let id = account.as_str();
    Ok(Belongings {
        memberships: on!(tx, c => sqlx::query_as(LIST_MEMBERSHIPS).bind(id).fetch_all(c).await)?,
        factors: on!(tx, c => sqlx::query_as(LIST_FACTORS).bind(id).fetch_all(c).await)?,
        sessions: on!(tx, c => sqlx::query_as(LIST_SESSIONS).bind(id).fetch_all(c).await)?,
        notices: on!(tx, c => sqlx::query_as(LIST_NOTICES).bind(id).fetch_all(c).await)?,
        places: on!(tx, c => sqlx::query_as(LIST_PLACES).bind(id).fetch_all(c).await)?,
        invitations: on!(tx, c => sqlx::query_as(LIST_INVITATIONS).bind(email_folded).bind(id).fetch_all(c).await)?,
        keys: on!(tx, c => sqlx::query_as(LIST_KEYS).bind(id).bind(most).fetch_all(c).await)?,
        acts: on!(tx, c => sqlx::query_as(LIST_ACTS).bind(id).bind(most).fetch_all(c).await)?,
    })
}
