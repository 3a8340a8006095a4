//! People are told what happens to the safety of their account: a letter and a banner, in the transaction of the act.

use keywright::model::actor::Actor;
use keywright::model::notice::{Happening, SecurityEvent};
use keywright::model::time::{DAY_MS, HOUR_MS, SECOND_MS};
use keywright::server::domain::accounts::factors;
use keywright::server::domain::instance;
use keywright::server::domain::mail::Letter;
use keywright::server::domain::retention;

use crate::accounts::set_up_with;
use crate::factors::{HALF, code, enrol, half_signed_in};
use crate::kit::app::{EMAIL, EmptyHouse, PASSWORD};
use crate::kit::{Browser, TestApp, on_both_databases};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SEEN: &str = "/account/notices/seen";

/// What the account was told, oldest first.
async fn told(app: &TestApp) -> Vec<String> {
    app.db
        .texts("SELECT kind FROM notices ORDER BY created_at_ms, kind")
        .await
}

/// Signs in from an address, with a browser of a name.
async fn sign_in_from(app: &TestApp, ip: &str, agent: &'static str) -> Browser {
    app.clock.advance_ms(5 * SECOND_MS);
    let mut browser = app.browser();
    browser.peer = format!("{ip}:1000");
    browser.agent = agent;
    let answer = browser
        .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

/// The letters about the account's safety, oldest first.
async fn security_letters(app: &TestApp) -> Vec<Happening> {
    let letters = app.letters().await;
    let happenings = letters
        .into_iter()
        .filter_map(|enveloped| match enveloped.letter {
            Letter::Security { happening, link } => {
                assert!(link.ends_with("/account/sessions") && enveloped.to.email == EMAIL);
                Some(happening)
            }
            _ => None,
        });
    happenings.collect()
}

on_both_databases! {
    async fn r15_a_sign_in_from_a_new_place_is_told_and_the_first_one_is_not(backend: Backend) {
        let app = TestApp::on(backend).await;
        sign_in_from(&app, "203.0.113.7", "").await;
        sign_in_from(&app, "203.0.113.200", "").await;
        assert!(told(&app).await.is_empty(), "the first place of all, and the same network");
        sign_in_from(&app, "198.51.100.9", FIREFOX).await;
        assert_eq!(told(&app).await, ["new_place"]);
        let [letter] = &security_letters(&app).await[..] else { panic!("one letter") };
        assert_eq!((letter.ip.as_deref(), letter.device.as_str()), (Some("198.51.100.9"), "Firefox on Linux"));
        assert_eq!(letter.event, SecurityEvent::NewPlace);
        sign_in_from(&app, "198.51.100.77", FIREFOX).await;
        assert_eq!(told(&app).await.len(), 1, "known by now");
        sign_in_from(&app, "198.51.100.77", "curl/8.5").await;
        assert_eq!(told(&app).await.len(), 2, "a device that is new there");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.new_place'").await, 2);
        for place in app.db.texts("SELECT place FROM known_places").await {
            assert!(place.len() == 64 && place.bytes().all(|b| b.is_ascii_hexdigit()), "{place}: where somebody was is not kept");
        }
    }

    async fn r15_setting_up_is_no_new_place_and_makes_one_known(backend: Backend) {
        let house = EmptyHouse::on(backend).await;
        let token = instance::new_setup_token(&house.ctx).await.unwrap().unwrap();
        house.browser().post("/setup", &set_up_with(token.expose())).await;
        let counts = "SELECT (SELECT COUNT(*) FROM notices) * 100 + (SELECT COUNT(*) FROM known_places)";
        assert_eq!(house.db.number(counts).await, 1);
        let mut stranger = house.browser();
        stranger.peer = "198.51.100.9:1000".to_owned();
        stranger.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(house.db.number(counts).await, 102, "somebody else before the owner came back");
    }

    async fn r15_with_a_second_factor_a_place_counts_once_the_code_was_right(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        let mut half = sign_in_from(&app, "198.51.100.9", FIREFOX).await;
        assert_eq!(told(&app).await, ["factor_enrolled"], "half signed in is not signed in");
        let answer = half.post(HALF, &[("code", &code(&app, &enrolled.secret, 0))]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(told(&app).await, ["factor_enrolled", "new_place"]);
    }

    async fn r15_every_change_of_a_factor_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        app.clock.advance_ms(5 * SECOND_MS);
        enrolled.browser.post("/account/two-factor/codes", &[("code", &code(&app, &enrolled.secret, 0))]).await;
        app.clock.advance_ms(30 * SECOND_MS);
        let off = [("password", PASSWORD), ("code", &code(&app, &enrolled.secret, 0))];
        let done = enrolled.browser.post("/account/two-factor/off", &off).await;
        assert_eq!(done.status, 303, "{}", done.body);
        app.clock.advance_ms(30 * SECOND_MS);
        enrol(&app).await;
        factors::reset(&app.ctx, &Actor::operator("tests", None), EMAIL).await.unwrap();
        factors::reset(&app.ctx, &Actor::operator("tests", None), EMAIL).await.unwrap();
        let expected = ["factor_enrolled", "recovery_codes_renewed", "factor_removed", "factor_enrolled", "factor_reset"];
        assert_eq!(told(&app).await, expected, "a reset of nothing is nothing");
        let letters = security_letters(&app).await;
        let kinds: Vec<_> = letters.iter().map(|letter| letter.event.kind()).collect();
        assert_eq!(kinds, expected);
        assert_eq!((letters[4].ip.as_deref(), letters[4].device.as_str()), (None, ""), "where the operator sits is nobody's business");
    }

    async fn r23_each_use_of_a_recovery_code_is_told_with_what_is_left(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let mut half = half_signed_in(&app).await;
        half.post(HALF, &[("code", &enrolled.recovery[0])]).await;
        app.clock.advance_ms(5 * SECOND_MS);
        // Confirming who one is takes them as well.
        let confirmed = enrolled.browser.post("/settings/service-tokens/new", &[("name", "x"), ("step_up", &enrolled.recovery[1])]).await;
        assert!(confirmed.body.contains("Confirmed"), "{}", confirmed.body);
        let events: Vec<_> = security_letters(&app).await.into_iter().map(|letter| letter.event).collect();
        let left = |left| SecurityEvent::RecoveryCodeUsed { left };
        assert_eq!(events, [SecurityEvent::FactorEnrolled, left(9), left(8)]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'factor.recovery_code_used'").await, 2);
    }

    async fn r15_a_right_password_with_a_wrong_code_is_told_once_an_hour(backend: Backend) {
        let app = TestApp::on(backend).await;
        enrol(&app).await;
        let refused = "SELECT COUNT(*) FROM notices WHERE kind = 'factor_refused'";
        let mut half = half_signed_in(&app).await;
        for _ in 0..3 {
            half.post(HALF, &[("code", "000000")]).await;
        }
        assert_eq!(app.db.number(refused).await, 1);
        app.db.tamper("UPDATE notices SET seen_at_ms = 1").await;
        half.post(HALF, &[("code", "000000")]).await;
        assert_eq!(app.db.number(refused).await, 1, "having seen it asks for no other");
        app.clock.advance_ms(HOUR_MS);
        half_signed_in(&app).await.post(HALF, &[("code", "000000")]).await;
        assert_eq!(app.db.number(refused).await, 2);
        assert_eq!(security_letters(&app).await.iter().filter(|l| l.event == SecurityEvent::FactorRefused).count(), 2);
    }

    async fn r15_the_frame_tells_until_it_was_seen(backend: Backend) {
        let app = TestApp::on(backend).await;
        sign_in_from(&app, "203.0.113.7", "").await;
        let mut browser = sign_in_from(&app, "198.51.100.9", FIREFOX).await;
        let page = browser.get("/settings/projects").await;
        assert!(page.body.contains("Somebody signed in from a new place or device."), "{}", page.body);
        assert!(page.body.contains("Firefox on Linux at 198.51.100.9") && page.body.contains("href=\"/account/sessions\""));
        let id = page.between("name=\"notice\" value=\"", "\"").to_owned();
        app.db.tamper(
            "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status, is_instance_admin,
             session_epoch, created_at_ms) SELECT 'acc_00000000bob0', 'bob@x.org', 'bob@x.org', 'Bob', password_hash,
             password_pepper_id, 'active', is_instance_admin, session_epoch, created_at_ms FROM accounts",
        ).await;
        app.db.tamper("INSERT INTO notices SELECT 'ntc_00000000bob0', 'acc_00000000bob0', kind, detail, created_at_ms, NULL FROM notices").await;
        let done = browser.post(SEEN, &[("notice", &id), ("notice", "ntc_00000000bob0"), ("notice", "x")]).await;
        assert_eq!(done.status, 303);
        assert!(!browser.get("/settings/projects").await.body.contains("new place or device"));
        let unseen = app.db.texts("SELECT id FROM notices WHERE seen_at_ms IS NULL").await;
        assert_eq!(unseen, ["ntc_00000000bob0"], "other people see for themselves");
    }

    async fn the_frame_shows_the_newest_five_and_then_the_rest(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        for n in 0..7 {
            sign_in_from(&app, &format!("198.51.{n}.1"), FIREFOX).await;
        }
        let page = browser.get("/settings/projects").await;
        assert_eq!(page.body.matches("name=\"notice\"").count(), 5);
        assert!(page.body.find("198.51.6.1").unwrap() < page.body.find("198.51.2.1").unwrap() && !page.body.contains("198.51.1.1"));
        let mut rest = page.body.as_str();
        let mut shown = Vec::new();
        while let Some((_, after)) = rest.split_once("name=\"notice\" value=\"") {
            shown.push(("notice", &after[..16]));
            rest = after;
        }
        browser.post(SEEN, &shown).await;
        let page = browser.get("/settings/projects").await.body;
        assert_eq!((page.matches("name=\"notice\"").count(), page.contains("198.51.1.1")), (2, true));
    }

    async fn what_is_old_is_forgotten_but_the_last_place_is_not(backend: Backend) {
        let app = TestApp::on(backend).await;
        sign_in_from(&app, "203.0.113.7", "").await;
        sign_in_from(&app, "198.51.100.9", FIREFOX).await;
        app.clock.advance_ms(29 * DAY_MS);
        retention::prune(&app.ctx).await.unwrap();
        assert_eq!(told(&app).await.len(), 1);
        app.clock.advance_ms(2 * DAY_MS);
        retention::prune(&app.ctx).await.unwrap();
        assert_eq!(told(&app).await.len(), 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM known_places").await, 2);
        app.clock.advance_ms(180 * DAY_MS);
        retention::prune(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM known_places").await, 1);
        sign_in_from(&app, "203.0.113.7", "").await;
        assert_eq!(told(&app).await, ["new_place"], "after a long silence it is told again");
    }
}
