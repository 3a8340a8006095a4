//! Usage: counted once, rolled up right, never lost, never written by verification itself.

use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::model::usage::UsageRange;
use keywright::model::verdict::VerdictCode;
use keywright::server::domain::keys::read;
use keywright::server::domain::retention::prune;
use serde_json::json;

use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn requests_and_refusals_reach_the_chart(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &["images:read"]).await;
        for _ in 0..5 {
            app.ask(json!({ "key": key.secret, "clientIp": "198.51.100.9" })).await;
        }
        app.ask(json!({ "key": key.secret, "permissions": "admin" })).await;
        app.ctx.usage.flush().await;
        for range in UsageRange::ALL {
            let series = read::usage(&app.ctx, &app.operator(), &key.id, range).await.unwrap();
            assert_eq!((series.allowed(), series.refused()), (5, 1), "{range:?}");
            assert_eq!(series.refusal_codes(), [VerdictCode::InsufficientScope]);
        }
        let detail = read::find(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(detail.requests_last_hour, 6);
        assert_eq!(detail.summary.last_used.unwrap().ip.as_deref(), Some("203.0.113.7"), "the last one told no client address");
        assert_eq!((app.ctx.usage.dropped(), app.ctx.usage.persisted()), (0, 6));
    }

    async fn a_verification_writes_nothing_to_the_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let row = "SELECT row_mac || CAST(version AS TEXT) FROM api_keys";
        let before = app.db.texts(row).await;
        app.verify(&key.secret).await;
        app.ctx.usage.flush().await;
        assert_eq!(app.db.texts(row).await, before);
    }

    async fn every_event_is_kept_once_and_every_grain_agrees(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = [app.issue("a", &[]).await, app.issue("b", &[]).await];
        for n in 0..300 {
            app.verify(&keys[n % 2].secret).await;
            if n % 20 == 0 {
                app.clock.advance_ms(HOUR_MS / 3);
            }
        }
        app.ctx.usage.flush().await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_events").await, 300);
        for grain in ["minute", "hour", "day"] {
            let sum = format!("SELECT CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE grain = '{grain}'");
            assert_eq!(app.db.number(&sum).await, 300, "{grain}");
        }
    }

    async fn a_crowd_of_events_is_folded_over_several_statements(backend: Backend) {
        const EVENTS: usize = 2_500;
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let told = json!({ "key": key.secret, "method": "GET", "path": "/a\u{0}b", "userAgent": "\"quoted\"" });
        app.ask(told).await;
        for _ in 1..EVENTS {
            app.verify(&key.secret).await;
        }
        app.ctx.usage.flush().await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_events").await, EVENTS as i64);
        assert_eq!(app.db.number("SELECT CAST(SUM(requests) AS BIGINT) FROM usage_rollups WHERE grain = 'day'").await, EVENTS as i64);
        let kept = app.db.texts("SELECT told FROM usage_events WHERE told IS NOT NULL").await;
        let kept: serde_json::Value = serde_json::from_str(&kept[0]).unwrap();
        assert_eq!(kept, json!({ "method": "GET", "path": "/a\u{fffd}b", "userAgent": "\"quoted\"", "resource": "" }));
    }

    async fn what_is_past_its_time_is_forgotten(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        app.owner().await;
        app.verify(&key.secret).await;
        app.ctx.usage.flush().await;
        app.clock.advance_ms(90 * DAY_MS - 1);
        assert_eq!(prune(&app.ctx).await.unwrap().events, 0);
        app.clock.advance_ms(HOUR_MS);
        let pruned = prune(&app.ctx).await.unwrap();
        assert_eq!(pruned.events, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM sessions").await, 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_rollups WHERE grain = 'day'").await, 1, "days stay");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_rollups WHERE grain = 'minute'").await, 0);
    }

    async fn the_database_learns_how_its_rows_are_spread(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..50 {
            app.issue(&format!("key {n}"), &[]).await;
        }
        prune(&app.ctx).await.unwrap();
        if app.ctx.db.is_sqlite() {
            assert!(app.db.number("SELECT COUNT(*) FROM sqlite_stat1 WHERE idx = 'api_keys_facts'").await > 0);
        }
    }
}
