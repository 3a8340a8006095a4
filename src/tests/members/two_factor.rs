//! "Everyone here uses a second factor", and means it.

use keywright::model::org::Role;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::server::domain::members::two_factor;

use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn r24_requiring_it_reaches_sessions_that_are_open(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut three = vec![app.owner().await];
        for (email, role) in [("admin@acme.example", Role::Admin), ("dev@acme.example", Role::Developer)] {
            three.push(app.join(email, role).await.browser);
        }
        let key = app.issue("Goes on", &["images:read"]).await;
        app.enrol(&mut three[0]).await;
        let form = [("two_factor", "required"), ("grace_days", "0")];
        assert_eq!(three[0].post("/settings/security", &form).await.status, 303);
        assert_eq!(three[0].get("/settings/api-keys").await.status, 200, "who has one goes on");
        for browser in &mut three[1..] {
            let away = browser.get("/settings/api-keys").await;
            assert_eq!((away.status, away.header("location")), (303, "/account/two-factor?required"));
            assert_eq!(browser.post("/settings/api-keys/new", &[("name", "x")]).await.status, 403);
            let page = browser.get("/account/two-factor").await;
            assert!(page.status == 200 && page.body.contains("asks everybody for a second factor"), "{}", page.body);
            assert!(!page.body.contains("/settings/service-tokens"), "nothing of the organisation is offered");
        }
        assert_eq!(app.verify(&key.secret).await, "VALID", "keys and service tokens go on");
        app.enrol(&mut three[1]).await;
        assert_eq!(three[1].get("/settings/api-keys").await.status, 200, "and with one, people do too");
    }

    async fn r24_until_the_day_it_only_counts_down(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let owner = app.owner_of(app.org);
        two_factor::require(&app.ctx, &owner, "7").await.unwrap();
        let page = dev.browser.get("/settings/api-keys").await;
        assert!(page.status == 200 && page.body.contains("within 7 days"), "{}", page.body);
        let told = app.letters().await;
        assert!(told.iter().any(|sealed| sealed.to.email == dev.email && sealed.letter.kind() == "two_factor_required"));
        app.db.tamper("UPDATE sessions SET expires_at_ms = expires_at_ms + 864000000").await;
        app.clock.advance_ms(6 * DAY_MS);
        app.db.tamper("UPDATE sessions SET last_seen_at_ms = last_seen_at_ms + 518400000").await;
        assert!(dev.browser.get("/settings/api-keys").await.body.contains("within a day"));
        app.clock.advance_ms(DAY_MS - HOUR_MS / 2);
        app.db.tamper("UPDATE sessions SET last_seen_at_ms = last_seen_at_ms + 86400000").await;
        assert_eq!(dev.browser.get("/settings/api-keys").await.status, 200);
        app.clock.advance_ms(HOUR_MS / 2);
        assert_eq!(dev.browser.get("/settings/api-keys").await.status, 303, "the day is here");
        two_factor::make_optional(&app.ctx, &app.owner_of(app.org)).await.unwrap();
        assert_eq!(dev.browser.get("/settings/api-keys").await.status, 200);
    }

    async fn r24_one_organisation_asks_only_on_its_own_pages(backend: Backend) {
        let app = TestApp::on(backend).await;
        let globex = app.another_org("Globex").await;
        two_factor::require(&app.ctx, &app.owner_of(globex), "0").await.unwrap();
        let mut owner = app.owner().await;
        assert_eq!(owner.get("/settings/api-keys").await.status, 200, "Acme does not ask");
        owner.post("/session/organisation", &[("organisation", globex.as_str())]).await;
        assert_eq!(owner.get("/settings/api-keys").await.status, 303, "Globex does");
        owner.post("/session/organisation", &[("organisation", app.org.as_str())]).await;
        assert_eq!(owner.get("/settings/api-keys").await.status, 200, "and one can leave it");
    }

    async fn r24_the_last_factor_stays_while_it_is_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let secret = app.enrol(&mut owner).await;
        two_factor::require(&app.ctx, &app.owner_of(app.org), "30").await.unwrap();
        let code = crate::factors::code(&app, &secret, 0);
        let fields = [("password", crate::kit::app::PASSWORD), ("code", code.as_str())];
        let refused = owner.post("/account/two-factor/off", &fields).await;
        assert!(refused.status == 409 && refused.body.contains("cannot be turned off"), "{}", refused.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 1);
    }

    async fn the_time_to_set_it_up_is_0_to_30_days(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        for days in ["31", "-1", "seven", "", "1e3", "٧"] {
            let refused = owner.post("/settings/security", &[("two_factor", "required"), ("grace_days", days)]).await;
            assert!(refused.status == 422 && refused.body.contains("from 0 to 30"), "{days}: {}", refused.status);
        }
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        assert_eq!(dev.browser.post("/settings/security", &[("two_factor", "optional")]).await.status, 403);
    }
}
