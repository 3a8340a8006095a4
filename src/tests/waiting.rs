//! The counts beside the sidebar's items: what waits for whoever looks, and nothing else.

use keywright::model::actor::Actor;
use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::DAY_MS;
use keywright::model::waiting::Waiting;
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::waiting;

use crate::keys::openings::open;
use crate::kit::people::Member;
use crate::kit::{TestApp, on_both_databases};

async fn actor_of(app: &TestApp, member: &Member) -> Actor {
    let mut browser = app.browser();
    browser.cookie = app.signed_in_again(member).await;
    app.signed_in(&browser).await.unwrap().actor
}

async fn rotations(app: &TestApp, actor: &Actor) -> i64 {
    waiting::count(&app.ctx, actor).await.unwrap().rotations
}

on_both_databases! {
    async fn rotations_wait_for_whoever_looks_after_the_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (grace, eve) = (app.join("grace@acme.example", Role::Developer).await, app.join("eve@acme.example", Role::Auditor).await);
        let hers = app.try_issue("Hers", "live", &[], "none").await.unwrap();
        app.give_key(hers.id.as_str(), &grace.account).await;
        let team = app.try_issue("Team", "live", &[], "none").await.unwrap();
        for (name, expiry) in [("Revoked", "none"), ("Ended", "30")] {
            let key = app.try_issue(name, "live", &[], expiry).await.unwrap();
            if name == "Revoked" {
                app.revoke(&key.id).await;
            }
        }
        let ada = app.owner_of(app.org);
        assert_eq!(rotations(&app, &ada).await, 0);
        app.clock.advance_ms(91 * DAY_MS);
        let (grace, eve) = (actor_of(&app, &grace).await, actor_of(&app, &eve).await);
        let counts = async || [rotations(&app, &ada).await, rotations(&app, &grace).await, rotations(&app, &eve).await];
        assert_eq!(counts().await, [2, 1, 0], "what was revoked or has ended waits for nobody");
        open(&app, &[&hers, &team], Overlap::parse("24h", "", false).unwrap()).await;
        assert_eq!(counts().await, [1, 1, 0], "hers is hers to collect, and waits for nobody else");
        let other = app.owner_of(app.another_org("Globex").await);
        assert_eq!(waiting::count(&app.ctx, &other).await.unwrap(), Waiting::default());
        assert_eq!(waiting::count(&app.ctx, &app.operator()).await.unwrap(), Waiting::default(), "nobody looks");
    }

    async fn reviews_and_incidents_wait_and_the_frame_says_how_many(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let plain = owner.get("/settings/api-keys").await.body;
        assert!(!plain.contains("waiting)</span>"), "{plain}");
        let keys = [app.issue("One", &[]).await, app.issue("Two", &[]).await];
        let deadline = keywright::model::time::Timestamp::from_ms(app.ctx.clock.now().ms() + 14 * DAY_MS).iso_date();
        let form = [
            ("name", "Keys"), ("assignment", "members"), ("reviewers", app.account.as_str()), ("deadline", deadline.as_str()),
            ("on_undecided", "nothing"),
        ];
        let started = owner.post("/settings/reviews/new", &form).await;
        assert_eq!(started.status, 303, "{}", started.body);
        let opening = OpenIncident { suspected_since: app.ctx.clock.now(), noticed: String::new(), freeze: false };
        incidents::open(&app.ctx, &app.operator(), &keys[0].id, &opening).await.unwrap();
        let told = waiting::count(&app.ctx, &app.owner_of(app.org)).await.unwrap();
        assert_eq!((told.reviews, told.rotations, told.incidents), (2, 0, 1));
        let page = owner.get("/settings/api-keys").await.body;
        for count in ["<span class=\"vh\"> (2 waiting)</span>", "<span class=\"vh\"> (1 waiting)</span>"] {
            assert_eq!(page.matches(count).count(), 1, "{count}: {page}");
        }
        let review = started.header("location").split('?').next().unwrap().to_owned();
        let id = keys[0].id.to_string();
        let (decision, seen) = (format!("decision.{id}"), format!("seen.{id}"));
        let decided = owner.post(&review, &[(&decision, "keep"), (&seen, "undecided")]).await;
        assert_eq!(decided.status, 303, "{}", decided.body);
        assert_eq!(waiting::count(&app.ctx, &app.owner_of(app.org)).await.unwrap().reviews, 1);
    }

    async fn what_an_absent_reviewer_leaves_waits_for_whoever_began_the_review(backend: Backend) {
        let app = TestApp::on(backend).await;
        let hedy = app.join("hedy@acme.example", Role::Admin).await;
        app.issue("One", &[]).await;
        let mut owner = app.owner().await;
        let deadline = keywright::model::time::Timestamp::from_ms(app.ctx.clock.now().ms() + 14 * DAY_MS).iso_date();
        let form = [
            ("name", "Keys"), ("assignment", "members"), ("reviewers", hedy.account.as_str()), ("deadline", deadline.as_str()),
            ("on_undecided", "nothing"),
        ];
        assert_eq!(owner.post("/settings/reviews/new", &form).await.status, 303);
        let hers = app.signed_in(&hedy.browser).await.unwrap().actor;
        let reviews = async |actor: &Actor| waiting::count(&app.ctx, actor).await.unwrap().reviews;
        assert_eq!((reviews(&app.owner_of(app.org)).await, reviews(&hers).await), (0, 1));
        app.db.tamper(&format!("UPDATE members SET status = 'suspended' WHERE account_id = '{}'", hedy.account)).await;
        assert_eq!(reviews(&app.owner_of(app.org)).await, 1);
    }
}
