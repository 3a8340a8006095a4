//! New passwords: what they must be like, changing one, setting one anew by a link.

use keywright::model::org::Role;
use keywright::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use keywright::server::domain::accounts::administer::By;
use keywright::server::domain::accounts::password::begin_reset_for;
use keywright::server::domain::mail::{Enveloped, Letter};

use crate::accounts::strip_nonce;
use crate::factors::{code, enrol};
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::browser::{Answer, Browser, ORIGIN};
use crate::kit::{Backend, TestApp, on_both_databases};
use crate::my_account::join;

const CHANGE: &str = "/account/password";
const FORGOT: &str = "/forgot-password";
const RESET: &str = "/reset-password";
const OTHER: &str = "another phrase for tests";
const THIRD: &str = "yet another phrase for tests";

async fn change(browser: &mut Browser, current: &str, new: &str) -> Answer {
    let fields = [
        ("password", current),
        ("new_password", new),
        ("sent", "1"),
        ("end_others", "1"),
    ];
    browser.post(CHANGE, &fields).await
}

async fn sign_in(app: &TestApp, password: &str) -> Answer {
    app.browser()
        .post("/sign-in", &[("email", EMAIL), ("password", password)])
        .await
}

/// The links of all letters for a new password, oldest first, without the origin.
async fn links(app: &TestApp) -> Vec<String> {
    let link = |enveloped: Enveloped| match enveloped.letter {
        Letter::PasswordReset { link, .. } => Some(link.strip_prefix(ORIGIN).unwrap().to_owned()),
        _ => None,
    };
    app.letters().await.into_iter().filter_map(link).collect()
}

/// Asks for a link as a stranger would, and gives it.
async fn asked_link(app: &TestApp) -> String {
    let answer = app.browser().post(FORGOT, &[("email", EMAIL)]).await;
    assert_eq!(
        answer.header("location"),
        "/forgot-password?done=sent",
        "{}",
        answer.body
    );
    let link = links(app).await.pop().unwrap();
    app.clock.advance_ms(1);
    link
}

fn token(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

async fn reset(browser: &mut Browser, link: &str, password: &str) -> Answer {
    browser
        .post(RESET, &[("token", token(link)), ("new_password", password)])
        .await
}

/// Kinds of the security letters so far.
async fn told(app: &TestApp) -> Vec<&'static str> {
    let kind = |enveloped: Enveloped| match enveloped.letter {
        Letter::Security { happening, .. } => Some(happening.event.kind()),
        _ => None,
    };
    app.letters().await.into_iter().filter_map(kind).collect()
}

/// Everything about an answer that a stranger could compare.
fn seen(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let changing = ["x-request-id", "content-security-policy"];
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let headers = headers
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .collect();
    (answer.status, strip_nonce(&answer.body), headers)
}

on_both_databases! {
    async fn r01_a_password_is_as_long_as_its_account_needs(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let short = change(&mut browser, PASSWORD, "fourteen chars").await;
        assert_eq!(short.status, 422);
        assert!(short.body.contains("The password has 14 characters; it needs at least 15."), "{}", short.body);
        assert_eq!(change(&mut browser, PASSWORD, "fifteen charact").await.status, 303);
        let emoji = change(&mut browser, "fifteen charact", &"🦀🐝🌵".repeat(5)).await;
        assert_eq!(emoji.status, 303, "each code point counts one: {}", emoji.body);
    }

    async fn r01_twelve_characters_do_beside_a_second_factor(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let twelve = "🦀🐝🌵🎈🚲🧭🪁🧵🎻🥁🪐🌊";
        for (new, status) in [("eleven char", 422), (twelve, 303)] {
            let right = code(&app, &enrolled.secret, 0);
            let fields = [("password", PASSWORD), ("code", right.as_str()), ("new_password", new)];
            let answer = enrolled.browser.post(CHANGE, &fields).await;
            assert_eq!(answer.status, status, "{new}: {}", answer.body);
        }
    }

    async fn r02_a_kibibyte_fits_and_nothing_is_cut(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let long = change(&mut browser, PASSWORD, &"x".repeat(1_025)).await;
        assert_eq!(long.status, 422);
        assert!(long.body.contains("longer than 1024 bytes"), "{}", long.body);
        let (one, two) = (format!("{}a", "x".repeat(1_023)), format!("{}b", "x".repeat(1_023)));
        assert_eq!(change(&mut browser, PASSWORD, &one).await.status, 303);
        assert_eq!(sign_in(&app, &two).await.status, 401, "the last character counts");
        app.clock.advance_ms(5 * SECOND_MS);
        assert_eq!(sign_in(&app, &one).await.status, 303);
    }

    async fn r04_what_anybody_would_try_is_refused_with_the_reason(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let runs = app.ctx.passwords.runs();
        for (new, reason) in [
            ("123456", "one of the most common passwords"),
            ("pietermaritzburg", "one of the most common passwords"),
            ("PasswordPassword", "one of the most common passwords, repeated"),
            ("dragondragondragon", "one of the most common passwords, repeated"),
            ("Acme2026!!!!!!!!", "words that anybody would try here"),
            ("ada.lovelace.1815", "words that anybody would try here"),
            ("Keywright-Keywright", "words that anybody would try here"),
        ] {
            let answer = change(&mut browser, PASSWORD, new).await;
            assert_eq!(answer.status, 422, "{new}");
            assert!(answer.body.contains(reason), "{new}: {}", answer.body);
            assert!(!answer.body.contains(new), "what was typed does not come back");
        }
        assert_eq!(app.ctx.passwords.runs(), runs, "before anything is hashed");
    }

    async fn r05_composition_makes_no_difference(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        assert_eq!(change(&mut browser, PASSWORD, "cafe\u{301} au lait, s'il vous plai\u{302}t").await.status, 303);
        assert_eq!(sign_in(&app, "café au lait, s'il vous plaît").await.status, 303);
        let same = change(&mut browser, "café au lait, s'il vous plaît", "cafe\u{301} au lait, s'il vous plaît").await;
        assert!(same.status == 422 && same.body.contains("This is the password you have now."), "{}", same.body);
    }

    async fn r07_a_change_takes_the_present_password_and_ends_other_sessions(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut other = app.owner().await;
        app.clock.advance_ms(5 * SECOND_MS);
        let mut browser = app.owner().await;
        let runs = app.ctx.passwords.runs();
        let wrong = change(&mut browser, "not the password, but long", OTHER).await;
        assert_eq!((wrong.status, app.ctx.passwords.runs() - runs), (422, 1));
        assert!(wrong.body.contains("This is not your password."), "{}", wrong.body);
        app.clock.advance_ms(5 * SECOND_MS);
        let before = browser.cookie.clone();
        let done = change(&mut browser, PASSWORD, OTHER).await;
        assert_eq!((done.status, done.header("location")), (303, "/account?done=password"), "{}", done.body);
        assert_ne!(browser.cookie, before, "a new id");
        assert_eq!(browser.get("/account").await.status, 200);
        assert_eq!(other.get("/account").await.status, 303, "the other session is over");
        let mut old = app.browser();
        old.cookie = before;
        assert_eq!(old.get("/account").await.status, 303, "the old id is dead");
        assert_eq!(told(&app).await, ["password_changed"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM notices WHERE kind = 'password_changed'").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.password_changed'").await, 1);
        assert_eq!(sign_in(&app, PASSWORD).await.status, 401);
        app.clock.advance_ms(5 * SECOND_MS);
        assert_eq!(sign_in(&app, OTHER).await.status, 303);
    }

    async fn r07_other_sessions_stay_when_that_is_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut other = app.owner().await;
        app.clock.advance_ms(5 * SECOND_MS);
        let mut browser = app.owner().await;
        let page = browser.get(CHANGE).await;
        assert!(page.body.contains("name=\"end_others\" value=\"1\" checked"), "ticked at first: {}", page.body);
        let fields = [("password", PASSWORD), ("new_password", OTHER), ("sent", "1")];
        assert_eq!(browser.post(CHANGE, &fields).await.status, 303);
        assert_eq!((browser.get("/account").await.status, other.get("/account").await.status), (200, 200));
    }

    async fn r07_beside_a_second_factor_a_code_is_asked_for_too(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        for wrong in ["", "12345", "000000"] {
            let fields = [("password", PASSWORD), ("code", wrong), ("new_password", OTHER)];
            assert_eq!(enrolled.browser.post(CHANGE, &fields).await.status, 422, "{wrong}");
            app.clock.advance_ms(5 * SECOND_MS);
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.password_changed'").await, 0);
        let right = code(&app, &enrolled.secret, 0);
        let fields = [("password", PASSWORD), ("code", right.as_str()), ("new_password", OTHER)];
        assert_eq!(enrolled.browser.post(CHANGE, &fields).await.status, 303);
    }

    async fn r07_a_change_that_lost_to_a_reset_undoes_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let link = asked_link(&app).await;
        let mut stranger = app.browser();
        let (changed, was_reset) = tokio::join!(change(&mut browser, PASSWORD, OTHER), reset(&mut stranger, &link, THIRD));
        let wins = [changed.status == 303, was_reset.status == 303];
        app.clock.advance_ms(10 * SECOND_MS);
        let opens = [sign_in(&app, OTHER).await.status == 303, sign_in(&app, THIRD).await.status == 303];
        assert!(wins[0] || wins[1], "{} {}", changed.status, was_reset.status);
        // Whoever was told that it is done and was not overtaken afterwards is right.
        assert_eq!(opens.iter().filter(|open| **open).count(), 1, "{wins:?} {opens:?}");
        assert!(!wins[1] || opens[1] || wins[0], "a reset that was done holds: {wins:?} {opens:?}");
    }

    async fn r09_asking_for_a_link_tells_nobody_who_exists(backend: Backend) {
        let app = TestApp::on(backend).await;
        let gone = join(&app, "gone@acme.example", "Gone", Role::Developer).await;
        app.db.tamper(&format!("UPDATE accounts SET status = 'disabled' WHERE id = '{gone}'")).await;
        let runs = app.ctx.passwords.runs();
        let mut answers = Vec::new();
        for email in [EMAIL, "nobody@acme.example", "gone@acme.example"] {
            answers.push(seen(&app.browser().post(FORGOT, &[("email", email)]).await));
        }
        assert_eq!(answers[0].0, 303);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(app.ctx.passwords.runs(), runs);
        let to: Vec<String> = app.letters().await.into_iter().map(|letter| letter.to.email).collect();
        assert_eq!(to, [EMAIL], "only who exists and may sign in is written to");
        let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'account.password_reset_begun'";
        assert_eq!(app.db.number(rows).await, 3, "each leaves the same trace");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM throttles WHERE bucket LIKE '%acme%'").await, 0, "no address is kept");
    }

    async fn r09_three_letters_an_hour_and_no_word_of_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut answers = Vec::new();
        for n in 0..5 {
            let mut browser = app.browser();
            browser.peer = format!("198.51.100.{n}:1000");
            answers.push(seen(&browser.post(FORGOT, &[("email", EMAIL)]).await));
            app.clock.advance_ms(1);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(links(&app).await.len(), 3);
        let last = links(&app).await.pop().unwrap();
        assert_eq!(app.browser().get(&last).await.status, 200, "what is not sent voids nothing");
        app.clock.advance_ms(HOUR_MS);
        app.browser().post(FORGOT, &[("email", "ADA@acme.example ")]).await;
        assert_eq!(links(&app).await.len(), 4);
    }

    async fn r12_every_door_of_a_password_is_slowed_down(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let guess = keywright::model::key_text::compose("kwr", "0123456789AB", &"x".repeat(32));
        let doors: [(&str, Vec<(&str, &str)>); 4] = [
            (CHANGE, vec![("password", "not the password, but long"), ("new_password", OTHER)]),
            (FORGOT, vec![("email", "nobody@acme.example")]),
            (RESET, vec![("token", &guess), ("new_password", OTHER)]),
            ("/confirm-email", vec![("token", &guess)]),
        ];
        for (door, fields) in doors {
            app.db.tamper("DELETE FROM throttles").await;
            let mut statuses = Vec::new();
            for _ in 0..20 {
                statuses.push(browser.post(door, &fields).await.status);
            }
            assert!(statuses.contains(&429), "{door}: {statuses:?}");
        }
    }

    async fn r14_a_link_sets_the_password_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut session = app.owner().await;
        let first = asked_link(&app).await;
        let link = asked_link(&app).await;
        assert_eq!(app.browser().get(&first).await.status, 410, "a newer link voids the older");
        let before = app.db.texts("SELECT password_hash FROM accounts").await;
        for _ in 0..3 {
            let page = app.browser().get(&link).await;
            assert_eq!((page.status, page.header("referrer-policy")), (200, "no-referrer"), "looking consumes nothing");
            assert!(page.body.contains("a…@acme.example") && !page.body.contains(EMAIL), "{}", page.body);
            assert!(!page.body.contains("Lovelace"), "who it is is not told");
        }
        let weak = reset(&mut app.browser(), &link, "Acme2026!!!!!!!!").await;
        assert!(weak.status == 422 && weak.body.contains(token(&link)), "refused, the link stays good: {}", weak.body);
        assert_eq!(app.db.texts("SELECT password_hash FROM accounts").await, before);
        let runs = app.ctx.passwords.runs();
        let done = reset(&mut app.browser(), &link, OTHER).await;
        assert_eq!((done.status, done.header("location")), (303, "/sign-in?done=reset"), "{}", done.body);
        assert_eq!(done.header("set-cookie"), "", "it signs nobody in");
        assert_eq!(app.ctx.passwords.runs() - runs, 1);
        let twice = reset(&mut app.browser(), &link, THIRD).await;
        assert_eq!((twice.status, app.browser().get(&link).await.status), (410, 410));
        assert!(twice.body.contains("The link is no longer valid"), "{}", twice.body);
        assert_eq!(session.get("/account").await.status, 303, "every session ends");
        assert_eq!(told(&app).await, ["password_reset"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.password_reset'").await, 1);
        assert_eq!(sign_in(&app, PASSWORD).await.status, 401);
        app.clock.advance_ms(5 * SECOND_MS);
        assert_eq!(sign_in(&app, OTHER).await.status, 303);
    }

    async fn r14_of_two_uses_at_once_one_wins(backend: Backend) {
        let app = TestApp::on(backend).await;
        let link = asked_link(&app).await;
        let (mut a, mut b) = (app.browser(), app.browser());
        let (one, two) = tokio::join!(reset(&mut a, &link, OTHER), reset(&mut b, &link, THIRD));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 410]);
    }

    async fn r14_a_link_is_good_for_an_hour_and_for_what_it_was_made(backend: Backend) {
        let app = TestApp::on(backend).await;
        let link = asked_link(&app).await;
        app.clock.advance_ms(59 * MINUTE_MS);
        assert_eq!(app.browser().get(&link).await.status, 200);
        let elsewhere = link.replace(RESET, "/confirm-email");
        assert_eq!(app.browser().get(&elsewhere).await.status, 410, "of another purpose");
        app.clock.advance_ms(MINUTE_MS);
        assert_eq!(app.browser().get(&link).await.status, 410);
        assert_eq!(reset(&mut app.browser(), &link, OTHER).await.status, 410);
        for odd in ["", "?token=", "?token=%00", "?token=kwr_x", "?token[]=x", "?nothing"] {
            assert_eq!(app.browser().get(&format!("{RESET}{odd}")).await.status, 410, "{odd}");
        }
        let long = "x".repeat(5_000);
        for odd in ["", "kwr_", "\u{202e}", "keywright", long.as_str()] {
            let answer = app.browser().post(RESET, &[("token", odd), ("new_password", OTHER)]).await;
            assert!([410, 429].contains(&answer.status), "{odd}: {}", answer.status);
        }
        assert_eq!(sign_in(&app, PASSWORD).await.status, 303, "nothing happened");
    }

    async fn r14_a_link_does_not_stand_for_the_second_factor(backend: Backend) {
        let app = TestApp::on(backend).await;
        let enrolled = enrol(&app).await;
        app.db.tamper("UPDATE throttles SET failures = 9 WHERE bucket LIKE 'factor:%'").await;
        let link = asked_link(&app).await;
        let answer = reset(&mut app.browser(), &link, "twelve chars").await;
        assert_eq!(answer.status, 303, "twelve do, since a second factor is in force: {}", answer.body);
        let half = sign_in(&app, "twelve chars").await;
        assert_eq!(half.header("location"), "/sign-in/second-factor");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 1);
        drop(enrolled);
    }

    async fn r14_wrong_codes_stay_counted_over_a_reset(backend: Backend) {
        let app = TestApp::on(backend).await;
        enrol(&app).await;
        let mut half = app.browser();
        half.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        half.post("/sign-in/second-factor", &[("code", "000000")]).await;
        let counted = "SELECT failures FROM throttles WHERE bucket LIKE 'factor:%'";
        assert_eq!(app.db.number(counted).await, 1);
        let link = asked_link(&app).await;
        assert_eq!(reset(&mut app.browser(), &link, OTHER).await.status, 303);
        assert_eq!(app.db.number(counted).await, 1, "a mailbox buys no guesses");
    }

    async fn r10_a_link_releases_a_locked_account(backend: Backend) {
        let app = TestApp::on(backend).await;
        sign_in(&app, "a wrong password, long").await;
        app.db.tamper("UPDATE throttles SET failures = 100, blocked_until_ms = 0 WHERE bucket LIKE 'account:%'").await;
        assert_eq!(sign_in(&app, PASSWORD).await.status, 401, "locked");
        app.clock.advance_ms(11 * SECOND_MS);
        let link = asked_link(&app).await;
        assert_eq!(sign_in(&app, PASSWORD).await.status, 401, "asking releases nothing");
        app.clock.advance_ms(11 * SECOND_MS);
        assert_eq!(reset(&mut app.browser(), &link, OTHER).await.status, 303);
        assert_eq!(sign_in(&app, OTHER).await.status, 303);
    }

    async fn r14_a_link_works_for_its_own_account_whoever_is_signed_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let mut ben = app.browser();
        ben.post("/sign-in", &[("email", "ben@acme.example"), ("password", PASSWORD)]).await;
        let link = asked_link(&app).await;
        let page = ben.get(&link).await;
        assert!(page.body.contains("signed in with another account") && page.body.contains("a…@acme.example"), "{}", page.body);
        assert_eq!(reset(&mut ben, &link, OTHER).await.status, 303);
        assert_eq!(ben.get("/account").await.status, 200, "Ben stays signed in, as Ben");
        assert_eq!(sign_in(&app, OTHER).await.status, 303);
        app.clock.advance_ms(5 * SECOND_MS);
        let own = app.browser().post("/sign-in", &[("email", "ben@acme.example"), ("password", PASSWORD)]).await;
        assert_eq!(own.status, 303, "Ben’s password is as it was");
    }

    async fn r14_an_admin_begins_a_reset_and_learns_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let ben = join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let before = app.db.texts("SELECT password_hash FROM accounts ORDER BY id").await;
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        let admin = app.member(Role::Owner);
        let by = By { actor: &admin, org: Some(&app.org), now: app.ctx.clock.now() };
        let link = begin_reset_for(&app.ctx, &mut tx, &ben, by, "Ada Lovelace").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.db.texts("SELECT password_hash FROM accounts ORDER BY id").await, before, "nothing is set yet");
        let letter = app.letters().await.pop().unwrap();
        let Letter::PasswordReset { by, link: mailed, .. } = letter.letter else { panic!() };
        assert_eq!((letter.to.email.as_str(), by.as_deref()), ("ben@acme.example", Some("Ada Lovelace")));
        assert!(mailed == *link.expose());
        let stored = app.db.texts("SELECT id || hash || subject_id FROM one_time_links").await;
        assert!(!stored[0].contains(token(&mailed)), "only a keyed hash");
        let rows = format!("SELECT COUNT(*) FROM audit_events WHERE action = 'account.password_reset_begun' AND chain = '{}'", app.org);
        assert_eq!(app.db.number(&rows).await, 1);
        let path = mailed.strip_prefix(ORIGIN).unwrap();
        assert_eq!(reset(&mut app.browser(), path, OTHER).await.status, 303);
    }

    async fn changing_the_password_voids_links_for_a_new_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let link = asked_link(&app).await;
        assert_eq!(change(&mut browser, PASSWORD, OTHER).await.status, 303);
        assert_eq!(app.browser().get(&link).await.status, 410);
    }
}

#[tokio::test]
async fn without_mail_an_administrator_is_asked() {
    let app = TestApp::on_without_mail(Backend::Sqlite).await;
    assert!(
        !app.browser()
            .get("/sign-in")
            .await
            .body
            .contains("/forgot-password")
    );
    let page = app.browser().get(FORGOT).await;
    assert!(
        page.status == 200
            && page.body.contains("Ask an administrator")
            && !page.body.contains("name=\"email\"")
    );
    let answer = app.browser().post(FORGOT, &[("email", EMAIL)]).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    let with_mail = TestApp::on(Backend::Sqlite).await;
    assert!(
        with_mail
            .browser()
            .get("/sign-in")
            .await
            .body
            .contains("href=\"/forgot-password\"")
    );
}

#[tokio::test]
async fn odd_input_at_the_doors_of_a_password_is_told_not_stumbled_over() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let long = "x".repeat(2_000);
    for email in ["", "ada", "a@b@c", "a b@c", long.as_str()] {
        let answer = app.browser().post(FORGOT, &[("email", email)]).await;
        assert_eq!(answer.status, 422, "{email}");
    }
    let cases: [&[(&str, &str)]; 4] = [
        &[],
        &[("password", "")],
        &[("password", PASSWORD), ("new_password", "")],
        &[("new_password", OTHER)],
    ];
    for fields in cases {
        assert_eq!(browser.post(CHANGE, fields).await.status, 422, "{fields:?}");
        app.clock.advance_ms(5 * SECOND_MS);
    }
    let answer = browser
        .post(CHANGE, &[("password", &long), ("new_password", OTHER)])
        .await;
    assert_eq!(
        answer.status, 422,
        "an over-long present password is refused before it is hashed"
    );
}
