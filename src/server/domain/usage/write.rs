//! One batch: raw events, roll-ups per minute, hour and day, and last uses, in one transaction.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::sink::UsageEvent;
use crate::model::time::Timestamp;
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;
use crate::server::domain::verification::CachedKey;
use crate::server::store::error::StoreError;
use crate::server::store::usage::{self as store, EventRow, LastUse, RollUp};

/// Most events one transaction takes.
pub const BATCH_MAX: usize = 10_000;

/// Events that are folded and sent at once: more would keep a thread from answering requests.
const EVENTS_AT_ONCE: usize = 1_000;

/// Key, grain, bucket, verdict: in this order for every batch, so that two nodes lock rows in one order.
type Cell<'a> = (&'a str, &'static str, i64, VerdictCode);

/// What a batch comes to: counts per minute, and last uses.
#[derive(Default)]
struct Folded<'a> {
    minutes: HashMap<(&'a str, i64, VerdictCode), (&'a CachedKey, i64)>,
    keys: BTreeMap<&'a str, LastUse<'a>>,
    tokens: BTreeMap<&'a str, LastUse<'a>>,
}

/// Writes a batch, all or nothing.
pub async fn write(ctx: &Context, events: &[UsageEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut folded = Folded::default();
    let mut tx = ctx.db.begin_write().await?;
    for chunk in events.chunks(EVENTS_AT_ONCE) {
        chunk.iter().for_each(|event| folded.add(event));
        store::insert_events(&mut tx, chunk.iter().map(row_of)).await?;
    }
    store::roll_up(&mut tx, folded.cells().values()).await?;
    store::set_keys_used(&mut tx, folded.keys.into_values()).await?;
    store::set_tokens_used(&mut tx, folded.tokens.into_values()).await?;
    tx.commit().await?;
    ctx.usage.count_persisted(events.len());
    Ok(())
}

impl<'a> Folded<'a> {
    fn add(&mut self, event: &'a UsageEvent) {
        let (key, at) = (event.key.id.as_str(), event.at);
        let minute = at.floor_to(Grain::Minute.width_ms()).ms();
        let cell = (key, minute, event.code);
        self.minutes.entry(cell).or_insert((&event.key, 0)).1 += 1;
        note_use(&mut self.keys, key, at, event.client_ip);
        note_use(&mut self.tokens, event.token.id.as_str(), at, event.caller_ip);
    }

    /// The counts in every grain: a thousand requests of one key are three upserts.
    fn cells(&self) -> BTreeMap<Cell<'a>, RollUp<'a>> {
        let mut cells = BTreeMap::new();
        for (&(key_id, minute, code), &(key, requests)) in &self.minutes {
            for grain in [Grain::Minute, Grain::Hour, Grain::Day] {
                let bucket_at_ms = Timestamp::from_ms(minute).floor_to(grain.width_ms()).ms();
                let cell = cells
                    .entry((key_id, grain.as_str(), bucket_at_ms, code))
                    .or_insert(RollUp {
                        key_id,
                        org_id: key.org_id.as_str(),
                        project_id: key.project_id.as_str(),
                        grain,
                        bucket_at_ms,
                        code,
                        requests: 0,
                    });
                cell.requests += requests;
            }
        }
        cells
    }
}

fn note_use<'a>(uses: &mut BTreeMap<&'a str, LastUse<'a>>, id: &'a str, at: Timestamp, ip: Option<IpAddr>) {
    let at_ms = at.ms();
    let known = uses.entry(id).or_insert(LastUse { id, at_ms, ip });
    if at_ms >= known.at_ms {
        *known = LastUse { id, at_ms, ip };
    }
}

fn row_of(event: &UsageEvent) -> EventRow<'_> {
    EventRow {
        at_ms: event.at.ms(),
        request_id: event.request_id.as_str(),
        key_id: event.key.id.as_str(),
        token_id: event.token.id.as_str(),
        code: event.code,
        ip: event.client_ip,
        told: event
            .told
            .as_ref()
            .and_then(|told| serde_json::to_string(told).ok()),
    }
}
