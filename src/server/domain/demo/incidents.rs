//! Two keys that leaked: one long done with, one that somebody is looking at right now. Their timelines come from requests that
//! are written here, as verification would have written them.

use std::collections::BTreeMap;

use super::traffic::country_of;
use super::{Actor, Context, DomainError, MINUTE_MS, Timestamp, at};
use crate::model::id::{IncidentId, KeyId, OrgId, ProjectId};
use crate::model::incident::ItemKind;
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::model::usage::Grain;
use crate::model::verdict::VerdictCode;
use crate::server::domain::incidents::findings::{self, Findings};
use crate::server::domain::incidents::{OpenIncident, checklist, open, reading};
use crate::server::store::usage::{self, AddressUses, EventRow, RollUp};

/// Requests from one address, every so many minutes between two moments.
struct Requests {
    from: Timestamp,
    until: Timestamp,
    every_minutes: i64,
    ip: &'static str,
    agent: &'static str,
    paths: [&'static str; 2],
    code: VerdictCode,
    /// Beside the key's usual traffic, which is counted already.
    more: bool,
}

/// A key, and where it belongs.
#[derive(Clone, Copy)]
pub(super) struct Leaked<'a> {
    pub key: &'a KeyId,
    pub org: &'a OrgId,
    pub project: &'a ProjectId,
}

impl<'a> Leaked<'a> {
    fn counts(&self, requests: &Requests, at: Timestamp) -> Vec<RollUp<'a>> {
        let grains: &[Grain] = match requests.more {
            true => &[Grain::Minute, Grain::Hour, Grain::Day],
            false => &[Grain::Minute],
        };
        let count = |grain: &Grain| RollUp {
            key_id: self.key.as_str(),
            org_id: self.org.as_str(),
            project_id: self.project.as_str(),
            grain: *grain,
            bucket_at_ms: at.floor_to(grain.width_ms()).ms(),
            code: requests.code,
            requests: 1,
        };
        grains.iter().map(count).collect()
    }
}

async fn write(ctx: &Context, leaked: Leaked<'_>, all: &[Requests]) -> Result<(), DomainError> {
    let key = leaked.key;
    let mut rows = Vec::new();
    for requests in all {
        let (mut moment, mut n) = (requests.from, 0_usize);
        while moment < requests.until {
            let path = requests.paths[n % 2];
            let told = serde_json::json!({
                "method": if n % 2 == 0 { "GET" } else { "POST" },
                "path": format!("{path}/{}", 4_000 + n % 37),
                "userAgent": requests.agent,
                "resource": "",
            });
            rows.push((
                moment.ms(),
                format!("req_demo{}x{n}", moment.ms()),
                requests,
                told.to_string(),
            ));
            moment = moment.plus_ms(requests.every_minutes * MINUTE_MS);
            n += 1;
        }
    }
    let events = rows.iter().map(|(at_ms, request_id, requests, told)| EventRow {
        at_ms: *at_ms,
        request_id,
        key_id: key.as_str(),
        token_id: "demo",
        code: requests.code,
        ip: requests.ip.parse().ok(),
        told: Some(told.clone()),
        country: country_of(ctx, requests.ip),
    });
    let mut counts: BTreeMap<(Grain, i64, VerdictCode), RollUp<'_>> = BTreeMap::new();
    for (at_ms, _, requests, _) in &rows {
        for count in leaked.counts(requests, Timestamp::from_ms(*at_ms)) {
            let cell = (count.grain, count.bucket_at_ms, count.code);
            counts
                .entry(cell)
                .and_modify(|known| known.requests += 1)
                .or_insert(count);
        }
    }
    let mut tx = ctx.db.begin_write().await?;
    usage::insert_events(&mut tx, events).await?;
    usage::roll_up(&mut tx, counts.values()).await?;
    for requests in all {
        // One by one: several may come from one address, and a statement touches a row once.
        let address = requests.ip.parse().ok().map(|ip| AddressUses {
            key_id: key.as_str(),
            ip,
            first_at_ms: requests.from.ms(),
            last_at_ms: requests.until.ms(),
            requests: requests.until.since_ms(requests.from) / MINUTE_MS / requests.every_minutes,
            country: country_of(ctx, requests.ip),
        });
        usage::add_addresses(&mut tx, address.into_iter()).await?;
    }
    Ok(tx.commit().await?)
}

/// Opens the incident of a key that is about to be revoked at this moment.
pub(super) async fn noticed(
    ctx: &Context,
    actor: &Actor,
    leak: Leaked<'_>,
    revoked: Timestamp,
) -> Result<IncidentId, DomainError> {
    let leaked = revoked.minus_ms(2 * HOUR_MS);
    let usual = |from, until, code| Requests {
        from,
        until,
        every_minutes: 17,
        ip: "198.51.100.90",
        agent: "print-partner/3.1",
        paths: ["/v1/images", "/v1/previews"],
        code,
        more: false,
    };
    let strange = |from, until, every_minutes, code| Requests {
        from,
        until,
        every_minutes,
        ip: "192.0.2.201",
        agent: "python-requests/2.32",
        paths: ["/v1/images", "/v1/account"],
        code,
        more: true,
    };
    let all = [
        usual(leaked.minus_ms(2 * DAY_MS), revoked, VerdictCode::Valid),
        usual(revoked, revoked.plus_ms(3 * HOUR_MS), VerdictCode::Revoked),
        strange(leaked.plus_ms(9 * MINUTE_MS), revoked, 3, VerdictCode::Valid),
        strange(revoked, revoked.plus_ms(5 * HOUR_MS), 11, VerdictCode::Revoked),
    ];
    write(ctx, leak, &all).await?;
    let then = at(ctx, revoked.minus_ms(20 * MINUTE_MS));
    let opening = OpenIncident {
        suspected_since: leaked,
        noticed: "A search for our prefix found the key in a public repository of the print partner."
            .to_owned(),
        freeze: false,
    };
    Ok(
        open(&then, &actor.clone().proved(then.clock.now()), leak.key, &opening)
            .await?
            .id,
    )
}

/// Writes up and closes the incident, a day later.
pub(super) async fn closed(
    ctx: &Context,
    actor: &Actor,
    incident: &IncidentId,
    revoked: Timestamp,
) -> Result<(), DomainError> {
    let then = at(ctx, revoked.plus_ms(26 * HOUR_MS));
    let actor = actor.clone().proved(then.clock.now());
    for (number, kind) in (1..).zip(ItemKind::STANDARD) {
        // That the key is revoked settles the two others.
        if !matches!(kind, ItemKind::Freeze | ItemKind::Replace) {
            checklist::set_done(&then, &actor, incident, number, true).await?;
        }
    }
    let written = Findings {
        noticed: "A search for our prefix found the key in a public repository of the print partner.",
        cause: "The partner committed a settings file with the key in it.",
        impact: "For two hours somebody else looked through previews. Nothing was written, and no personal data is in previews.",
        lessons: "Partners get keys that end after a week and pass from their address alone. The secret scan of their repository is on.",
        version: None,
    };
    findings::close(&then, &actor, incident, written, false).await
}

/// A key that passes still, while somebody looks at who uses it.
pub(super) async fn in_progress(ctx: &Context, actor: &Actor, leak: Leaked<'_>) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let since = now.minus_ms(5 * HOUR_MS);
    let all = [
        Requests {
            from: now.minus_ms(3 * DAY_MS),
            until: now.minus_ms(2 * MINUTE_MS),
            every_minutes: 13,
            ip: "203.0.113.31",
            agent: "thumbnails/2.4",
            paths: ["/v1/images", "/v1/thumbnails"],
            code: VerdictCode::Valid,
            more: false,
        },
        Requests {
            from: since.plus_ms(4 * MINUTE_MS),
            until: now.minus_ms(3 * MINUTE_MS),
            every_minutes: 7,
            ip: "192.0.2.144",
            agent: "curl/8.5.0",
            paths: ["/v1/images", "/v1/images/search"],
            code: VerdictCode::Valid,
            more: true,
        },
        Requests {
            from: since.plus_ms(31 * MINUTE_MS),
            until: now.minus_ms(3 * MINUTE_MS),
            every_minutes: 23,
            ip: "192.0.2.144",
            agent: "curl/8.5.0",
            paths: ["/v1/account", "/v1/images/delete"],
            code: VerdictCode::InsufficientScope,
            more: true,
        },
    ];
    write(ctx, leak, &all).await?;
    let then = at(ctx, now.minus_ms(40 * MINUTE_MS));
    let actor = actor.clone().proved(then.clock.now());
    let opening = OpenIncident {
        suspected_since: since,
        noticed: "Requests come from an address that none of our workers has.".to_owned(),
        freeze: false,
    };
    open(&then, &actor, leak.key, &opening).await?;
    Ok(())
}

/// Gathers the requests into the incidents, as the job would within its first seconds.
pub(super) async fn read(ctx: &Context) -> Result<(), DomainError> {
    while reading::read_on(ctx).await? {}
    Ok(())
}
