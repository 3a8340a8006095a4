//! Requests that wait: when they lapse, and who hears of them.

use keywright::model::approval::ApprovalState;
use keywright::model::org::Role;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::server::domain::mail::Letter;
use keywright::server::domain::{approvals, housekeeping, waiting};
use keywright::server::platform::clock::Clock;

use super::{NEW, asks, collects, decides, state_of, under};
use crate::kit::{TestApp, on_both_databases};

/// Digests so far: to whom, and which keys.
async fn digests(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let letters = app.letters().await.into_iter();
    letters
        .filter_map(|sent| match sent.letter {
            Letter::ApprovalsWaiting { requests, .. } => {
                let mut keys: Vec<String> = requests.into_iter().map(|one| one.key).collect();
                keys.sort();
                Some((sent.to.email, keys))
            }
            _ => None,
        })
        .collect()
}

async fn results(app: &TestApp) -> Vec<(String, String, ApprovalState, Option<String>, String)> {
    let letters = app.letters().await.into_iter();
    letters
        .filter_map(|sent| match sent.letter {
            Letter::ApprovalResult {
                key,
                state,
                by,
                comment,
                ..
            } => Some((sent.to.email, key, state, by, comment)),
            _ => None,
        })
        .collect()
}

on_both_databases! {
    async fn what_nobody_decides_lapses_and_whoever_asked_hears_of_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut rules = NEW.to_vec();
        rules.push(("approval_days", "2"));
        let grace = under(&app, &rules).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let actor = app.signed_in(&grace.browser).await.unwrap().actor;
        app.clock.advance_ms(2 * DAY_MS - 1);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(state_of(&app, &id).await, "waiting");
        app.clock.advance_ms(1);
        let actor = actor.proved(app.clock.now());
        let late = approvals::approve(&app.ctx, &actor, &id, ("", None)).await.unwrap_err();
        assert!(late.to_string().contains("has lapsed"), "over from its moment on: {late}");
        let list = app.owner().await.get("/settings/approvals?state=lapsed").await;
        assert!(list.body.contains("New key Shop"), "{}", list.body);
        for _ in 0..2 {
            housekeeping::run(&app.ctx).await.unwrap();
        }
        assert_eq!(state_of(&app, &id).await, "lapsed");
        let told = results(&app).await;
        assert_eq!(told.len(), 1, "once");
        assert_eq!((told[0].1.as_str(), told[0].2, &told[0].3), ("Shop", ApprovalState::Lapsed, &None));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'approval.lapsed'").await, 1);
    }

    async fn approvers_hear_once_a_day_of_what_others_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        app.join("dev@acme.example", Role::Developer).await;
        let mut owner = app.owner().await;
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(digests(&app).await, [], "nothing waits");
        asks(&app, &mut owner, "Shop").await;
        asks(&app, &mut owner, "Till").await;
        let hers = asks(&app, &mut grace.browser, "Hers").await;
        for _ in 0..3 {
            housekeeping::run(&app.ctx).await.unwrap();
            app.clock.advance_ms(HOUR_MS);
        }
        let mut told = digests(&app).await;
        told.sort();
        let expected = [
            (crate::kit::app::EMAIL.to_owned(), vec!["Hers".to_owned()]),
            (grace.email.clone(), vec!["Shop".to_owned(), "Till".to_owned()]),
        ];
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(told, expected, "one letter a day, never of one’s own");
        let mut owner = app.owner().await;
        assert_eq!(decides(&mut owner, &hers, "decline", "No").await.status, 303);
        app.clock.advance_ms(DAY_MS);
        let other = app.another_process().await;
        let (a, b) = tokio::join!(approvals::tell(&app.ctx), approvals::tell(&other));
        a.unwrap();
        b.unwrap();
        assert_eq!(digests(&app).await.len(), 3, "the next day, from one node, to her alone");
    }

    async fn the_result_reaches_whoever_asked_with_the_comment(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let (yes, no) = (asks(&app, &mut owner, "Yes").await, asks(&app, &mut owner, "No").await);
        assert_eq!(decides(&mut grace.browser, &yes, "approve", "").await.status, 303);
        assert_eq!(decides(&mut grace.browser, &no, "decline", "Use the other one").await.status, 303);
        let mut told = results(&app).await;
        told.sort_by(|a, b| b.1.cmp(&a.1));
        let short: Vec<_> = told.iter().map(|(to, key, state, _, comment)| (to.as_str(), key.as_str(), *state, comment.as_str())).collect();
        let ada = crate::kit::app::EMAIL;
        assert_eq!(short, [(ada, "Yes", ApprovalState::Approved, ""), (ada, "No", ApprovalState::Declined, "Use the other one")]);
        assert!(told.iter().all(|one| one.3.is_some()));
    }

    async fn the_frame_counts_what_is_mine_to_decide_or_to_collect(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let (first, second) = (asks(&app, &mut dev.browser, "First").await, asks(&app, &mut dev.browser, "Second").await);
        asks(&app, &mut grace.browser, "Hers").await;
        let actors = [
            app.owner_of(app.org),
            app.signed_in(&grace.browser).await.unwrap().actor,
            app.signed_in(&dev.browser).await.unwrap().actor,
            app.owner_of(app.another_org("Globex").await),
        ];
        let counts = async || {
            let mut counts = Vec::new();
            for actor in &actors {
                counts.push(waiting::count(&app.ctx, actor).await.unwrap().approvals);
            }
            counts
        };
        assert_eq!(counts().await, [3, 2, 0, 0]);
        assert_eq!(decides(&mut grace.browser, &first, "approve", "").await.status, 303);
        assert_eq!(decides(&mut grace.browser, &second, "decline", "No").await.status, 303);
        assert_eq!(counts().await, [1, 0, 1, 0], "what was approved waits to be collected");
        assert_eq!(collects(&mut dev.browser, &first).await.status, 200);
        assert_eq!(counts().await, [1, 0, 0, 0]);
        app.clock.advance_ms(7 * DAY_MS);
        assert_eq!(counts().await, [0, 0, 0, 0], "what has lapsed waits no more");
    }
}
