//! Rotations that are opened for others: each secret is made when it is collected, for whoever owns the key.

use keywright::model::actor::Actor;
use keywright::model::bulk::Chosen;
use keywright::model::id::KeyId;
use keywright::model::key::KeyFilter;
use keywright::model::opening::{OpeningDone, Skip};
use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::{collecting, edit, lifecycle, openings, read, rotation, rotations};
use keywright::server::domain::mail::Letter;

use super::nonce;
use crate::kit::app::Issued;
use crate::kit::{Browser, TestApp, on_both_databases};
use crate::policy::save;

const START: &str = "/settings/rotation/start";

fn overlap(choice: &str) -> Overlap {
    Overlap::parse(choice, "", false).unwrap()
}

/// The keys as they were looked at: each with its version.
async fn looked_at(app: &TestApp, actor: &Actor, keys: &[&Issued]) -> Chosen {
    let ids = keys.iter().map(|key| (key.id, None)).collect();
    let preview = openings::preview(&app.ctx, actor, &Chosen::Keys(ids), overlap("24h")).await;
    let rows = preview.unwrap().rows.into_iter();
    Chosen::Keys(rows.map(|row| (row.id, Some(row.version))).collect())
}

/// Opens the rotations of these, as the operator would.
pub async fn open(app: &TestApp, keys: &[&Issued], overlap: Overlap) -> OpeningDone {
    let actor = app.operator();
    let chosen = looked_at(app, &actor, keys).await;
    openings::apply(&app.ctx, &actor, &chosen, (overlap, false))
        .await
        .unwrap()
}

async fn collected(app: &TestApp, actor: &Actor, id: &KeyId) -> Result<String, DomainError> {
    let made = collecting::collect(&app.ctx, actor, id, None).await?;
    Ok(made.secret.expose().clone())
}

/// Collects through the browser and gives the answer.
pub async fn collects(browser: &mut Browser, key: &KeyId) -> crate::kit::Answer {
    let at = format!("/settings/api-keys/{key}/rotate/collect");
    let mark = nonce(browser, &at).await;
    browser.post(&at, &[("nonce", &mark)]).await
}

/// Whom letters told of new secrets to be collected, and which.
async fn told(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let letters = app.letters().await.into_iter();
    let mut told: Vec<_> = letters
        .filter_map(|sent| match sent.letter {
            Letter::RotationsOpened { mut keys, .. } => {
                keys.sort();
                Some((sent.to.email, keys))
            }
            _ => None,
        })
        .collect();
    told.sort();
    told
}

on_both_databases! {
    async fn what_is_opened_in_bulk_is_collected_by_each_owner_and_nothing_changes_before(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let (one, two, team) = (app.issue("One", &[]).await, app.issue("Two", &[]).await, app.issue("Team", &[]).await);
        for key in [&one, &two] {
            app.give_key(key.id.as_str(), &grace.account).await;
        }
        app.join("hedy@acme.example", Role::Admin).await;
        assert_eq!(app.verify(&one.secret).await, "VALID");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(80 * DAY_MS);
        let mut ada = app.owner().await;
        let list = ada.get("/settings/rotation").await;
        assert!(list.body.contains(&format!("name=\"key\" value=\"{}\"", one.id)) && list.body.contains("Start rotations…"), "{}", list.body);
        let ids = [&one, &two, &team].map(|key| key.id.to_string());
        let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| ("key", id.as_str())).collect();
        let page = ada.post(START, &fields).await;
        let name = app.db.texts(&format!("SELECT name FROM accounts WHERE id = '{}'", grace.account)).await.remove(0);
        for words in ["Start 3 rotations?", "The new secrets wait for 2 collectors", &format!("Waits for {name}"), "Waits for any admin"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM opened_rotations").await, 0, "looking opens nothing");
        let seen: Vec<String> = page.body.split("name=\"key\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        fields = seen.iter().map(|key| ("key", key.as_str())).collect();
        fields.extend([("step", "apply"), ("overlap", "24h"), ("seen", "86400000.0")]);
        let done = ada.post(START, &fields).await;
        assert_eq!((done.status, done.header("location")), (303, "/settings/rotation/start?done=opened&n=3&skipped=0&changed=0&missing=0"));
        assert!(ada.get(done.header("location")).await.body.contains("3 rotations opened."));
        // Nobody has a secret yet, and nothing of the keys has changed.
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 3);
        assert_eq!(app.verify(&one.secret).await, "VALID");
        // One letter to each person; whoever opened them needs none.
        let letters = told(&app).await;
        let expected = [
            ("grace@acme.example".to_owned(), vec!["One".to_owned(), "Two".to_owned()]),
            ("hedy@acme.example".to_owned(), vec!["Team".to_owned()]),
        ];
        assert_eq!(letters, expected);
        let waits = ada.get("/settings/rotation").await.body;
        assert!(waits.contains("Waiting to be collected") && waits.contains("Call off the rotation of One"), "{waits}");
        assert!(!waits.contains("Collect the new secret of One") && waits.contains("Collect the new secret of Team"), "{waits}");
        // The owner collects, though a developer may not begin a rotation of a live key.
        grace.browser.cookie = app.signed_in_again(&grace).await;
        let shown = collects(&mut grace.browser, &one.id).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{}", shown.body);
        let new = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!((app.verify(&one.secret).await, app.verify(&new).await), ("VALID".into(), "VALID".into()));
        app.clock.advance_ms(DAY_MS);
        assert_eq!((app.verify(&one.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()), "24 hours from collecting");
        assert_eq!(app.verify(&two.secret).await, "VALID", "not collected, not ended");
        let log = app.db.texts("SELECT action FROM audit_events WHERE action LIKE 'key.rotation%' ORDER BY seq").await;
        assert_eq!(log, ["key.rotation_opened", "key.rotation_opened", "key.rotation_opened", "key.rotation_started"]);
    }

    async fn r49_r50_only_the_owner_collects_and_only_whoever_may_rotate_opens(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let alan = app.join("alan@acme.example", Role::Developer).await;
        let eve = app.join("eve@acme.example", Role::Auditor).await;
        let (live, test, team) = (
            app.issue("Live", &[]).await, app.try_issue("Test", "test", &[], "90").await.unwrap(), app.issue("Team", &[]).await,
        );
        app.give_key(live.id.as_str(), &grace.account).await;
        app.give_key(test.id.as_str(), &grace.account).await;
        let (ada, grace, alan, eve) = (
            app.owner_of(app.org), app.signed_in(&grace.browser).await.unwrap().actor,
            app.signed_in(&alan.browser).await.unwrap().actor, app.signed_in(&eve.browser).await.unwrap().actor,
        );
        // A developer opens their own test key; the rest is told and left.
        let chosen = looked_at(&app, &grace, &[&live, &test, &team]).await;
        let done = openings::apply(&app.ctx, &grace, &chosen, (overlap("24h"), false)).await.unwrap();
        assert_eq!((done.opened, done.skipped), (1, 2));
        let none = openings::preview(&app.ctx, &eve, &chosen, overlap("24h")).await;
        assert!(matches!(none, Err(DomainError::Denied(_))), "an auditor starts nothing");
        open(&app, &[&live, &team], overlap("24h")).await;
        for stranger in [&alan, &eve, &ada] {
            assert!(matches!(collected(&app, stranger, &live.id).await, Err(DomainError::Denied(_))), "it is Grace’s");
        }
        for stranger in [&grace, &alan, &eve] {
            assert!(matches!(collected(&app, stranger, &team.id).await, Err(DomainError::Denied(_))), "a team’s is for admins");
            assert!(matches!(collecting::call_off(&app.ctx, stranger, &team.id).await, Err(DomainError::Denied(_))));
        }
        assert!(matches!(collecting::call_off(&app.ctx, &grace, &live.id).await, Err(DomainError::Denied(_))), "an admin opened it");
        let other = app.owner_of(app.another_org("Globex").await);
        assert!(matches!(collected(&app, &other, &live.id).await, Err(DomainError::NotFound)));
        assert!(matches!(collecting::call_off(&app.ctx, &other, &live.id).await, Err(DomainError::NotFound)));
        let foreign = openings::apply(&app.ctx, &other, &looked_at(&app, &ada, &[&team]).await, (overlap("24h"), false)).await.unwrap();
        assert_eq!((foreign.opened, foreign.missing), (0, 1));
        assert!(collected(&app, &grace, &live.id).await.is_ok());
        assert!(collected(&app, &ada, &team.id).await.is_ok());
        // What is given to somebody else is theirs to collect.
        app.give_key(test.id.as_str(), alan.account_id().unwrap()).await;
        assert!(matches!(collected(&app, &grace, &test.id).await, Err(DomainError::Denied(_))));
        assert!(collected(&app, &alan, &test.id).await.is_ok());
    }

    async fn each_key_that_cannot_be_started_is_told_with_its_reason(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let mut keys = Vec::new();
        for name in ["ready", "revoked", "disabled", "rotating", "waiting", "gone", "broken"] {
            keys.push(app.issue(name, &["images:read"]).await);
        }
        let expired = app.try_issue("expired", "live", &["images:read"], "7").await.unwrap();
        let [_, revoked, disabled, rotating, waiting, gone, broken] = &keys[..] else { unreachable!() };
        app.revoke(&revoked.id).await;
        lifecycle::disable(&app.ctx, &app.operator(), &disabled.id).await.unwrap();
        rotation::start(&app.ctx, &app.operator(), &rotating.id, overlap("7d"), None).await.unwrap();
        app.clock.advance_ms(6 * DAY_MS + 23 * HOUR_MS);
        open(&app, &[waiting], overlap("1h")).await;
        app.clock.advance_ms(HOUR_MS - 1);
        app.give_key(gone.id.as_str(), &grace.account).await;
        app.db.tamper(&format!("UPDATE members SET status = 'removed' WHERE account_id = '{}'", grace.account)).await;
        let own = edit::KeyEdit { name: "broken", purpose: "", rotation_days: "80", access: None };
        edit::save(&app.ctx, &app.operator(), &broken.id, &own).await.unwrap();
        save(&app, &[("rotation_days", "60"), ("max_overlap_hours", "24")], "").await.unwrap();
        keys.push(expired);
        let all: Vec<&Issued> = keys.iter().collect();
        let chosen = looked_at(&app, &app.operator(), &all).await;
        let reasons = async |overlap| {
            let preview = openings::preview(&app.ctx, &app.operator(), &chosen, overlap).await.unwrap();
            let mut rows: Vec<_> = preview.rows.into_iter().filter_map(|row| Some((row.name, row.skip?))).collect();
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            (preview.count, rows)
        };
        app.clock.advance_ms(0);
        let always = [
            ("disabled", Skip::Disabled), ("gone", Skip::OwnerInactive), ("revoked", Skip::Revoked), ("rotating", Skip::Rotating), ("waiting", Skip::Waiting),
        ];
        let expect = |more: &[(&'static str, Skip)]| {
            let mut all: Vec<_> = always.iter().chain(more).map(|(name, skip)| ((*name).to_owned(), *skip)).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all
        };
        assert_eq!(reasons(overlap("24h")).await, (2, expect(&[("broken", Skip::AgainstPolicy)])), "expired in a moment");
        let days = [("broken", Skip::AgainstPolicy), ("ready", Skip::TooLong(24)), ("expired", Skip::TooLong(24))];
        assert_eq!(reasons(overlap("3d")).await, (0, expect(&days)));
        assert_eq!(reasons(overlap("now")).await, (3, expect(&[])), "an old secret may always end at once");
        app.clock.advance_ms(1);
        let later = reasons(overlap("24h")).await;
        assert!(later.1.contains(&("expired".to_owned(), Skip::Expired)), "{later:?}");
    }

    async fn what_changed_underneath_is_left_and_a_longer_overlap_is_looked_at_again(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (one, two) = (app.issue("One", &[]).await, app.issue("Two", &[]).await);
        let mut ada = app.owner().await;
        let keys = [format!("{}:1", one.id), format!("{}:1", two.id)];
        let edited = edit::KeyEdit { name: "Other", purpose: "", rotation_days: "", access: None };
        edit::save(&app.ctx, &app.operator(), &two.id, &edited).await.unwrap();
        save(&app, &[("max_overlap_hours", "24")], "").await.unwrap();
        let send = |overlap: &'static str, seen: &'static str| {
            let mut fields: Vec<(String, String)> = keys.iter().map(|key| ("key".to_owned(), key.clone())).collect();
            for (name, value) in [("step", "apply"), ("overlap", overlap), ("seen", seen)] {
                fields.push((name.to_owned(), value.to_owned()));
            }
            fields
        };
        let post = async |browser: &mut Browser, fields: Vec<(String, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            browser.post(START, &fields).await
        };
        let longer = post(&mut ada, send("7d", "86400000.0")).await;
        assert!(longer.status == 422 && longer.body.contains("2 keys would be left out, because of the policy"), "{}", longer.body);
        assert!(longer.body.contains("lets an old secret go on for 24 hours at most"), "the list says which: {}", longer.body);
        let wrong = post(&mut ada, send("custom", "86400000.0")).await;
        assert!(wrong.status == 422 && wrong.body.contains("Give the hours as a number from 1 to 720"), "{}", wrong.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM opened_rotations").await, 0);
        let done = post(&mut ada, send("1h", "86400000.0")).await;
        assert!(done.header("location").ends_with("n=1&skipped=0&changed=1&missing=0"), "{} {}", done.status, done.header("location"));
        let again = post(&mut ada, send("1h", "3600000.0")).await;
        assert!(again.header("location").ends_with("n=0&skipped=1&changed=1&missing=0"), "{}", again.header("location"));
        let nothing = ada.post(START, &[("step", "apply"), ("overlap", "1h")]).await;
        assert!(nothing.status == 422 && nothing.body.contains("Tick the keys first."), "{}", nothing.body);
        let never_looked = openings::apply(&app.ctx, &app.operator(), &Chosen::Keys(vec![(two.id, None)]), (overlap("1h"), false)).await;
        assert_eq!(never_looked.unwrap().changed, 1, "nothing is started that was not looked at");
    }

    async fn a_whole_list_is_looked_at_key_by_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..3 {
            app.try_issue(&format!("Old {n}"), "live", &[], "none").await.unwrap();
        }
        app.clock.advance_ms(91 * DAY_MS);
        app.try_issue("New", "live", &[], "none").await.unwrap();
        let mut ada = app.owner().await;
        let page = ada.post(START, &[("all", "1"), ("status", "rotation_overdue")]).await;
        assert!(page.body.contains("Start 3 rotations?") && !page.body.contains(">New<"), "{}", page.body);
        assert_eq!(page.body.matches("name=\"key\" value=\"").count(), 3, "{}", page.body);
    }

    async fn r26_opening_and_collecting_live_keys_ask_who_it_is(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (live, test) = (app.issue("Live", &[]).await, app.try_issue("Test", "test", &[], "90").await.unwrap());
        let mut ada = app.owner().await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let key = |key: &Issued| format!("{}:1", key.id);
        let form = |key: &str| [("key".to_owned(), key.to_owned()), ("step".into(), "apply".into()), ("overlap".into(), "24h".into()), ("seen".into(), "86400000.0".into())];
        for (which, asked) in [(&test, false), (&live, true)] {
            let fields = form(&key(which));
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(ada.post(START, &fields).await.asks_who(), asked);
        }
        open(&app, &[&live], overlap("24h")).await;
        assert!(collects(&mut ada, &live.id).await.asks_who());
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 2, "nothing was made");
        assert_eq!(collects(&mut ada, &test.id).await.status, 200);
    }

    async fn r63_of_many_who_open_or_collect_at_once_one_does(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Contested", &[]).await;
        let chosen = looked_at(&app, &app.operator(), &[&key]).await;
        let actor = app.operator();
        let tries = (0..8).map(|_| openings::apply(&app.ctx, &actor, &chosen, (overlap("24h"), false)));
        let done: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done.iter().map(|done| done.opened).sum::<i64>(), 1, "{done:?}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.rotation_opened'").await, 1);
        let tries = (0..8).map(|_| collected(&app, &actor, &key.id));
        let (made, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(tries).await.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (1, 7));
        for error in refused.into_iter().filter_map(Result::err) {
            let said = error.to_string();
            assert!(said.contains("waits to be collected") || said.contains("at the same moment") || said.contains("running already"), "{said}");
        }
        let new = made.into_iter().next().unwrap().unwrap();
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("VALID".into(), "VALID".into()));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 2, "one successor");
    }

    async fn a_rotation_begun_by_hand_leaves_nothing_to_collect(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..4 {
            let key = app.issue(&format!("Raced {n}"), &[]).await;
            let actor = app.operator();
            let chosen = looked_at(&app, &actor, &[&key]).await;
            if n % 2 == 0 {
                open(&app, &[&key], overlap("now")).await;
                let (a, b) = tokio::join!(rotation::start(&app.ctx, &actor, &key.id, overlap("now"), None), collected(&app, &actor, &key.id));
                // Without an overlap a second start is allowed, but never is the opened one collected after it.
                assert!(a.is_ok() || b.is_ok());
            } else {
                let (a, b) = tokio::join!(rotation::start(&app.ctx, &actor, &key.id, overlap("now"), None), openings::apply(&app.ctx, &actor, &chosen, (overlap("now"), false)));
                a.unwrap();
                let done = b.unwrap();
                // Opened before the start, which then ended it; or the key was another one than was looked at.
                assert_eq!(done.opened + done.changed, 1);
            }
            assert!(matches!(collected(&app, &actor, &key.id).await, Err(DomainError::Refused(..))));
            assert_eq!(app.db.number("SELECT COUNT(*) FROM opened_rotations").await, 0);
        }
    }

    async fn acts_at_once_on_the_same_keys_wait_for_each_other_and_none_is_stopped_by_another(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (one, other) = (app.issue("One", &[]).await, app.issue("Other", &[]).await);
        let actor = app.operator();
        for round in 0..8 {
            let rules = [("rotation_days", if round % 2 == 0 { "45" } else { "60" })];
            let both = looked_at(&app, &actor, &[&one, &other]).await;
            let (started, opened, stopped, back, ruled) = tokio::join!(
                rotation::start(&app.ctx, &actor, &other.id, overlap("now"), None),
                openings::apply(&app.ctx, &actor, &both, (overlap("now"), false)),
                lifecycle::disable(&app.ctx, &actor, &one.id),
                lifecycle::enable(&app.ctx, &actor, &one.id),
                save(&app, &rules, ""),
            );
            let opened = opened.unwrap();
            assert_eq!(opened.opened + opened.changed + opened.skipped, 2);
            ruled.unwrap();
            started.unwrap();
            for outcome in [stopped, back] {
                assert!(!matches!(outcome, Err(DomainError::Store(_))), "{outcome:?}");
            }
            app.db.tamper("DELETE FROM opened_rotations").await;
        }
    }

    async fn the_overlap_is_what_was_chosen_and_never_more_than_the_policy_by_then(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (counted, capped, broken) = (app.issue("Counted", &[]).await, app.issue("Capped", &[]).await, app.issue("Broken", &[]).await);
        open(&app, &[&counted], Overlap::parse("1h", "", true).unwrap()).await;
        open(&app, &[&capped, &broken], overlap("7d")).await;
        let new = collected(&app, &app.operator(), &counted.id).await.unwrap();
        app.clock.advance_ms(2 * DAY_MS);
        assert_eq!(app.verify(&counted.secret).await, "VALID", "not used yet");
        assert_eq!(app.verify(&new).await, "VALID");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(HOUR_MS);
        assert_eq!(app.verify(&counted.secret).await, "EXPIRED");
        save(&app, &[("max_overlap_hours", "24")], "").await.unwrap();
        collected(&app, &app.operator(), &capped.id).await.unwrap();
        app.clock.advance_ms(DAY_MS);
        assert_eq!(app.verify(&capped.secret).await, "EXPIRED", "24 hours by now, not seven days");
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let said = collected(&app, &app.operator(), &broken.id).await.unwrap_err().to_string();
        assert!(said.contains("Edit the key first") && said.contains("addresses"), "{said}");
        assert_eq!(app.verify(&broken.secret).await, "VALID");
    }

    async fn what_is_called_off_cannot_be_collected_and_a_form_sent_twice_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Key", &[]).await;
        let mut ada = app.owner().await;
        let at = format!("/settings/api-keys/{}", key.id);
        open(&app, &[&key], overlap("24h")).await;
        assert!(ada.get(&at).await.body.contains("waits for any admin."), "the page of the key tells");
        let done = ada.post(&format!("{at}/rotate/call-off"), &[]).await;
        assert_eq!(done.header("location"), format!("{at}?done=rotation-called-off"));
        assert_eq!(ada.post(&format!("{at}/rotate/call-off"), &[]).await.status, 409);
        let over = ada.get(&format!("{at}/rotate/collect")).await;
        assert!(over.body.contains("Nothing waits to be collected"), "{}", over.body);
        assert!(matches!(collected(&app, &app.operator(), &key.id).await, Err(DomainError::Refused(..))));
        open(&app, &[&key], overlap("24h")).await;
        let mark = nonce(&mut ada, &format!("{at}/rotate/collect")).await;
        let shown = ada.post(&format!("{at}/rotate/collect"), &[("nonce", &mark)]).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let again = ada.post(&format!("{at}/rotate/collect"), &[("nonce", &mark)]).await;
        assert!(again.status == 409 && again.body.contains("cannot be shown again"), "{}", again.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 2);
        let bare = ada.post(&format!("{at}/rotate/collect"), &[]).await;
        assert_eq!(bare.status, 409, "{}", bare.body);
    }

    async fn what_nobody_collects_stays_due_and_is_reminded_of(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Forgotten", "live", &[], "none").await.unwrap();
        app.clock.advance_ms(91 * DAY_MS);
        open(&app, &[&key], overlap("24h")).await;
        app.clock.advance_ms(365 * DAY_MS);
        keywright::server::domain::housekeeping::run(&app.ctx).await.unwrap();
        let reminded = app.letters().await.into_iter().filter(|sent| matches!(sent.letter, Letter::RotationDue { .. })).count();
        assert_eq!(reminded, 1);
        let page = rotations::page(&app.ctx, &app.owner_of(app.org)).await.unwrap();
        assert_eq!((page.waiting.len(), page.overdue.len()), (1, 0), "it waits, a year later, and stands in one place");
        assert!(collected(&app, &app.owner_of(app.org), &key.id).await.is_ok());
        let counts = read::counts(&app.ctx, &app.operator()).await.unwrap();
        assert_eq!(counts.overdue, 0);
        let listed = read::list(&app.ctx, &app.operator(), &KeyFilter::default()).await.unwrap();
        assert_eq!(listed.rows.len(), 1);
    }
}
