//! Members of one organisation.

use super::db::{Tx, on};
use super::departures::organisations;
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, OrgId};
use crate::model::member::{MemberStatus, MemberSummary};
use crate::model::org::{MemberName, Role};
use crate::model::time::Timestamp;

macro_rules! summary {
    () => {
        "SELECT m.account_id, a.name, a.email, m.role, m.status, m.created_at_ms, m.last_active_at_ms, a.status AS account_status,
        (SELECT f.confirmed_at_ms FROM factors f WHERE f.account_id = a.id AND f.confirmed_at_ms IS NOT NULL) AS factor_since_ms,
        (SELECT COUNT(*) FROM recovery_codes r WHERE r.account_id = a.id AND r.used_at_ms IS NULL) AS codes_left,
        (SELECT COUNT(*) FROM api_keys k WHERE k.owner_account_id = a.id AND k.org_id = m.org_id AND k.status <> 'revoked') AS keys_owned
        FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.org_id = $1"
    };
}

/// Everybody who is or was of the organisation $1 and is no active member with one of these roles (any more).
macro_rules! others_than {
    ($roles:literal) => {
        concat!(
            "(SELECT o.account_id FROM members o WHERE o.org_id = $1 AND NOT EXISTS (SELECT 1 FROM active_membership a
                WHERE a.org_id = o.org_id AND a.account_id = o.account_id AND a.role IN (",
            $roles,
            ")))"
        )
    };
}
pub(super) use others_than;

statements! {
    LIST = concat!(summary!(), " ORDER BY CASE m.status WHEN 'active' THEN 0 WHEN 'suspended' THEN 1 ELSE 2 END, a.name, a.id");
    FIND = concat!(summary!(), " AND m.account_id = $2");
    UPSERT = "INSERT INTO members (org_id, account_id, role, status, created_at_ms, status_at_ms) VALUES ($1, $2, $3, 'active', $4, $4)
        ON CONFLICT (org_id, account_id) DO UPDATE SET role = excluded.role, status = 'active', created_at_ms = excluded.created_at_ms,
        status_at_ms = excluded.status_at_ms";
    SET_ROLE = "UPDATE members SET role = $3 WHERE org_id = $1 AND account_id = $2 AND status <> 'removed'";
    SET_STATUS = "UPDATE members SET status = $3, status_at_ms = $4 WHERE org_id = $1 AND account_id = $2";
    /// Asked while acts of the organisation go one after the other (R54).
    COUNT_OTHER_OWNERS = "SELECT COUNT(*) FROM active_membership WHERE org_id = $1 AND role = 'owner' AND account_id <> $2";
    /// Other organisations that an account is in, suspended or not, and whether it looks after the installation.
    FIND_ELSEWHERE = "SELECT (SELECT COUNT(*) FROM members m WHERE m.account_id = a.id AND m.org_id <> $1 AND m.status <> 'removed'),
        a.is_instance_admin FROM accounts a WHERE a.id = $2";
    LIST_WITHOUT_FACTOR = "SELECT a.id, a.name FROM active_membership m JOIN accounts a ON a.id = m.account_id WHERE m.org_id = $1
        AND NOT EXISTS (SELECT 1 FROM factors f WHERE f.account_id = a.id AND f.confirmed_at_ms IS NOT NULL) ORDER BY a.name, a.id";
    LIST_ORGANISATIONS = "SELECT org_id FROM members WHERE account_id = $1 AND status <> 'removed' ORDER BY org_id";
    COUNT_ACTIVE = "SELECT COUNT(*) FROM active_membership WHERE org_id = $1";
    FIND_STATUS = "SELECT status FROM members WHERE org_id = $1 AND account_id = $2";
    /// Changes nothing, takes the row's lock, and finds nobody who is no active member (any more).
    HOLD_ACTIVE = "UPDATE members SET status = status WHERE org_id = $1 AND account_id = $2 AND status = 'active'";
    /// Who looks after the organisation.
    LIST_ADMINISTRATORS = "SELECT account_id FROM active_membership WHERE org_id = $1 AND role IN ('owner', 'admin')
        ORDER BY account_id LIMIT 200";
    FIND_ROLE = "SELECT role FROM active_membership WHERE org_id = $1 AND account_id = $2";
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    account_id: String,
    name: String,
    email: String,
    role: String,
    status: String,
    created_at_ms: i64,
    last_active_at_ms: Option<i64>,
    account_status: String,
    factor_since_ms: Option<i64>,
    codes_left: i64,
    keys_owned: i64,
}

impl TryFrom<MemberRow> for MemberSummary {
    type Error = StoreError;
    fn try_from(row: MemberRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "members",
            id: &row.account_id,
        };
        let status = place.required("status", MemberStatus::parse(&row.status))?;
        // What became of somebody after they left is not this organisation's business.
        let is_here = status != MemberStatus::Removed;
        Ok(Self {
            account_id: place.parsed("account_id", &row.account_id)?,
            role: place.required("role", Role::parse(&row.role))?,
            status,
            joined_at: Timestamp::from_ms(row.created_at_ms),
            last_active_at: moment(row.last_active_at_ms),
            factor_since: moment(row.factor_since_ms).filter(|_| is_here),
            recovery_codes_left: if is_here { row.codes_left } else { 0 },
            keys_owned: row.keys_owned,
            is_account_active: row.account_status == "active",
            name: row.name,
            email: if is_here { row.email } else { String::new() },
        })
    }
}

/// Everybody who is or was a member: active first, then by name.
pub async fn list(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<MemberSummary>, StoreError> {
    let rows: Vec<MemberRow> =
        on!(tx, c => sqlx::query_as(LIST).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter().map(MemberSummary::try_from).collect()
}

pub async fn find(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
) -> Result<Option<MemberSummary>, StoreError> {
    let row: Option<MemberRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(account.as_str()).fetch_optional(c).await)?;
    row.map(MemberSummary::try_from).transpose()
}

/// Makes somebody an active member, or one again who was removed.
pub async fn upsert(
    tx: &mut Tx,
    org: &OrgId,
    account: &AccountId,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(UPSERT).bind(org.as_str()).bind(account.as_str()).bind(role.as_str()).bind(now.ms())
        .execute(c).await.map(drop))
}

/// `false` when there is no such member any more.
pub async fn set_role(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    role: Role,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_ROLE).bind(scope.org_id().as_str()).bind(account.as_str()).bind(role.as_str())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// `false` when there is no such member.
pub async fn set_status(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
    status: MemberStatus,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_STATUS).bind(scope.org_id().as_str()).bind(account.as_str()).bind(status.as_str())
        .bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Every organisation that somebody is of, suspended or not, by its id.
pub async fn list_organisations(tx: &mut Tx, account: &AccountId) -> Result<Vec<OrgId>, StoreError> {
    let ids: Vec<String> =
        on!(tx, c => sqlx::query_scalar(LIST_ORGANISATIONS).bind(account.as_str()).fetch_all(c).await)?;
    organisations(&ids)
}

/// Active owners beside this account.
pub async fn count_other_owners(tx: &mut Tx, org: &OrgId, account: &AccountId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_OTHER_OWNERS).bind(org.as_str()).bind(account.as_str()).fetch_one(c).await)
}

/// How many other organisations an account is in, and whether it is an instance administrator's.
pub async fn find_elsewhere(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &AccountId,
) -> Result<Option<(i64, bool)>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_ELSEWHERE).bind(scope.org_id().as_str()).bind(account.as_str()).fetch_optional(c).await)
}

/// Active members whose accounts have no second factor in force.
pub async fn list_without_factor(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<MemberName>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_WITHOUT_FACTOR).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, name)| {
            let place = RowPlace {
                table: "accounts",
                id: &id,
            };
            Ok(MemberName {
                account_id: place.parsed("id", &id)?,
                name,
            })
        })
        .collect()
}

pub async fn count_active(tx: &mut Tx, scope: &OrgScope) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_ACTIVE).bind(scope.org_id().as_str()).fetch_one(c).await)
}

/// The status of whoever is or was a member; for an organisation that is known from a row rather than from whoever asks.
pub async fn find_status(
    tx: &mut Tx,
    org: &OrgId,
    account: &AccountId,
) -> Result<Option<MemberStatus>, StoreError> {
    let status: Option<String> = on!(tx, c => sqlx::query_scalar(FIND_STATUS).bind(org.as_str()).bind(account.as_str()).fetch_optional(c).await)?;
    let place = RowPlace {
        table: "members",
        id: account.as_str(),
    };
    status
        .map(|status| place.required("status", MemberStatus::parse(&status)))
        .transpose()
}

/// Whether somebody is an active member, and stays one until the transaction ends.
pub async fn hold_active(tx: &mut Tx, org: &OrgId, account: &AccountId) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(HOLD_ACTIVE).bind(org.as_str()).bind(account.as_str())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The role of an active member; for an organisation that is known from a row rather than from whoever asks.
pub async fn find_role(tx: &mut Tx, org: &OrgId, account: &AccountId) -> Result<Option<Role>, StoreError> {
    let role: Option<String> = on!(tx, c => sqlx::query_scalar(FIND_ROLE).bind(org.as_str()).bind(account.as_str()).fetch_optional(c).await)?;
    let place = RowPlace {
        table: "members",
        id: account.as_str(),
    };
    role.map(|role| place.required("role", Role::parse(&role)))
        .transpose()
}

/// Owners and admins, at most 200 of them.
pub async fn list_administrators(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<AccountId>, StoreError> {
    let rows: Vec<String> = on!(tx, c => sqlx::query_scalar(LIST_ADMINISTRATORS).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    let place = RowPlace {
        table: "members",
        id: scope.org_id().as_str(),
    };
    rows.iter().map(|id| place.parsed("account_id", id)).collect()
}
