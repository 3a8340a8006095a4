//! People at the door.

use keywright::model::actor::Actor;
use keywright::model::time::{HOUR_MS, MINUTE_MS};
use keywright::server::domain::accounts::operate;
use keywright::server::domain::instance;

use crate::kit::app::{EMAIL, EmptyHouse, PASSWORD};
use crate::kit::{Backend, TestApp, on_both_databases};

const SET_UP: [(&str, &str); 8] = [
    ("name", "Ada"),
    ("email", "ada@acme.example"),
    ("password", "a phrase that only tests know"),
    ("organisation", "Acme"),
    ("project", "Image API"),
    ("prefix", "acme"),
    ("scope_name", "read"),
    ("scope_description", ""),
];

pub fn set_up_with(token: &str) -> Vec<(&str, &str)> {
    SET_UP.into_iter().chain([("token", token)]).collect()
}

on_both_databases! {
    async fn r13_only_the_printed_link_sets_up_and_only_once(backend: Backend) {
        let house = EmptyHouse::on(backend).await;
        let mut browser = house.browser();
        assert_eq!(browser.get("/settings/api-keys").await.status, 303);
        assert_eq!(browser.get("/setup").await.status, 403);
        assert_eq!(browser.post("/setup", &set_up_with("")).await.status, 403);
        let old = instance::new_setup_token(&house.ctx).await.unwrap().unwrap();
        let token = instance::new_setup_token(&house.ctx).await.unwrap().unwrap();
        assert_eq!(browser.post("/setup", &set_up_with(old.expose())).await.status, 403, "a restart voids older links");
        let link = format!("/setup?token={}", token.expose());
        let page = browser.get(&link).await;
        assert_eq!((page.status, page.header("referrer-policy")), (200, "no-referrer"));
        assert_eq!(browser.get(&link).await.status, 200, "looking consumes nothing");
        let done = browser.post("/setup", &set_up_with(token.expose())).await;
        assert_eq!((done.status, done.header("location")), (303, "/settings/api-keys"));
        assert_eq!(browser.get("/settings/api-keys").await.status, 200);
        assert_eq!(house.browser().get(&link).await.status, 404);
        assert_eq!(house.browser().post("/setup", &set_up_with(token.expose())).await.status, 404);
        assert!(instance::new_setup_token(&house.ctx).await.unwrap().is_none());
    }

    async fn r13_two_racing_set_ups_make_one_owner(backend: Backend) {
        let house = EmptyHouse::on(backend).await;
        let token = instance::new_setup_token(&house.ctx).await.unwrap().unwrap();
        let (mut one, mut two) = (house.browser(), house.browser());
        let fields = set_up_with(token.expose());
        let (a, b) = tokio::join!(one.post("/setup", &fields), two.post("/setup", &fields));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 404]);
        assert_eq!(house.db.number("SELECT COUNT(*) FROM accounts").await, 1);
        assert_eq!(house.db.number("SELECT COUNT(*) FROM organisations").await, 1);
    }

    async fn r08_unknown_locked_disabled_and_wrong_are_answered_alike(backend: Backend) {
        let app = TestApp::on(backend).await;
        let try_in = async |email: &str, password: &str| {
            let answer = app.browser().post("/sign-in", &[("email", email), ("password", password)]).await;
            (answer.status, answer.body.replace(email, "*"))
        };
        let runs = app.ctx.passwords.runs();
        let unknown = try_in("nobody@acme.example", "a wrong password, long").await;
        let wrong = try_in(EMAIL, "a wrong password, long").await;
        app.db.tamper("UPDATE throttles SET failures = 100 WHERE bucket LIKE 'account:%'").await;
        let locked = try_in(EMAIL, PASSWORD).await;
        app.db.tamper("DELETE FROM throttles").await;
        app.db.tamper("UPDATE accounts SET status = 'disabled'").await;
        let disabled = try_in(EMAIL, PASSWORD).await;
        assert_eq!(app.ctx.passwords.runs() - runs, 4, "each path costs exactly one argon2");
        assert_eq!(unknown.0, 401);
        assert_eq!(strip_nonce(&unknown.1), strip_nonce(&locked.1));
        assert_eq!(strip_nonce(&unknown.1), strip_nonce(&wrong.1));
        assert_eq!(strip_nonce(&unknown.1), strip_nonce(&disabled.1));
    }

    async fn r10_an_account_is_locked_after_a_hundred_failures_from_anywhere(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut session = app.owner().await;
        for n in 0..120 {
            let mut browser = app.browser();
            browser.peer = format!("198.51.100.{n}:1000");
            let answer = browser.post("/sign-in", &[("email", EMAIL), ("password", "a wrong password, long")]).await;
            assert!([401, 429].contains(&answer.status), "{}", answer.status);
            app.clock.advance_ms(11_000);
        }
        let right = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(right.status, 401, "the right password does not open a locked account");
        assert_eq!(session.get("/settings/api-keys").await.status, 200, "who was signed in stays so");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'session.locked'").await, 1);
        operate::unlock(&app.ctx, &Actor::operator("tests", None), EMAIL).await.unwrap();
        app.clock.advance_ms(11_000);
        let right = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(right.status, 303, "{}", right.body);
    }

    async fn r10_attempts_in_quick_succession_are_told_to_wait(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut waited = false;
        for n in 0..4 {
            let mut browser = app.browser();
            browser.peer = format!("198.51.100.{n}:1000");
            let answer = browser.post("/sign-in", &[("email", EMAIL), ("password", "a wrong password, long")]).await;
            if answer.status == 429 {
                waited = true;
                assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
                assert!(answer.body.contains(&format!("value=\"{EMAIL}\"")), "what was typed is kept");
            }
        }
        assert!(waited);
    }

    async fn r11_spellings_of_one_address_share_one_counter(backend: Backend) {
        let app = TestApp::on(backend).await;
        for (n, email) in ["Bob@x.org", "bob@x.org ", "BOB@X.ORG"].into_iter().enumerate() {
            let mut browser = app.browser();
            browser.peer = format!("198.51.100.{n}:1000");
            browser.post("/sign-in", &[("email", email), ("password", "a wrong password, long")]).await;
            app.clock.advance_ms(11_000);
        }
        assert_eq!(app.db.number("SELECT MAX(failures) FROM throttles WHERE bucket LIKE 'account:%'").await, 3);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM throttles WHERE bucket LIKE '%bob%'").await, 0, "what was typed is not kept");
    }

    async fn r12_guessing_the_setup_token_is_slowed_down(backend: Backend) {
        let house = EmptyHouse::on(backend).await;
        let mut browser = house.browser();
        let guess = keywright::model::key_text::compose("kws", "0123456789AB", &"x".repeat(32));
        let mut statuses = Vec::new();
        for _ in 0..15 {
            statuses.push(browser.post("/setup", &set_up_with(&guess)).await.status);
        }
        assert!(statuses.contains(&429), "{statuses:?}");
    }

    async fn r27_the_cookie_s_value_is_in_no_table(backend: Backend) {
        let app = TestApp::on(backend).await;
        let owner = app.owner().await;
        let cookie = owner.cookie.clone().unwrap();
        assert_eq!(cookie.len(), 32);
        let ids = app.db.texts("SELECT id_sha256 FROM sessions").await;
        assert_eq!(ids.len(), 1);
        assert!(!ids[0].contains(&cookie) && ids[0].len() == 64);
    }

    async fn r28_signing_in_gives_a_new_id_and_ends_the_old_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let old = browser.cookie.clone().unwrap();
        browser.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let new = browser.cookie.clone().unwrap();
        assert_ne!(old, new);
        let mut thief = app.browser();
        thief.cookie = Some(old);
        assert_eq!(thief.get("/settings/api-keys").await.status, 303);
        thief.cookie = Some("planted0planted0planted0planted0".into());
        thief.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_ne!(thief.cookie.as_deref(), Some("planted0planted0planted0planted0"), "a planted id is not adopted");
    }

    async fn r30_an_hour_idle_or_twelve_hours_in_all_end_a_session(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut idle = app.owner().await;
        app.clock.advance_ms(HOUR_MS - 1);
        assert_eq!(idle.get("/settings/api-keys").await.status, 200);
        app.clock.advance_ms(HOUR_MS);
        assert_eq!(idle.get("/settings/api-keys").await.status, 303);
        let mut busy = app.owner().await;
        for _ in 0..(12 * 60 / 50) {
            app.clock.advance_ms(50 * MINUTE_MS);
            assert_eq!(busy.get("/settings/api-keys").await.status, 200);
        }
        app.clock.advance_ms(50 * MINUTE_MS);
        assert_eq!(busy.get("/settings/api-keys").await.status, 303);
    }

    async fn r31_signing_out_ends_the_session_on_the_server(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let cookie = browser.cookie.clone();
        let out = browser.post("/sign-out", &[]).await;
        assert_eq!(out.status, 303);
        assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        browser.cookie = cookie;
        assert_eq!(browser.get("/settings/api-keys").await.status, 303);
    }

    async fn r32_a_reset_password_ends_every_session_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let operator = Actor::operator("tests", None);
        operate::reset_password(&app.ctx, &operator, EMAIL, "another phrase for tests".into()).await.unwrap();
        assert_eq!(browser.get("/settings/api-keys").await.status, 303);
        let answer = app.browser().post("/sign-in", &[("email", EMAIL), ("password", "another phrase for tests")]).await;
        assert_eq!(answer.status, 303);
    }

    async fn r06_a_hash_of_older_parameters_is_renewed_at_sign_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        let before = app.db.texts("SELECT password_hash FROM accounts").await;
        assert!(before[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        app.owner().await;
        assert_eq!(app.db.texts("SELECT password_hash FROM accounts").await, before, "a present one is left alone");
    }
}

/// The part of a page that differs from answer to answer.
pub fn strip_nonce(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find("nonce=\"") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 7..];
        rest = &tail[tail.find('"').unwrap() + 1..];
    }
    out + rest
}

#[tokio::test]
async fn r29_the_session_cookie_is_bound_to_browser_and_site() {
    let app = TestApp::on(Backend::Sqlite).await;
    let answer = app
        .browser()
        .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    let cookie = answer.header("set-cookie");
    for part in ["kw_s=", "; Path=/", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    for part in ["Domain", "Max-Age", "Expires"] {
        assert!(!cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn r34_broken_cookies_are_nobody_s() {
    let app = TestApp::on(Backend::Sqlite).await;
    for cookie in [
        "x",
        "",
        "ööö",
        &"y".repeat(5_000),
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let mut browser = app.browser();
        browser.cookie = Some(cookie.chars().filter(char::is_ascii).collect());
        assert_eq!(browser.get("/settings/api-keys").await.status, 303, "{cookie}");
    }
    let mut browser = app.owner().await;
    browser.cookie = browser.cookie.map(|id| format!("{id}; kw_s={id}"));
    assert_eq!(
        browser.get("/settings/api-keys").await.status,
        400,
        "two cookies of one name"
    );
}

#[tokio::test]
async fn r45_after_signing_in_one_lands_on_own_pages_only() {
    let app = TestApp::on(Backend::Sqlite).await;
    for (next, expected) in [
        ("/settings/projects", "/settings/projects"),
        ("//evil.example", "/settings/api-keys"),
        ("https://evil.example", "/settings/api-keys"),
        ("/\\evil.example", "/settings/api-keys"),
        ("javascript:alert(1)", "/settings/api-keys"),
    ] {
        let answer = app
            .browser()
            .post(
                "/sign-in",
                &[("email", EMAIL), ("password", PASSWORD), ("next", next)],
            )
            .await;
        assert_eq!(answer.header("location"), expected);
    }
}
