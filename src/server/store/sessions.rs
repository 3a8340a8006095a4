//! Sessions: made by INSERT, kept alive by UPDATE only, so that a request in flight cannot bring an ended one back.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::account::SessionStage;
use crate::model::id::{AccountId, OrgId};
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO sessions (id_sha256, account_id, org_id, stage, session_epoch, created_at_ms, last_seen_at_ms,
        auth_at_ms, expires_at_ms, ip, user_agent, step_up_at_ms) VALUES ($1, $2, $3, $4, $5, $10, $6, $11, $7, $8, $9, $12)";
    /// Alive means: within both lifetimes, of the account's present epoch, and the account is active.
    FIND_ALIVE = "SELECT s.account_id, s.org_id, s.stage, s.last_seen_at_ms, s.auth_at_ms, s.step_up_at_ms, a.name, a.email,
        a.is_instance_admin, EXISTS (SELECT 1 FROM factors f WHERE f.account_id = a.id AND f.confirmed_at_ms IS NOT NULL) AS has_factor
        FROM sessions s JOIN accounts a ON a.id = s.account_id
        WHERE s.id_sha256 = $1 AND s.expires_at_ms > $2 AND s.last_seen_at_ms > $3
        AND s.session_epoch = a.session_epoch AND a.status = 'active'";
    TOUCH = "UPDATE sessions SET last_seen_at_ms = $2 WHERE id_sha256 = $1 AND last_seen_at_ms < $2";
    SET_ORG = "UPDATE sessions SET org_id = $2 WHERE id_sha256 = $1";
    DELETE = "DELETE FROM sessions WHERE id_sha256 = $1";
    /// Takes a session away for another to go on in its place: with what it was worth.
    TAKE = "DELETE FROM sessions WHERE id_sha256 = $1
        RETURNING session_epoch, expires_at_ms, created_at_ms, auth_at_ms, step_up_at_ms";
    /// What of an account is alive, in the sense of FIND_ALIVE; a whole session before one that is half done.
    LIST = "SELECT s.id_sha256, s.stage, s.auth_at_ms, s.last_seen_at_ms, s.ip, s.user_agent
        FROM sessions s JOIN accounts a ON a.id = s.account_id
        WHERE s.account_id = $1 AND s.expires_at_ms > $2 AND s.last_seen_at_ms > $3
        AND s.session_epoch = a.session_epoch AND a.status = 'active'
        ORDER BY s.stage, s.last_seen_at_ms DESC, s.id_sha256";
    /// By the public handle: the digest's first characters.
    DELETE_BY_HANDLE = "DELETE FROM sessions WHERE account_id = $1 AND SUBSTR(id_sha256, 1, 12) = $2";
    DELETE_ALL = "DELETE FROM sessions WHERE account_id = $1";
    DELETE_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND id_sha256 <> $2";
    /// Counts a wrong code of a sign-in that is half done, and holds its row.
    COUNT_FAILURE = "UPDATE sessions SET factor_failures = factor_failures + 1 WHERE id_sha256 = $1 AND stage = 'second_factor_due'
        RETURNING factor_failures";
    /// Ends the oldest sessions of an account beyond the newest $2, each stage for itself: whoever knows the password alone
    /// must not push out who is signed in.
    DELETE_BEYOND = "DELETE FROM sessions WHERE account_id = $1 AND stage = $3 AND id_sha256 NOT IN (SELECT id_sha256 FROM sessions
        WHERE account_id = $1 AND stage = $3 ORDER BY created_at_ms DESC, id_sha256 LIMIT $2)";
    DELETE_DEAD = "DELETE FROM sessions WHERE expires_at_ms <= $1 OR last_seen_at_ms <= $2";
}

pub struct NewSession<'a> {
    pub id_sha256: &'a str,
    pub account_id: &'a AccountId,
    pub org_id: Option<&'a OrgId>,
    pub stage: SessionStage,
    pub session_epoch: i64,
    pub created_at: Timestamp,
    /// When whoever it is signed in.
    pub auth_at: Timestamp,
    /// When they last proved who they are since then.
    pub step_up_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub ip: Option<&'a str>,
    pub user_agent: &'a str,
}

/// A session that is alive, with whose it is.
#[derive(Clone, Debug)]
pub struct LiveSession {
    pub account_id: AccountId,
    pub account_name: String,
    pub account_email: String,
    pub is_instance_admin: bool,
    pub org_id: Option<OrgId>,
    pub stage: SessionStage,
    pub last_seen_at: Timestamp,
    /// The last proof of identity in this session: signing in, or confirming since.
    pub proved_at: Timestamp,
    pub has_factor: bool,
}

/// What a session was worth when it was taken away.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub epoch: i64,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub auth_at: Timestamp,
    pub step_up_at: Option<Timestamp>,
}

/// A session that is alive, as its owner looks at it.
pub struct ListedSession {
    pub id_sha256: String,
    pub stage: SessionStage,
    pub auth_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: String,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id_sha256: String,
    stage: String,
    auth_at_ms: i64,
    last_seen_at_ms: i64,
    ip: Option<String>,
    user_agent: String,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    account_id: String,
    org_id: Option<String>,
    stage: String,
    last_seen_at_ms: i64,
    auth_at_ms: i64,
    step_up_at_ms: Option<i64>,
    name: String,
    email: String,
    is_instance_admin: bool,
    has_factor: bool,
}

pub async fn insert(tx: &mut Tx, new: &NewSession<'_>, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id_sha256).bind(new.account_id.as_str()).bind(new.org_id.map(OrgId::as_str))
        .bind(new.stage.as_str()).bind(new.session_epoch).bind(now.ms()).bind(new.expires_at.ms()).bind(new.ip)
        .bind(new.user_agent).bind(new.created_at.ms()).bind(new.auth_at.ms()).bind(new.step_up_at.map(Timestamp::ms)).execute(c).await.map(drop))
}

/// The session behind a cookie, if it was seen after `idle_since` and has not reached its end.
pub async fn find_alive(
    tx: &mut Tx,
    id_sha256: &str,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<LiveSession>, StoreError> {
    let row: Option<SessionRow> = on!(tx, c => sqlx::query_as(FIND_ALIVE).bind(id_sha256).bind(now.ms()).bind(idle_since.ms()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let place = RowPlace {
        table: "sessions",
        id: &row.account_id,
    };
    Ok(Some(LiveSession {
        account_id: place.parsed("account_id", &row.account_id)?,
        org_id: row.org_id.map(|id| place.parsed("org_id", &id)).transpose()?,
        stage: place.required("stage", SessionStage::parse(&row.stage))?,
        last_seen_at: Timestamp::from_ms(row.last_seen_at_ms),
        proved_at: Timestamp::from_ms(row.step_up_at_ms.unwrap_or(row.auth_at_ms).max(row.auth_at_ms)),
        has_factor: row.has_factor,
        account_name: row.name,
        account_email: row.email,
        is_instance_admin: row.is_instance_admin,
    }))
}

pub async fn touch(tx: &mut Tx, id_sha256: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(TOUCH).bind(id_sha256).bind(now.ms()).execute(c).await.map(drop))
}

pub async fn set_org(tx: &mut Tx, id_sha256: &str, org: &OrgId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_ORG).bind(id_sha256).bind(org.as_str()).execute(c).await.map(drop))
}

/// `false` when it was not there any more.
pub async fn delete(tx: &mut Tx, id_sha256: &str) -> Result<bool, StoreError> {
    let rows =
        on!(tx, c => sqlx::query(DELETE).bind(id_sha256).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Ends every session of an account but one; how many there were.
pub async fn delete_others(tx: &mut Tx, account: &AccountId, id_sha256: &str) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_OTHERS).bind(account.as_str()).bind(id_sha256).execute(c).await.map(|done| done.rows_affected()))
}

/// Ends every session of an account.
pub async fn delete_all(tx: &mut Tx, account: &AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_ALL).bind(account.as_str()).execute(c).await.map(drop))
}

/// Ends the account's session of this public handle. `false` when it has none.
pub async fn delete_by_handle(tx: &mut Tx, account: &AccountId, handle: &str) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(DELETE_BY_HANDLE).bind(account.as_str()).bind(handle).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// The account's sessions that are alive: whole ones first, each kind by when it was last seen.
pub async fn list(
    tx: &mut Tx,
    account: &AccountId,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows: Vec<ListedRow> = on!(tx, c => sqlx::query_as(LIST).bind(account.as_str()).bind(now.ms()).bind(idle_since.ms()).fetch_all(c).await)?;
    let place = RowPlace {
        table: "sessions",
        id: account.as_str(),
    };
    rows.into_iter()
        .map(|row| {
            Ok(ListedSession {
                stage: place.required("stage", SessionStage::parse(&row.stage))?,
                id_sha256: row.id_sha256,
                auth_at: Timestamp::from_ms(row.auth_at_ms),
                last_seen_at: Timestamp::from_ms(row.last_seen_at_ms),
                ip: row.ip,
                user_agent: row.user_agent,
            })
        })
        .collect()
}

/// Wrong codes so far, this one included. `None` when the session is over or complete.
pub async fn count_failure(tx: &mut Tx, id_sha256: &str) -> Result<Option<i64>, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_FAILURE).bind(id_sha256).fetch_optional(c).await)
}

/// Takes a session away. `None` when it is over already.
pub async fn take(tx: &mut Tx, id_sha256: &str) -> Result<Option<Taken>, StoreError> {
    let row: Option<(i64, i64, i64, i64, Option<i64>)> =
        on!(tx, c => sqlx::query_as(TAKE).bind(id_sha256).fetch_optional(c).await)?;
    Ok(
        row.map(|(epoch, expires_at, created_at, auth_at, step_up_at)| Taken {
            epoch,
            expires_at: Timestamp::from_ms(expires_at),
            created_at: Timestamp::from_ms(created_at),
            auth_at: Timestamp::from_ms(auth_at),
            step_up_at: moment(step_up_at),
        }),
    )
}

pub async fn delete_beyond(
    tx: &mut Tx,
    account: &AccountId,
    stage: SessionStage,
    newest: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE_BEYOND).bind(account.as_str()).bind(newest).bind(stage.as_str()).execute(c).await.map(drop))
}

pub async fn delete_dead(tx: &mut Tx, now: Timestamp, idle_since: Timestamp) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DELETE_DEAD).bind(now.ms()).bind(idle_since.ms()).execute(c).await.map(|done| done.rows_affected()))
}
