//! Setting an app up: for one session, for a quarter of an hour, in force by a code.

use keywright::model::time::{MINUTE_MS, SECOND_MS};

use super::{code, codes_of, enrol, half_signed_in, secret_of};
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn r21_an_enrolment_is_for_its_session_and_a_quarter_of_an_hour(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut other = app.owner().await;
        app.clock.advance_ms(5 * SECOND_MS);
        let mut browser = app.owner().await;
        let page = browser.post("/account/two-factor", &[("password", PASSWORD)]).await;
        let secret = secret_of(&page);
        let stolen = other.post("/account/two-factor/confirm", &[("code", "x")]).await;
        assert_eq!((stolen.status, stolen.body.contains(&secret[..4])), (303, false), "another session sees nothing of it");
        app.clock.advance_ms(15 * MINUTE_MS);
        let late = browser.post("/account/two-factor/confirm", &[("code", &code(&app, &secret, 0))]).await;
        assert_eq!(late.status, 303, "begun anew");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
    }

    async fn r21_an_app_guards_nothing_before_a_code_proves_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let wrong = browser.post("/account/two-factor", &[("password", "not the password, but long")]).await;
        assert_eq!(wrong.status, 422, "the password is asked for once more");
        let page = browser.post("/account/two-factor", &[("password", PASSWORD)]).await;
        let secret = secret_of(&page);
        assert_eq!(secret.len(), 32, "160 bits");
        assert!(page.body.contains("class=\"qr\"") && page.header("cache-control") == "no-store");
        app.clock.advance_ms(5 * SECOND_MS);
        let elsewhere = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(elsewhere.header("location"), "/settings/api-keys", "not asked for yet");
        let again = browser.post("/account/two-factor/confirm", &[("code", "000000")]).await;
        assert_eq!((again.status, secret_of(&again)), (422, secret.clone()), "a slip keeps the same secret");
        let done = browser.post("/account/two-factor/confirm", &[("code", &code(&app, &secret, 0))]).await;
        assert_eq!((done.status, codes_of(&done).len()), (200, 10));
        let twice = browser.post("/account/two-factor/confirm", &[("code", &code(&app, &secret, 0))]).await;
        assert_eq!((twice.status, twice.header("location")), (303, "/account/two-factor"), "sent twice");
        let page = browser.get("/account/two-factor").await;
        assert!(page.body.contains("10 of 10") && !page.body.contains(&secret));
        half_signed_in(&app).await;
    }

    async fn r21_neither_secret_nor_codes_lie_open_in_the_database(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let mut stored = app.db.texts("SELECT sealed FROM factors").await;
        stored.extend(app.db.texts("SELECT mac || pepper_id FROM recovery_codes").await);
        stored.extend(app.db.texts("SELECT COALESCE(detail, '') FROM audit_events").await);
        assert!(stored.len() > 11);
        let codes: Vec<String> = enrolled.recovery.iter().map(|code| code.replace('-', "")).collect();
        for text in stored {
            assert!(!text.contains(&enrolled.secret) && !codes.iter().any(|code| text.contains(code)), "{text}");
        }
    }

    async fn enrolling_ends_every_other_session_and_renews_this_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut other = app.owner().await;
        app.clock.advance_ms(10 * SECOND_MS);
        let mut old = app.owner().await;
        let page = old.post("/account/two-factor", &[("password", PASSWORD)]).await;
        let before = old.cookie.clone();
        old.post("/account/two-factor/confirm", &[("code", &code(&app, &secret_of(&page), 0))]).await;
        assert_ne!(old.cookie, before, "a new id");
        assert_eq!(old.get("/settings/api-keys").await.status, 200);
        assert_eq!(other.get("/settings/api-keys").await.status, 303, "signed in without a factor");
        let mut planted = app.browser();
        planted.cookie = before;
        assert_eq!(planted.get("/settings/api-keys").await.status, 303, "the old id is dead");
    }

    async fn r17_a_clock_that_is_off_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let page = browser.post("/account/two-factor", &[("password", PASSWORD)]).await;
        let late = code(&app, &secret_of(&page), -600);
        let answer = browser.post("/account/two-factor/confirm", &[("code", &late)]).await;
        assert!(answer.body.contains("10 minutes ago: your clock or ours is off"), "{}", answer.body);
        let short = browser.post("/account/two-factor/confirm", &[("code", "12345")]).await;
        assert!(short.body.contains("A code has six digits; this has 5."), "{}", short.body);
        let wide = browser.post("/account/two-factor/confirm", &[("code", "１２３４５６")]).await;
        assert!(wide.body.contains("another script or width"), "{}", wide.body);
    }
}
