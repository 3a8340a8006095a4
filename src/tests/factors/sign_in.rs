//! The second half of signing in: a code, once, from a session that reaches nothing else.

use keywright::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use keywright::server::domain::accounts::second_half;
use keywright::server::domain::accounts::session::{self, Caller};
use keywright::server::http::middleware::access;
use keywright::server::http::router::surface;

use super::{HALF, code, enrol, half_signed_in, twin};
use crate::kit::app::PASSWORD;
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn r32_a_session_that_was_ended_elsewhere_does_not_come_back(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let mut half = half_signed_in(&app).await;
        // As if a password reset came between finding the session and renewing it.
        let signed_in = session::resolve(&app.ctx, half.cookie.as_ref().unwrap(), &Caller::default()).await.unwrap().unwrap();
        app.db.tamper("UPDATE accounts SET session_epoch = session_epoch + 1").await;
        let right = code(&app, &enrolled.secret, 0);
        let id = half.cookie.clone().unwrap();
        let renewed = second_half::finish_sign_in(&app.ctx, &signed_in, &id, &right, &Caller::default()).await.unwrap();
        half.cookie = Some(renewed.expose().clone());
        assert_eq!(half.get("/settings/api-keys").await.status, 303, "dead at birth");
    }

    async fn half_sessions_push_out_no_whole_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        for _ in 0..12 {
            half_signed_in(&app).await;
            app.clock.advance_ms(SECOND_MS);
        }
        assert_eq!(enrolled.browser.get("/settings/api-keys").await.status, 200);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM sessions WHERE stage = 'second_factor_due'").await, 3);
        let mut half = half_signed_in(&app).await;
        app.clock.advance_ms(16 * MINUTE_MS);
        assert_eq!(half.get(HALF).await.header("location"), "/sign-in", "a quarter of an hour is enough");
        let late = half.get(&format!("{HALF}?next=%2Fsettings%2Fprojects")).await;
        assert_eq!(late.header("location"), "/sign-in?next=%2Fsettings%2Fprojects", "where they wanted to go is kept");
        let foreign = half.get(&format!("{HALF}?next=%2F%2Fevil.example")).await;
        assert_eq!(foreign.header("location"), "/sign-in");
    }

    async fn r18_a_code_is_taken_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let right = code(&app, &enrolled.secret, 0);
        let mut browsers = Vec::new();
        for _ in 0..3 {
            browsers.push(half_signed_in(&app).await);
            app.clock.advance_ms(1);
        }
        // Nine tries over three half sessions: within what the throttle lets through, so that the step decides.
        let tries = browsers.iter().flat_map(|browser| (0..3).map(|_| twin(&app, browser, &right)));
        let opened = futures_util::future::join_all(tries).await;
        assert_eq!(opened.iter().filter(|opened| **opened).count(), 1, "{opened:?}");
        let mut late = half_signed_in(&app).await;
        app.db.tamper("DELETE FROM throttles").await;
        assert_eq!(late.post(HALF, &[("code", &code(&app, &enrolled.secret, -30))]).await.status, 422, "an older step");
        app.clock.advance_ms(-30 * SECOND_MS);
        assert_eq!(late.post(HALF, &[("code", &right)]).await.status, 422, "a clock set back makes it no newer");
    }

    async fn r18_two_hundred_parallel_tries_with_one_code_open_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let right = code(&app, &enrolled.secret, 0);
        let browser = half_signed_in(&app).await;
        let opened = futures_util::future::join_all((0..200).map(|_| twin(&app, &browser, &right))).await;
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM sessions WHERE stage = 'second_factor_due'").await, 0);
    }

    async fn r20_the_fifth_wrong_code_ends_the_sign_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let mut browser = half_signed_in(&app).await;
        let pending = browser.cookie.clone();
        for n in 1..=5 {
            let answer = browser.post(HALF, &[("code", "000000"), ("next", "/settings/projects")]).await;
            assert_eq!(answer.status, if n < 5 { 422 } else { 303 }, "{n}");
            if n == 5 {
                let again = answer.header("location");
                assert_eq!(again, "/sign-in?next=%2Fsettings%2Fprojects&ended=codes", "where they wanted to go is kept");
                assert!(browser.cookie.is_none(), "and the dead cookie is not");
                let page = browser.get(again).await.body;
                assert!(page.contains("That was the fifth wrong code") && page.contains("value=\"/settings/projects\""), "{page}");
            }
        }
        let right = code(&app, &enrolled.secret, 0);
        browser.cookie = pending;
        let replayed = browser.post(HALF, &[("code", &right)]).await;
        assert_eq!((replayed.status, replayed.header("location")), (303, "/sign-in?ended=time"), "the old cookie is worth nothing");
        let crafted = browser.get("/sign-in?ended=%3Cb%3Eyou+won").await.body;
        assert!(!crafted.contains("you won"), "only our own words");
        app.clock.advance_ms(5 * SECOND_MS);
        let mut fresh = half_signed_in(&app).await;
        for _ in 0..4 {
            fresh.post(HALF, &[("code", "000000")]).await;
        }
        app.clock.advance_ms(5 * SECOND_MS);
        let mut third = half_signed_in(&app).await;
        third.post(HALF, &[("code", "000000")]).await;
        let closed = third.post(HALF, &[("code", &code(&app, &enrolled.secret, 0))]).await;
        assert_eq!(closed.status, 429, "ten in an hour");
        app.clock.advance_ms(HOUR_MS);
        let mut later = half_signed_in(&app).await;
        assert_eq!(later.post(HALF, &[("code", &code(&app, &enrolled.secret, 0))]).await.status, 303);
    }

    async fn r22_a_session_that_owes_its_code_reaches_the_code_and_nothing_else(backend: Backend) {
        let app = TestApp::on(backend).await;
        enrol(&app).await;
        let mut browser = half_signed_in(&app).await;
        let cookie = browser.cookie.clone();
        for (method, path) in surface() {
            if path.starts_with("/v1") || path.starts_with("/pkg") || path.ends_with(".svg") || path.ends_with('z') {
                continue;
            }
            let path = path.replace("{id}", "key_0123456789AB").replace(":id", "key_0123456789AB");
            if access::is_public(&path) {
                continue;
            }
            let answer = match method.as_str() {
                "GET" => browser.get(&path).await,
                _ => browser.post(&path, &[("password", PASSWORD), ("code", "000000")]).await,
            };
            let refused = answer.status == 403 || (answer.status == 303 && answer.header("location").starts_with(HALF));
            assert!(refused, "{method} {path}: {}", answer.status);
            browser.cookie.clone_from(&cookie);
        }
        assert_eq!(browser.get(HALF).await.status, 200);
    }
}
