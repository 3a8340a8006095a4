//! Changing a policy: looked at first, told to whom it concerns, from a day on.

use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::policy::PolicyDraft;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::mail::Letter;
use keywright::server::domain::policy::{change, preview, read};
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
        let rule = [("addresses_required", "1"), ("rotation_days", "30"), ("max_overlap_hours", "24")];
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

    async fn rules_that_contradict_each_other_are_refused_with_both_named(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let form: Vec<(&str, &str)> = FORM.iter().map(|(n, v)| (*n, if *n == "rotation_days" { "1" } else { *v })).collect();
        let refused = owner.post("/settings/policy/live", &form).await;
        assert_eq!(refused.status, 422);
        for words in ["“Days between rotations” and “Longest overlap in hours” contradict each other", "after 1 day", "go on for 24 hours", "fewer than 24 hours", "max_overlap_hours-error"] {
            assert!(refused.body.contains(words), "{words}: {}", refused.body);
        }
        assert!(save(&app, &[("rotation_days", "1"), ("max_overlap_hours", "23")], "").await.is_ok());
    }

    async fn rules_that_leave_no_scope_at_all_are_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let names = app.db.texts("SELECT name FROM project_scopes").await;
        let (first, all) = (names[0].as_str(), names.join(" "));
        let mut tops: Vec<String> = names.iter().map(|name| name.split(':').next().unwrap().to_owned()).collect();
        tops.dedup();
        let below = tops.iter().map(|top| format!("{top} {top}:*")).collect::<Vec<_>>().join(" ");
        for forbidden in [&all, &below] {
            let Err(DomainError::Invalid(errors)) = save(&app, &[("forbidden_scopes", forbidden)], "").await else { panic!("{forbidden} was taken") };
            assert_eq!((errors[0].field.as_str(), errors[0].code.as_str()), ("forbidden_scopes", "nothing_left"));
        }
        let mut owner = app.owner().await;
        let form: Vec<(&str, &str)> = FORM.into_iter().chain([("forbidden_scopes", all.as_str())]).collect();
        let looked = owner.post("/settings/policy/live", &form).await;
        assert!(looked.status == 422 && looked.body.contains("so no key could do anything"), "before anything is saved: {}", looked.body);
        let values = rules(&[("forbidden_scopes", &all)]);
        let seen = preview::preview(&app.ctx, &app.operator(), Environment::Live, &PolicyDraft::from_values(&values)).await;
        assert!(matches!(seen, Err(DomainError::Invalid(_))), "nor is it looked at");
        let but_one = names[1..].join(" ");
        assert!(save(&app, &[("forbidden_scopes", &but_one)], "").await.is_ok(), "{first} is left");
        app.db.tamper("UPDATE projects SET status = 'archived'").await;
        assert!(save(&app, &[("forbidden_scopes", &all)], "").await.is_ok(), "no project in use has a catalogue");
    }

    async fn everybody_whose_keys_would_break_is_named_with_how_many(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let namesake = app.join("hedy@acme.example", Role::Developer).await;
        for n in 0..60 {
            let key = app.issue(&format!("Key {n}"), &["images:read"]).await;
            match n {
                0 | 1 => app.give_key(key.id.as_str(), &grace.account).await,
                2 => app.give_key(key.id.as_str(), &namesake.account).await,
                _ => {}
            }
            if !(2..=10).contains(&n) {
                app.verify(&key.secret).await;
            }
        }
        app.db.tamper(&format!("UPDATE accounts SET name = 'Grace' WHERE id IN ('{}', '{}')", grace.account, namesake.account)).await;
        app.ctx.usage.flush().await;
        let seen = would_break(&app, &[("addresses_required", "1")]).await;
        assert_eq!((seen.broken, seen.keys.len()), (60, 50));
        let owners: Vec<_> = seen.owners.iter().map(|one| (one.owner.shown(), one.keys, one.in_use)).collect();
        assert_eq!(owners, [("tests", 57, 49), ("Grace", 2, 2), ("Grace", 1, 0)], "two people of one name are two");
        assert_eq!(seen.owners_in_all, 3);
        let mut owner = app.owner().await;
        let page = owner.post("/settings/policy/live", &FORM).await;
        assert!(page.body.contains("Owners of keys that break these rules") && page.body.contains("class=\"num\">57<"), "{}", page.body);
        for n in 0..57 {
            app.db.tamper(&format!("UPDATE api_keys SET owner_team = 'team {n}' WHERE name = 'Key {}'", n + 3)).await;
        }
        let seen = would_break(&app, &[("addresses_required", "1")]).await;
        assert_eq!((seen.owners.len(), seen.owners_in_all), (50, 59));
        let page = owner.post("/settings/policy/live", &FORM).await;
        assert!(page.body.contains("And 9 more owners; those with most keys stand here."), "{}", page.body);
    }

    async fn of_two_who_save_at_once_one_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let actor = app.operator();
        let both = ["45", "60"].map(|days| {
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
