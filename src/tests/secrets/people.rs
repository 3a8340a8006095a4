//! What people sign in with, and the links they are sent.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use keywright::model::key_text::compose;
use keywright::model::time::{HOUR_MS, SECOND_MS};
use keywright::server::domain::accounts::links::{self, Purpose};
use keywright::server::domain::instance;
use keywright::server::platform::clock::{Clock, SystemClock};

use super::{Sink, canary, files_of, holds};
use crate::accounts::set_up_with;
use crate::factors::{HALF, code, code_at, codes_of, enrol, half_signed_in, secret_of};
use crate::kit::app::{EMAIL, EmptyHouse, PASSWORD};
use crate::kit::{Answer, Backend, TestApp};

/// Everything that must not be seen: what it is, and its bytes.
#[derive(Default)]
struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    fn add(&mut self, what: &str, secret: &str) {
        self.0.push((what.to_owned(), secret.as_bytes().to_vec()));
    }

    /// As an app is given it, and as it is sealed.
    fn add_totp_secret(&mut self, base32: &str) {
        self.add("a TOTP secret", base32);
        self.0
            .push(("the bytes of a TOTP secret".to_owned(), from_base32(base32)));
    }

    fn add_recovery_codes(&mut self, codes: &[String]) {
        for code in codes {
            self.add("a recovery code", code);
            self.add("a recovery code without dashes", &code.replace('-', ""));
        }
    }

    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            // Six digits occur inside numbers and digests; a code that leaked stands alone.
            let found = if secret.len() == 6 {
                stands_alone(bytes, secret)
            } else {
                holds(bytes, secret)
            };
            assert!(!found, "{place} hold {what}");
        }
    }
}

fn stands_alone(bytes: &[u8], word: &[u8]) -> bool {
    let is_other = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let starts = bytes
        .windows(word.len())
        .enumerate()
        .filter(|(_, window)| *window == word);
    let mut ends = starts.map(|(at, _)| {
        (
            at.checked_sub(1).and_then(|before| bytes.get(before)),
            bytes.get(at + word.len()),
        )
    });
    ends.any(|(before, after)| is_other(before) && is_other(after))
}

fn from_base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|b| {
        u64::from(if b.is_ascii_digit() {
            b - b'2' + 26
        } else {
            b - b'A'
        })
    });
    let digits: Vec<u64> = digits.collect();
    let forty_bits = |eight: &[u64]| {
        eight
            .iter()
            .fold(0, |bits, digit| bits << 5 | digit)
            .to_be_bytes()[3..]
            .to_vec()
    };
    digits.chunks(8).flat_map(forty_bits).collect()
}

#[tokio::test]
async fn r77_r43_no_secret_of_a_person_is_in_a_page_log_file_or_later_answer() {
    let (log, _guard) = Sink::open_to_everything();
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
    canaries.assert_absent("the log", &log.written());
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

/// The real program, with its log open to everything: every thread and every library below us.
struct Served {
    process: Child,
    folder: tempfile::TempDir,
    authority: String,
    setup_token: String,
}

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = probe.local_addr().unwrap().to_string();
        drop(probe);
        let mut process = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args([
                "serve",
                "--log",
                "trace",
                "--listen",
                &authority,
                "--public-origin",
                &format!("http://{authority}"),
            ])
            .env("KEYWRIGHT_DATA", folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let link = lines
            .map(Result::unwrap)
            .find(|line| line.contains("/setup?token="))
            .unwrap();
        let setup_token = link.split_once("token=").unwrap().1.trim().to_owned();
        Self {
            process,
            folder,
            authority,
            setup_token,
        }
    }

    /// One request on a connection of its own.
    fn ask(&self, cookie: &str, path: &str, form: Option<&[(&str, &str)]>) -> Answer {
        let body = form.map(|form| serde_urlencoded::to_string(form).unwrap());
        let (method, length) = (
            if body.is_some() { "POST" } else { "GET" },
            body.as_ref().map_or(0, String::len),
        );
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{}",
            self.authority,
            body.unwrap_or_default()
        );
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = axum::http::HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            headers.append(
                axum::http::HeaderName::try_from(name).unwrap(),
                value.parse().unwrap(),
            );
        }
        Answer {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    /// Stops it and gives what it logged.
    fn stop(mut self) -> (tempfile::TempDir, Vec<u8>) {
        let stopped = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        assert!(stopped.unwrap().success() && self.process.wait().unwrap().success());
        let log = std::fs::read(self.folder.path().join("log")).unwrap();
        (self.folder, log)
    }
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
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
