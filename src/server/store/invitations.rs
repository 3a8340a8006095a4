//! Invitations into organisations.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::account::Email;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, InvitationId, OrgId};
use crate::model::member::InvitationSummary;
use crate::model::org::Role;
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO invitations (id, org_id, email, email_folded, role, status, invited_by, created_at_ms, sent_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $7, $8)";
    LIST_PENDING = "SELECT i.id, i.email, i.role, a.name, i.sent_at_ms, i.expires_at_ms FROM invitations i
        JOIN accounts a ON a.id = i.invited_by WHERE i.org_id = $1 AND i.status = 'pending' ORDER BY i.created_at_ms DESC, i.id";
    FIND_PENDING = "SELECT i.id, i.email, i.role, a.name, i.sent_at_ms, i.expires_at_ms FROM invitations i
        JOIN accounts a ON a.id = i.invited_by WHERE i.org_id = $1 AND i.status = 'pending' AND i.id = $2";
    FIND_OPEN = "SELECT i.org_id, o.name, i.email, i.email_folded, i.role, i.invited_by, a.name AS inviter, i.expires_at_ms
        FROM invitations i JOIN organisations o ON o.id = i.org_id JOIN accounts a ON a.id = i.invited_by
        WHERE i.id = $1 AND i.status = 'pending' AND i.expires_at_ms > $2";
    /// Run out, and in the way of a new one for the same address.
    END_EXPIRED = "UPDATE invitations SET status = 'revoked', ended_at_ms = $3 WHERE org_id = $1 AND email_folded = $2
        AND status = 'pending' AND expires_at_ms <= $3";
    RENEW = "UPDATE invitations SET sent_at_ms = $3, expires_at_ms = $4, invited_by = $5 WHERE org_id = $1 AND id = $2 AND status = 'pending'";
    REVOKE = "UPDATE invitations SET status = 'revoked', ended_at_ms = $3 WHERE org_id = $1 AND id = $2 AND status = 'pending'";
    ACCEPT = "UPDATE invitations SET status = 'accepted', ended_at_ms = $3, account_id = $2 WHERE id = $1 AND status = 'pending' AND expires_at_ms > $3";
    LIST_PENDING_BY = "SELECT id, role FROM invitations WHERE org_id = $1 AND invited_by = $2 AND status = 'pending'";
}

/// An invitation that can be accepted, with its organisation.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    pub org_id: OrgId,
    pub organisation: String,
    pub email: Email,
    pub role: Role,
    pub invited_by: AccountId,
    pub inviter: String,
    pub expires_at: Timestamp,
}

pub struct NewInvitation<'a> {
    pub id: &'a InvitationId,
    pub email: &'a Email,
    pub role: Role,
    pub invited_by: &'a AccountId,
    pub expires_at: Timestamp,
}

pub async fn insert(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewInvitation<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(scope.org_id().as_str()).bind(&new.email.shown).bind(&new.email.folded)
        .bind(new.role.as_str()).bind(new.invited_by.as_str()).bind(now.ms()).bind(new.expires_at.ms()).execute(c).await.map(drop))
}

type Row = (String, String, String, String, i64, i64);

fn summary(row: Row) -> Result<InvitationSummary, StoreError> {
    let (id, email, role, invited_by, sent_at, expires_at) = row;
    let place = RowPlace {
        table: "invitations",
        id: &id,
    };
    Ok(InvitationSummary {
        id: place.parsed("id", &id)?,
        role: place.required("role", Role::parse(&role))?,
        email,
        invited_by,
        sent_at: Timestamp::from_ms(sent_at),
        expires_at: Timestamp::from_ms(expires_at),
    })
}

/// Those that wait, run out or not, the newest first.
pub async fn list_pending(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<InvitationSummary>, StoreError> {
    let rows: Vec<Row> =
        on!(tx, c => sqlx::query_as(LIST_PENDING).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter().map(summary).collect()
}

pub async fn find_pending(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &InvitationId,
) -> Result<Option<InvitationSummary>, StoreError> {
    let row: Option<Row> = on!(tx, c => sqlx::query_as(FIND_PENDING).bind(scope.org_id().as_str()).bind(id.as_str()).fetch_optional(c).await)?;
    row.map(summary).transpose()
}

#[derive(sqlx::FromRow)]
struct OpenRow {
    org_id: String,
    name: String,
    email: String,
    email_folded: String,
    role: String,
    invited_by: String,
    inviter: String,
    expires_at_ms: i64,
}

/// For the holder of its link, who belongs to no organisation yet.
pub async fn find_open(
    tx: &mut Tx,
    id: &InvitationId,
    now: Timestamp,
) -> Result<Option<OpenInvitation>, StoreError> {
    let row: Option<OpenRow> =
        on!(tx, c => sqlx::query_as(FIND_OPEN).bind(id.as_str()).bind(now.ms()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let place = RowPlace {
        table: "invitations",
        id: id.as_str(),
    };
    Ok(Some(OpenInvitation {
        org_id: place.parsed("org_id", &row.org_id)?,
        organisation: row.name,
        role: place.required("role", Role::parse(&row.role))?,
        invited_by: place.parsed("invited_by", &row.invited_by)?,
        inviter: row.inviter,
        expires_at: Timestamp::from_ms(row.expires_at_ms),
        email: Email {
            shown: row.email,
            folded: row.email_folded,
        },
    }))
}

/// Makes room for a new invitation in the place of one that has run out.
pub async fn end_expired(
    tx: &mut Tx,
    scope: &OrgScope,
    email_folded: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_EXPIRED).bind(scope.org_id().as_str()).bind(email_folded).bind(now.ms()).execute(c).await.map(drop))
}

/// Sent again, by somebody who stands for it from now on.
pub async fn renew(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &InvitationId,
    by: &AccountId,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(RENEW).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms()).bind(expires_at.ms())
        .bind(by.as_str()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub async fn revoke(
    tx: &mut Tx,
    scope: &OrgScope,
    id: &InvitationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(REVOKE).bind(scope.org_id().as_str()).bind(id.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// `false` when it was accepted, revoked or ran out meanwhile.
pub async fn accept(
    tx: &mut Tx,
    id: &InvitationId,
    account: &AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(ACCEPT).bind(id.as_str()).bind(account.as_str()).bind(now.ms())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Invitations that somebody stands for.
pub async fn list_pending_by(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
) -> Result<Vec<(InvitationId, Role)>, StoreError> {
    let rows: Vec<(String, String)> = on!(tx, c => sqlx::query_as(LIST_PENDING_BY).bind(scope.org_id().as_str()).bind(account.as_str()).fetch_all(c).await)?;
    rows.iter()
        .map(|(id, role)| {
            let place = RowPlace {
                table: "invitations",
                id,
            };
            Ok((
                place.parsed("id", id)?,
                place.required("role", Role::parse(role))?,
            ))
        })
        .collect()
}
