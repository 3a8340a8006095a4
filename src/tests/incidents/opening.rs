//! “This may be leaked”: stopped with the next request, once, by whoever may.

use keywright::model::actor::{Actor, Denied};
use keywright::model::incident::BYSTANDER_DAILY_MAX;
use keywright::model::org::Role;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::incidents::{self, OpenIncident, open as opening, view};
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::verification::follow_changes;
use keywright::server::platform::clock::Clock;

use super::{acts, member, open, open_as, page, said};
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn opening_freezes_the_key_with_the_next_request(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let id = open(&app, &key.id, true).await;
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        let seen = page(&app, &id).await;
        assert_eq!(seen.incident.frozen_at, Some(app.clock.now()));
        assert_eq!(seen.checklist.len(), 8);
        assert_eq!((acts(&app, "incident.opened").await, acts(&app, "key.disabled").await), (1, 1));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM change_log WHERE kind = 'key'").await, 2, "other servers are told: made, frozen");
    }

    async fn other_servers_refuse_it_as_soon_as_they_hear(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let other = app.another_process().await;
        let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: true };
        incidents::open(&other, &app.operator(), &key.id, &opening).await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
    }

    async fn traffic_that_must_not_stop_goes_on_until_somebody_freezes(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Checkout", &[]).await;
        let id = open(&app, &key.id, false).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        opening::freeze_now(&app.ctx, &app.operator(), &id).await.unwrap();
        opening::freeze_now(&app.ctx, &app.operator(), &id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        assert_eq!(acts(&app, "incident.frozen").await, 1, "twice is once");
    }

    async fn a_key_that_is_stopped_already_may_have_one_too(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (revoked, disabled) = (app.issue("Revoked", &[]).await, app.issue("Disabled", &[]).await);
        app.revoke(&revoked.id).await;
        lifecycle::disable(&app.ctx, &app.operator(), &disabled.id).await.unwrap();
        for key in [&revoked, &disabled] {
            let id = open(&app, &key.id, true).await;
            assert_eq!(page(&app, &id).await.incident.frozen_at, None, "nothing was to freeze");
        }
        assert_eq!((app.verify(&revoked.secret).await, app.verify(&disabled.secret).await), ("REVOKED".into(), "DISABLED".into()));
    }

    async fn a_key_whose_record_was_changed_behind_our_back_may_have_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Edited", &[]).await;
        app.db.tamper("UPDATE api_keys SET scopes = '*'").await;
        let id = open(&app, &key.id, true).await;
        assert_eq!(page(&app, &id).await.incident.frozen_at, None, "it is refused everywhere as it is");
    }

    async fn the_second_click_leads_to_the_same_and_its_freezing_counts(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Twice", &[]).await;
        let first = open_as(&app, &app.operator(), &key.id, false).await.unwrap();
        let second = open_as(&app, &app.operator(), &key.id, true).await.unwrap();
        assert_eq!((second.id, first.already, second.already), (first.id, false, true));
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        assert!(page(&app, &first.id).await.incident.frozen_at.is_some());
    }

    async fn of_many_who_click_at_once_all_get_the_same_incident(backend: Backend) {
        let app = TestApp::on(backend).await;
        member(&app, "grace@acme.example", Role::Admin).await;
        let key = app.issue("Contested", &[]).await;
        let operator = app.operator();
        // Half of them want it frozen, and one that does is enough.
        let clicks = (0..8).map(|n| open_as(&app, &operator, &key.id, n % 2 == 1));
        let opened: Vec<_> = futures_util::future::join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        assert!(opened.iter().all(|one| one.id == opened[0].id));
        assert_eq!(opened.iter().filter(|one| !one.already).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents").await, 1);
        assert_eq!((acts(&app, "incident.opened").await, acts(&app, "key.disabled").await), (1, 1));
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        assert_eq!(app.letters().await.len(), 2, "the owner and the admin are told once");
    }

    async fn who_manages_the_key_may_and_the_house_itself(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let auditor = member(&app, "katherine@acme.example", Role::Auditor).await;
        let (own, other) = (app.issue("Own", &[]).await, app.issue("Another’s", &[]).await);
        app.give_key(own.id.as_str(), developer.account_id().unwrap()).await;
        for (who, key) in [(&developer, &other), (&auditor, &own), (&auditor, &other)] {
            let outcome = open_as(&app, who, &key.id, true).await;
            assert!(matches!(outcome, Err(DomainError::Denied(Denied::Forbidden))), "{outcome:?}");
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents").await, 0);
        assert_eq!(app.verify(&other.secret).await, "VALID", "and nothing was frozen");
        assert!(!open_as(&app, &developer, &own.id, true).await.unwrap().already);
        let globex = app.another_org("Globex").await;
        let foreign = open_as(&app, &app.owner_of(globex), &other.id, true).await;
        assert!(matches!(foreign, Err(DomainError::NotFound)));
        let house = Actor::system(Some(app.org));
        let id = open_as(&app, &house, &other.id, true).await.unwrap().id;
        assert_eq!(page(&app, &id).await.incident.opened_by, "Keywright");
    }

    async fn whoever_sees_a_key_may_say_so_and_those_who_look_after_it_are_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let owner = member(&app, "grace@acme.example", Role::Developer).await;
        let auditor = member(&app, "katherine@acme.example", Role::Auditor).await;
        let key = app.issue("Nightly export", &[]).await;
        app.give_key(key.id.as_str(), owner.account_id().unwrap()).await;
        let opened = open_as(&app, &developer, &key.id, false).await.unwrap();
        assert_eq!((opened.already, opened.by_bystander), (false, true));
        assert_eq!(app.verify(&key.secret).await, "VALID", "stopping it is for others");
        let told: Vec<String> = app.letters().await.into_iter().map(|sent| sent.to.email).collect();
        assert_eq!(told.len(), 2, "the administrator and the key’s owner: {told:?}");
        assert!(told.iter().any(|to| to == "grace@acme.example") && !told.iter().any(|to| to == "alan@acme.example"), "{told:?}");
        // Another who saw it comes to the same; neither of them goes on with it, and its owner does.
        let again = open_as(&app, &auditor, &key.id, false).await.unwrap();
        assert_eq!((again.id, again.already), (opened.id, true));
        for who in [&developer, &auditor] {
            let seen = view::page(&app.ctx, who, &opened.id, None).await.unwrap();
            assert!(!seen.may_manage && seen.members.is_empty() && seen.checklist.iter().all(|item| !item.may_tick));
            let freezing = opening::freeze_now(&app.ctx, who, &opened.id).await;
            assert!(matches!(freezing, Err(DomainError::Denied(Denied::Forbidden))), "{freezing:?}");
            let freezing = open_as(&app, who, &key.id, true).await;
            assert!(matches!(freezing, Err(DomainError::Denied(Denied::Forbidden))), "nor by opening it again: {freezing:?}");
        }
        opening::freeze_now(&app.ctx, &owner, &opened.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        let outsider = app.owner_of(app.another_org("Globex").await);
        assert!(matches!(open_as(&app, &outsider, &key.id, false).await, Err(DomainError::NotFound)));
    }

    async fn nobody_opens_incidents_of_others_keys_by_the_dozen(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let mut keys = Vec::new();
        for n in 0..=BYSTANDER_DAILY_MAX {
            keys.push(app.issue(&format!("Key {n}"), &[]).await.id);
        }
        let own = app.issue("Own", &[]).await.id;
        app.give_key(own.as_str(), developer.account_id().unwrap()).await;
        let (last, first) = keys.split_last().unwrap();
        for key in first {
            open_as(&app, &developer, key, false).await.unwrap();
        }
        assert!(said(open_as(&app, &developer, last, false).await).contains("the most there may be"));
        assert!(open_as(&app, &developer, &first[0], false).await.unwrap().already, "one that is open is shown");
        assert!(open_as(&app, &developer, &own, true).await.is_ok(), "what is one’s own is not counted out");
        app.clock.advance_ms(DAY_MS);
        let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: false };
        assert!(incidents::open(&app.ctx, &developer, last, &opening).await.is_ok(), "a day later");
    }

    async fn the_form_offers_to_freeze_to_whoever_may(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let at = format!("/settings/api-keys/{}", key.id);
        let mut auditor = app.join("katherine@acme.example", Role::Auditor).await.browser;
        assert!(auditor.get(&at).await.body.contains(&format!("{at}/leaked\"")));
        let form = auditor.get(&format!("{at}/leaked")).await;
        assert!(form.body.contains("Whoever looks after the key is told at once") && !form.body.contains("name=\"freeze\""), "{}", form.body);
        assert!(app.owner().await.get(&format!("{at}/leaked")).await.body.contains("name=\"freeze\""));
        let forged = auditor.post(&format!("{at}/leaked"), &[("when", "now"), ("freeze", "1")]).await;
        assert_eq!((forged.status, app.verify(&key.secret).await.as_str()), (403, "VALID"));
        let told = auditor.post(&format!("{at}/leaked"), &[("when", "now"), ("noticed", "In a public repository")]).await;
        assert_eq!(told.status, 303, "{}", told.body);
        let page = auditor.get(told.header("location")).await;
        for words in ["until somebody who looks after it freezes it", "In a public repository", "The leaked secret still passes."] {
            assert!(page.body.contains(words), "{words} in {}", page.body);
        }
        assert!(!page.body.contains("Freeze now"), "{}", page.body);
        assert!(!auditor.get(&at).await.body.contains(&format!("{at}/leaked\"")), "one at a time");
        let owner = app.owner().await.get(told.header("location")).await;
        assert!(owner.body.contains("Freeze now"), "{}", owner.body);
    }

    async fn without_a_mail_server_the_form_promises_no_letter(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let mut auditor = app.join("katherine@acme.example", Role::Auditor).await.browser;
        let form = auditor.get(&format!("/settings/api-keys/{}/leaked", key.id)).await;
        assert!(form.body.contains("No letter is sent here, so tell them, too."), "{}", form.body);
    }

    async fn whoever_last_proved_who_they_are_long_ago_is_not_asked(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let mut owner = app.owner().await;
        app.clock.advance_ms(30 * 60_000);
        let at = format!("/settings/api-keys/{}/leaked", key.id);
        let answer = owner.post(&at, &[("when", "hour"), ("freeze", "1")]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        let page = owner.get(answer.header("location")).await;
        assert!(page.body.contains("Frozen. Every request with the key is refused"), "{}", page.body);
        let again = owner.get(&at).await;
        assert!(again.body.contains("is open already"), "{}", again.body);
    }

    async fn a_moment_that_cannot_be_and_a_story_that_is_too_long_come_back_as_typed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}/leaked", key.id);
        let future = app.clock.now().plus_ms(HOUR_MS).rfc3339()[..16].to_owned();
        let early = app.clock.now().minus_ms(DAY_MS).rfc3339()[..16].to_owned();
        let long = "x".repeat(1_001);
        let hostile = "</textarea><script>alert(1)</script>";
        for (when, since, noticed, text) in [
            ("custom", future.as_str(), hostile, "still to come"),
            ("custom", early.as_str(), hostile, "cannot have leaked before"),
            ("custom", "yesterday", hostile, "Give the date and time, UTC"),
            ("", "", hostile, "Choose since when"),
            ("now", "", long.as_str(), "1001 characters; at most 1000 fit"),
            ("now", "", "a\u{202e}b", "invisible character"),
        ] {
            let answer = owner.post(&at, &[("when", when), ("since", since), ("noticed", noticed), ("freeze", "1")]).await;
            assert!(answer.status == 422 && answer.body.contains(text), "{text}: {} {}", answer.status, answer.body);
            assert!(!answer.body.contains(hostile) && (noticed != hostile || answer.body.contains("&lt;/textarea&gt;")), "{}", answer.body);
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents").await, 0);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let direct = OpenIncident { suspected_since: app.clock.now().minus_ms(DAY_MS), noticed: String::new(), freeze: true };
        assert!(said(incidents::open(&app.ctx, &app.operator(), &key.id, &direct).await).contains("cannot have leaked before"));
    }

    async fn an_unticked_box_freezes_nothing_and_the_page_says_so(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Checkout", &[]).await;
        app.verify(&key.secret).await;
        app.ctx.usage.flush().await;
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}", key.id);
        let form = owner.get(&format!("{at}/leaked")).await;
        assert!(form.body.contains("1 request of the last hour used it; from now on such requests are refused."), "{}", form.body);
        let answer = owner.post(&format!("{at}/leaked"), &[("when", "now"), ("noticed", "Seen in a log\r\nof the proxy")]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let page = owner.get(answer.header("location")).await;
        assert!(page.body.contains("The leaked secret still passes."), "{}", page.body);
        assert!(page.body.contains("Seen in a log\nof the proxy"), "{}", page.body);
        let key_page = owner.get(&at).await;
        assert!(key_page.body.contains("This key may have leaked.") && key_page.body.contains("/settings/incidents/inc_"), "{}", key_page.body);
    }
}
