//! Reading how a leaked key was used, from the raw events, and keeping it with the incident.
//!
//! Raw events have no index by key: every verification would pay for it, and incidents are rare. A job reads them in
//! slices by their moment instead, backward to the horizon and forward as they come, skipping hours in which the key was
//! not used. What it finds is kept with the incident, so that it is still there when the raw events are pruned.

use std::collections::{BTreeMap, HashSet};

use crate::model::incident::{UseKind, VALUE_MAX, endpoint_of};
use crate::model::key_text::redacted_address;
use crate::model::text::shown;
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::model::verdict::VerdictCode;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::incidents::{self as store, RawUse, Reading, StoredUse};

/// Requests are written down a moment after they were answered; what is younger than this is not read yet.
pub(super) const SETTLED_MS: i64 = 30 * SECOND_MS;
/// Forward it is read when there is so much of it at least, so that a busy key does not write each second.
const FORWARD_MS: i64 = 5 * SECOND_MS;
/// A key that is not used moves the mark so seldom.
const IDLE_MS: i64 = 10 * MINUTE_MS;
/// Events, of whichever key, that one slice spans.
const SLICE_EVENTS: i64 = 20_000;
/// Slices that one incident gets before the next has its turn.
const SLICES_PER_TURN: usize = 100;
/// Values of a kind that are kept apart; the rest is counted together.
const VALUES_MAX: usize = 500;
/// Stands for those.
pub(super) const REST: &str = "…";

/// A few slices of every incident that has something to be read. `true`: there is more.
pub async fn read_on(ctx: &Context) -> Result<bool, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let all = store::list_to_read(&mut tx).await?;
    drop(tx);
    let mut more = false;
    for mut reading in all {
        let mut slices = 0;
        while step(ctx, &mut reading).await? {
            slices += 1;
            if slices == SLICES_PER_TURN {
                more = true;
                break;
            }
        }
    }
    Ok(more)
}

/// The span to read next, and the marks after it.
struct Slice {
    span: Option<(Timestamp, Timestamp)>,
    from: Timestamp,
    until: Timestamp,
}

/// Reads one slice. `false`: nothing is left for now.
async fn step(ctx: &Context, reading: &mut Reading) -> Result<bool, DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let slice = match forward(&mut tx, reading, now).await? {
        Some(slice) => slice,
        None => match backward(&mut tx, reading).await? {
            Some(slice) => slice,
            None => return Ok(false),
        },
    };
    let raw = match slice.span {
        Some(span) => store::list_raw(&mut tx, &reading.key, span, i64::MAX).await?,
        None => Vec::new(),
    };
    drop(tx);
    let found = fold(&raw, reading.since);
    let mut tx = ctx.db.begin_write().await?;
    if !store::set_read(&mut tx, reading, slice.from, slice.until).await? {
        // Another process has read it, or the suspected moment is another one now.
        return Ok(false);
    }
    let known = store::known_values(&mut tx, &reading.id).await?;
    for used in bounded(found, known.into_iter().collect()) {
        store::add_use(&mut tx, &reading.id, &used).await?;
    }
    tx.commit().await?;
    (reading.read_from, reading.read_until) = (slice.from, slice.until);
    Ok(true)
}

/// What came since, up to what has settled.
async fn forward(tx: &mut Tx, reading: &Reading, now: Timestamp) -> Result<Option<Slice>, DomainError> {
    let settled = now.minus_ms(SETTLED_MS);
    let end = reading.closed_at.map_or(settled, |closed| closed.min(settled));
    let is_last = reading.closed_at == Some(end);
    let waiting = end.since_ms(reading.read_until);
    if waiting <= 0 || (waiting < FORWARD_MS && !is_last) {
        return Ok(None);
    }
    let slice = |span, until| Slice {
        span,
        from: reading.read_from,
        until,
    };
    let first = store::first_minute(tx, &reading.key, reading.read_until, end).await?;
    let Some(first) = first else {
        return Ok((is_last || waiting >= IDLE_MS).then(|| slice(None, end)));
    };
    let from = reading.read_until.max(first);
    let bound = store::event_bound_after(tx, from, SLICE_EVENTS).await?;
    let until = bound.map_or(end, |bound| bound.max(from.plus_ms(1)).min(end));
    Ok(Some(slice(Some((from, until)), until)))
}

/// What was before, hours without a use left out.
async fn backward(tx: &mut Tx, reading: &Reading) -> Result<Option<Slice>, DomainError> {
    if reading.read_from <= reading.horizon {
        return Ok(None);
    }
    let slice = |span, from| {
        Some(Slice {
            span,
            from,
            until: reading.read_until,
        })
    };
    let hour = store::last_hour_before(tx, &reading.key, reading.read_from).await?;
    let Some(hour) = hour.filter(|hour| hour.plus_ms(HOUR_MS) > reading.horizon) else {
        return Ok(slice(None, reading.horizon));
    };
    let until = reading.read_from.min(hour.plus_ms(HOUR_MS));
    let bound = store::event_bound_before(tx, until, SLICE_EVENTS).await?;
    let from = bound.map_or(reading.horizon, |bound| bound.max(reading.horizon));
    Ok(slice(Some((from, until)), from))
}

/// Groups by kind and value.
pub(super) type Found = BTreeMap<(UseKind, String), StoredUse>;

/// Sorts raw events into groups, before and after a moment.
pub(super) fn fold(raw: &[RawUse], since: Timestamp) -> Found {
    let mut found = Found::new();
    for event in raw {
        let told: serde_json::Value = event
            .told
            .as_deref()
            .and_then(|told| serde_json::from_str(told).ok())
            .unwrap_or_default();
        let text = |name: &str| told[name].as_str().unwrap_or_default();
        let agent = shown(&redacted_address(text("userAgent")), VALUE_MAX);
        let values = [
            (UseKind::Address, event.ip.clone().unwrap_or_default()),
            (UseKind::Country, event.country.clone().unwrap_or_default()),
            (UseKind::Endpoint, endpoint_of(text("method"), text("path"))),
            (UseKind::Agent, agent),
        ];
        for (kind, value) in values {
            let entry = found.entry((kind, value.clone()));
            let used = entry.or_insert_with(|| empty(kind, value, event.at_ms));
            used.first_at_ms = used.first_at_ms.min(event.at_ms);
            used.last_at_ms = used.last_at_ms.max(event.at_ms);
            if event.at_ms < since.ms() {
                used.before += 1;
            } else {
                used.after += 1;
                used.refused += i64::from(event.code != VerdictCode::Valid.as_str());
            }
        }
    }
    found
}

fn empty(kind: UseKind, value: String, at_ms: i64) -> StoredUse {
    StoredUse {
        kind,
        value,
        first_at_ms: at_ms,
        last_at_ms: at_ms,
        before: 0,
        after: 0,
        refused: 0,
    }
}

/// Adds what another slice found.
pub(super) fn add(into: &mut Found, used: StoredUse) {
    match into.get_mut(&(used.kind, used.value.clone())) {
        Some(known) => {
            known.first_at_ms = known.first_at_ms.min(used.first_at_ms);
            known.last_at_ms = known.last_at_ms.max(used.last_at_ms);
            known.before += used.before;
            known.after += used.after;
            known.refused += used.refused;
        }
        None => {
            into.insert((used.kind, used.value.clone()), used);
        }
    }
}

/// The same with so many values of a kind at most: whoever has the key chooses what it says of itself.
fn bounded(found: Found, mut known: HashSet<(String, String)>) -> impl Iterator<Item = StoredUse> {
    let mut kept = Found::new();
    for kind in UseKind::ALL {
        let mut count = known.iter().filter(|(of, _)| of == kind.as_str()).count();
        for mut used in found.values().filter(|used| used.kind == kind).cloned() {
            let name = (kind.as_str().to_owned(), used.value.clone());
            if !known.contains(&name) {
                if count >= VALUES_MAX {
                    REST.clone_into(&mut used.value);
                } else {
                    count += 1;
                    known.insert(name);
                }
            }
            add(&mut kept, used);
        }
    }
    kept.into_values()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_ms: i64, code: &str, ip: &str, told: &str) -> RawUse {
        RawUse {
            at_ms,
            code: code.to_owned(),
            ip: (!ip.is_empty()).then(|| ip.to_owned()),
            country: (!ip.is_empty()).then(|| "DE".to_owned()),
            told: (!told.is_empty()).then(|| told.to_owned()),
        }
    }

    #[test]
    fn each_event_counts_once_in_each_kind_before_or_after() {
        let told = r#"{"method":"GET","path":"/v1/images/7","userAgent":"curl/8","resource":""}"#;
        let raw = [
            event(9, "VALID", "10.0.0.1", told),
            event(10, "VALID", "10.0.0.1", told),
            event(11, "DISABLED", "", "no json"),
        ];
        let found = fold(&raw, Timestamp::from_ms(10));
        let of = |kind, value: &str| {
            let used = &found[&(kind, value.to_owned())];
            (
                used.first_at_ms,
                used.last_at_ms,
                used.before,
                used.after,
                used.refused,
            )
        };
        assert_eq!(of(UseKind::Address, "10.0.0.1"), (9, 10, 1, 1, 0));
        assert_eq!(of(UseKind::Address, ""), (11, 11, 0, 1, 1));
        assert_eq!(of(UseKind::Endpoint, "GET /v1/images/{id}"), (9, 10, 1, 1, 0));
        assert_eq!(of(UseKind::Agent, "curl/8"), (9, 10, 1, 1, 0));
        assert_eq!(of(UseKind::Country, "DE"), (9, 10, 1, 1, 0));
        assert_eq!(of(UseKind::Country, ""), (11, 11, 0, 1, 1));
        assert_eq!(found.len(), 8);
    }

    #[test]
    fn values_without_end_are_counted_together() {
        let raw: Vec<RawUse> = (0..2_000_i64)
            .map(|n| event(n, "VALID", &format!("10.0.{}.{}", n / 250, n % 250), ""))
            .collect();
        let first: Vec<StoredUse> =
            bounded(fold(&raw[..400], Timestamp::from_ms(0)), HashSet::new()).collect();
        let known = first
            .iter()
            .map(|used| (used.kind.as_str().to_owned(), used.value.clone()));
        let second: Vec<StoredUse> = bounded(fold(&raw, Timestamp::from_ms(0)), known.collect()).collect();
        let addresses = || second.iter().filter(|used| used.kind == UseKind::Address);
        assert_eq!(addresses().count(), VALUES_MAX + 1);
        assert_eq!(
            addresses().map(|used| used.after).sum::<i64>(),
            2_000,
            "none is lost"
        );
        assert_eq!(addresses().find(|used| used.value == REST).unwrap().after, 1_500);
    }
}
