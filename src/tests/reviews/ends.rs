//! Deadlines, reminders, early ends.

use keywright::model::key_page::{Disabled, DisabledBecause};
use keywright::model::org::Role;
use keywright::model::review::{Decision, ReviewStatus, Shown};
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::model::usage::UsageRange;
use keywright::server::domain::keys::read;
use keywright::server::domain::{housekeeping, reviews};

use super::{actor, day, decide, draft, keys, look, person, said, started};
use crate::kit::{TestApp, on_both_databases};

async fn kinds(app: &TestApp, kind: &str) -> i64 {
    app.db
        .number(&format!("SELECT COUNT(*) FROM mails WHERE kind = '{kind}'"))
        .await
}

on_both_databases! {
    async fn at_the_deadline_undecided_keys_are_disabled_if_that_was_chosen(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 4).await;
        let id = started(&app, &[&app.account], 2).await;
        let owner = app.owner_of(app.org);
        decide(&app, &owner, &id, &all[0].id, Some(Decision::Keep), None).await.unwrap();
        app.db.tamper(&format!("UPDATE api_keys SET scopes = 'forged' WHERE id = '{}'", all[3].id)).await;
        app.revoke(&all[2].id).await;
        assert_eq!(app.verify(&all[1].secret).await, "VALID");
        let deadline = look(&app, &owner, &id, Shown::All).await.review.deadline;
        app.clock.advance_ms(deadline.since_ms(app.ctx.clock.now()) - 1);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&all[1].secret).await, "VALID", "not a moment early");
        app.clock.advance_ms(1);
        let late = said(decide(&app, &app.owner_of(app.org), &id, &all[1].id, Some(Decision::Keep), None).await);
        assert!(late.contains("deadline of this review has passed"), "{late}");
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!((app.verify(&all[0].secret).await, app.verify(&all[1].secret).await), ("VALID".into(), "DISABLED".into()));
        let outcomes = app.db.texts("SELECT outcome FROM review_items WHERE outcome IS NOT NULL ORDER BY outcome").await;
        assert_eq!(outcomes, ["disabled", "failed", "revoked"]);
        let page = look(&app, &owner, &id, Shown::All).await;
        assert_eq!((page.review.status, page.review.progress.disabled), (ReviewStatus::Finished, 1));
        let why = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.disabled'").await;
        assert!(why[0].contains("undecided in an access review") && why[0].contains(id.as_str()), "{why:?}");
        let told = read::page(&app.ctx, &owner, &all[1].id, UsageRange::Day).await.unwrap().disabled;
        assert_eq!(told, Some(Disabled { by: "Keywright".to_owned(), why: DisabledBecause::Undecided(id) }));
        assert_eq!(kinds(&app, "review_finished").await, 1);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'review.finished'").await, 1);
    }

    async fn or_they_stay_as_they_are(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 2).await;
        let last = day(&app, 1);
        let me = app.account.to_string();
        let mut wanted = draft("members", &[], &last);
        (wanted.reviewers, wanted.on_undecided) = (vec![me.as_str()], "nothing");
        let id = reviews::start(&app.ctx, &app.owner_of(app.org), &wanted).await.unwrap();
        app.clock.advance_ms(2 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&all[0].secret).await, "VALID");
        let page = look(&app, &app.owner_of(app.org), &id, Shown::All).await;
        assert_eq!((page.review.status, page.review.progress.disabled, page.review.progress.open), (ReviewStatus::Finished, 0, 0));
    }

    async fn two_processes_close_a_review_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 5).await;
        started(&app, &[&app.account], 1).await;
        let other = app.another_process().await;
        app.clock.advance_ms(2 * DAY_MS);
        let (_, _) = tokio::join!(housekeeping::run(&app.ctx), housekeeping::run(&other));
        housekeeping::run(&app.ctx).await.unwrap();
        for act in ["review.finished", "key.disabled"] {
            let expected = if act == "key.disabled" { all.len() as i64 } else { 1 };
            assert_eq!(app.db.number(&format!("SELECT COUNT(*) FROM audit_events WHERE action = '{act}'")).await, expected, "{act}");
        }
        assert_eq!(kinds(&app, "review_finished").await, 1);
    }

    async fn reminders_go_out_once_to_whoever_has_something_open(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 2).await;
        let (ann, ben) = (person(&app, "ann", Role::Admin).await, person(&app, "ben", Role::Admin).await);
        let id = started(&app, &[&ann, &ben], 30).await;
        assert_eq!(kinds(&app, "review_due").await, 2, "at the start");
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(kinds(&app, "review_due").await, 2);
        let bens = actor(&app, ben, Role::Admin);
        let item = look(&app, &bens, &id, Shown::Mine).await.items.rows.remove(0);
        assert!(all.iter().any(|key| key.id == item.key_id));
        decide(&app, &bens, &id, &item.key_id, Some(Decision::Keep), None).await.unwrap();
        let deadline = look(&app, &bens, &id, Shown::All).await.review.deadline;
        let other = app.another_process().await;
        app.clock.advance_ms(deadline.since_ms(app.ctx.clock.now()) - 7 * DAY_MS);
        let (one, two) = tokio::join!(housekeeping::run(&app.ctx), housekeeping::run(&other));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        assert_eq!(kinds(&app, "review_due").await, 3, "ann alone has something open");
        app.clock.advance_ms(HOUR_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(kinds(&app, "review_due").await, 3);
        app.clock.advance_ms(6 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(kinds(&app, "review_due").await, 4);
    }

    async fn when_whoever_began_it_has_left_owners_and_admins_hear_of_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        keys(&app, 2).await;
        let (ann, hedy) = (person(&app, "ann", Role::Admin).await, person(&app, "hedy", Role::Admin).await);
        let (last, reviewer) = (day(&app, 30), hedy.to_string());
        let id = reviews::start(&app.ctx, &actor(&app, hedy, Role::Admin), &draft("members", &[&reviewer], &last)).await.unwrap();
        let deadline = look(&app, &actor(&app, ann, Role::Admin), &id, Shown::All).await.review.deadline;
        app.db.tamper(&format!("UPDATE members SET status = 'removed' WHERE account_id = '{hedy}'")).await;
        let told = async |kind: &str| {
            let letters = app.letters().await.into_iter().filter(|one| one.letter.kind() == kind);
            let mut to: Vec<String> = letters.map(|one| one.to.email).collect();
            to.sort();
            to
        };
        let others = [crate::kit::app::EMAIL, "ann@example.com"];
        assert_eq!(told("review_due").await, ["hedy@example.com"], "at the start");
        app.clock.advance_ms(deadline.since_ms(app.ctx.clock.now()) - 7 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(told("review_due").await, [others[0], others[1], "hedy@example.com"], "reminded");
        app.clock.advance_ms(7 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(told("review_finished").await, others);
    }

    async fn a_review_ends_early_when_all_is_decided_or_when_it_is_cancelled(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 1).await;
        let owner = app.owner_of(app.org);
        let id = started(&app, &[&app.account], 14).await;
        let early = reviews::finish(&app.ctx, &owner, &id).await.unwrap_err();
        assert!(early.to_string().contains("1 key is not decided"), "{early}");
        decide(&app, &owner, &id, &all[0].id, Some(Decision::Keep), None).await.unwrap();
        reviews::finish(&app.ctx, &owner, &id).await.unwrap();
        assert!(reviews::cancel(&app.ctx, &owner, &id).await.unwrap_err().to_string().contains("finished"));
        let again = started(&app, &[&app.account], 1).await;
        reviews::cancel(&app.ctx, &owner, &again).await.unwrap();
        app.clock.advance_ms(3 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&all[0].secret).await, "VALID", "a cancelled review disables nothing");
        assert_eq!(kinds(&app, "review_finished").await, 1, "of the first one");
    }

    async fn ten_thousand_keys_are_started_shown_and_closed_in_bounded_time(backend: Backend) {
        let app = TestApp::on(backend).await;
        let all = keys(&app, 1).await;
        // Rows without a right MAC: enough for lists, and the deadline must not stumble over them.
        app.db.tamper(&format!(
            "INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose, owner_team, scopes, status,
                created_by_type, created_by_id, created_at_ms, stored_note, revoked_note, version, row_mac, row_mac_key_id)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
             SELECT 'key_' || substr('000000000000' || i, -12), k.org_id, k.project_id, k.environment, k.prefix, 'bulk ' || i, 'bulk ' || i, '', 't', 'images:read',
                'active', 'operator', 'x', k.created_at_ms, '', '', 1, k.row_mac, k.row_mac_key_id FROM n, api_keys k WHERE k.id = '{}'", all[0].id
        ).replace("substr('000000000000' || i, -12)", if backend == Backend::Sqlite { "substr('000000000000' || i, -12)" } else { "right('000000000000' || i, 12)" })).await;
        let began = std::time::Instant::now();
        let id = started(&app, &[&app.account], 1).await;
        let start = began.elapsed();
        let owner = app.owner_of(app.org);
        let began = std::time::Instant::now();
        let page = reviews::page(&app.ctx, &owner, &id, Some(Shown::All), Some(400)).await.unwrap();
        let shown = began.elapsed();
        assert_eq!((page.items.total, page.items.rows.len()), (10_000, 25));
        let began = std::time::Instant::now();
        reviews::list(&app.ctx, &owner, 1).await.unwrap();
        let listed = began.elapsed();
        app.clock.advance_ms(2 * DAY_MS);
        let began = std::time::Instant::now();
        housekeeping::run(&app.ctx).await.unwrap();
        let closed = began.elapsed();
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("10,000 keys on {backend:?}: start {start:?}, page 400 {shown:?}, list {listed:?}, close {closed:?}\n"));
        assert!(start.as_secs() < 10 && shown.as_secs() < 2 && listed.as_secs() < 2, "{start:?} {shown:?} {listed:?}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM review_items WHERE outcome IN ('disabled', 'failed')").await, 10_000);
        assert_eq!(app.verify(&all[0].secret).await, "DISABLED");
    }
}
