//! Installation › Mail.

use keywright::model::time::DAY_MS;
use keywright::server::domain::audit;
use keywright::server::domain::mail::{Letter, Recipient, send_due};
use keywright::server::platform::mail::{Fault, MailError};

use crate::kit::app::EMAIL;
use crate::kit::{Backend, TestApp, on_both_databases};

const PAGE: &str = "/instance/mail";

async fn write(app: &TestApp, address: &str) {
    let letter = Letter::PasswordReset {
        by: None,
        link: "https://keys.example.com/reset-password?token=kwr_canary".to_owned(),
        expires_at: app.ctx.clock.now().plus_ms(DAY_MS),
    };
    app.write(Recipient::stranger(address), letter).await;
}

/// A house with one letter that was refused for good.
async fn with_stuck_letter(backend: Backend) -> (TestApp, String) {
    let app = TestApp::on(backend).await;
    write(&app, "grace@acme.example").await;
    let refusal = MailError::new(Fault::Refused, "550 <script>nobody</script>");
    app.mailer.refuse(Some(refusal));
    send_due(&app.ctx).await.unwrap();
    app.mailer.refuse(None);
    let id = app.db.texts("SELECT id FROM mails").await.remove(0);
    (app, id)
}

async fn acts(app: &TestApp) -> Vec<String> {
    assert!(audit::verify(&app.ctx).await.unwrap().ok);
    app.db
        .texts("SELECT action FROM audit_events WHERE chain = 'instance' AND action LIKE 'instance.mail%' ORDER BY seq")
        .await
}

on_both_databases! {
    async fn only_those_who_administer_the_installation_come_near(backend: Backend) {
        let (app, id) = with_stuck_letter(backend).await;
        let mut owner = app.owner().await;
        assert!(owner.get("/settings/api-keys").await.body.contains("Installation"));
        assert_eq!(owner.get(PAGE).await.status, 200);
        app.db.tamper("UPDATE accounts SET is_instance_admin = FALSE").await;
        let page = owner.get(PAGE).await;
        assert_eq!(page.status, 403);
        assert!(!page.body.contains("Outbox") && !page.body.contains("memory:25"));
        assert!(!owner.get("/settings/api-keys").await.body.contains("Installation"));
        for form in [PAGE.to_owned(), format!("{PAGE}/retry"), format!("{PAGE}/{id}/retry"), format!("{PAGE}/{id}/discard")] {
            let answer = owner.post(&form, &[("to", EMAIL)]).await;
            assert_eq!(answer.status, 403, "{form}");
        }
        assert!(app.mailer.taken().is_empty() && acts(&app).await.is_empty());
        assert_eq!(app.letters().await.len(), 1);
        let denied = app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'access.denied'").await;
        assert!(denied >= 5, "{denied}");
        let mut stranger = app.browser();
        assert_eq!(stranger.post(PAGE, &[("to", EMAIL)]).await.status, 401);
    }

    async fn the_page_shows_what_waits_without_telling_addresses_or_links(backend: Backend) {
        let (app, _) = with_stuck_letter(backend).await;
        write(&app, "later@acme.example").await;
        let page = app.owner().await.get(PAGE).await;
        for shown in ["memory:25", "keys@keywright.example", "g…@acme.example", "l…@acme.example", "1 stuck · 1 waiting",
            "New password", "550 &lt;script&gt;nobody&lt;/script&gt;", "Try again", "Discard"] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        for hidden in ["grace@", "later@", "kwr_canary", "<script>nobody"] {
            assert!(!page.body.contains(hidden), "{hidden}");
        }
    }

    async fn a_test_mail_goes_at_once_and_its_outcome_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        assert!(owner.get(PAGE).await.body.contains(&format!("value=\"{EMAIL}\"")), "one's own address is there already");
        let answer = owner.post(PAGE, &[("to", EMAIL)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/instance/mail?done=mail_tested"));
        assert!(owner.get(answer.header("location")).await.body.contains("took the test mail"));
        let sent = app.mailer.taken();
        assert_eq!((sent.len(), sent[0].to_email.as_str(), sent[0].to_name.as_str()), (1, EMAIL, "Ada Lovelace"));
        assert!(sent[0].text.contains("Mail works"));
        assert!(app.letters().await.is_empty(), "it never lay in the outbox");

        app.mailer.refuse(Some(MailError::new(Fault::Unusable, "mx.example:25: Connection refused")));
        let answer = owner.post(PAGE, &[("to", "other@acme.example")]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains("id=\"to-error\"") && answer.body.contains("mx.example:25: Connection refused"));
        assert!(answer.body.contains("value=\"other@acme.example\""), "what was typed is still there");
        let answer = owner.post(PAGE, &[("to", "nobody")]).await;
        assert!(answer.status == 422 && answer.body.contains("not an e-mail address"));
        assert_eq!(acts(&app).await, ["instance.mail_tested", "instance.mail_tested"]);
        let details = app.db.texts("SELECT detail FROM audit_events WHERE action = 'instance.mail_tested' ORDER BY seq").await;
        assert_eq!(details, ["{\"to\":\"own\"}", "{\"to\":\"other\"}"], "the log holds no address");
    }

    async fn a_stuck_letter_is_tried_again_or_discarded(backend: Backend) {
        let (app, id) = with_stuck_letter(backend).await;
        let mut owner = app.owner().await;
        let answer = owner.post(&format!("{PAGE}/{id}/retry"), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/instance/mail?done=mail_retried"));
        assert_eq!(send_due(&app.ctx).await.unwrap(), 1);
        assert_eq!(app.mailer.taken()[0].to_email, "grace@acme.example");
        for deed in ["retry", "discard"] {
            assert_eq!(owner.post(&format!("{PAGE}/{id}/{deed}"), &[]).await.status, 404, "it has gone");
            assert_eq!(owner.post(&format!("{PAGE}/x/{deed}"), &[]).await.status, 404);
        }
        write(&app, "grace@acme.example").await;
        write(&app, "linus@acme.example").await;
        let id = app.db.texts("SELECT id FROM mails ORDER BY created_at_ms, id").await.remove(0);
        let answer = owner.post(&format!("{PAGE}/{id}/discard"), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/instance/mail?done=mail_discarded"));
        assert_eq!(app.letters().await.len(), 1);
        assert_eq!(acts(&app).await, ["instance.mail_retried", "instance.mail_discarded"]);
    }

    async fn everything_is_tried_again_at_once(backend: Backend) {
        let (app, _) = with_stuck_letter(backend).await;
        app.mailer.refuse(Some(MailError::new(Fault::Unusable, "down")));
        write(&app, "linus@acme.example").await;
        send_due(&app.ctx).await.unwrap();
        app.mailer.refuse(None);
        assert_eq!(send_due(&app.ctx).await.unwrap(), 0);
        let answer = app.owner().await.post(&format!("{PAGE}/retry"), &[]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(send_due(&app.ctx).await.unwrap(), 2);
    }

    async fn trying_again_while_it_is_being_sent_sends_it_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        write(&app, "grace@acme.example").await;
        let until = app.ctx.clock.now().plus_ms(60_000).ms();
        app.db.tamper(&format!("UPDATE mails SET held_until_ms = {until}, tries = 1")).await;
        let id = app.db.texts("SELECT id FROM mails").await.remove(0);
        assert_eq!(app.owner().await.post(&format!("{PAGE}/{id}/retry"), &[]).await.status, 303);
        assert_eq!(send_due(&app.ctx).await.unwrap(), 0, "whoever holds it is not disturbed");
    }

    async fn without_a_mail_server_the_page_says_what_works_and_what_to_set(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        let mut owner = app.owner().await;
        let page = owner.get(PAGE).await;
        assert_eq!(page.status, 200);
        for shown in ["No mail server is configured", "KEYWRIGHT_SMTP_HOST", "KEYWRIGHT_MAIL_FROM", "Nothing waits."] {
            assert!(page.body.contains(shown), "{shown}");
        }
        assert!(!page.body.contains("Send test mail"));
        assert_eq!(owner.post(PAGE, &[("to", EMAIL)]).await.status, 409);
        write(&app, "grace@acme.example").await;
        assert!(app.letters().await.is_empty(), "nothing is written that nobody could send");
    }
}
