//! "Confirm that it is you": before what is sensitive, for ten minutes, in one session, without losing the form.

use keywright::model::org::Role;
use keywright::model::time::MINUTE_MS;

use crate::factors::code;
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::{TestApp, on_both_databases};

const INVITE: &str = "/settings/members/invite";

on_both_databases! {
    async fn r26_sensitive_acts_ask_again_after_ten_minutes(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let invitation = app.invite("eve@acme.example", Role::Developer).await;
        assert!(!invitation.is_empty());
        let id = app.db.texts("SELECT id FROM invitations WHERE status = 'pending'").await.remove(0);
        let mut owner = app.owner().await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let member = format!("/settings/members/{}", grace.account);
        let live = [
            ("project", app.project.as_str()), ("environment", "live"), ("name", "x"), ("owner", "me"), ("scopes", "admin"),
            ("expiry", "90"), ("nonce", "012345678901234567890123"),
        ];
        let acts: Vec<(String, &[(&str, &str)])> = vec![
            ("/settings/api-keys/new".into(), &live),
            ("/settings/service-tokens/new".into(), &[("name", "x"), ("nonce", "012345678901234567890123")]),
            (INVITE.into(), &[("email", "x@acme.example"), ("role", "developer")]),
            (format!("/settings/invitations/{id}/resend"), &[]),
            (format!("{member}/role"), &[("role", "admin")]),
            (format!("{member}/reset-factors"), &[]),
            (format!("{member}/password-link"), &[]),
            (format!("{member}/sign-out"), &[]),
            (format!("{member}/resume"), &[]),
            ("/settings/security".into(), &[("two_factor", "required"), ("grace_days", "7")]),
            ("/account/export".into(), &[]),
            ("/account/email".into(), &[("email", "countess@acme.example")]),
            ("/account/delete".into(), &[("email", EMAIL)]),
            (format!("/instance/accounts/{}/reset-factors", grace.account), &[]),
        ];
        for (address, fields) in acts {
            let asked = owner.post(&address, fields).await;
            assert!(asked.asks_who(), "{address}: {} {}", asked.status, asked.body);
        }
        let test = live.map(|(name, value)| if name == "environment" { (name, "test") } else { (name, value) });
        assert_eq!(owner.post("/settings/api-keys/new", &test).await.status, 200, "never for test keys");
        let key = app.issue("Stops", &["admin"]).await;
        let revoked = owner.post(&format!("/settings/api-keys/{}/revoke", key.id), &[("reason", "superseded")]).await;
        assert_eq!(revoked.status, 303, "nor to stop something");
    }

    async fn r26_the_form_comes_back_filled_under_a_new_session(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let mut elsewhere = app.browser();
        app.clock.advance_ms(MINUTE_MS);
        elsewhere.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let form = [("email", "grace@acme.example"), ("role", "auditor")];
        let asked = owner.post(INVITE, &form).await;
        assert!(asked.asks_who() && asked.body.contains("grace@acme.example") && asked.body.contains("action=\"/settings/members/invite\""));
        let wrong = owner.post(INVITE, &[form[0], form[1], ("step_up", "not my password at all")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("not your password") && wrong.body.contains("grace@acme.example"), "{}", wrong.body);
        app.clock.advance_ms(5_000);
        let before = owner.cookie.clone();
        let back = owner.post(INVITE, &[form[0], form[1], ("step_up", PASSWORD)]).await;
        assert_eq!(back.status, 200, "{}", back.body);
        assert!(back.body.contains("value=\"grace@acme.example\"") && back.body.contains("value=\"auditor\" checked"), "{}", back.body);
        assert!(!back.body.contains(PASSWORD));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM invitations").await, 0, "nothing was done yet");
        assert_ne!(owner.cookie, before, "a new id");
        let mut planted = app.browser();
        planted.cookie = before;
        assert_eq!(planted.get(INVITE).await.status, 303, "the old one is dead");
        assert_eq!(owner.post(INVITE, &form).await.status, 200);
        assert!(elsewhere.post(INVITE, &[("email", "b@acme.example"), ("role", "auditor")]).await.asks_who(), "another session learns nothing of it");
        app.clock.advance_ms(10 * MINUTE_MS);
        assert!(owner.post(INVITE, &[("email", "c@acme.example"), ("role", "auditor")]).await.asks_who(), "it does not slide");
    }

    async fn r26_with_a_second_factor_its_code_is_asked_for_and_taken_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let secret = app.enrol(&mut owner).await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let form = [("email", "grace@acme.example"), ("role", "auditor")];
        let asked = owner.post(INVITE, &form).await;
        assert!(asked.asks_who() && asked.body.contains("one-time-code"));
        let password = owner.post(INVITE, &[form[0], form[1], ("step_up", PASSWORD)]).await;
        assert_eq!(password.status, 422, "the password is not enough any more");
        let right = code(&app, &secret, 0);
        assert_eq!(owner.post(INVITE, &[form[0], form[1], ("step_up", &right)]).await.status, 200);
        app.clock.advance_ms(11 * MINUTE_MS);
        let replayed = owner.post(INVITE, &[form[0], form[1], ("step_up", &right)]).await;
        assert_eq!(replayed.status, 422);
    }

    async fn r12_confirming_is_throttled_like_signing_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let secret = app.enrol(&mut owner).await;
        let mut statuses = Vec::new();
        for _ in 0..11 {
            statuses.push(owner.post(INVITE, &[("step_up", "000000")]).await.status);
        }
        assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
        let right = code(&app, &secret, 0);
        assert_eq!(owner.post(INVITE, &[("step_up", &right)]).await.status, 429, "ten an hour");
    }

    async fn r22_a_half_session_confirms_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let secret = app.enrol(&mut owner).await;
        let mut half = app.browser();
        half.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let right = code(&app, &secret, 0);
        for address in [INVITE, "/sign-out", "/theme", "/invitation"] {
            let refused = half.post(address, &[("step_up", &right)]).await;
            assert!(matches!(refused.status, 401 | 403), "{address}: {}", refused.status);
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM sessions WHERE stage = 'second_factor_due'").await, 1);
    }

    async fn r10_strangers_cannot_take_sensitive_acts_away_from_whoever_is_signed_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let bucket = keywright::server::domain::accounts::throttle::account_bucket(&app.ctx, EMAIL);
        app.db.tamper(&format!(
            "INSERT INTO throttles (bucket, failures, blocked_until_ms, updated_at_ms) VALUES ('{bucket}', 100, 0, 0)"
        )).await;
        let right = [("email", EMAIL), ("password", PASSWORD)];
        assert_eq!(app.browser().post("/sign-in", &right).await.status, 401, "locked for signing in");
        app.clock.advance_ms(11 * MINUTE_MS);
        let back = owner.post(INVITE, &[("email", "grace@acme.example"), ("role", "auditor"), ("step_up", PASSWORD)]).await;
        assert_eq!(back.status, 200, "{}", back.body);
    }
}
