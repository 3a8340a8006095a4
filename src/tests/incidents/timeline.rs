//! What the key did before and after, read from the raw events, and which other keys came from the same places.

use keywright::model::id::IncidentId;
use keywright::model::incident::{IncidentPage, Uses};
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use keywright::server::domain::incidents::findings;
use keywright::server::domain::incidents::reading::read_on;
use keywright::server::domain::{incidents, retention};
use keywright::server::platform::clock::Clock;
use serde_json::json;

use super::{open, page};
use crate::kit::app::Issued;
use crate::kit::mmdb::test_countries;
use crate::kit::{TestApp, on_both_databases};

/// One request with the key from an address.
async fn ask(app: &TestApp, key: &Issued, ip: &str, path: &str) {
    let body = json!({ "key": key.secret, "clientIp": ip, "method": "GET", "path": path, "userAgent": format!("client of {ip}") });
    app.ask(body).await;
}

/// Reads all there is to read, a while later.
async fn read(app: &TestApp) {
    app.ctx.usage.flush().await;
    app.clock.advance_ms(MINUTE_MS);
    while read_on(&app.ctx).await.unwrap() {}
}

/// Value, before, after, refused, new.
fn told(uses: &Uses) -> Vec<(&str, i64, i64, i64, bool)> {
    let row =
        |row: &'_ keywright::model::incident::UseGroup| (row.before, row.after, row.refused, row.is_new);
    uses.rows
        .iter()
        .map(|group| {
            let (before, after, refused, is_new) = row(group);
            (group.value.as_str(), before, after, refused, is_new)
        })
        .collect()
}

/// Opened as of a moment.
async fn open_since(app: &TestApp, key: &Issued, ago_ms: i64, freeze: bool) -> IncidentId {
    let opening = incidents::OpenIncident {
        suspected_since: app.clock.now().minus_ms(ago_ms),
        noticed: String::new(),
        freeze,
    };
    incidents::open(&app.ctx, &app.operator(), &key.id, &opening)
        .await
        .unwrap()
        .id
}

fn totals(page: &IncidentPage) -> (i64, i64, i64) {
    (page.timeline.before, page.timeline.after, page.timeline.refused)
}

on_both_databases! {
    async fn requests_are_told_apart_by_address_endpoint_and_client_before_and_after(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (key, other) = (app.issue("Nightly export", &[]).await, app.issue("Bystander", &[]).await);
        for n in 0..3 {
            ask(&app, &key, "10.0.0.1", &format!("/v1/images/{n}?x={n}")).await;
        }
        ask(&app, &other, "10.0.0.9", "/v1/other").await;
        app.clock.advance_ms(2 * HOUR_MS);
        ask(&app, &key, "10.0.0.1", "/v1/images/7").await;
        ask(&app, &key, "203.0.113.99", "/v1/export").await;
        ask(&app, &key, "203.0.113.99", "/v1/export").await;
        let id = open_since(&app, &key, HOUR_MS, true).await;
        ask(&app, &key, "203.0.113.99", "/v1/export").await;
        app.ctx.usage.flush().await;
        // Younger than what is read: there all the same, and not twice once it is read.
        for turn in 0..3 {
            let seen = page(&app, &id).await;
            assert!(totals(&seen).1 >= 4, "turn {turn}: {:?}", totals(&seen));
            read(&app).await;
        }
        let seen = page(&app, &id).await;
        assert_eq!(totals(&seen), (3, 4, 1));
        assert!(seen.timeline.is_whole());
        assert_eq!(told(&seen.timeline.addresses), [("203.0.113.99", 0, 3, 1, true), ("10.0.0.1", 3, 1, 0, false)]);
        assert_eq!(told(&seen.timeline.endpoints), [("GET /v1/export", 0, 3, 1, true), ("GET /v1/images/{id}", 3, 1, 0, false)]);
        assert_eq!(told(&seen.timeline.agents)[0].0, "client of 203.0.113.99");
        assert!(seen.timeline.countries.rows.is_empty(), "nothing tells countries here");
        let bars: i64 = seen.timeline.series.buckets.iter().map(|bucket| bucket.total()).sum();
        assert_eq!(bars, 7);
    }

    async fn requests_are_told_apart_by_country_and_a_new_one_is_marked(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let key = app.issue("Nightly export", &[]).await;
        for ip in ["198.51.100.1", "203.0.113.7", "10.0.0.1"] {
            ask(&app, &key, ip, "/v1/images").await;
        }
        app.ctx.usage.flush().await;
        // As if there had been no database then: what the present one says of the address counts.
        app.db.tamper("UPDATE key_addresses SET country = NULL WHERE ip = '203.0.113.7'").await;
        app.db.tamper("UPDATE usage_events SET country = NULL WHERE ip = '203.0.113.7'").await;
        app.clock.advance_ms(2 * HOUR_MS);
        for ip in ["198.51.100.200", "203.0.113.8", "203.0.113.200", "203.0.113.201"] {
            ask(&app, &key, ip, "/v1/images").await;
        }
        let id = open_since(&app, &key, HOUR_MS, true).await;
        read(&app).await;
        let seen = page(&app, &id).await;
        let expected = [("US", 0, 2, 0, true), ("DE", 1, 1, 0, false), ("FR", 0, 1, 0, false), ("", 2, 0, 0, false)];
        assert_eq!(told(&seen.timeline.countries), expected);
        let mut owner = app.owner().await;
        let shown = owner.get(&format!("/settings/incidents/{id}")).await.body;
        assert!(shown.contains("By country") && shown.contains("United States (US)") && shown.contains("Not known"), "{shown}");
        for (format, part) in [("csv", "country,\"US\",true,"), ("markdown", "| United States \\(US\\) | yes |"), ("json", "\"country\": \"US\"")] {
            let (_, file) = incidents::export::export(&app.ctx, &app.operator(), &id, format).await.unwrap();
            assert!(file.contains(part), "{format}: {file}");
        }
    }

    async fn who_still_tries_after_the_freezing_is_seen_and_nothing_after_the_end(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        for _ in 0..3 {
            app.clock.advance_ms(10 * SECOND_MS);
            ask(&app, &key, "198.51.100.5", "/x").await;
            app.ctx.usage.flush().await;
            read_on(&app.ctx).await.unwrap();
        }
        read(&app).await;
        assert_eq!(totals(&page(&app, &id).await), (0, 3, 3));
        let typed = findings::Findings { cause: "Committed", ..findings::Findings::default() };
        findings::close(&app.ctx, &app.operator(), &id, typed, true).await.unwrap();
        app.clock.advance_ms(MINUTE_MS);
        ask(&app, &key, "198.51.100.5", "/x").await;
        read(&app).await;
        assert_eq!(totals(&page(&app, &id).await).1, 3, "it is closed");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents WHERE read_until_ms = closed_at_ms").await, 1, "and read to its end");
        findings::reopen(&app.ctx, &app.operator(), &id).await.unwrap();
        read(&app).await;
        assert_eq!(totals(&page(&app, &id).await).1, 4, "reopened, it goes on where it ended");
    }

    async fn two_servers_that_read_at_once_count_each_request_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Busy", &[]).await;
        for n in 0..60 {
            ask(&app, &key, &format!("10.0.0.{n}"), "/x").await;
            app.clock.advance_ms(MINUTE_MS);
        }
        let id = open_since(&app, &key, 30 * MINUTE_MS, false).await;
        app.ctx.usage.flush().await;
        app.clock.advance_ms(5 * MINUTE_MS);
        let other = app.another_process().await;
        let _ = tokio::join!(read_on(&app.ctx), read_on(&other), read_on(&app.ctx), read_on(&other));
        read(&app).await;
        let seen = page(&app, &id).await;
        assert_eq!(totals(&seen), (30, 30, 0));
        assert_eq!((seen.timeline.addresses.rows.len(), seen.timeline.addresses.more), (20, 40), "twenty, and the number of the rest");
        assert!(seen.timeline.addresses.rows.iter().all(|row| row.is_new));
    }

    async fn it_looks_thirty_days_back_and_knows_older_addresses(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        ask(&app, &key, "10.0.0.1", "/long-ago").await;
        app.clock.advance_ms(20 * DAY_MS);
        ask(&app, &key, "10.0.0.2", "/within").await;
        app.clock.advance_ms(20 * DAY_MS);
        let id = open_since(&app, &key, HOUR_MS, false).await;
        ask(&app, &key, "10.0.0.1", "/now").await;
        read(&app).await;
        let seen = page(&app, &id).await;
        assert_eq!(totals(&seen), (1, 1, 0), "40 days are too long ago");
        assert_eq!(told(&seen.timeline.addresses), [("10.0.0.1", 0, 1, 0, false), ("10.0.0.2", 1, 0, 0, false)], "known since 40 days");
        assert_eq!(seen.timeline.endpoints.rows.len(), 2);
    }

    async fn another_suspected_moment_sorts_all_of_it_anew(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let made = app.clock.now();
        app.clock.advance_ms(HOUR_MS);
        ask(&app, &key, "10.0.0.1", "/x").await;
        app.clock.advance_ms(HOUR_MS);
        let id = open(&app, &key.id, false).await;
        read(&app).await;
        assert_eq!(totals(&page(&app, &id).await), (1, 0, 0));
        let mut owner = app.owner().await;
        let at = format!("/settings/incidents/{id}/since");
        let since = made.plus_ms(30 * MINUTE_MS).rfc3339()[..16].to_owned();
        assert_eq!(owner.post(&at, &[("since", &since)]).await.status, 303);
        read(&app).await;
        let seen = page(&app, &id).await;
        assert_eq!(totals(&seen), (0, 1, 0));
        assert!(told(&seen.timeline.addresses)[0].4, "new now");
        for (text, reason) in [(made.minus_ms(HOUR_MS).rfc3339(), "cannot have leaked before"), (app.clock.now().plus_ms(HOUR_MS).rfc3339(), "still to come")] {
            let answer = owner.post(&at, &[("since", &text[..16])]).await;
            assert!(answer.status == 422 && answer.body.contains(reason), "{}", answer.body);
        }
    }

    async fn what_was_read_outlives_the_raw_events(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        ask(&app, &key, "10.0.0.1", "/x").await;
        let id = open(&app, &key.id, true).await;
        read(&app).await;
        app.clock.advance_ms(200 * DAY_MS);
        retention::prune(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_events").await, 0);
        assert_eq!(totals(&page(&app, &id).await), (0, 1, 0));
    }

    async fn among_many_events_of_others_each_of_the_key_is_found(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (key, other) = (app.issue("Rare", &[]).await, app.issue("Noise", &[]).await);
        let start = app.clock.now().ms();
        // 45,000 events of another key, a few each second, and one of ours in each thousand, over three hours.
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 44999)";
        app.db.tamper(&format!(
            "INSERT INTO usage_events (at_ms, request_id, key_id, token_id, code, ip) {numbers}
             SELECT {start} + i * 240, 'req', CASE WHEN i % 1000 = 7 THEN '{}' ELSE '{}' END, 'tok', 'VALID', '10.0.0.1' FROM n", key.id, other.id
        )).await;
        for hour in 0..3 {
            for (grain, at) in [("hour", start + hour * HOUR_MS), ("minute", start + hour * HOUR_MS + MINUTE_MS)] {
                let at = at - at % HOUR_MS;
                app.db.tamper(&format!(
                    "INSERT INTO usage_rollups (key_id, grain, bucket_at_ms, code, org_id, project_id, requests)
                     VALUES ('{}', '{grain}', {at}, 'VALID', '{}', '{}', 15)", key.id, app.org, app.project
                )).await;
            }
        }
        app.clock.advance_ms(4 * HOUR_MS);
        let id = open_since(&app, &key, 3 * HOUR_MS, false).await;
        read(&app).await;
        let seen = page(&app, &id).await;
        let (before, after, _) = totals(&seen);
        assert_eq!(before + after, 45);
        assert_eq!(after, app.db.number(&format!(
            "SELECT COUNT(*) FROM usage_events WHERE key_id = '{}' AND at_ms >= {}", key.id, seen.incident.suspected_since.ms())).await);
    }

    async fn other_keys_from_the_same_addresses_are_listed_the_least_shared_first(backend: Backend) {
        let app = TestApp::on(backend).await;
        let globex = app.another_org("Globex").await;
        let key = app.issue("Leaked", &[]).await;
        let (close, office, before) = (app.issue("Close", &[]).await, app.issue("Office", &[]).await, app.issue("Before", &[]).await);
        ask(&app, &before, "203.0.113.99", "/x").await;
        app.clock.advance_ms(2 * HOUR_MS);
        for (who, ip) in [(&key, "203.0.113.99"), (&key, "10.0.0.1"), (&close, "203.0.113.99"), (&close, "10.0.0.1"), (&office, "10.0.0.1"), (&office, "10.0.0.2")] {
            ask(&app, who, ip, "/x").await;
        }
        app.ctx.usage.flush().await;
        let moved = format!("UPDATE api_keys SET org_id = '{globex}' WHERE name = 'Foreign'");
        let foreign = app.issue("Foreign", &[]).await;
        ask(&app, &foreign, "203.0.113.99", "/x").await;
        app.ctx.usage.flush().await;
        app.db.tamper(&moved).await;
        let id = open_since(&app, &key, HOUR_MS, true).await;
        let seen = page(&app, &id).await;
        let rows: Vec<_> = seen.siblings.rows.iter().map(|row| (row.name.as_str(), row.requests, row.addresses.iter().map(|one| (one.ip.as_str(), one.keys)).collect::<Vec<_>>())).collect();
        assert_eq!(rows, [
            ("Close", 2, vec![("203.0.113.99", 2), ("10.0.0.1", 3)]),
            ("Office", 1, vec![("10.0.0.1", 3)]),
        ], "not the one from before, not another organisation’s");
        let keys_at = |ip: &str| seen.timeline.addresses.rows.iter().find(|row| row.value == ip).unwrap().keys;
        assert_eq!((keys_at("203.0.113.99"), keys_at("10.0.0.1")), (Some(2), Some(3)));
        let html = app.owner().await.get(&format!("/settings/incidents/{id}")).await.body;
        assert!(html.contains(&format!("/settings/api-keys/{}/leaked", close.id)), "{html}");
    }

    async fn an_address_of_a_whole_network_accuses_nobody(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        ask(&app, &key, "10.0.0.1", "/x").await;
        app.ctx.usage.flush().await;
        let columns = "org_id, project_id, environment, prefix, purpose, owner_team, scopes, status, created_by_type, created_by_id,
            created_at_ms, stored_note, revoked_note, version, row_mac, row_mac_key_id";
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1149)";
        app.db.tamper(&format!(
            "INSERT INTO api_keys (id, name, name_folded, {columns}) {numbers}
             SELECT 'key_crowd000' || i, 'crowd ' || i, 'crowd ' || i, {columns} FROM n, api_keys WHERE id = '{}'", key.id)).await;
        app.db.tamper(&format!(
            "INSERT INTO key_addresses (key_id, ip, first_at_ms, last_at_ms, requests)
             SELECT id, '10.0.0.1', {0}, {0}, 1 FROM api_keys WHERE id LIKE 'key_crowd%'", app.clock.now().ms())).await;
        let id = open(&app, &key.id, true).await;
        let seen = page(&app, &id).await;
        assert_eq!((seen.siblings.rows.len(), seen.siblings.crowded.as_slice()), (0, ["10.0.0.1".to_owned()].as_slice()));
        let html = app.owner().await.get(&format!("/settings/incidents/{id}")).await.body;
        assert!(html.contains("More than 100 keys share 10.0.0.1") && html.contains("over 100"), "{html}");
    }
}
