//! Keys that nobody uses: listed, and disabled by policy, never by surprise.

use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::time::DAY_MS;
use keywright::server::domain::housekeeping;
use keywright::server::domain::keys::{lifecycle, unused};
use keywright::server::domain::mail::Letter;

use crate::kit::{TestApp, on_both_databases};
use crate::policy::save_for;

/// Some days pass, hour by hour as far as it matters.
async fn days(app: &TestApp, days: i64) {
    for _ in 0..days {
        app.clock.advance_ms(DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
    }
}

/// Letters about unused keys: to whom, which, and whether they are disabled already.
async fn told(app: &TestApp) -> Vec<(String, Vec<String>, bool)> {
    let letters = app.letters().await.into_iter();
    letters
        .filter_map(|sent| match sent.letter {
            Letter::KeysUnused { keys, from, .. } => Some((sent.to.email, keys, from.is_none())),
            _ => None,
        })
        .collect()
}

async fn rule(app: &TestApp, days: &str) {
    save_for(app, Environment::Live, &[("unused_days", days)], "")
        .await
        .unwrap();
}

on_both_databases! {
    async fn a_key_is_disabled_a_week_after_its_owner_was_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let hers = app.try_issue("Hers", "live", &[], "none").await.unwrap();
        app.give_key(hers.id.as_str(), &grace.account).await;
        let team = app.try_issue("Of a team", "live", &[], "none").await.unwrap();
        let test = app.try_issue("Test", "test", &[], "none").await.unwrap();
        app.clock.advance_ms(400 * DAY_MS);
        rule(&app, "30").await;
        housekeeping::run(&app.ctx).await.unwrap();
        days(&app, 22).await;
        assert!(told(&app).await.is_empty(), "it counts from the day the rule holds");
        days(&app, 1).await;
        let ada = crate::kit::app::EMAIL.to_owned();
        let mut warned = told(&app).await;
        warned.sort();
        assert_eq!(warned, [(ada, vec!["Of a team".to_owned()], false), (grace.email.clone(), vec!["Hers".to_owned()], false)]);
        days(&app, 6).await;
        assert_eq!(told(&app).await.len(), 2, "told once");
        assert_eq!(app.db.texts("SELECT DISTINCT status FROM api_keys").await, ["active"]);
        days(&app, 1).await;
        for (key, code) in [(&hers, "DISABLED"), (&team, "DISABLED"), (&test, "VALID")] {
            assert_eq!(app.verify(&key.secret).await, code);
        }
        let last = told(&app).await;
        assert!(last.len() == 4 && last[2..].iter().all(|(.., disabled)| *disabled), "{last:?}");
        let details = app.db.texts("SELECT actor_type || detail FROM audit_events WHERE action = 'key.disabled'").await;
        assert_eq!(details, ["system{\"reason\":\"unused\"}", "system{\"reason\":\"unused\"}"]);
        days(&app, 40).await;
        assert_eq!(told(&app).await.len(), 4, "a disabled key is left in peace");
    }

    async fn a_use_or_an_enabling_begins_anew(backend: Backend) {
        let app = TestApp::on(backend).await;
        rule(&app, "30").await;
        let used = app.try_issue("Used", "live", &[], "none").await.unwrap();
        let enabled = app.try_issue("Enabled", "live", &[], "none").await.unwrap();
        housekeeping::run(&app.ctx).await.unwrap();
        days(&app, 23).await;
        assert_eq!(told(&app).await[0].1.len(), 2);
        assert_eq!(app.verify(&used.secret).await, "VALID");
        app.ctx.usage.flush().await;
        lifecycle::disable(&app.ctx, &app.operator(), &enabled.id).await.unwrap();
        lifecycle::enable(&app.ctx, &app.operator(), &enabled.id).await.unwrap();
        days(&app, 22).await;
        assert_eq!(app.db.texts("SELECT DISTINCT status FROM api_keys").await, ["active"]);
        assert_eq!(told(&app).await.len(), 1);
        days(&app, 1).await;
        assert_eq!(told(&app).await.len(), 2, "told of the next time, too");
        days(&app, 7).await;
        assert_eq!(app.verify(&used.secret).await, "DISABLED");
    }

    async fn another_rule_counts_from_its_own_day(backend: Backend) {
        let app = TestApp::on(backend).await;
        rule(&app, "30").await;
        let key = app.try_issue("Quiet", "live", &[], "none").await.unwrap();
        housekeeping::run(&app.ctx).await.unwrap();
        days(&app, 25).await;
        rule(&app, "20").await;
        days(&app, 13).await;
        assert_eq!(app.db.texts("SELECT status FROM api_keys").await, ["active"]);
        assert_eq!(told(&app).await.len(), 1);
        rule(&app, "").await;
        days(&app, 60).await;
        assert_eq!(app.verify(&key.secret).await, "VALID", "no rule, nothing is disabled");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM unused_rules").await, 0);
    }

    async fn several_nodes_tell_and_disable_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        rule(&app, "30").await;
        app.try_issue("Quiet", "live", &[], "none").await.unwrap();
        let other = app.another_process().await;
        housekeeping::run(&app.ctx).await.unwrap();
        for days in [24, 8] {
            app.clock.advance_ms(days * DAY_MS);
            let (a, b) = tokio::join!(unused::disable_unused(&app.ctx), unused::disable_unused(&other));
            // One of two at the same row may be told to come back.
            assert!(a.is_ok() || b.is_ok(), "{a:?} {b:?}");
        }
        assert_eq!(told(&app).await.into_iter().map(|(.., disabled)| disabled).collect::<Vec<_>>(), [false, true]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.disabled'").await, 1);
    }

    async fn the_page_lists_what_could_be_used_and_is_not(backend: Backend) {
        let app = TestApp::on(backend).await;
        let idle = app.try_issue("Idle", "live", &[], "none").await.unwrap();
        let busy = app.try_issue("Busy", "live", &[], "none").await.unwrap();
        let gone = app.try_issue("Gone", "live", &[], "none").await.unwrap();
        app.try_issue("Ended", "live", &[], "7").await.unwrap();
        app.revoke(&gone.id).await;
        app.clock.advance_ms(59 * DAY_MS);
        assert_eq!(app.verify(&busy.secret).await, "VALID");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(2 * DAY_MS);
        let mut owner = app.owner().await;
        let mut listed = async |query: &str| {
            let body = owner.get(&format!("/settings/api-keys/unused{query}")).await.body;
            ["Idle", "Busy", "Gone", "Ended"].map(|name| body.contains(&format!(">{name}</a>")))
        };
        assert_eq!(listed("").await, [false; 4], "none for 90 days");
        assert_eq!(listed("?days=60").await, [true, false, false, false]);
        assert_eq!(listed("?days=17").await, [false; 4], "only what is offered");
        let page = owner.get("/settings/api-keys/unused?days=30").await.body;
        assert!(page.contains(&format!("name=\"key\" value=\"{}\"", idle.id)) && page.contains("action=\"/settings/api-keys/bulk\""), "{page}");
        assert!(owner.get("/settings/api-keys").await.body.contains("/settings/api-keys/unused"));
    }
}
