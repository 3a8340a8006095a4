//! Changing a policy: looked at first, told to whom it concerns, from a day on.

use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::policy::PolicyDraft;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::mail::Letter;
use keywright::server::domain::policy::{change, read};
use keywright::server::platform::clock::Clock;

use super::{rules, save, would_break};
use crate::kit::{TestApp, on_both_databases};

const FORM: [(&str, &str); 6] = [
    ("creators", "admins"),
    ("rotation_days", "60"),
    ("max_overlap_hours", "24"),
    ("on_leak", "alert"),
    ("addresses_required", "1"),
    ("version", "0"),
];

/// Who was told of which keys, by their addresses.
async fn told(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let letters = app.letters().await.into_iter();
    let breaks = letters.filter_map(|one| match one.letter {
        Letter::PolicyBreaks { mut keys, .. } => {
            keys.sort();
            Some((one.to.email, keys))
        }
        _ => None,
    });
    let mut told: Vec<_> = breaks.collect();
    told.sort();
    told
}

on_both_databases! {
    async fn the_dry_run_names_what_would_break_and_saves_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let used = app.issue("Used", &["images:read"]).await;
        let idle = app.issue("Idle", &["images:read"]).await;
        let revoked = app.issue("Revoked", &["images:read"]).await;
        app.revoke(&revoked.id).await;
        app.try_issue("Test", "test", &["images:read"], "none").await.unwrap();
        app.verify(&used.secret).await;
        app.ctx.usage.flush().await;
        let seen = would_break(&app, &[("addresses_required", "1"), ("max_lifetime_days", "30")]).await;
        assert_eq!((seen.broken, seen.in_use, seen.newly, seen.looked_at), (2, 1, 2, 2));
        assert_eq!(seen.keys.iter().map(|key| key.id).collect::<Vec<_>>(), [used.id, idle.id], "what is in use stands first");
        assert_eq!(seen.keys[0].violations.len(), 2);
        assert_eq!(would_break(&app, &[]).await.broken, 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies").await, 0);
        app.clock.advance_ms(DAY_MS);
        assert_eq!(would_break(&app, &[("addresses_required", "1")]).await.in_use, 0);
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let seen = would_break(&app, &[("addresses_required", "1")]).await;
        assert_eq!((seen.broken, seen.newly), (2, 0), "they break it already");
    }

    async fn rules_are_saved_only_after_just_these_were_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("Production server", &["images:read"]).await;
        let mut owner = app.owner().await;
        let looked = owner.post("/settings/policy/live", &FORM).await;
        assert_eq!(looked.status, 200, "{}", looked.body);
        assert!(looked.body.contains("1 of 1 key breaks these rules") && looked.body.contains(">Production server<"), "{}", looked.body);
        assert!(looked.body.contains("Give at least one"), "and why");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies").await, 0);
        let seen = looked.between("name=\"seen\" value=\"", "\"").replace("&quot;", "\"");
        let with = |other: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            let kept = FORM.iter().filter(|(name, _)| !other.iter().any(|(said, _)| said == name));
            kept.map(|(n, v)| (*n, (*v).to_owned())).chain(other.iter().map(|(n, v)| (*n, (*v).to_owned()))).collect()
        };
        let send = async |owner: &mut crate::kit::Browser, fields: Vec<(&'static str, String)>| {
            let borrowed: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            owner.post("/settings/policy/live", &borrowed).await
        };
        let other = send(&mut owner, with(&[("step", "save"), ("seen", &seen), ("rotation_days", "61")])).await;
        assert_eq!(other.status, 200, "other rules than those looked at are looked at first");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies").await, 0);
        app.clock.advance_ms(11 * MINUTE_MS);
        assert!(send(&mut owner, with(&[("step", "save"), ("seen", &seen)])).await.asks_who());
        let mut owner = app.owner().await;
        let saved = send(&mut owner, with(&[("step", "save"), ("seen", &seen)])).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        let page = owner.get("/settings/policy").await;
        assert!(page.body.contains("rotates every 60 days or sooner") && page.body.contains("must name the addresses"), "{}", page.body);
        let stale = send(&mut owner, with(&[("step", "save"), ("seen", &seen)])).await;
        assert!(stale.status == 409 && stale.body.contains("changed this policy meanwhile"), "{}", stale.body);
        assert!(owner.get("/settings/api-keys").await.body.contains("Against the policy"));
    }

    async fn a_planned_change_holds_from_its_day_on(backend: Backend) {
        let app = TestApp::on(backend).await;
        let rule = [("addresses_required", "1"), ("rotation_days", "30")];
        let key = app.issue("Production server", &["images:read"]).await;
        let day = app.clock.now().plus_ms(3 * DAY_MS);
        save(&app, &rule, &day.iso_date()).await.unwrap();
        let due = "SELECT rotation_due_at_ms FROM api_keys WHERE name = 'Production server'";
        let first_due = app.db.number(due).await;
        assert!(app.try_issue("Before", "live", &["images:read"], "90").await.is_ok());
        let mut owner = app.owner().await;
        let page = owner.get("/settings/policy").await;
        assert!(page.body.contains("Cancel this change"), "{}", page.body);
        change::take_effect(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies WHERE planned IS NOT NULL").await, 1, "not yet");
        app.clock.advance_ms(day.floor_to(DAY_MS).since_ms(app.clock.now()));
        assert!(app.try_issue("After", "live", &["images:read"], "90").await.is_err(), "whether or not anybody has noted it");
        assert_eq!(app.verify(&key.secret).await, "VALID", "nothing is switched off");
        change::take_effect(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies WHERE planned IS NOT NULL").await, 0);
        assert_eq!(first_due - app.db.number(due).await, 60 * DAY_MS, "due dates follow the rules");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'policy.took_effect'").await, 1);
        change::take_effect(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'policy.took_effect'").await, 1, "once");
    }

    async fn a_planned_change_is_taken_back(backend: Backend) {
        let app = TestApp::on(backend).await;
        let day = app.clock.now().plus_ms(3 * DAY_MS).iso_date();
        save(&app, &[("addresses_required", "1")], &day).await.unwrap();
        let mut owner = app.owner().await;
        assert_eq!(owner.post("/settings/policy/live/cancel", &[]).await.status, 303);
        let twice = owner.post("/settings/policy/live/cancel", &[]).await;
        assert!(twice.status == 409 && twice.body.contains("planned any more"), "{}", twice.body);
        app.clock.advance_ms(4 * DAY_MS);
        assert!(app.try_issue("After", "live", &["images:read"], "90").await.is_ok());
    }

    async fn owners_of_what_breaks_are_told_once_each(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        app.join("alan@acme.example", Role::Developer).await;
        for name in ["One", "Two"] {
            let key = app.issue(name, &["images:read"]).await;
            app.give_key(key.id.as_str(), &grace.account).await;
        }
        let told = async || {
            let letters = app.letters().await.into_iter();
            letters.filter(|one| matches!(one.letter, Letter::PolicyBreaks { .. })).collect::<Vec<_>>()
        };
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let letters = told().await;
        assert_eq!(letters.len(), 1, "one letter, and nobody else is bothered");
        assert_eq!(letters[0].to.email, "grace@acme.example");
        let Letter::PolicyBreaks { keys, .. } = &letters[0].letter else { unreachable!() };
        assert_eq!(keys.len(), 2);
        save(&app, &[("addresses_required", "1"), ("rotation_days", "80")], "").await.unwrap();
        assert_eq!(told().await.len(), 1, "what was told is not told again");
    }

    async fn whoever_looks_after_a_key_is_told_and_nobody_who_has_left(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.person("grace@acme.example", Some((app.org, Role::Developer, "active"))).await;
        let gone = app.person("gone@acme.example", Some((app.org, Role::Developer, "removed"))).await;
        app.person("alan@acme.example", Some((app.org, Role::Admin, "active"))).await;
        for (name, owner) in [("Hers", Some(grace)), ("Left", Some(gone)), ("Team", None)] {
            let key = app.issue(name, &["images:read"]).await;
            if let Some(owner) = owner {
                app.give_key(key.id.as_str(), &owner).await;
            }
        }
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let orphans = ["Left", "Team"];
        let all = [("ada@acme.example", &orphans[..]), ("alan@acme.example", &orphans[..]), ("grace@acme.example", &["Hers"][..])];
        let expected = all.map(|(to, keys)| (to.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()));
        assert_eq!(told(&app).await, expected);
    }

    async fn who_breaks_one_rule_is_told_of_another(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("Loose", &["images:read"]).await;
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        assert_eq!(told(&app).await.len(), 1);
        let both = [("addresses_required", "1"), ("max_lifetime_days", "30")];
        let seen = would_break(&app, &both).await;
        assert_eq!((seen.broken, seen.newly), (1, 1), "the dry run says the same");
        save(&app, &both, "").await.unwrap();
        assert_eq!(told(&app).await.len(), 2);
        let seen = would_break(&app, &[("max_lifetime_days", "20")]).await;
        assert_eq!((seen.broken, seen.newly), (1, 0), "a rule less, and the other broken as before");
    }

    async fn on_its_day_a_plan_is_told_once_more_with_what_came_since(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("Before", &["images:read"]).await;
        let day = app.clock.now().plus_ms(3 * DAY_MS);
        save(&app, &[("addresses_required", "1")], &day.iso_date()).await.unwrap();
        let names = async || told(&app).await.into_iter().map(|(_, keys)| keys).collect::<Vec<_>>();
        assert_eq!(names().await, [["Before"]]);
        let since = app.issue("Since", &["images:read"]).await;
        let mut owner = app.owner().await;
        let line = format!("From {}: A key must name the addresses it is used from.", day.floor_to(DAY_MS).date_in_words());
        for form in ["/settings/api-keys/new".to_owned(), format!("/settings/api-keys/{}/edit", since.id)] {
            let body = owner.get(&form).await.body;
            assert!(body.contains(&line) && body.contains("and a change that is planned"), "{form}: {body}");
            assert!(!body.contains("<li>A key must name the addresses"), "{form}: not yet");
        }
        app.clock.advance_ms(3 * DAY_MS);
        for _ in 0..2 {
            change::take_effect(&app.ctx).await.unwrap();
        }
        let mut now_told = names().await;
        now_told.iter_mut().for_each(|keys| keys.sort());
        now_told.sort();
        assert_eq!(now_told, [vec!["Before".to_owned()], vec!["Before".to_owned(), "Since".to_owned()]]);
        let mut owner = app.owner().await;
        let body = owner.get("/settings/api-keys/new").await.body;
        assert!(body.contains("<li>A key must name the addresses") && !body.contains(&line), "{body}");
    }

    async fn the_first_day_lies_ahead_and_within_a_year(backend: Backend) {
        let app = TestApp::on(backend).await;
        for (from, code) in [("tomorrow", "date"), ("2020-01-01", "past"), (app.clock.now().iso_date().as_str(), "past"), ("2099-01-01", "too_far")] {
            let Err(DomainError::Invalid(errors)) = save(&app, &[], from).await else { panic!("{from} was taken") };
            assert_eq!(errors[0].code, code, "{from}");
        }
    }

    async fn of_two_who_save_at_once_one_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let actor = app.operator();
        let both = ["30", "60"].map(|days| {
            let (ctx, actor) = (app.ctx.clone(), actor.clone());
            async move {
                let values = rules(&[("rotation_days", days)]);
                let draft = PolicyDraft::from_values(&values);
                change::save(&ctx, &actor, Environment::Live, (&draft, ""), 0).await
            }
        });
        let done = futures_util::future::join_all(both).await;
        assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    }

    async fn another_organisation_keeps_its_own_rules(backend: Backend) {
        let app = TestApp::on(backend).await;
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let other = app.another_org("Umbrella").await;
        let standing = read::page(&app.ctx, &app.owner_of(other)).await.unwrap().standings;
        assert!(standing.iter().all(|one| one.version == 0 && !one.policy.addresses_required));
        app.clock.advance_ms(HOUR_MS);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM policies").await, 1);
    }
}
