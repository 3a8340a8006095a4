//! One batch: raw events, roll-ups per minute, hour and day, and last uses, in one transaction.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::needs::Needs;
use super::sink::UsageEvent;
use crate::model::country::CountryCode;
use crate::model::time::{HOUR_MS, Timestamp};
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;
use crate::server::domain::keys::rotation;
use crate::server::domain::verification::CachedKey;
use crate::server::platform::countries::CountryDatabase;
use crate::server::store::error::StoreError;
use crate::server::store::keys;
use crate::server::store::usage::{self as store, AddressUses, EventRow, LastUse, RollUp, SecretUses};

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
    addresses: BTreeMap<(&'a str, IpAddr), AddressUses<'a>>,
    /// Secrets of keys that rotate, by the hour.
    secrets: BTreeMap<(&'a str, u32, i64), SecretUses<'a>>,
    /// Keys whose new secret was used while the countdown waits for that, and when first.
    first_uses: BTreeMap<(&'a str, u32), (&'a CachedKey, Timestamp)>,
    /// What of their access keys needed.
    needs: Needs<'a>,
}

/// Where the addresses of a batch are, each looked up once; nothing while there is no country database.
type Places = HashMap<IpAddr, Option<CountryCode>>;

async fn look_up(countries: &CountryDatabase, events: &[UsageEvent]) -> Places {
    let mut places = Places::new();
    if !countries.is_ready() {
        return places;
    }
    for chunk in events.chunks(EVENTS_AT_ONCE) {
        for ip in chunk.iter().filter_map(|event| event.client_ip) {
            places.entry(ip).or_insert_with(|| countries.country(ip));
        }
        tokio::task::yield_now().await;
    }
    places
}

fn country_of(places: &Places, event: &UsageEvent) -> Option<CountryCode> {
    places.get(&event.client_ip?).copied().flatten()
}

/// Writes a batch, all or nothing.
pub async fn write(ctx: &Context, events: &[UsageEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    // Before the writer's turn is taken: others wait for it.
    let places = look_up(&ctx.countries, events).await;
    let mut folded = Folded::default();
    let mut tx = ctx.db.begin_write().await?;
    for chunk in events.chunks(EVENTS_AT_ONCE) {
        let country = |event: &UsageEvent| country_of(&places, event);
        chunk.iter().for_each(|event| folded.add(event, country(event)));
        let rows = chunk.iter().map(|event| row_of(event, country(event)));
        store::insert_events(&mut tx, rows).await?;
    }
    store::roll_up(&mut tx, folded.cells().values()).await?;
    let late = ctx.usage.late();
    let mut uses: Vec<keys::Use<'_>> = folded.keys.values().map(|used| (used.id, used.at_ms)).collect();
    uses.extend(late.iter().map(|(id, at_ms)| (id.as_str(), *at_ms)));
    store::set_keys_used(&mut tx, folded.keys.into_values()).await?;
    store::set_tokens_used(&mut tx, folded.tokens.into_values()).await?;
    store::add_addresses(&mut tx, folded.addresses.into_values()).await?;
    store::add_secret_uses(&mut tx, folded.secrets.into_values()).await?;
    folded.needs.write(&mut tx).await?;
    let held = keys::set_all_in_use(&mut tx, &uses).await?;
    tx.commit().await?;
    ctx.usage.count_persisted(events.len());
    ctx.usage.set_late(&held);
    begin_countdowns(ctx, &folded.first_uses).await;
    Ok(())
}

/// Previous secrets whose time begins with what this batch saw. One that fails is tried again with the next use.
async fn begin_countdowns(ctx: &Context, first_uses: &BTreeMap<(&str, u32), (&CachedKey, Timestamp)>) {
    for ((_, number), (key, used_at)) in first_uses {
        if let Err(error) = rotation::begin_countdown(ctx, &key.org_id, &key.id, (*number, *used_at)).await {
            tracing::warn!(key.id = %key.id, %error, "a rotation could not begin to count down");
        }
    }
}

impl<'a> Folded<'a> {
    fn add(&mut self, event: &'a UsageEvent, country: Option<CountryCode>) {
        let (key, at) = (event.key.id.as_str(), event.at);
        let minute = at.floor_to(Grain::Minute.width_ms()).ms();
        let cell = (key, minute, event.code);
        self.minutes.entry(cell).or_insert((&event.key, 0)).1 += 1;
        note_use(
            &mut self.keys,
            key,
            at,
            (event.client_ip, country, Some(event.key.org_id.as_str())),
        );
        note_use(
            &mut self.tokens,
            event.token.id.as_str(),
            at,
            (event.caller_ip, None, None),
        );
        if let Some(ip) = event.client_ip {
            note_address(&mut self.addresses, (key, ip, country), at.ms());
        }
        if let Some(number) = event.secret_number {
            self.add_secret(event, number);
        }
        self.needs.add(event);
    }

    fn add_secret(&mut self, event: &'a UsageEvent, number: u32) {
        let (key_id, at) = (event.key.id.as_str(), event.at);
        let hour_at_ms = at.floor_to(HOUR_MS).ms();
        let (at_ms, ip) = (at.ms(), event.client_ip);
        let last = LastUse {
            id: key_id,
            at_ms,
            ip,
            country: None,
            org_id: None,
        };
        let uses = self
            .secrets
            .entry((key_id, number, hour_at_ms))
            .or_insert(SecretUses {
                number,
                hour_at_ms,
                requests: 0,
                last,
            });
        uses.requests += 1;
        if at_ms >= uses.last.at_ms {
            uses.last = last;
        }
        if event.code == VerdictCode::Valid && event.key.waits_for(number) {
            let first = self
                .first_uses
                .entry((key_id, number))
                .or_insert((&event.key, at));
            first.1 = first.1.min(at);
        }
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

fn note_use<'a>(
    uses: &mut BTreeMap<&'a str, LastUse<'a>>,
    id: &'a str,
    at: Timestamp,
    (ip, country, org_id): (Option<IpAddr>, Option<CountryCode>, Option<&'a str>),
) {
    let used = LastUse {
        id,
        at_ms: at.ms(),
        ip,
        country,
        org_id,
    };
    let known = uses.entry(id).or_insert(used);
    if used.at_ms >= known.at_ms {
        *known = used;
    }
}

fn note_address<'a>(
    addresses: &mut BTreeMap<(&'a str, IpAddr), AddressUses<'a>>,
    (key_id, ip, country): (&'a str, IpAddr, Option<CountryCode>),
    at_ms: i64,
) {
    let ip = ip.to_canonical();
    let uses = addresses.entry((key_id, ip)).or_insert(AddressUses {
        key_id,
        ip,
        first_at_ms: at_ms,
        last_at_ms: at_ms,
        requests: 0,
        country,
    });
    uses.requests += 1;
    uses.first_at_ms = uses.first_at_ms.min(at_ms);
    uses.last_at_ms = uses.last_at_ms.max(at_ms);
}

fn row_of(event: &UsageEvent, country: Option<CountryCode>) -> EventRow<'_> {
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
        country,
    }
}
