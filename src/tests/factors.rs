//! The second factor: enrolled by proof, asked for at every sign-in, taken once.

use keywright::model::actor::Actor;
use keywright::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use keywright::server::domain::accounts::session::{self, Caller};
use keywright::server::domain::accounts::{factors, second_half};
use keywright::server::http::middleware::access::is_public;
use keywright::server::http::router::surface;
use totp_rs::{Algorithm, Builder, Secret};

use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::browser::{Answer, Browser};
use crate::kit::{TestApp, on_both_databases};

const HALF: &str = "/sign-in/second-factor";

/// The code that an app shows `offset_s` seconds from now.
pub fn code(app: &TestApp, secret: &str, offset_s: i64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let seconds = app.ctx.clock.now().ms() / SECOND_MS + offset_s;
    totp.generate(u64::try_from(seconds).unwrap()).to_string()
}

fn secret_of(page: &Answer) -> String {
    page.between("id=\"secret\">", "</code>").replace(' ', "")
}

fn codes_of(page: &Answer) -> Vec<String> {
    page.between("id=\"codes\">", "</code>")
        .lines()
        .map(str::to_owned)
        .collect()
}

pub struct Enrolled {
    pub browser: Browser,
    pub secret: String,
    pub recovery: Vec<String>,
}

pub async fn enrol(app: &TestApp) -> Enrolled {
    let mut browser = app.owner().await;
    let page = browser
        .post("/account/two-factor", &[("password", PASSWORD)])
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let secret = secret_of(&page);
    let done = browser
        .post("/account/two-factor/confirm", &[("code", &code(app, &secret, 0))])
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    let recovery = codes_of(&done);
    // The next code: the one that confirmed is taken.
    app.clock.advance_ms(30 * SECOND_MS);
    Enrolled {
        browser,
        secret,
        recovery,
    }
}

/// A browser that has given the password and not yet the code.
async fn half_signed_in(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let answer = browser
        .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, HALF),
        "{}",
        answer.body
    );
    browser
}

/// Whether one more try from the same half session, by a browser of its own, opens the door.
async fn twin(app: &TestApp, half: &Browser, proof: &str) -> bool {
    let mut twin = app.browser();
    twin.cookie.clone_from(&half.cookie);
    let answer = twin.post(HALF, &[("code", proof)]).await;
    answer.header("set-cookie").contains("kw_s=")
}

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
        for n in 1..=5 {
            let answer = browser.post(HALF, &[("code", "000000")]).await;
            assert_eq!(answer.status, if n < 5 { 422 } else { 401 }, "{n}");
        }
        let right = code(&app, &enrolled.secret, 0);
        let replayed = browser.post(HALF, &[("code", &right)]).await;
        assert_eq!(replayed.header("location"), "/sign-in", "the old cookie is worth nothing");
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
            if is_public(&path) {
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
