//! Letters that wait: sent once, tried again, given up.

use std::sync::Arc;
use std::time::Duration;

use keywright::model::mail::MailServer;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use keywright::server::domain::mail::{Letter, Recipient, Turn, send_due, send_next};
use keywright::server::domain::retention;
use keywright::server::platform::mail::{
    Fault, MailError, Mailer, OutgoingMail, Sending, SmtpMailer, SmtpSettings,
};

use crate::kit::{Authority, Backend, MailHost, MemoryMailer, Sink, TestApp, on_both_databases};

const LINK: &str = "https://keys.example.com/reset-password?token=kwr_canary0123456789";

fn reset(expires_at: Timestamp) -> Letter {
    Letter::PasswordReset {
        by: None,
        link: LINK.to_owned(),
        expires_at,
    }
}

async fn write(app: &TestApp, address: &str) {
    app.write(
        Recipient::stranger(address),
        reset(app.ctx.clock.now().plus_ms(30 * DAY_MS)),
    )
    .await;
}

/// State, tries and last error of the only letter.
async fn only(app: &TestApp) -> (String, i64, String) {
    let state = app.db.texts("SELECT state FROM mails").await;
    let said = app.db.texts("SELECT last_error FROM mails").await;
    assert_eq!(state.len(), 1, "{state:?}");
    (
        state[0].clone(),
        app.db.number("SELECT tries FROM mails").await,
        said[0].clone(),
    )
}

on_both_databases! {
    async fn while_the_server_is_down_nothing_is_lost(backend: Backend) {
        let host = MailHost::start(&[]);
        let (port, mailer) = (host.port, host.mailer());
        drop(host);
        let app = TestApp::on_with_mailer(backend, mailer).await;
        write(&app, "ada@acme.example").await;
        assert_eq!(send_due(&app.ctx).await.unwrap(), 0);
        let (state, tries, said) = only(&app).await;
        assert_eq!((state.as_str(), tries), ("waiting", 1), "{said}");
        assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Idle, "the next try is in a minute");
        app.clock.advance_ms(MINUTE_MS);
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Unusable);
        assert_eq!(only(&app).await.1, 2);
        write(&app, "grace@acme.example").await;
        let host = MailHost::start(&["--port", &port.to_string()]);
        assert_eq!(send_due(&app.ctx).await.unwrap(), 1, "the new one goes at once");
        app.clock.advance_ms(5 * MINUTE_MS);
        assert_eq!(send_due(&app.ctx).await.unwrap(), 1);
        assert!(app.letters().await.is_empty());
        let mails = host.mails();
        assert_eq!(mails.len(), 2);
        assert!(mails.iter().all(|mail| mail["text"].as_str().unwrap().contains(LINK)));
    }

    async fn a_recipient_that_is_refused_is_stuck_at_once_and_keeps_nobody_waiting(backend: Backend) {
        let host = MailHost::start(&[]);
        let app = TestApp::on_with_mailer(backend, host.mailer()).await;
        write(&app, "refused@acme.example").await;
        write(&app, "ada@acme.example").await;
        assert_eq!(send_due(&app.ctx).await.unwrap(), 1);
        let (state, tries, said) = only(&app).await;
        assert_eq!((state.as_str(), tries), ("stuck", 1));
        assert!(said.contains("550") && !said.contains("refused@"), "{said}");
        app.clock.advance_ms(7 * DAY_MS);
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Idle, "nobody tries it again");
    }

    async fn a_letter_is_tried_ten_times_and_then_stuck(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.mailer.refuse(Some(MailError::new(Fault::NotNow, "451 not now")));
        write(&app, "ada@acme.example").await;
        for minutes in [0, 1, 5, 30, 120, 360, 60, 60, 60, 60] {
            app.clock.advance_ms(minutes * MINUTE_MS - i64::from(minutes > 0));
            if minutes > 0 {
                assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Idle, "{minutes}: not a moment early");
                app.clock.advance_ms(1);
            }
            assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Kept, "{minutes}");
        }
        assert_eq!(only(&app).await, ("stuck".to_owned(), 10, "451 not now".to_owned()));
        assert!(app.mailer.taken().is_empty());
    }

    async fn two_senders_at_once_send_each_letter_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let addresses: Vec<String> = (0..40).map(|n| format!("n{n}@acme.example")).collect();
        for address in &addresses {
            write(&app, address).await;
        }
        let (one, two) = (app.another_process().await, app.another_process().await);
        let senders = [app.ctx.clone(), app.ctx.clone(), one.clone(), one, two.clone(), two];
        let senders = senders.map(|ctx| tokio::spawn(async move { send_due(&ctx).await.unwrap() }));
        let mut counts = Vec::new();
        for sender in senders {
            counts.push(sender.await.unwrap());
        }
        assert_eq!(counts.iter().sum::<usize>(), 40, "{counts:?}");
        let mut sent: Vec<String> = app.mailer.taken().into_iter().map(|mail| mail.to_email).collect();
        sent.sort();
        let mut expected = addresses;
        expected.sort();
        assert_eq!(sent, expected);
    }

    async fn what_a_dead_process_held_is_sent_by_another(backend: Backend) {
        let app = TestApp::on(backend).await;
        write(&app, "ada@acme.example").await;
        let until = app.ctx.clock.now().plus_ms(3 * MINUTE_MS).ms();
        app.db.tamper(&format!("UPDATE mails SET held_until_ms = {until}, tries = 1")).await;
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Idle, "it is somebody else's");
        app.clock.advance_ms(3 * MINUTE_MS);
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Sent);
    }

    async fn a_letter_whose_link_has_run_out_is_dropped(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.write(Recipient::stranger("ada@acme.example"), reset(app.ctx.clock.now().plus_ms(HOUR_MS))).await;
        app.clock.advance_ms(HOUR_MS);
        assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Kept);
        assert!(app.letters().await.is_empty() && app.mailer.taken().is_empty());
    }

    async fn a_letter_that_does_not_open_is_stuck_and_keeps_nobody_waiting(backend: Backend) {
        let app = TestApp::on(backend).await;
        write(&app, "ada@acme.example").await;
        app.db.tamper("UPDATE mails SET sealed = 'v1.00000000.AAAA'").await;
        write(&app, "grace@acme.example").await;
        assert_eq!(send_due(&app.ctx).await.unwrap(), 1);
        let (state, _, said) = only(&app).await;
        assert!(state == "stuck" && said.contains("master key"), "{said}");
    }

    async fn what_nobody_cares_for_is_forgotten_after_thirty_days(backend: Backend) {
        let app = TestApp::on(backend).await;
        write(&app, "ada@acme.example").await;
        app.clock.advance_ms(30 * DAY_MS);
        retention::prune(&app.ctx).await.unwrap();
        assert_eq!(app.letters().await.len(), 1);
        app.clock.advance_ms(1);
        retention::prune(&app.ctx).await.unwrap();
        assert!(app.letters().await.is_empty());
    }

    async fn letters_leave_by_themselves_and_stopping_waits_for_the_present_one(backend: Backend) {
        let host = MailHost::start(&[]);
        let mut app = TestApp::on_with_mailer(backend, host.mailer()).await;
        app.start_sending();
        write(&app, "ada@acme.example").await;
        let mut waited = 0;
        while host.mails().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += 1;
            assert!(waited < 200, "nothing was sent in ten seconds");
        }
        // This one takes the server a second.
        write(&app, "slow@acme.example").await;
        // Held, or gone already where the machine is slower than the server.
        while app.db.number("SELECT COUNT(*) FROM mails WHERE held_until_ms IS NULL").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.stop_jobs().await;
        assert_eq!(host.mails().len(), 2);
        assert!(app.letters().await.is_empty(), "it was taken and deleted, not left half done");
    }
}

/// Panics at some mails, as a library might.
#[derive(Default)]
struct Brittle(MemoryMailer);

impl Mailer for Brittle {
    fn server(&self) -> MailServer {
        self.0.server()
    }

    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> Sending<'a> {
        assert!(!mail.to_email.starts_with("broken@"), "on purpose");
        self.0.send(mail)
    }
}

#[tokio::test]
async fn a_letter_that_breaks_the_sending_keeps_nobody_waiting_and_ends_up_stuck() {
    let mailer = Arc::new(Brittle::default());
    let mut app = TestApp::on_with_mailer(Backend::Sqlite, mailer.clone()).await;
    write(&app, "broken@acme.example").await;
    app.clock.advance_ms(1);
    write(&app, "ada@acme.example").await;
    app.start_sending();
    let mut waited = 0;
    while mailer.0.taken().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        waited += 1;
        assert!(waited < 200, "nothing was sent in ten seconds");
    }
    app.stop_jobs().await;
    app.db.tamper("UPDATE mails SET tries = 10").await;
    app.clock.advance_ms(3 * MINUTE_MS);
    assert_eq!(send_next(&app.ctx).await.unwrap(), Turn::Kept);
    assert_eq!(only(&app).await.0, "stuck");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn r77_no_link_address_or_password_of_mail_is_in_a_log_or_in_the_database() {
    let log = Sink::default();
    let _listening = log.listen();
    let authority = Authority::vouching_for("localhost");
    let host = authority.host(
        "starttls",
        &["--user", "keywright", "--password", "canary-password"],
    );
    let settings = |password: &str| SmtpSettings {
        host: "localhost".to_owned(),
        encryption: keywright::model::mail::MailEncryption::StartTls,
        authorities: Some(authority.pem.clone()),
        sign_in: Some(("keywright".to_owned(), password.into())),
        ..host.settings()
    };
    let wrong = Arc::new(SmtpMailer::new(settings("canary-passport")).unwrap());
    let mailers = [
        wrong,
        Arc::new(SmtpMailer::new(settings("canary-password")).unwrap()),
    ];
    let mut sent = 0;
    for mailer in mailers {
        let app = TestApp::on_with_mailer(Backend::Sqlite, mailer).await;
        for local in ["ada", "refused", "later", "quoting"] {
            write(&app, &format!("{local}@canary.example")).await;
        }
        sent += send_due(&app.ctx).await.unwrap();
        assert!(app.letters().await.len() >= 3, "what was refused still waits");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(app.db.folder.path()).unwrap() {
            files.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        assert!(files.len() > 100_000, "database and WAL were read");
        for secret in [
            "kwr_canary",
            "reset-password?",
            "canary-pass",
            "ada@canary",
            "refused@canary",
            "quoting@canary",
        ] {
            assert!(!holds(&files, secret), "the database holds {secret}");
        }
    }
    assert_eq!(sent, 1);
    let log = log.bytes();
    let text = String::from_utf8_lossy(&log);
    assert!(
        text.contains("a mail was not taken") && text.contains("mail sent"),
        "the log is open to everything"
    );
    for secret in ["kwr_canary", "reset-password?", "canary-pass", "@canary"] {
        assert!(
            !holds(&log, secret) || secret == "@canary",
            "the log holds {secret}"
        );
    }
    for address in ["ada@canary", "refused@canary", "later@canary", "quoting@canary"] {
        assert!(!holds(&log, address), "the log holds {address}");
    }
}
