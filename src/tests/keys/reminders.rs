//! Reminders of rotations: each stage once, one letter to each person.

use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::DAY_MS;
use keywright::server::domain::housekeeping;
use keywright::server::domain::keys::{reminders, rotation};
use keywright::server::domain::mail::Letter;

use crate::kit::{TestApp, on_both_databases};

/// Letters so far: to whom, and per key whether it is overdue.
async fn told(app: &TestApp) -> Vec<(String, Vec<(String, bool)>)> {
    let letters = app.letters().await.into_iter();
    letters
        .filter_map(|sent| match sent.letter {
            Letter::RotationDue { keys, .. } => {
                let keys = keys.into_iter().map(|key| (key.name, key.is_overdue));
                let mut keys: Vec<_> = keys.collect();
                keys.sort();
                Some((sent.to.email, keys))
            }
            _ => None,
        })
        .collect()
}

async fn until_day(app: &TestApp, from: i64, to: i64) {
    for _ in from..to {
        app.clock.advance_ms(DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
    }
}

on_both_databases! {
    async fn each_stage_is_told_once_to_whoever_is_responsible(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        for name in ["A", "B"] {
            let key = app.try_issue(name, "live", &[], "none").await.unwrap();
            app.give_key(key.id.as_str(), &grace.account).await;
        }
        let team = app.try_issue("Team", "live", &[], "none").await.unwrap();
        let revoked = app.try_issue("Gone", "live", &[], "none").await.unwrap();
        app.revoke(&revoked.id).await;
        until_day(&app, 0, 75).await;
        assert!(told(&app).await.is_empty());
        until_day(&app, 75, 76).await;
        let ada = crate::kit::app::EMAIL.to_owned();
        let both = |overdue| vec![("A".to_owned(), overdue), ("B".to_owned(), overdue)];
        let mut first = told(&app).await;
        first.sort();
        assert_eq!(first, [(ada.clone(), vec![("Team".to_owned(), false)]), (grace.email.clone(), both(false))]);
        let counts = async || (told(&app).await.len(), told(&app).await.iter().filter(|(to, _)| *to == ada).count());
        until_day(&app, 76, 82).await;
        assert_eq!(counts().await, (2, 1), "once");
        until_day(&app, 82, 83).await;
        assert_eq!(counts().await, (4, 2), "7 days before");
        until_day(&app, 83, 89).await;
        assert_eq!(counts().await, (6, 3), "1 day before");
        let overlap = Overlap::parse("now", "", false).unwrap();
        rotation::start(&app.ctx, &app.operator(), &team.id, overlap, None).await.unwrap();
        until_day(&app, 89, 96).await;
        assert_eq!(counts().await, (7, 3), "overdue, but for the one that was rotated");
        assert_eq!(told(&app).await.last().unwrap(), &(grace.email.clone(), both(true)));
        until_day(&app, 96, 111).await;
        assert_eq!(counts().await, (10, 3), "each week");
    }

    async fn several_nodes_send_one_letter(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.try_issue("Team", "live", &[], "none").await.unwrap();
        let other = app.another_process().await;
        app.clock.advance_ms(80 * DAY_MS);
        let (a, b) = tokio::join!(reminders::remind(&app.ctx), reminders::remind(&other));
        a.unwrap();
        b.unwrap();
        assert_eq!(told(&app).await.len(), 1);
    }

    async fn without_mail_nothing_is_noted_as_told(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        app.try_issue("Team", "live", &[], "none").await.unwrap();
        app.clock.advance_ms(100 * DAY_MS);
        housekeeping::run(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM rotation_reminders").await, 0);
    }
}
