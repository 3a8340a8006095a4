//! One batch: raw events, roll-ups per minute, hour and day, and last uses, in one transaction.

use std::collections::BTreeMap;

use super::sink::UsageEvent;
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;
use crate::server::store::error::StoreError;
use crate::server::store::usage::{self as store, EventRow, RollUp};

/// Most events one transaction takes.
pub const BATCH_MAX: usize = 10_000;

/// Key, grain, bucket, verdict: in this order for every batch, so that two nodes lock rows in one order.
type Cell<'a> = (&'a str, &'static str, i64, VerdictCode);

/// Writes a batch, all or nothing.
pub async fn write(ctx: &Context, events: &[UsageEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows: Vec<EventRow> = events.iter().map(row_of).collect();
    let mut tx = ctx.db.begin_write().await?;
    store::insert_events(&mut tx, &rows).await?;
    for cell in folded(events).values() {
        store::roll_up(&mut tx, cell).await?;
    }
    for (key, event) in latest(events, |event| event.key.id.as_str()) {
        store::set_key_used(&mut tx, key, event.at.ms(), event.client_ip.as_deref()).await?;
    }
    for (token, event) in latest(events, |event| &event.token_id) {
        store::set_token_used(&mut tx, token, event.at.ms(), event.caller_ip.as_deref()).await?;
    }
    tx.commit().await?;
    ctx.usage.count_persisted(events.len());
    Ok(())
}

fn row_of(event: &UsageEvent) -> EventRow {
    EventRow {
        request_id: event.request_id.clone(),
        org_id: event.key.org_id.clone(),
        project_id: event.key.project_id.as_str().to_owned(),
        key_id: event.key.id.as_str().to_owned(),
        token_id: event.token_id.clone(),
        at_ms: event.at.ms(),
        code: event.code,
        ip: event.client_ip.clone(),
        method: event.method.clone(),
        path: event.path.clone(),
        user_agent: event.user_agent.clone(),
        resource: event.resource.clone(),
    }
}

/// Adds a batch up before the database sees it: a thousand requests of one key are three upserts.
fn folded(events: &[UsageEvent]) -> BTreeMap<Cell<'_>, RollUp<'_>> {
    let mut cells = BTreeMap::new();
    for event in events {
        for grain in [Grain::Minute, Grain::Hour, Grain::Day] {
            let bucket_at_ms = event.at.floor_to(grain.width_ms()).ms();
            let cell = cells
                .entry((event.key.id.as_str(), grain.as_str(), bucket_at_ms, event.code))
                .or_insert(RollUp {
                    key_id: event.key.id.as_str(),
                    org_id: &event.key.org_id,
                    project_id: event.key.project_id.as_str(),
                    grain,
                    bucket_at_ms,
                    code: event.code,
                    requests: 0,
                });
            cell.requests += 1;
        }
    }
    cells
}

fn latest<'a>(
    events: &'a [UsageEvent],
    id: impl Fn(&'a UsageEvent) -> &'a str,
) -> BTreeMap<&'a str, &'a UsageEvent> {
    let mut latest: BTreeMap<&str, &UsageEvent> = BTreeMap::new();
    for event in events {
        let known = latest.entry(id(event)).or_insert(event);
        if event.at >= known.at {
            *known = event;
        }
    }
    latest
}
