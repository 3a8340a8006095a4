//! Moving to another app: the present one stays in force until the new one is proved, and nobody is ever without.

use keywright::model::time::SECOND_MS;
use keywright::server::domain::members::two_factor;

use super::{HALF, code, codes_of, enrol, half_signed_in, secret_of};
use crate::kit::app::PASSWORD;
use crate::kit::{TestApp, on_both_databases};

const REPLACE: &str = "/account/two-factor/replace";
const CONFIRM: &str = "/account/two-factor/confirm";

on_both_databases! {
    async fn r24_another_app_takes_the_place_of_the_last_one_while_one_is_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        two_factor::require(&app.ctx, &app.owner_of(app.org), "0").await.unwrap();
        let mut elsewhere = half_signed_in(&app).await;
        elsewhere.post(HALF, &[("code", &enrolled.recovery[0])]).await;
        assert_eq!(elsewhere.get("/settings/api-keys").await.status, 200);
        app.clock.advance_ms(5 * SECOND_MS);
        let fields = [("password", PASSWORD), ("code", enrolled.recovery[1].as_str())];
        let page = enrolled.browser.post(REPLACE, &fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let secret = secret_of(&page);
        assert_ne!(secret, enrolled.secret);
        app.clock.advance_ms(30 * SECOND_MS);
        let mut old = half_signed_in(&app).await;
        assert_eq!(old.post(HALF, &[("code", &code(&app, &enrolled.secret, 0))]).await.status, 303, "in force until then");
        let done = enrolled.browser.post(CONFIRM, &[("code", &code(&app, &secret, 0))]).await;
        assert_eq!((done.status, codes_of(&done).len()), (200, 10), "{}", done.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'factor.replaced'").await, 1);
        assert_eq!(elsewhere.get("/settings/api-keys").await.status, 303, "other sessions end");
        assert_eq!(enrolled.browser.get("/settings/api-keys").await.status, 200);
        app.clock.advance_ms(30 * SECOND_MS);
        let mut later = half_signed_in(&app).await;
        for over in [code(&app, &enrolled.secret, 0), enrolled.recovery[2].clone()] {
            assert_eq!(later.post(HALF, &[("code", &over)]).await.status, 422, "the old app and codes are void");
            app.clock.advance_ms(5 * SECOND_MS);
        }
        assert_eq!(later.post(HALF, &[("code", &code(&app, &secret, 0))]).await.status, 303);
    }

    async fn replacing_takes_the_password_and_a_proof_of_the_present_app(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let right = code(&app, &enrolled.secret, 0);
        for (password, proof) in [(PASSWORD, "000000"), ("not the password, but long", right.as_str()), (PASSWORD, "")] {
            let refused = enrolled.browser.post(REPLACE, &[("password", password), ("code", proof)]).await;
            assert!(refused.status == 422 && !refused.body.contains("id=\"secret\""), "{}", refused.body);
            app.clock.advance_ms(5 * SECOND_MS);
        }
        let begun = enrolled.browser.post("/account/two-factor", &[("password", PASSWORD)]).await;
        assert_eq!(begun.status, 409, "a first one it is not");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 1);
    }

    async fn an_enrolment_that_was_overtaken_takes_no_place(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut slow = app.owner().await;
        let page = slow.post("/account/two-factor", &[("password", PASSWORD)]).await;
        let secret = secret_of(&page);
        // Another session was faster: what this one began is no replacement of that.
        let stray = app.db.texts("SELECT sealed FROM factors").await.remove(0);
        app.db.tamper(&format!(
            "INSERT INTO factors (id, account_id, kind, sealed, last_step, created_at_ms, session_sha256, confirmed_at_ms)
             SELECT 'fac_000000000000', account_id, kind, '{stray}', 0, created_at_ms, 'other', created_at_ms FROM factors"
        )).await;
        let late = slow.post(CONFIRM, &[("code", &code(&app, &secret, 0))]).await;
        assert_ne!(late.status, 200, "{}", late.body);
        assert_eq!(app.db.texts("SELECT id FROM factors WHERE confirmed_at_ms IS NOT NULL").await, ["fac_000000000000"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
    }
}
