//! Organisations and memberships.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::{AccountId, OrgId};
use crate::model::org::{MemberName, Membership, OrganisationSummary, Role};
use crate::model::time::Timestamp;

statements! {
    INSERT = "INSERT INTO organisations (id, name, name_folded, slug, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
    INSERT_MEMBER = "INSERT INTO members (org_id, account_id, role, status, created_at_ms) VALUES ($1, $2, $3, 'active', $4)";
    FIND_NAME = "SELECT name FROM organisations WHERE id = $1";
    SET_NAME = "UPDATE organisations SET name = $2, name_folded = $3 WHERE id = $1";
    FIND_TWO_FACTOR = "SELECT two_factor_since_ms, two_factor_due_at_ms FROM organisations WHERE id = $1";
    SET_TWO_FACTOR = "UPDATE organisations SET two_factor_since_ms = $2, two_factor_due_at_ms = $3 WHERE id = $1";
    TOUCH_MEMBER = "UPDATE members SET last_active_at_ms = $3 WHERE org_id = $1 AND account_id = $2";
    LIST_COUNTED = "SELECT o.id, o.name, o.slug, (SELECT COUNT(*) FROM active_membership m WHERE m.org_id = o.id),
        (SELECT COUNT(*) FROM api_keys k WHERE k.org_id = o.id AND k.status IN ('active', 'disabled')) FROM organisations o ORDER BY o.name_folded";
    LIST_ALL = "SELECT id, name, slug FROM organisations ORDER BY name_folded";
    LIST_MEMBERSHIPS = "SELECT m.org_id, o.name, m.role, o.two_factor_due_at_ms FROM active_membership m
        JOIN organisations o ON o.id = m.org_id WHERE m.account_id = $1 ORDER BY o.name_folded";
    LIST_MEMBER_NAMES = "SELECT a.id, a.name FROM active_membership m JOIN accounts a ON a.id = m.account_id
        WHERE m.org_id = $1 ORDER BY a.name, a.id";
}

pub struct NewOrganisation<'a> {
    pub id: &'a OrgId,
    pub name: &'a str,
    pub name_folded: &'a str,
    pub slug: &'a str,
}

pub async fn insert(tx: &mut Tx, new: &NewOrganisation<'_>, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(new.id.as_str()).bind(new.name).bind(new.name_folded).bind(new.slug).bind(now.ms())
        .execute(c).await.map(drop))
}

pub async fn insert_member(
    tx: &mut Tx,
    org: &OrgId,
    account: &AccountId,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT_MEMBER).bind(org.as_str()).bind(account.as_str()).bind(role.as_str()).bind(now.ms())
        .execute(c).await.map(drop))
}

pub async fn find_name(tx: &mut Tx, scope: &OrgScope) -> Result<String, StoreError> {
    on!(tx, c => sqlx::query_scalar(FIND_NAME).bind(scope.org_id().as_str()).fetch_one(c).await)
}

/// Its slug stays: people may have written it down.
pub async fn set_name(tx: &mut Tx, scope: &OrgScope, name: &str, folded: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_NAME).bind(scope.org_id().as_str()).bind(name).bind(folded).execute(c).await.map(drop))
}

/// Since when a second factor is asked for, and from when on nobody is let in without.
pub async fn find_two_factor(
    tx: &mut Tx,
    scope: &OrgScope,
) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
    let row: (Option<i64>, Option<i64>) =
        on!(tx, c => sqlx::query_as(FIND_TWO_FACTOR).bind(scope.org_id().as_str()).fetch_one(c).await)?;
    Ok((moment(row.0), moment(row.1)))
}

pub async fn set_two_factor(
    tx: &mut Tx,
    scope: &OrgScope,
    asked: Option<(Timestamp, Timestamp)>,
) -> Result<(), StoreError> {
    let (since, due_at) = (asked.map(|asked| asked.0.ms()), asked.map(|asked| asked.1.ms()));
    on!(tx, c => sqlx::query(SET_TWO_FACTOR).bind(scope.org_id().as_str()).bind(since).bind(due_at).execute(c).await.map(drop))
}

/// Notes that the member was here.
pub async fn touch_member(
    tx: &mut Tx,
    org: &OrgId,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(TOUCH_MEMBER).bind(org.as_str()).bind(account.as_str()).bind(now.ms()).execute(c).await.map(drop))
}

/// Id, name and slug of every organisation; for the operator, who names one.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<(OrgId, String, String)>, StoreError> {
    let rows: Vec<(String, String, String)> = on!(tx, c => sqlx::query_as(LIST_ALL).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, name, slug)| {
            Ok((
                RowPlace {
                    table: "organisations",
                    id: &id,
                }
                .parsed("id", &id)?,
                name,
                slug,
            ))
        })
        .collect()
}

/// Every organisation with how much is in it; for instance administrators.
pub async fn list_counted(tx: &mut Tx) -> Result<Vec<OrganisationSummary>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64)> =
        on!(tx, c => sqlx::query_as(LIST_COUNTED).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, name, slug, members, keys)| {
            let place = RowPlace {
                table: "organisations",
                id: &id,
            };
            Ok(OrganisationSummary {
                id: place.parsed("id", &id)?,
                name,
                slug,
                members,
                keys,
            })
        })
        .collect()
}

/// Where an account may look: its active memberships, by name of organisation.
pub async fn list_memberships(tx: &mut Tx, account: &AccountId) -> Result<Vec<Membership>, StoreError> {
    let rows: Vec<(String, String, String, Option<i64>)> =
        on!(tx, c => sqlx::query_as(LIST_MEMBERSHIPS).bind(account.as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(org_id, org_name, role, due)| {
            let place = RowPlace {
                table: "members",
                id: &org_id,
            };
            Ok(Membership {
                org_id: place.parsed("org_id", &org_id)?,
                org_name,
                role: place.required("role", Role::parse(&role))?,
                two_factor_due_at: moment(due),
            })
        })
        .collect()
}

/// The first of them: where acts on the account itself are recorded.
pub async fn first_of(tx: &mut Tx, account: &AccountId) -> Result<Option<OrgId>, StoreError> {
    let memberships = list_memberships(tx, account).await?;
    Ok(memberships.first().map(|membership| membership.org_id))
}

/// Active members by name: who may own a key.
pub async fn list_member_names(tx: &mut Tx, scope: &OrgScope) -> Result<Vec<MemberName>, StoreError> {
    let rows: Vec<(String, String)> =
        on!(tx, c => sqlx::query_as(LIST_MEMBER_NAMES).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, name)| {
            Ok(MemberName {
                account_id: RowPlace {
                    table: "accounts",
                    id: &id,
                }
                .parsed("id", &id)?,
                name,
            })
        })
        .collect()
}
