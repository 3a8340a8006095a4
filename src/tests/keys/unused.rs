//! Keys that nobody uses: listed, and disabled by policy, never by surprise.

use std::time::Duration;

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::id::KeyId;
use keywright::model::key::Environment;
use keywright::model::key_page::{Disabled, DisabledBecause, KeyPage};
use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::model::usage::UsageRange;
use keywright::server::domain::housekeeping;
use keywright::server::domain::keys::{lifecycle, read, unused};
use keywright::server::domain::mail::Letter;
use keywright::server::domain::waiting;
use keywright::server::platform::clock::Clock;
use keywright::server::store::keys as store;

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

/// How many are unused for ninety days, as the page lists and as the checklist counts.
async fn counted(app: &TestApp) -> (usize, i64) {
    let page = unused::page(&app.ctx, &app.operator(), 90).await.unwrap();
    let (now, scope) = (
        app.clock.now(),
        app.operator().require(Permission::KeysRead).unwrap(),
    );
    let mut tx = app.ctx.db.begin_read().await.unwrap();
    let since = now.minus_ms(90 * DAY_MS);
    let count = store::count_unused(&mut tx, &scope, (since, now)).await.unwrap();
    (page.keys.len(), count)
}

async fn page_of(app: &TestApp, actor: &Actor, id: &KeyId) -> KeyPage {
    read::page(&app.ctx, actor, id, UsageRange::Week).await.unwrap()
}

/// Keys that will be disabled, as the count beside "API keys" has it.
async fn waits(app: &TestApp, actor: &Actor) -> i64 {
    waiting::count(&app.ctx, actor).await.unwrap().keys
}

/// Somebody who looks after their own keys.
async fn developer(app: &TestApp) -> Actor {
    let membership = (app.org, Role::Developer);
    let account = app
        .person("grace@acme.example", Some((membership.0, membership.1, "active")))
        .await;
    Actor::account(
        account,
        Some(membership),
        SessionStage::Complete,
        Origin::default(),
    )
}

on_both_databases! {
    async fn without_mail_the_notice_is_in_the_application_and_names_the_moment(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        let (ada, grace) = (app.owner_of(app.org), developer(&app).await);
        let hers = app.try_issue("Hers", "live", &[], "none").await.unwrap();
        app.give_key(hers.id.as_str(), grace.account_id().unwrap()).await;
        let team = app.try_issue("Team", "live", &[], "none").await.unwrap();
        let made = app.clock.now();
        rule(&app, "30").await;
        housekeeping::run(&app.ctx).await.unwrap();
        days(&app, 22).await;
        assert_eq!((waits(&app, &ada).await, waits(&app, &grace).await), (0, 0));
        assert_eq!(page_of(&app, &grace, &hers.id).await.unused, None, "not yet");
        days(&app, 1).await;
        assert_eq!((waits(&app, &ada).await, waits(&app, &grace).await), (2, 1));
        let notice = page_of(&app, &grace, &hers.id).await.unused.unwrap();
        assert_eq!((notice.since, notice.told_at, notice.days), (made, app.clock.now(), 30));
        assert_eq!(notice.disabled_from, app.clock.now().plus_ms(7 * DAY_MS));
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}", hers.id)).await.body;
        let told = format!("It will be disabled on {} (", notice.disabled_from.date_in_words());
        assert!(page.contains(&told) && page.contains(&format!("Unused since {}.", made.date_in_words())), "{page}");
        assert!(page.contains("<span class=\"vh\"> (2 waiting)</span>"), "on every page: {page}");
        assert!(owner.get("/settings/api-keys").await.body.contains(">2 will be disabled as unused</a>"));
        let list = owner.get("/settings/api-keys/unused?days=90").await.body;
        assert!(list.contains("Will be disabled") && list.contains(">Hers</a>") && list.contains(">Team</a>"), "{list}");
        app.clock.advance_ms(notice.disabled_from.since_ms(app.clock.now()) - 1);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&team.secret).await, "VALID", "not a moment early");
        app.ctx.usage.flush().await;
        assert_eq!((waits(&app, &ada).await, page_of(&app, &ada, &team.id).await.unused), (1, None), "a use makes it void");
        app.clock.advance_ms(1);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!((app.verify(&hers.secret).await, app.verify(&team.secret).await), ("DISABLED".into(), "VALID".into()));
        let why = Disabled { by: "Keywright".to_owned(), why: DisabledBecause::Unused };
        let seen = page_of(&app, &grace, &hers.id).await;
        assert_eq!((seen.unused, seen.disabled), (None, Some(why)), "whoever owns it sees why");
        let page = app.owner().await.get(&format!("/settings/api-keys/{}", hers.id)).await.body;
        assert!(page.contains("by Keywright, because nobody used it"), "{page}");
        assert_eq!((waits(&app, &ada).await, waits(&app, &grace).await), (0, 0));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM mails").await, 0);
    }

    async fn rules_of_any_length_count_what_was_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.try_issue("Quiet", "live", &[], "none").await.unwrap();
        let ada = app.owner_of(app.org);
        for (length, told_after) in [(7, 4), (13, 7), (14, 7), (15, 8), (400, 393)] {
            rule(&app, &length.to_string()).await;
            housekeeping::run(&app.ctx).await.unwrap();
            app.clock.advance_ms(told_after * DAY_MS - 1);
            housekeeping::run(&app.ctx).await.unwrap();
            assert_eq!(waits(&app, &ada).await, 0, "{length}");
            app.clock.advance_ms(1);
            housekeeping::run(&app.ctx).await.unwrap();
            assert_eq!(waits(&app, &ada).await, 1, "{length}");
        }
    }

    async fn a_notice_is_shown_only_where_the_job_will_act(backend: Backend) {
        let app = TestApp::on(backend).await;
        let ada = app.owner_of(app.org);
        rule(&app, "30").await;
        housekeeping::run(&app.ctx).await.unwrap();
        let plain = app.try_issue("Plain", "live", &[], "none").await.unwrap();
        let ends = app.try_issue("Ends", "live", &[], "60").await.unwrap();
        let enabled = app.try_issue("Enabled", "live", &[], "none").await.unwrap();
        let test = app.try_issue("Test", "test", &[], "none").await.unwrap();
        days(&app, 23).await;
        app.clock.advance_ms(1);
        lifecycle::disable(&app.ctx, &app.operator(), &enabled.id).await.unwrap();
        lifecycle::enable(&app.ctx, &app.operator(), &enabled.id).await.unwrap();
        let told = async || {
            let mut told = Vec::new();
            for key in [&plain, &ends, &enabled, &test] {
                told.push(page_of(&app, &ada, &key.id).await.unused.is_some());
            }
            let listed = unused::page(&app.ctx, &ada, 30).await.unwrap().told.len();
            (told, listed)
        };
        let moment = page_of(&app, &ada, &plain.id).await.unused.unwrap().disabled_from;
        assert_eq!(told().await, (vec![true, true, false, false], 2));
        app.db.tamper(&format!("UPDATE api_keys SET expires_at_ms = {} WHERE id = '{}'", moment.ms(), ends.id)).await;
        assert_eq!(told().await, (vec![true, false, false, false], 1), "it ends before");
        assert_eq!(waits(&app, &ada).await, 1);
        for (days, listed) in [(9, 1), (3, 0)] {
            let first_day = app.clock.now().plus_ms(days * DAY_MS).iso_date();
            save_for(&app, Environment::Live, &[], &first_day).await.unwrap();
            assert_eq!(told().await.1, listed, "no rule any more in {days} days");
        }
        rule(&app, "30").await;
        assert_eq!(told().await.1, 1, "it stays after all");
        rule(&app, "60").await;
        assert_eq!(told().await.1, 0, "another rule counts from its own day");
    }

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

    async fn unused_is_counted_from_the_very_last_use(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Often", "live", &[], "none").await.unwrap();
        let made = app.clock.now();
        // Twice within a day: the second is kept beside the key alone.
        for hours in [240, 20] {
            app.clock.advance_ms(hours * HOUR_MS);
            assert_eq!(app.verify(&key.secret).await, "VALID");
            app.ctx.usage.flush().await;
        }
        let used = app.clock.now();
        assert_eq!(app.db.number("SELECT idle_since_ms FROM api_keys").await, made.plus_ms(240 * HOUR_MS).ms());
        app.clock.advance_ms(90 * DAY_MS - 1);
        assert_eq!(counted(&app).await, (0, 0), "one millisecond before");
        app.clock.advance_ms(1);
        assert_eq!(counted(&app).await, (1, 1));
        app.verify(&key.secret).await;
        app.ctx.usage.flush().await;
        assert_eq!(counted(&app).await, (0, 0), "at once");
        assert_eq!(app.db.number("SELECT idle_since_ms FROM api_keys").await, used.plus_ms(90 * DAY_MS).ms());
    }

    async fn the_longest_unused_stand_first_and_what_was_enabled_is_not_unused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut keys = Vec::new();
        for name in ["Never", "Early", "Late", "Enabled"] {
            keys.push(app.try_issue(name, "live", &[], "none").await.unwrap());
        }
        for used in [&keys[2], &keys[1], &keys[2]] {
            app.clock.advance_ms(8 * HOUR_MS);
            app.verify(&used.secret).await;
            app.ctx.usage.flush().await;
        }
        app.clock.advance_ms(100 * DAY_MS);
        lifecycle::disable(&app.ctx, &app.operator(), &keys[3].id).await.unwrap();
        lifecycle::enable(&app.ctx, &app.operator(), &keys[3].id).await.unwrap();
        let page = unused::page(&app.ctx, &app.operator(), 90).await.unwrap();
        let names: Vec<&str> = page.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!((names, page.total), (vec!["Never", "Early", "Late"], 3));
    }

    async fn a_use_while_an_act_holds_the_key_is_noted_with_the_next(backend: Backend) {
        if backend == Backend::Sqlite {
            return; // There, one writes at a time.
        }
        let app = TestApp::on(backend).await;
        let held = app.try_issue("Held", "live", &[], "none").await.unwrap();
        let free = app.try_issue("Free", "live", &[], "none").await.unwrap();
        app.clock.advance_ms(100 * DAY_MS);
        let mut act = app.ctx.db.begin_write().await.unwrap();
        store::set_in_use(&mut act, held.id.as_str(), app.clock.now().minus_ms(99 * DAY_MS)).await.unwrap();
        for key in [&held, &free] {
            assert_eq!(app.verify(&key.secret).await, "VALID");
        }
        tokio::time::timeout(Duration::from_secs(20), app.ctx.usage.flush()).await.expect("nobody waits for the act");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_last_used").await, 2);
        let noted = format!("SELECT COUNT(*) FROM api_keys WHERE idle_since_ms = {}", app.clock.now().ms());
        assert_eq!(app.db.number(&noted).await, 1, "the free one");
        act.commit().await.unwrap();
        app.clock.advance_ms(1_000);
        app.verify(&free.secret).await;
        app.ctx.usage.flush().await;
        assert_eq!(app.db.number(&noted).await, 2);
    }
}
