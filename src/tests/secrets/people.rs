//! What people sign in with, and the links they are sent.

use keywright::model::key_text::compose;
use keywright::model::time::{HOUR_MS, SECOND_MS};
use keywright::server::domain::accounts::links::{self, Purpose};
use keywright::server::domain::instance;
use keywright::server::platform::clock::{Clock, SystemClock};

use super::canaries::{Canaries, canary, files_of, holds};
use super::served::{Served, cookie_of};
use crate::accounts::set_up_with;
use crate::factors::{HALF, code, code_at, codes_of, enrol, half_signed_in, secret_of};
use crate::kit::app::{EMAIL, EmptyHouse, PASSWORD};
use crate::kit::{Backend, Sink, TestApp};

#[tokio::test]
async fn r77_r43_no_secret_of_a_person_is_in_a_page_log_file_or_later_answer() {
    let log = Sink::default();
    let _guard = log.listen();
    let mut canaries = Canaries::default();
    let empty = EmptyHouse::on(Backend::Sqlite).await;
    let token = instance::new_setup_token(&empty.ctx).await.unwrap().unwrap();
    canaries.add("a set-up link", canary(token.expose()));
    let mut first = empty.browser();
    assert_eq!(
        first
            .get(&format!("/setup?token={}", token.expose()))
            .await
            .status,
        200
    );
    assert_eq!(
        first.post("/setup", &set_up_with(token.expose())).await.status,
        303
    );

    let app = TestApp::on(Backend::Sqlite).await;
    let mut enrolled = enrol(&app).await;
    canaries.add_totp_secret(&enrolled.secret);
    canaries.add_recovery_codes(&enrolled.recovery);
    canaries.add("the code that confirmed", &code(&app, &enrolled.secret, -30));
    let right = code(&app, &enrolled.secret, 0);
    let mut half = half_signed_in(&app).await;
    canaries.add("a half session", half.cookie.as_ref().unwrap());
    let mut pages = half.post(HALF, &[("code", "918273")]).await.body;
    pages.push_str(
        &half
            .post(HALF, &[("code", &format!("{}x", enrolled.recovery[3]))])
            .await
            .body,
    );
    assert_eq!(half.post(HALF, &[("code", &right)]).await.status, 303);
    canaries.add("a wrong code", "918273");
    canaries.add("a right code", &right);
    app.clock.advance_ms(30 * SECOND_MS);
    let by_recovery = half_signed_in(&app)
        .await
        .post(HALF, &[("code", &enrolled.recovery[0])])
        .await;
    assert_eq!(by_recovery.status, 303);
    let step_up = [("name", "x"), ("step_up", enrolled.recovery[1].as_str())];
    pages.push_str(
        &enrolled
            .browser
            .post("/settings/service-tokens/new", &step_up)
            .await
            .body,
    );
    let renewed = enrolled
        .browser
        .post(
            "/account/two-factor/codes",
            &[("code", &code(&app, &enrolled.secret, 0))],
        )
        .await;
    canaries.add_recovery_codes(&codes_of(&renewed));
    for token in link_tokens(&app).await {
        canaries.add("a link", canary(&token));
    }
    for (what, browser) in [
        ("a session", &first),
        ("a session", &half),
        ("a session", &enrolled.browser),
    ] {
        canaries.add(what, browser.cookie.as_ref().unwrap());
    }
    canaries.add("a password", PASSWORD);

    for path in [
        "/account/two-factor",
        "/account/two-factor/codes",
        "/account/sessions",
        "/settings/audit-log",
        "/settings/projects",
    ] {
        pages.push_str(&enrolled.browser.get(path).await.body);
    }
    assert!(
        pages.contains("This session") && pages.contains("Recovery codes renewed"),
        "the pages were drawn"
    );
    canaries.assert_absent("pages", pages.as_bytes());
    canaries.assert_absent("the database", &files_of(app.db.folder.path()));
    canaries.assert_absent("the database of the set-up", &files_of(empty.db.folder.path()));
    canaries.add("who signed in", EMAIL);
    let log = log.bytes();
    assert!(holds(&log, b"answered"), "the log is open to everything");
    canaries.assert_absent("the log", &log);
}

/// One link of each kind, made, looked at and sent back.
async fn link_tokens(app: &TestApp) -> Vec<String> {
    let mut tokens = Vec::new();
    let now = app.ctx.clock.now();
    for purpose in [
        Purpose::Invitation,
        Purpose::PasswordReset,
        Purpose::OldEmail,
        Purpose::NewEmail,
    ] {
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        let span = (now, now.plus_ms(HOUR_MS));
        let link = links::make(&app.ctx, &mut tx, purpose, app.account.as_str(), span)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let (_, address) = link.expose().split_once("3000").unwrap();
        let (path, token) = address.split_once("?token=").unwrap();
        let mut browser = app.browser();
        browser.get(address).await;
        browser.get(&format!("{path}/{token}")).await;
        browser
            .post(path, &[("token", token), ("password", "too short")])
            .await;
        tokens.push(token.to_owned());
    }
    tokens
}

#[test]
fn r77_the_real_program_at_trace_logs_no_secret_of_a_person() {
    let served = Served::start();
    let mut canaries = Canaries::default();
    canaries.add("the set-up link", canary(&served.setup_token));
    canaries.add("a password", PASSWORD);
    served.ask("", &format!("/setup?token={}", served.setup_token), None);
    let owner = served.ask("", "/setup", Some(&set_up_with(&served.setup_token)));
    assert_eq!(owner.status, 303, "{}", owner.body);
    let owner = cookie_of(&owner);
    let secret = secret_of(&served.ask(&owner, "/account/two-factor", Some(&[("password", PASSWORD)])));
    canaries.add_totp_secret(&secret);
    let code = code_at(&secret, SystemClock.now().ms() / SECOND_MS);
    let confirmed = served.ask(&owner, "/account/two-factor/confirm", Some(&[("code", &code)]));
    canaries.add("the code that confirmed", &code);
    let recovery = codes_of(&confirmed);
    canaries.add_recovery_codes(&recovery);
    let half = served.ask("", "/sign-in", Some(&[("email", EMAIL), ("password", PASSWORD)]));
    assert_eq!(half.header("location"), HALF);
    let half = cookie_of(&half);
    served.ask(&half, HALF, Some(&[("code", "918273")]));
    canaries.add("a wrong code", "918273");
    let whole = cookie_of(&served.ask(&half, HALF, Some(&[("code", &recovery[0])])));
    let page = served.ask(&whole, "/account/sessions", None);
    assert!(
        page.body.contains("A recovery code was used; 9 are left."),
        "{}",
        page.body
    );
    for (prefix, path) in [
        ("kwi", "/invitation"),
        ("kwr", "/reset-password"),
        ("kwe", "/confirm-email"),
    ] {
        let token = compose(prefix, "0123456789AB", &"canary".repeat(6)[..32]);
        canaries.add("a link", canary(&token));
        served.ask("", &format!("{path}?token={token}"), None);
        served.ask("", &format!("{path}?token={}", token.replace('_', "%5f")), None);
        served.ask("", &format!("{path}/{token}"), None);
        served.ask("", path, Some(&[("token", &token)]));
        served.ask(
            "",
            &format!("/sign-in?next=%2F{}%3Ftoken%3D{token}", &path[1..]),
            None,
        );
    }
    for cookie in [&owner, &half, &whole] {
        canaries.add("a session", cookie.strip_prefix("kw_s=").unwrap());
    }
    let (folder, log) = served.stop();
    assert!(
        holds(&log, b"path=\"/account/two-factor/confirm\""),
        "the log is open to everything"
    );
    canaries.assert_absent("the database", &files_of(&folder.path().join("data/db")));
    canaries.add("who signed in", EMAIL);
    canaries.assert_absent("the log", &log);
}
