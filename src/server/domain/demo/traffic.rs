//! Plausible requests: a day and a week in the curve, some noise, the same each time.

use std::collections::BTreeMap;

use super::{DAYS, DemoKey, State};
use crate::model::advice::UseKind;
use crate::model::country::CountryCode;
use crate::model::id::{KeyId, OrgId, ProjectId};
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::key_uses::{self, NewUse};
use crate::server::store::usage::{self, AddressUses, LastUse, RollUp};

/// A key with what its traffic hangs on.
pub(super) struct Used<'a> {
    pub key: &'a DemoKey,
    /// Makes two keys with the same peak differ.
    pub salt: i64,
    pub id: &'a KeyId,
    pub org: &'a OrgId,
    pub project: &'a ProjectId,
    pub created: Timestamp,
}

type Cells = BTreeMap<(Grain, i64, VerdictCode), i64>;

fn requests_in(hour: Timestamp, peak: i64, salt: i64) -> i64 {
    const CURVE: [i64; 24] = [
        22, 18, 15, 14, 15, 20, 33, 52, 74, 90, 97, 100, 94, 95, 98, 96, 90, 82, 74, 66, 58, 48, 38, 28,
    ];
    let hours = hour.ms().div_euclid(HOUR_MS);
    let day = hour.ms().div_euclid(DAY_MS);
    let weekday = if (day + 4).rem_euclid(7) >= 5 { 55 } else { 100 };
    let chance = hours.wrapping_mul(2_654_435_761).wrapping_add(salt * 40_503);
    let noise = 80 + chance.rem_euclid(41);
    let share = CURVE[usize::try_from(hours.rem_euclid(24)).unwrap_or(0)];
    peak * share * weekday * noise / 1_000_000
}

/// Writes up to ninety days of requests of a key, and when it was used last.
pub(super) async fn write(ctx: &Context, used: &Used<'_>, now: Timestamp) -> Result<(), DomainError> {
    let key = used.key;
    if key.peak == 0 {
        return Ok(());
    }
    let last = now.minus_ms(key.quiet_days * DAY_MS);
    let mut cells = Cells::new();
    let end = add_hours(&mut cells, used, last, now);
    if key.quiet_days == 0 {
        add_last_hour(&mut cells, now, requests_in(now, key.peak, used.salt));
    }
    let rows: Vec<RollUp<'_>> = cells
        .iter()
        .map(|((grain, bucket_at_ms, code), requests)| RollUp {
            key_id: used.id.as_str(),
            org_id: used.org.as_str(),
            project_id: used.project.as_str(),
            grain: *grain,
            bucket_at_ms: *bucket_at_ms,
            code: *code,
            requests: *requests,
        })
        .collect();
    let at = if key.quiet_days == 0 {
        now.minus_ms((2 + used.salt * 3) * MINUTE_MS)
    } else {
        end
    };
    let last_use = LastUse {
        id: used.id.as_str(),
        at_ms: at.ms(),
        ip: key.ip.parse().ok(),
        country: country_of(ctx, key.ip),
        org_id: Some(used.org.as_str()),
    };
    let mut tx = ctx.db.begin_write().await?;
    usage::roll_up(&mut tx, rows.iter()).await?;
    usage::set_keys_used(&mut tx, std::iter::once(last_use)).await?;
    usage::add_addresses(&mut tx, address_of(ctx, used, at).into_iter()).await?;
    key_uses::note(&mut tx, need_of(used, at).into_iter()).await?;
    tx.commit().await?;
    Ok(())
}

/// All of it comes from one address.
fn address_of<'a>(ctx: &Context, used: &Used<'a>, at: Timestamp) -> Option<AddressUses<'a>> {
    Some(AddressUses {
        key_id: used.id.as_str(),
        ip: used.key.ip.parse().ok()?,
        first_at_ms: used.created.ms(),
        last_at_ms: at.ms(),
        requests: used.key.peak,
        country: country_of(ctx, used.key.ip),
    })
}

/// Only where there is a country database that knows the address.
pub(super) fn country_of(ctx: &Context, ip: &str) -> Option<CountryCode> {
    ctx.countries.country(ip.parse().ok()?)
}

/// The first scope of a key is the one that its requests need.
fn need_of<'a>(used: &Used<'a>, at: Timestamp) -> Option<NewUse<'a>> {
    Some(NewUse {
        key_id: used.id.as_str(),
        kind: UseKind::Grant,
        name: used.key.scopes.first()?,
        first_at_ms: used.created.ms(),
        last_at_ms: at.ms(),
    })
}

/// Every hour of the key's life; after it has ended, what still uses it is refused for some days. Gives the end.
fn add_hours(cells: &mut Cells, used: &Used<'_>, last: Timestamp, now: Timestamp) -> Timestamp {
    let key = used.key;
    let earliest = now.minus_ms(DAYS * DAY_MS);
    let mut hour = used.created.plus_ms(HOUR_MS).max(earliest).floor_to(HOUR_MS);
    while hour < last {
        let allowed = requests_in(hour, key.peak, used.salt);
        add(cells, hour, VerdictCode::Valid, allowed);
        add(cells, hour, VerdictCode::InsufficientScope, allowed / 90);
        hour = hour.plus_ms(HOUR_MS);
    }
    let refused = match key.state {
        State::Active => return hour,
        State::Disabled => VerdictCode::Disabled,
        State::Revoked(..) => VerdictCode::Revoked,
    };
    while hour < last.plus_ms(3 * DAY_MS) && hour < now {
        add(cells, hour, refused, requests_in(hour, key.peak, used.salt) / 6);
        hour = hour.plus_ms(HOUR_MS);
    }
    hour
}

/// The last sixty minutes one by one: what a revocation would stop.
fn add_last_hour(cells: &mut Cells, now: Timestamp, requests: i64) {
    for minute in 1..60 {
        let share = requests * minute / 60 - requests * (minute - 1) / 60;
        if share > 0 {
            let at = now.minus_ms(minute * MINUTE_MS).floor_to(MINUTE_MS);
            *cells
                .entry((Grain::Minute, at.ms(), VerdictCode::Valid))
                .or_default() += share;
        }
    }
}

fn add(cells: &mut Cells, hour: Timestamp, code: VerdictCode, requests: i64) {
    if requests > 0 {
        for grain in [Grain::Hour, Grain::Day] {
            let bucket = hour.floor_to(grain.width_ms()).ms();
            *cells.entry((grain, bucket, code)).or_default() += requests;
        }
    }
}
