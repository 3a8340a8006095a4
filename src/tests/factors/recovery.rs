//! Without the app: recovery codes, turning it off, and what the operator does.

use keywright::model::actor::Actor;
use keywright::model::time::SECOND_MS;
use keywright::server::domain::accounts::factors;

use super::{HALF, code, codes_of, enrol, half_signed_in, twin};
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn r23_a_recovery_code_signs_in_once_and_new_ones_void_the_old(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let one = enrolled.recovery[0].clone();
        let mut browsers = Vec::new();
        for _ in 0..3 {
            browsers.push(half_signed_in(&app).await);
            app.clock.advance_ms(1);
        }
        let lower = one.to_lowercase();
        let tries = browsers.iter().flat_map(|browser| (0..3).map(|_| twin(&app, browser, &lower)));
        let opened = futures_util::future::join_all(tries).await;
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
        app.db.tamper("DELETE FROM throttles").await;
        let mut again = half_signed_in(&app).await;
        let used = again.post(HALF, &[("code", &one)]).await;
        assert!(used.status == 422 && used.body.contains("was used before"), "{}", used.body);
        let page = enrolled.browser.get("/account/two-factor").await;
        assert!(page.body.contains("9 of 10"), "{}", page.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'factor.recovery_code_used'").await, 1);
        app.clock.advance_ms(30 * SECOND_MS);
        let fresh = enrolled.browser.post("/account/two-factor/codes", &[("code", &code(&app, &enrolled.secret, 0))]).await;
        assert_eq!((fresh.status, codes_of(&fresh).len()), (200, 10));
        app.clock.advance_ms(5 * SECOND_MS);
        let mut later = half_signed_in(&app).await;
        for old in [&one, &enrolled.recovery[1]] {
            assert_eq!(later.post(HALF, &[("code", old)]).await.status, 422, "void");
        }
        assert_eq!(later.post(HALF, &[("code", &codes_of(&fresh)[9])]).await.status, 303);
    }

    async fn turning_it_off_takes_the_password_and_a_code(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let off = "/account/two-factor/off";
        let right = code(&app, &enrolled.secret, 0);
        assert_eq!(enrolled.browser.post(off, &[("password", "not the password, but long"), ("code", &right)]).await.status, 422);
        app.clock.advance_ms(5 * SECOND_MS);
        assert_eq!(enrolled.browser.post(off, &[("password", PASSWORD), ("code", "000000")]).await.status, 422);
        app.clock.advance_ms(5 * SECOND_MS);
        let right = code(&app, &enrolled.secret, 0);
        let done = enrolled.browser.post(off, &[("password", PASSWORD), ("code", &right)]).await;
        assert_eq!((done.status, done.header("location")), (303, "/account/two-factor"), "{}", done.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
        app.clock.advance_ms(5 * SECOND_MS);
        let plain = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(plain.header("location"), "/settings/api-keys");
    }

    async fn the_operator_lets_in_who_lost_everything(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let operator = Actor::operator("tests", None);
        assert!(factors::reset(&app.ctx, &operator, EMAIL).await.unwrap());
        assert_eq!(enrolled.browser.get("/settings/api-keys").await.status, 303, "sessions end");
        app.clock.advance_ms(5 * SECOND_MS);
        let plain = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(plain.header("location"), "/settings/api-keys");
        assert!(!factors::reset(&app.ctx, &operator, EMAIL).await.unwrap());
    }
}
