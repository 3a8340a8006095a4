//! How the key was used around the suspected moment: what was read so far, what came since, and the counts by hour or day.

use std::collections::HashMap;

use super::reading::{Found, REST, SETTLED_MS, add, fold};
use crate::model::actor::{Actor, OrgScope};
use crate::model::id::KeyId;
use crate::model::incident::{
    Incident, LISTED_MAX, SharedAddress, Sibling, SiblingKeys, Timeline, UseGroup, UseKind, Uses,
};
use crate::model::key::{Environment, KeyStatus};
use crate::model::time::Timestamp;
use crate::model::usage::{UsageRange, UsageSeries};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::keys::may_manage;
use crate::server::store::db::Tx;
use crate::server::store::incidents::{self as store, IncidentRow, SiblingRow};

/// Requests that are too young to have been read, at most.
const YOUNG_MAX: i64 = 20_000;
/// Addresses that more keys share say nothing of any of them.
const CROWD: i64 = 100;

/// The chart's range: the shortest that has the suspected moment well inside.
#[must_use]
pub fn range_for(since: Timestamp, until: Timestamp) -> UsageRange {
    let fits = |range: &UsageRange| since >= range.start(until).plus_ms(2 * range.bucket_ms());
    let mut all = UsageRange::ALL.into_iter();
    all.find(fits).unwrap_or(UsageRange::Quarter)
}

/// Up to when: now, or when it was closed.
fn until(incident: &Incident, now: Timestamp) -> Timestamp {
    incident.closed_at.map_or(now, |closed| closed.min(now))
}

/// What is known of the key's use; `range` is the chart's, or else one that fits.
pub async fn of(
    tx: &mut Tx,
    (ctx, scope): (&Context, &OrgScope),
    row: &IncidentRow,
    range: Option<UsageRange>,
    now: Timestamp,
) -> Result<Timeline, DomainError> {
    let incident = &row.incident;
    let (key, since, until) = (&incident.key_id, incident.suspected_since, until(incident, now));
    let mut found = Found::new();
    for used in store::list_uses(tx, &incident.id).await? {
        add(&mut found, used);
    }
    // Closed incidents and idle keys have nothing young, and nothing is read.
    let end = until.plus_ms(1);
    let young = row.read_until.max(end.minus_ms(20 * SETTLED_MS));
    if young < end && store::first_minute(tx, key, young, end).await?.is_some() {
        let raw = store::list_raw(tx, key, (young, end), YOUNG_MAX).await?;
        fold(&raw, since)
            .into_values()
            .for_each(|used| add(&mut found, used));
    }
    let (older, older_countries) = seen_before(ctx, tx, key, since).await?;
    let range = range.unwrap_or_else(|| range_for(since, until));
    let span = (range.start(until), end);
    let cells = store::list_cells(tx, scope, key, range.grain(), span).await?;
    let sum = |count: fn(&store::StoredUse) -> i64| {
        let addresses = found.values().filter(|used| used.kind == UseKind::Address);
        addresses.map(count).sum()
    };
    Ok(Timeline {
        before: sum(|used| used.before),
        after: sum(|used| used.after),
        refused: sum(|used| used.refused),
        addresses: uses(&found, UseKind::Address, since, &older),
        countries: countries(&found, since, &older_countries),
        endpoints: uses(&found, UseKind::Endpoint, since, &HashMap::new()),
        agents: uses(&found, UseKind::Agent, since, &HashMap::new()),
        horizon: row.horizon,
        read_from: row.read_from,
        until,
        series: UsageSeries::from_cells(range, until, &cells),
    })
}

/// Addresses and countries that the key was used from before, with when first. Where a country was not written down, it
/// is the one that the present database says.
async fn seen_before(
    ctx: &Context,
    tx: &mut Tx,
    key: &KeyId,
    since: Timestamp,
) -> Result<(HashMap<String, i64>, HashMap<String, i64>), DomainError> {
    let mut countries: HashMap<String, i64> = store::list_countries_seen(tx, key, since)
        .await?
        .into_iter()
        .collect();
    let mut addresses = HashMap::new();
    for (ip, country, first_at_ms) in store::list_first_seen(tx, key, since).await? {
        let untold = ip.parse().ok().filter(|_| country.is_none());
        if let Some(code) = untold.and_then(|ip| ctx.countries.country(ip)) {
            let first = countries.entry(code.to_string()).or_insert(first_at_ms);
            *first = first_at_ms.min(*first);
        }
        addresses.insert(ip, first_at_ms);
    }
    Ok((addresses, countries))
}

/// By country; nothing where none was ever told.
fn countries(found: &Found, since: Timestamp, older: &HashMap<String, i64>) -> Uses {
    let uses = uses(found, UseKind::Country, since, older);
    match uses.rows.iter().all(|row| row.value.is_empty()) {
        true => Uses::default(),
        false => uses,
    }
}

/// The groups of one kind, new ones first, then the busiest since the suspected moment; `older` has been seen before.
fn uses(found: &Found, kind: UseKind, since: Timestamp, older: &HashMap<String, i64>) -> Uses {
    let group = |used: &store::StoredUse| {
        let first = older
            .get(&used.value)
            .map_or(used.first_at_ms, |first| used.first_at_ms.min(*first));
        UseGroup {
            value: used.value.clone(),
            first_at: Timestamp::from_ms(first),
            last_at: Timestamp::from_ms(used.last_at_ms),
            before: used.before,
            after: used.after,
            refused: used.refused,
            // Of what was not told, or is many, nobody can say that it is new.
            is_new: first >= since.ms() && !used.value.is_empty() && used.value != REST,
            keys: None,
        }
    };
    let mut rows: Vec<UseGroup> = found
        .values()
        .filter(|used| used.kind == kind)
        .map(group)
        .collect();
    rows.sort_by(|a, b| {
        (b.is_new, b.after, b.before)
            .cmp(&(a.is_new, a.after, a.before))
            .then_with(|| a.value.cmp(&b.value))
    });
    let more = rows.len().saturating_sub(LISTED_MAX);
    rows.truncate(LISTED_MAX);
    Uses {
        rows,
        more: i64::try_from(more).unwrap_or(i64::MAX),
    }
}

/// Other keys from the same addresses since the suspected moment; notes in the timeline how many keys share each address.
pub async fn siblings(
    tx: &mut Tx,
    (actor, scope): (&Actor, &OrgScope),
    incident: &Incident,
    timeline: &mut Timeline,
) -> Result<SiblingKeys, DomainError> {
    let (key, since) = (&incident.key_id, incident.suspected_since);
    let counted: HashMap<String, i64> = store::list_counted(tx, scope, key, since)
        .await?
        .into_iter()
        .collect();
    for row in &mut timeline.addresses.rows {
        row.keys = counted.get(&row.value).copied();
    }
    let mut crowded: Vec<String> = counted
        .into_iter()
        .filter_map(|(ip, keys)| (keys > CROWD).then_some(ip))
        .collect();
    crowded.sort();
    let mut rows: Vec<Sibling> = Vec::new();
    for row in store::list_siblings(tx, scope, key, since).await? {
        gather(&mut rows, actor, row)?;
    }
    let more = rows.len().saturating_sub(LISTED_MAX);
    rows.truncate(LISTED_MAX);
    Ok(SiblingKeys {
        rows,
        more: i64::try_from(more).unwrap_or(i64::MAX),
        crowded,
    })
}

/// Puts a key at an address beside what is known of the key.
fn gather(all: &mut Vec<Sibling>, actor: &Actor, row: SiblingRow) -> Result<(), DomainError> {
    let damaged = || DomainError::Defect("a key's row cannot be read");
    let key_id: KeyId = row.key_id.parse()?;
    let last_at = Timestamp::from_ms(row.last_at_ms);
    let environment = Environment::parse(&row.environment).ok_or_else(damaged)?;
    let hint = row.hint(&key_id, environment);
    let address = SharedAddress {
        ip: row.ip,
        keys: row.keys,
        requests: row.requests,
    };
    if let Some(known) = all.iter_mut().find(|known| known.key_id == key_id) {
        known.requests += address.requests;
        known.last_at = known.last_at.max(last_at);
        known.addresses.push(address);
        return Ok(());
    }
    all.push(Sibling {
        hint,
        key_id,
        name: row.name,
        environment,
        status: KeyStatus::parse(&row.status).ok_or_else(damaged)?,
        requests: address.requests,
        addresses: vec![address],
        last_at,
        may_manage: may_manage(actor, row.owner_account_id.as_deref()),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY_MS, HOUR_MS};

    #[test]
    fn the_chart_has_the_suspected_moment_inside() {
        let until = Timestamp::from_ms(1_769_682_605_000);
        for (ago, range) in [
            (0, UsageRange::Day),
            (HOUR_MS, UsageRange::Day),
            (23 * HOUR_MS, UsageRange::Week),
            (5 * DAY_MS, UsageRange::Week),
            (20 * DAY_MS, UsageRange::Month),
            (60 * DAY_MS, UsageRange::Quarter),
            (400 * DAY_MS, UsageRange::Quarter),
        ] {
            assert_eq!(range_for(until.minus_ms(ago), until), range, "{ago}");
        }
    }
}
