//! The work on an incident: checklist, findings, its end.

use keywright::model::actor::{Actor, Denied};
use keywright::model::id::IncidentId;
use keywright::model::incident::{Fact, IncidentStatus};
use keywright::model::org::Role;
use keywright::model::time::MINUTE_MS;
use keywright::server::domain::DomainError;
use keywright::server::domain::incidents::findings::{self, Findings};
use keywright::server::domain::incidents::{checklist, replace};
use keywright::server::domain::mail::Letter;

use super::{acts, member, open, open_as, page, said};
use crate::kit::{TestApp, on_both_databases};

fn cause(cause: &str) -> Findings<'_> {
    Findings {
        cause,
        ..Findings::default()
    }
}

pub async fn close(app: &TestApp, actor: &Actor, id: &IncidentId, anyway: bool) -> Result<(), DomainError> {
    findings::close(&app.ctx, actor, id, cause("Committed"), anyway).await
}

on_both_databases! {
    async fn items_are_given_ticked_noted_added_and_removed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let admin = member(&app, "grace@acme.example", Role::Admin).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let (ctx, grace) = (&app.ctx, admin.account_id().unwrap().to_string());
        checklist::save(ctx, &admin, &id, 2, (&grace, "Asked\nthe team")).await.unwrap();
        checklist::set_done(ctx, &admin, &id, 2, true).await.unwrap();
        checklist::set_done(ctx, &admin, &id, 2, true).await.unwrap();
        let own = checklist::add(ctx, &admin, &id, "Call the print partner").await.unwrap();
        let seen = page(&app, &id).await;
        let item = |number: i64| seen.checklist.iter().find(|item| item.number == number).unwrap();
        assert_eq!((item(2).note.as_str(), item(2).done_by.as_deref(), item(2).is_done()), ("Asked\nthe team", Some("grace@acme.example"), true));
        assert_eq!((own, item(9).text.as_str(), item(9).is_done()), (9, "Call the print partner", false));
        assert_eq!(item(1).fact, Some(Fact::Frozen), "nobody ticks what is so");
        checklist::set_done(ctx, &admin, &id, 2, false).await.unwrap();
        checklist::remove(ctx, &admin, &id, own).await.unwrap();
        let refused = checklist::remove(ctx, &admin, &id, 2).await;
        assert!(said(refused).contains("part of every incident"));
        assert_eq!(page(&app, &id).await.checklist.len(), 8);
        for (action, count) in [("incident.item_added", 1), ("incident.item_changed", 1), ("incident.item_done", 1), ("incident.item_reopened", 1), ("incident.item_removed", 1)] {
            assert_eq!(acts(&app, action).await, count, "{action}");
        }
    }

    async fn what_is_no_item_no_member_or_too_long_is_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (one, two) = (app.issue("One", &[]).await, app.issue("Two", &[]).await);
        let (first, second) = (open(&app, &one.id, true).await, open(&app, &two.id, true).await);
        let (ctx, operator) = (&app.ctx, app.operator());
        let number = checklist::add(ctx, &operator, &second, "Of the second").await.unwrap();
        let missing = checklist::set_done(ctx, &operator, &first, number, true).await;
        assert!(matches!(missing, Err(DomainError::NotFound)), "an item of another incident");
        assert!(matches!(checklist::remove(ctx, &operator, &first, number).await, Err(DomainError::NotFound)));
        let outsider = app.person("outsider@example.com", None).await.to_string();
        let suspended = app.person("off@example.com", Some((app.org, Role::Admin, "suspended"))).await.to_string();
        for who in [outsider.as_str(), &suspended, "acc_zzzzzzzzzzzz", "nobody"] {
            assert!(said(checklist::save(ctx, &operator, &first, 2, (who, "")).await).contains("Choose an active member"), "{who}");
        }
        assert!(said(checklist::save(ctx, &operator, &first, 2, ("", &"x".repeat(1_001))).await).contains("at most 1000 fit"));
        assert!(said(checklist::add(ctx, &operator, &first, " ").await).contains("is missing"));
        assert!(said(checklist::add(ctx, &operator, &first, &"x".repeat(201)).await).contains("at most 200 fit"));
        for n in 0..50 {
            checklist::add(ctx, &operator, &first, &format!("Own {n}")).await.unwrap();
        }
        assert!(said(checklist::add(ctx, &operator, &first, "One too many").await).contains("50 items of your own"));
        let foreign = app.owner_of(app.another_org("Globex").await);
        assert!(matches!(checklist::add(ctx, &foreign, &first, "x").await, Err(DomainError::NotFound)));
    }

    async fn items_added_at_once_all_get_a_place(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let operator = app.operator();
        let texts: Vec<String> = (0..10).map(|n| format!("Own {n}")).collect();
        let added = texts.iter().map(|text| checklist::add(&app.ctx, &operator, &id, text));
        let mut numbers: Vec<i64> = futures_util::future::join_all(added).await.into_iter().map(Result::unwrap).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (9..19).collect::<Vec<_>>());
    }

    async fn whoever_was_given_an_item_ticks_it_and_no_other(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let auditor = member(&app, "katherine@acme.example", Role::Auditor).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let (ctx, operator) = (&app.ctx, app.operator());
        for (number, who) in [(2, &developer), (3, &auditor)] {
            checklist::save(ctx, &operator, &id, number, (who.account_id().unwrap().as_str(), "")).await.unwrap();
        }
        checklist::set_done(ctx, &developer, &id, 2, true).await.unwrap();
        checklist::save(ctx, &developer, &id, 2, ("", "In the logs of the proxy")).await.unwrap();
        let item = page(&app, &id).await.checklist.remove(1);
        assert_eq!((item.assignee.unwrap().name.as_str(), item.note.as_str()), ("alan@acme.example", "In the logs of the proxy"), "it stays theirs");
        for (who, number) in [(&developer, 3), (&developer, 4), (&auditor, 3), (&auditor, 4), (&developer, 99)] {
            let outcome = checklist::set_done(ctx, who, &id, number, true).await;
            assert!(matches!(outcome, Err(DomainError::Denied(Denied::Forbidden))), "{number}: {outcome:?}");
        }
        for outcome in [
            checklist::add(ctx, &developer, &id, "x").await.map(drop),
            checklist::remove(ctx, &developer, &id, 2).await,
            findings::save(ctx, &developer, &id, cause("x")).await,
            close(&app, &developer, &id, true).await,
            findings::suspect_since(ctx, &developer, &id, "x").await,
            replace::revoke(ctx, &developer, &id).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(DomainError::Denied(Denied::Forbidden))), "{outcome:?}");
        }
    }

    async fn letters_go_to_whom_it_concerns_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let admin = member(&app, "grace@acme.example", Role::Admin).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        member(&app, "katherine@acme.example", Role::Auditor).await;
        member(&app, "edsger@acme.example", Role::Developer).await;
        let key = app.issue("Nightly export", &[]).await;
        app.give_key(key.id.as_str(), developer.account_id().unwrap()).await;
        let id = open_as(&app, &admin, &key.id, true).await.unwrap().id;
        open_as(&app, &admin, &key.id, true).await.unwrap();
        let mut to: Vec<_> = app.letters().await.into_iter().map(|one| one.to.email).collect();
        to.sort();
        assert_eq!(to, ["ada@acme.example", "alan@acme.example"], "owner and key’s owner; not who did it, not the others");
        let letters = app.letters().await;
        let Letter::IncidentOpened { key: name, by, frozen, link, .. } = &letters[0].letter else { panic!("another letter") };
        assert_eq!((name.as_str(), by.as_deref(), frozen), ("Nightly export", Some("grace@acme.example"), &true));
        assert!(link.ends_with(&format!("/settings/incidents/{id}")), "{link}");
        let alan = developer.account_id().unwrap().to_string();
        let grace = admin.account_id().unwrap().to_string();
        for _ in 0..2 {
            checklist::save(&app.ctx, &admin, &id, 2, (&alan, "")).await.unwrap();
        }
        checklist::save(&app.ctx, &admin, &id, 2, (&alan, "a note is no news")).await.unwrap();
        checklist::save(&app.ctx, &admin, &id, 3, (&grace, "")).await.unwrap();
        let letters = app.letters().await;
        assert_eq!(letters.len(), 3, "one more: who takes something on needs no letter");
        let assigned = letters.iter().find(|one| matches!(&one.letter, Letter::IncidentItem { item, .. } if item == "Find out how it leaked")).unwrap();
        assert_eq!(assigned.to.email, "alan@acme.example");
    }

    async fn without_a_mail_server_nothing_waits(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        open(&app, &key.id, true).await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM mails").await, 0);
    }

    async fn who_writes_at_the_same_time_does_not_undo_what_another_wrote(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let operator = app.operator();
        let version = Some(page(&app, &id).await.incident.findings_version);
        let typed = |cause| Findings { version, ..self::cause(cause) };
        findings::save(&app.ctx, &operator, &id, typed("Committed\r\nby a script")).await.unwrap();
        let refused = findings::save(&app.ctx, &operator, &id, typed("Logged")).await;
        assert!(said(refused).contains("Somebody else has changed these texts"));
        assert_eq!(page(&app, &id).await.incident.cause, "Committed\nby a script");
        findings::save(&app.ctx, &operator, &id, typed("Committed\nby a script")).await.unwrap();
        assert_eq!(acts(&app, "incident.edited").await, 1, "the same again is no change");
        let long = "x".repeat(4_001);
        let both = Findings { cause: &long, impact: "a\u{200b}b", ..Findings::default() };
        let text = said(findings::save(&app.ctx, &operator, &id, both).await);
        assert!(text.contains("The cause has 4001 characters") && text.contains("The impact contains an invisible character"), "{text}");
    }

    async fn it_is_closed_with_its_cause_and_a_word_about_what_is_open(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/incidents/{id}");
        let no_cause = owner.post(&format!("{at}/close"), &[("cause", " "), ("impact", "None so far"), ("anyway", "1")]).await;
        assert!(no_cause.status == 422 && no_cause.body.contains("id=\"cause-error\"") && no_cause.body.contains("None so far"), "{}", no_cause.body);
        let open_items = owner.post(&format!("{at}/close"), &[("cause", "Committed")]).await;
        assert!(open_items.status == 422 && open_items.body.contains("7 items are still open"), "{}", open_items.body);
        assert!(open_items.body.contains("<li>Find out how it leaked</li>") && !open_items.body.contains("<li>Stop the leaked secret"), "{}", open_items.body);
        assert_eq!(page(&app, &id).await.incident.cause, "", "what was refused is not half done");
        let done = owner.post(&format!("{at}/close"), &[("cause", "Committed"), ("anyway", "1")]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let seen = page(&app, &id).await;
        assert_eq!((seen.incident.status, seen.incident.cause.as_str(), seen.incident.closed_by.as_deref()), (IncidentStatus::Closed, "Committed", Some("Ada Lovelace")));
        assert_eq!(app.verify(&key.secret).await, "DISABLED", "closing lets nothing pass");
        let twice = owner.post(&format!("{at}/close"), &[("cause", "Committed"), ("anyway", "1")]).await;
        assert_eq!((twice.status, acts(&app, "incident.closed").await), (409, 1));
    }

    async fn when_all_is_done_nothing_is_asked_and_facts_count(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        app.clock.advance_ms(MINUTE_MS);
        replace::replace(&app.ctx, &app.operator(), (&id, None), None).await.unwrap();
        let settled: Vec<_> = page(&app, &id).await.checklist.iter().filter_map(|item| item.fact.map(|fact| (item.number, fact))).collect();
        assert_eq!(settled, [(1, Fact::Replaced), (4, Fact::Replaced)]);
        for number in [2, 3, 5, 6, 7, 8] {
            checklist::set_done(&app.ctx, &app.operator(), &id, number, true).await.unwrap();
        }
        close(&app, &app.operator(), &id, false).await.unwrap();
    }

    async fn nothing_is_done_to_a_closed_one_before_an_admin_reopens_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let key = app.issue("Nightly export", &[]).await;
        app.give_key(key.id.as_str(), developer.account_id().unwrap()).await;
        let id = open(&app, &key.id, true).await;
        close(&app, &developer, &id, true).await.unwrap();
        let (ctx, operator) = (&app.ctx, app.operator());
        for outcome in [
            checklist::add(ctx, &operator, &id, "x").await.map(drop),
            checklist::set_done(ctx, &operator, &id, 2, true).await,
            checklist::save(ctx, &operator, &id, 2, ("", "x")).await,
            findings::save(ctx, &operator, &id, cause("x")).await,
            findings::suspect_since(ctx, &operator, &id, "2026-01-01T00:00").await,
            replace::replace(ctx, &operator, (&id, None), None).await.map(drop),
            replace::revoke(ctx, &operator, &id).await.map(drop),
            keywright::server::domain::incidents::open::freeze_now(ctx, &operator, &id).await,
        ] {
            assert!(said(outcome).contains("This incident is closed"));
        }
        let outcome = findings::reopen(ctx, &developer, &id).await;
        assert!(matches!(outcome, Err(DomainError::Denied(Denied::Forbidden))));
        findings::reopen(ctx, &app.member(Role::Admin), &id).await.unwrap();
        findings::reopen(ctx, &app.member(Role::Admin), &id).await.unwrap();
        assert_eq!(acts(&app, "incident.reopened").await, 1, "twice is once");
        close(&app, &operator, &id, true).await.unwrap();
        let second = open(&app, &key.id, true).await;
        assert_ne!(second, id);
        assert!(said(findings::reopen(ctx, &operator, &id).await).contains("another incident that is open"));
    }
}
