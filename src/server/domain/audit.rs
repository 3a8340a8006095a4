//! The audit log: written in the transaction of the act, chained by MACs, verifiable as a whole.
//!
//! Detail carries ids and values of settings, never names of people, addresses of mail, or secrets.

use serde_json::{Value, json};

use super::DomainError;
use crate::model::actor::{Actor, Who};
use crate::model::audit::{AuditFilter, AuditLine};
use crate::model::id::OrgId;
use crate::model::page::{Page, PageRequest};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::ctx::{Context, Ctx};
use crate::server::platform::crypto::keyring::{Keyring, Purpose};
use crate::server::store::audit::{self as store, AuditHead, AuditRow};
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::orgs;

/// The chain of acts that belong to no organisation.
pub const INSTANCE_CHAIN: &str = "instance";

/// An act, as the log tells it.
pub struct Entry<'a> {
    /// A name from [`crate::model::audit::ACTIONS`].
    pub action: &'static str,
    pub target_type: &'static str,
    pub target_id: &'a str,
    pub detail: Value,
}

impl<'a> Entry<'a> {
    #[must_use]
    pub fn new(action: &'static str, target_type: &'static str, target_id: &'a str) -> Self {
        Self {
            action,
            target_type,
            target_id,
            detail: json!({}),
        }
    }

    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Type and id of an actor, as rows store them.
#[must_use]
pub fn actor_columns(actor: &Actor) -> (&'static str, &str) {
    match actor.who() {
        Who::Anonymous => ("anonymous", "-"),
        Who::Account(id) => ("account", id.as_str()),
        Who::ServiceToken(id) => ("token", id.as_str()),
        Who::Operator(user) => ("operator", user),
        Who::System => ("system", "keywright"),
    }
}

/// Begins an act in the actor's organisation. Acts of one organisation go one after another from their first statement to
/// their commit, as SQLite's one writer has it anyway: what an act has read nobody changes before it is done, and two
/// that touch the same rows in another order cannot stop each other. (R63)
pub async fn begin(ctx: &Context, actor: &Actor) -> Result<Tx, StoreError> {
    begin_in(ctx, actor.org_id()).await
}

/// The same for an organisation that is known otherwise.
pub async fn begin_in(ctx: &Context, org: Option<&OrgId>) -> Result<Tx, StoreError> {
    let Some(org) = org.filter(|_| !ctx.db.is_sqlite()) else {
        return ctx.db.begin_write().await;
    };
    let turn = ctx.turns.take(org).await?;
    let mut tx = ctx.db.begin_write().await?.with(turn);
    hold(ctx, &mut tx, org).await?;
    Ok(tx)
}

/// Waits until no other act of the organisation is under way, and keeps others waiting until the transaction ends. Of
/// several organisations the lower id comes first.
pub async fn hold(ctx: &Context, tx: &mut Tx, org: &OrgId) -> Result<(), StoreError> {
    match ctx.db.is_sqlite() {
        // Whoever writes is alone as it is.
        true => Ok(()),
        false => store::hold_head(tx, org.as_str()).await,
    }
}

/// Appends an event to the organisation's chain, or the instance's when there is none. No record, no act: the caller
/// commits both or neither.
pub async fn record(
    ctx: &Context,
    tx: &mut Tx,
    org: Option<&OrgId>,
    actor: &Actor,
    entry: Entry<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let chain = org.map_or(INSTANCE_CHAIN, OrgId::as_str);
    let head = store::take_head(tx, chain).await?;
    let row = row_of(ctx, (chain, head.seq + 1, head.mac), actor, entry, now);
    store::insert(tx, &row).await?;
    store::set_head(tx, &sealed_head(&ctx.keyring, chain, row.seq, &row.mac)).await
}

/// Appends many events of one kind to the organisation's chain, in two statements for a thousand of them.
pub async fn record_many(
    ctx: &Context,
    tx: &mut Tx,
    org: &OrgId,
    actor: &Actor,
    entries: Vec<Entry<'_>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = store::take_head(tx, org.as_str()).await?;
    let (mut seq, mut prev) = (head.seq, head.mac);
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        seq += 1;
        let row = row_of(ctx, (org.as_str(), seq, prev), actor, entry, now);
        prev = row.mac.clone();
        rows.push(row);
    }
    store::insert_many(tx, &rows).await?;
    store::set_head(tx, &sealed_head(&ctx.keyring, org.as_str(), seq, &prev)).await
}

fn row_of(
    ctx: &Context,
    (chain, seq, prev): (&str, i64, String),
    actor: &Actor,
    entry: Entry<'_>,
    now: Timestamp,
) -> AuditRow {
    let (actor_type, actor_id) = actor_columns(actor);
    let origin = actor.origin();
    let mut row = AuditRow {
        chain: chain.to_owned(),
        seq,
        at_ms: now.ms(),
        actor_type: actor_type.to_owned(),
        actor_id: actor_id.to_owned(),
        ip: origin.ip.clone(),
        session_id: origin.session_id.clone(),
        request_id: origin.request_id.clone(),
        action: entry.action.to_owned(),
        target_type: entry.target_type.to_owned(),
        target_id: entry.target_id.to_owned(),
        detail: entry.detail.to_string(),
        key_id: String::new(),
        prev,
        mac: String::new(),
    };
    let signed = sign(&ctx.keyring, &row.mac_parts());
    (row.mac, row.key_id) = (signed.mac, signed.key_id);
    row
}

fn sign(keyring: &Keyring, parts: &[String]) -> crate::server::platform::crypto::keyring::StoredMac {
    keyring.sign(Purpose::Audit, parts)
}

fn head_parts(chain: &str, seq: i64, mac: &str) -> [String; 4] {
    [
        "keywright-audit-head-v1".to_owned(),
        chain.to_owned(),
        seq.to_string(),
        mac.to_owned(),
    ]
}

fn sealed_head(keyring: &Keyring, chain: &str, seq: i64, mac: &str) -> AuditHead {
    let signed = sign(keyring, &head_parts(chain, seq, mac));
    AuditHead {
        chain: chain.to_owned(),
        seq,
        mac: mac.to_owned(),
        key_id: signed.key_id,
        head_mac: signed.mac,
    }
}

/// What a verification of all chains found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuditReport {
    pub events: i64,
    pub ok: bool,
    /// The first thing that is wrong in each broken chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<AuditProblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuditProblem {
    pub chain: String,
    pub seq: i64,
    pub problem: &'static str,
}

/// Recomputes every chain from its first event to its head. Finds edits, deletions, insertions, reordering and a cut
/// tail; only rolling back events *and* head together needs a copy kept elsewhere.
pub async fn verify(ctx: &Context) -> Result<AuditReport, DomainError> {
    // One snapshot: events written meanwhile must not look like tampering.
    let mut tx = ctx.db.begin_snapshot().await?;
    let heads = store::list_heads(&mut tx).await?;
    let mut report = AuditReport {
        events: 0,
        ok: true,
        problems: Vec::new(),
    };
    for chain in store::list_chains(&mut tx).await? {
        if !heads.iter().any(|head| head.chain == chain) {
            report.problems.push(AuditProblem {
                chain,
                seq: 0,
                problem: "the chain has events but no head",
            });
        }
    }
    // Setting up and every organisation's beginning are audited: a chain that has gone altogether was removed.
    let mut expected: Vec<String> = orgs::list_all(&mut tx)
        .await?
        .into_iter()
        .map(|(id, ..)| id.into())
        .collect();
    if crate::server::store::instance::is_set_up(&mut tx).await? {
        expected.push(INSTANCE_CHAIN.to_owned());
    }
    for chain in expected
        .into_iter()
        .filter(|chain| !heads.iter().any(|head| &head.chain == chain))
    {
        if !report.problems.iter().any(|problem| problem.chain == chain) {
            report.problems.push(AuditProblem {
                chain,
                seq: 0,
                problem: "the whole chain is missing",
            });
        }
    }
    for head in heads {
        let (events, problem) = verify_chain(ctx, &mut tx, &head).await?;
        report.events += events;
        report.problems.extend(problem.map(|(seq, problem)| AuditProblem {
            chain: head.chain,
            seq,
            problem,
        }));
    }
    report.ok = report.problems.is_empty();
    Ok(report)
}

async fn verify_chain(
    ctx: &Context,
    tx: &mut Tx,
    head: &AuditHead,
) -> Result<(i64, Option<(i64, &'static str)>), StoreError> {
    // Below the first number too: what was slipped in before the beginning is as wrong as anything else.
    let (mut seq, mut prev, mut problem, mut events) = (0_i64, String::new(), None, 0);
    let mut after = i64::MIN;
    loop {
        let rows = store::list_chain_after(tx, &head.chain, after).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let wrong = wrong_with(&ctx.keyring, &row, seq + 1, &prev);
            problem = problem.or(wrong.map(|what| (row.seq, what)));
            (seq, prev, after) = (row.seq, row.mac, row.seq);
            events += 1;
        }
    }
    let head_parts = head_parts(&head.chain, head.seq, &head.mac);
    let head_holds = ctx
        .keyring
        .is_signed(Purpose::Audit, &head.key_id, &head_parts, &head.head_mac);
    let wrong_head = match () {
        () if !head_holds => Some("the head of the chain was changed"),
        () if head.seq > seq => Some("events are missing at the end"),
        () if head.seq < seq => Some("events were added behind the end"),
        () if head.mac != prev => Some("the last event is not the one the head names"),
        () => None,
    };
    Ok((events, problem.or(wrong_head.map(|what| (head.seq, what)))))
}

fn wrong_with(keyring: &Keyring, row: &AuditRow, expected_seq: i64, prev: &str) -> Option<&'static str> {
    if row.seq != expected_seq {
        return Some("an event is missing before this one");
    }
    if row.prev != prev {
        return Some("the event does not follow the one before it");
    }
    let parts = row.mac_parts();
    let holds = keyring.is_signed(Purpose::Audit, &row.key_id, &parts, &row.mac);
    (!holds).then_some("the event was changed")
}

/// One page of the organisation's log.
pub async fn list(
    ctx: &Ctx,
    actor: &Actor,
    filter: &AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditLine>, DomainError> {
    let scope = actor.require(Permission::AuditRead)?;
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::list(&mut tx, &scope, filter, page).await?)
}

/// Notes that a signed-in person tried what they may not. Best effort: the refusal stands whatever becomes of the note.
pub async fn record_denial(ctx: &Context, actor: &Actor, what: &'static str) {
    let now = ctx.clock.now();
    let written = async {
        let mut tx = begin(ctx, actor).await?;
        let entry = Entry::new("access.denied", "permission", what);
        record(ctx, &mut tx, actor.org_id(), actor, entry, now).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(error = %error, "a denial could not be recorded");
    }
}
