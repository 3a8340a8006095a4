//! What is to be done. The incident's tenant was checked before.

use super::record::named;
use crate::model::id::{AccountId, IncidentId};
use crate::model::incident::ItemKind;
use crate::model::org::MemberName;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

macro_rules! items {
    () => {
        "SELECT i.number, i.kind, i.text, i.assignee_id, a.name AS assignee_name, i.done_at_ms, i.done_by_type, i.done_by_id,
        d.name AS done_by_name, i.note FROM incident_items i LEFT JOIN accounts a ON a.id = i.assignee_id
        LEFT JOIN accounts d ON d.id = i.done_by_id WHERE i.incident_id = $1"
    };
}

statements! {
    LIST = concat!(items!(), " ORDER BY i.number");
    FIND = concat!(items!(), " AND i.number = $2");
    /// How many there are of a kind, and the highest number of all.
    COUNT = "SELECT CAST(COALESCE(SUM(CASE kind WHEN $2 THEN 1 ELSE 0 END), 0) AS BIGINT), COALESCE(MAX(number), 0)
        FROM incident_items WHERE incident_id = $1";
    INSERT = "INSERT INTO incident_items (incident_id, number, kind, text, note) VALUES ($1, $2, $3, $4, '')";
    SET = "UPDATE incident_items SET assignee_id = $3, note = $4 WHERE incident_id = $1 AND number = $2";
    SET_DONE = "UPDATE incident_items SET done_at_ms = $3, done_by_type = $4, done_by_id = $5 WHERE incident_id = $1 AND number = $2";
    REMOVE = "DELETE FROM incident_items WHERE incident_id = $1 AND number = $2 AND kind = 'own'";
}

#[derive(sqlx::FromRow)]
struct RawItem {
    number: i64,
    kind: String,
    text: String,
    assignee_id: Option<String>,
    assignee_name: Option<String>,
    done_at_ms: Option<i64>,
    done_by_type: Option<String>,
    done_by_id: Option<String>,
    done_by_name: Option<String>,
    note: String,
}

/// An item as it is stored.
#[derive(Clone, Debug)]
pub struct ItemRow {
    pub number: i64,
    pub kind: ItemKind,
    pub text: String,
    pub assignee: Option<MemberName>,
    pub done_at: Option<Timestamp>,
    pub done_by: Option<String>,
    pub note: String,
}

fn item(incident: &IncidentId, row: RawItem) -> Result<ItemRow, StoreError> {
    let place = RowPlace {
        table: "incident_items",
        id: incident.as_str(),
    };
    let assignee = match row.assignee_id {
        Some(id) => Some(MemberName {
            account_id: place.parsed("assignee_id", &id)?,
            name: row.assignee_name.unwrap_or_default(),
        }),
        None => None,
    };
    let done_by = row.done_by_type.zip(row.done_by_id);
    Ok(ItemRow {
        number: row.number,
        kind: place.required("kind", ItemKind::parse(&row.kind))?,
        text: row.text,
        assignee,
        done_at: moment(row.done_at_ms),
        done_by: done_by.map(|(kind, id)| named(&kind, id, row.done_by_name)),
        note: row.note,
    })
}

pub async fn list_items(tx: &mut Tx, incident: &IncidentId) -> Result<Vec<ItemRow>, StoreError> {
    let rows: Vec<RawItem> = on!(tx, c => sqlx::query_as(LIST).bind(incident.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(|row| item(incident, row)).collect()
}

pub async fn find_item(
    tx: &mut Tx,
    incident: &IncidentId,
    number: i64,
) -> Result<Option<ItemRow>, StoreError> {
    let row: Option<RawItem> =
        on!(tx, c => sqlx::query_as(FIND).bind(incident.as_str()).bind(number).fetch_optional(c).await)?;
    row.map(|row| item(incident, row)).transpose()
}

/// Items of a kind, and the highest number of all.
pub async fn count_items(
    tx: &mut Tx,
    incident: &IncidentId,
    kind: ItemKind,
) -> Result<(i64, i64), StoreError> {
    on!(tx, c => sqlx::query_as(COUNT).bind(incident.as_str()).bind(kind.as_str()).fetch_one(c).await)
}

pub async fn insert_item(
    tx: &mut Tx,
    incident: &IncidentId,
    number: i64,
    kind: ItemKind,
    text: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(incident.as_str()).bind(number).bind(kind.as_str()).bind(text).execute(c).await.map(drop))
}

pub async fn set_item(
    tx: &mut Tx,
    incident: &IncidentId,
    number: i64,
    assignee: Option<&AccountId>,
    note: &str,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET).bind(incident.as_str()).bind(number).bind(assignee.map(AccountId::as_str)).bind(note)
        .execute(c).await.map(drop))
}

/// `done` says when and by whom; none for an item that is to be done again.
pub async fn set_item_done(
    tx: &mut Tx,
    incident: &IncidentId,
    number: i64,
    done: Option<(Timestamp, (&str, &str))>,
) -> Result<(), StoreError> {
    let (at, kind, id) = (
        done.map(|(at, _)| at.ms()),
        done.map(|(_, by)| by.0),
        done.map(|(_, by)| by.1),
    );
    on!(tx, c => sqlx::query(SET_DONE).bind(incident.as_str()).bind(number).bind(at).bind(kind).bind(id).execute(c).await.map(drop))
}

/// `false` for an item that is not somebody's own.
pub async fn remove_item(tx: &mut Tx, incident: &IncidentId, number: i64) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(REMOVE).bind(incident.as_str()).bind(number).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
