//! The audit log: appended to, read, never changed.

use super::batch::{Batch, batch, run};
use super::db::{Tx, on};
use super::error::StoreError;
use super::row::containing;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::audit::{AuditFilter, AuditLine};
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;

macro_rules! event_columns {
    () => {
        "chain, seq, at_ms, actor_type, actor_id, ip, session_id, request_id, action, target_type, target_id, detail,
        key_id, prev, mac"
    };
}

macro_rules! narrowed {
    () => {
        " WHERE e.chain = $1 AND ($2 = '' OR e.action = $2)
        AND ($3 = '' OR e.actor_id = $3 OR lower(a.name) LIKE $4 ESCAPE '\\' OR a.email_folded LIKE $4 ESCAPE '\\')
        AND ($5 = '' OR e.target_id = $5 OR k.name_folded LIKE $6 ESCAPE '\\')"
    };
}

macro_rules! with_names {
    () => {
        " FROM audit_events e LEFT JOIN accounts a ON a.id = e.actor_id
        LEFT JOIN api_keys k ON k.id = e.target_id AND k.org_id = e.chain
        LEFT JOIN projects p ON p.id = e.target_id AND p.org_id = e.chain
        LEFT JOIN service_tokens t ON t.id = e.target_id AND t.org_id = e.chain
        LEFT JOIN key_templates kt ON kt.id = e.target_id AND kt.org_id = e.chain
        LEFT JOIN accounts ta ON ta.id = e.target_id AND e.target_type = 'account'"
    };
}

statements! {
    /// Makes the head if there is none and, either way, takes its lock: events of one chain are written one by one.
    TAKE_HEAD = "INSERT INTO audit_heads (chain, seq, mac, key_id, head_mac) VALUES ($1, 0, '', '', '')
        ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq";
    FIND_HEAD = "SELECT chain, seq, mac, key_id, head_mac FROM audit_heads WHERE chain = $1";
    LIST_HEADS = "SELECT chain, seq, mac, key_id, head_mac FROM audit_heads ORDER BY chain";
    SET_HEAD = "UPDATE audit_heads SET seq = $2, mac = $3, key_id = $4, head_mac = $5 WHERE chain = $1";
    INSERT = concat!("INSERT INTO audit_events (", event_columns!(), ")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
    LIST_CHAIN_AFTER = concat!("SELECT ", event_columns!(), " FROM audit_events WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT 1000");
    LIST_CHAINS = "SELECT DISTINCT chain FROM audit_events ORDER BY chain";
    LIST = concat!("SELECT e.seq, e.at_ms, e.actor_type, e.actor_id, a.name AS actor_name, e.ip, e.action, e.target_type,
        e.target_id, COALESCE(k.name, p.name, t.name, kt.name, ta.name) AS target_name, e.detail", with_names!(), narrowed!(),
        " ORDER BY e.seq DESC LIMIT $7 OFFSET $8");
    COUNT = concat!("SELECT COUNT(*)", with_names!(), narrowed!());
    /// Events are numbered from 1 and none is ever deleted.
    COUNT_ALL = "SELECT COALESCE(MAX(seq), 0) FROM audit_events WHERE chain = $1";
    /// The newest of one kind about one thing; of a kind there are more than about a thing, so that is looked for by the thing.
    FIND_NEWEST = "SELECT e.at_ms, e.actor_type, e.actor_id, a.name AS actor_name, e.detail FROM audit_events e
        LEFT JOIN accounts a ON a.id = e.actor_id WHERE e.chain = $1 AND e.target_id = $2 AND e.action || '' = $3
        ORDER BY e.seq DESC LIMIT 1";
    COUNT_OF_ACTION = "SELECT COUNT(*) FROM audit_events WHERE chain = $1 AND action = $2";
}

const INSERT_MANY: Batch = batch!(
    "INSERT_MANY",
    "INSERT INTO audit_events (chain, seq, at_ms, actor_type, actor_id, ip, session_id, request_id, action, target_type,
     target_id, detail, key_id, prev, mac)
     SELECT value -> 0 ->> 0, CAST(value -> 0 ->> 1 AS BIGINT), CAST(value -> 0 ->> 2 AS BIGINT), value -> 0 ->> 3,
     value -> 0 ->> 4, value -> 1 ->> 0, value -> 1 ->> 1, value -> 1 ->> 2, value -> 1 ->> 3, value -> 1 ->> 4,
     value -> 2 ->> 0, value -> 2 ->> 1, value -> 2 ->> 2, value -> 2 ->> 3, value -> 2 ->> 4",
    ""
);

/// The end of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditHead {
    pub chain: String,
    pub seq: i64,
    pub mac: String,
    pub key_id: String,
    pub head_mac: String,
}

/// An event as it is stored and chained.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    pub chain: String,
    pub seq: i64,
    pub at_ms: i64,
    pub actor_type: String,
    pub actor_id: String,
    pub ip: Option<String>,
    pub session_id: Option<String>,
    pub request_id: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: String,
    pub detail: String,
    pub key_id: String,
    pub prev: String,
    pub mac: String,
}

impl AuditRow {
    /// The texts an event's MAC is made over; the order is part of the stored format.
    #[must_use]
    pub fn mac_parts(&self) -> Vec<String> {
        let optional = |text: &Option<String>| {
            text.as_ref()
                .map_or_else(|| "-".to_owned(), |text| format!("+{text}"))
        };
        vec![
            "keywright-audit-v1".to_owned(),
            self.prev.clone(),
            self.chain.clone(),
            self.seq.to_string(),
            self.at_ms.to_string(),
            self.actor_type.clone(),
            self.actor_id.clone(),
            optional(&self.ip),
            optional(&self.session_id),
            optional(&self.request_id),
            self.action.clone(),
            self.target_type.clone(),
            self.target_id.clone(),
            self.detail.clone(),
        ]
    }
}

/// Waits for the head of a chain and holds it until the transaction ends; a new chain begins at 0.
pub async fn hold_head(tx: &mut Tx, chain: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(TAKE_HEAD).bind(chain).execute(c).await.map(drop))
}

/// The head of a chain, held until the transaction ends.
pub async fn take_head(tx: &mut Tx, chain: &str) -> Result<AuditHead, StoreError> {
    hold_head(tx, chain).await?;
    on!(tx, c => sqlx::query_as(FIND_HEAD).bind(chain).fetch_one(c).await)
}

pub async fn list_heads(tx: &mut Tx) -> Result<Vec<AuditHead>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_HEADS).fetch_all(c).await)
}

pub async fn set_head(tx: &mut Tx, head: &AuditHead) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_HEAD).bind(&head.chain).bind(head.seq).bind(&head.mac).bind(&head.key_id)
        .bind(&head.head_mac).execute(c).await.map(drop))
}

pub async fn insert(tx: &mut Tx, row: &AuditRow) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(&row.chain).bind(row.seq).bind(row.at_ms).bind(&row.actor_type).bind(&row.actor_id)
        .bind(&row.ip).bind(&row.session_id).bind(&row.request_id).bind(&row.action).bind(&row.target_type)
        .bind(&row.target_id).bind(&row.detail).bind(&row.key_id).bind(&row.prev).bind(&row.mac).execute(c).await.map(drop))
}

/// Many events of one chain, in their order.
pub async fn insert_many(tx: &mut Tx, rows: &[AuditRow]) -> Result<(), StoreError> {
    let values = |row: &AuditRow| {
        let own = row.clone();
        (
            (own.chain, own.seq, own.at_ms, own.actor_type, own.actor_id),
            (
                own.ip,
                own.session_id,
                own.request_id,
                own.action,
                own.target_type,
            ),
            (own.target_id, own.detail, own.key_id, own.prev, own.mac),
        )
    };
    run(tx, &INSERT_MANY, rows.iter().map(values).collect()).await
}

/// The batches for the test that prepares every statement.
#[must_use]
pub fn batches() -> [(&'static str, &'static str, &'static str); 1] {
    [INSERT_MANY.texts()]
}

/// Up to 1,000 events of a chain after `seq`, in order.
pub async fn list_chain_after(tx: &mut Tx, chain: &str, seq: i64) -> Result<Vec<AuditRow>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_CHAIN_AFTER).bind(chain).bind(seq).fetch_all(c).await)
}

/// Names of all chains that have events.
pub async fn list_chains(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(LIST_CHAINS).fetch_all(c).await)
}

/// Who did something last, when, and what is told of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Newest {
    pub at_ms: i64,
    pub actor_type: String,
    pub actor_id: String,
    pub actor_name: Option<String>,
    pub detail: String,
}

/// The newest event of one kind about one thing of the organisation.
pub async fn find_newest(
    tx: &mut Tx,
    scope: &OrgScope,
    target_id: &str,
    action: &str,
) -> Result<Option<Newest>, StoreError> {
    on!(tx, c => sqlx::query_as(FIND_NEWEST).bind(scope.org_id().as_str()).bind(target_id).bind(action)
        .fetch_optional(c).await)
}

#[derive(sqlx::FromRow)]
struct LineRow {
    seq: i64,
    at_ms: i64,
    actor_type: String,
    actor_id: String,
    actor_name: Option<String>,
    ip: Option<String>,
    action: String,
    target_type: String,
    target_id: String,
    target_name: Option<String>,
    detail: String,
}

/// One page of an organisation's log, newest first.
pub async fn list(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditLine>, StoreError> {
    let chain = scope.org_id().as_str();
    let (actor, target) = (filter.actor.trim(), filter.target.trim());
    let actor_like = containing(&crate::model::text::folded(actor));
    let target_like = containing(&crate::model::text::folded(target));
    let rows: Vec<LineRow> = on!(tx, c => sqlx::query_as(LIST).bind(chain).bind(&filter.action).bind(actor).bind(&actor_like)
        .bind(target).bind(&target_like).bind(i64::from(page.size)).bind(page.offset()).fetch_all(c).await)?;
    let is_plain = actor.is_empty() && target.is_empty();
    let total: i64 = match (is_plain, filter.action.as_str()) {
        (true, "") => on!(tx, c => sqlx::query_scalar(COUNT_ALL).bind(chain).fetch_one(c).await)?,
        (true, action) => {
            on!(tx, c => sqlx::query_scalar(COUNT_OF_ACTION).bind(chain).bind(action).fetch_one(c).await)?
        }
        _ => {
            on!(tx, c => sqlx::query_scalar(COUNT).bind(chain).bind(&filter.action).bind(actor).bind(&actor_like)
            .bind(target).bind(&target_like).fetch_one(c).await)?
        }
    };
    let rows = rows
        .into_iter()
        .map(|row| AuditLine {
            seq: row.seq,
            at: Timestamp::from_ms(row.at_ms),
            actor_type: row.actor_type,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            ip: row.ip,
            action: row.action,
            target_type: row.target_type,
            target_id: row.target_id,
            target_name: row.target_name,
            detail: row.detail,
        })
        .collect();
    Ok(Page {
        rows,
        total,
        number: page.number,
        size: page.size,
    })
}
