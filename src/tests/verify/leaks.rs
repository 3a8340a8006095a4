//! A secret found in public: who reports it with the whole of it is believed, and nobody else.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::server::domain::keys::rotation;
use keywright::server::domain::mail::{LeakEnd, Letter};
use keywright::server::domain::waiting;
use keywright::server::http::middleware::client_ip::Peer;
use keywright::server::platform::crypto::report_keys::ReportKeys;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::kit::{Answer, Backend, Sink, TestApp, on_both_databases};
use crate::policy::save_for;

const URL: &str = "https://github.com/acme/app/blob/main/.env";

fn request() -> axum::http::request::Builder {
    Request::post("/v1/leaks").header(header::CONTENT_TYPE, "application/json")
}

async fn send(app: &TestApp, body: &Value) -> Answer {
    let body = body.to_string();
    app.send(request().body(Body::from(body.clone())).unwrap()).await
}

fn found(token: &str) -> Value {
    json!([{ "token": token, "type": "acme_key", "url": URL, "source": "commit", "more": { "of": "theirs" } }])
}

/// The labels, in order.
async fn labels(app: &TestApp, body: &Value) -> Vec<String> {
    let answer = send(app, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
    let label = |verdict: &Value| verdict["label"].as_str().unwrap().to_owned();
    answer.iter().map(label).collect()
}

/// Whom the letters about leaks went to, and what they say became of the key.
async fn told(app: &TestApp) -> Vec<(String, LeakEnd)> {
    let letters = app.letters().await.into_iter();
    let mut told: Vec<_> = letters
        .filter_map(|sent| match sent.letter {
            Letter::KeyLeaked { end, .. } => Some((sent.to.email, end)),
            _ => None,
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

async fn reports(app: &TestApp) -> i64 {
    app.db
        .number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.leak_reported'")
        .await
}

fn another_secret_of(id: &str) -> String {
    let kid = id.trim_start_matches("key_");
    keywright::model::key_text::compose("acme_live", kid, &"x".repeat(32))
}

on_both_databases! {
    async fn a_whole_secret_is_revoked_and_its_people_are_told_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (grace, alan) = (app.join("grace@acme.example", Role::Developer).await, app.join("alan@acme.example", Role::Admin).await);
        app.join("eve@acme.example", Role::Auditor).await;
        let key = app.issue("Leaked", &[]).await;
        app.give_key(key.id.as_str(), &grace.account).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let last_used = async || {
            app.ctx.usage.flush().await;
            app.db.number("SELECT at_ms FROM key_last_used").await
        };
        let used = last_used().await;
        app.clock.advance_ms(1_000);
        let answer = send(&app, &found(&key.secret)).await;
        assert_eq!(last_used().await, used, "a report is no use");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told_back: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told_back, json!([{ "token_raw": key.secret, "token_type": "acme_key", "label": "true_positive" }]));
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
        let noted = app.db.texts("SELECT revoked_by_type || ' ' || revoked_reason || ' ' || revoked_note FROM api_keys").await;
        assert_eq!(noted, [format!("system keyCompromise Found in public, reported from 203.0.113.7 (commit): {URL}")]);
        // Again, and by the form: it stays as it is, and nobody hears of it again.
        for _ in 0..2 {
            assert_eq!(labels(&app, &found(&key.secret)).await, ["true_positive"]);
        }
        let everybody = [grace.email.as_str(), alan.email.as_str(), crate::kit::app::EMAIL];
        let told = told(&app).await;
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(everybody.iter().all(|email| told.contains(&((*email).to_owned(), LeakEnd::Revoked))), "{told:?}");
        assert_eq!(reports(&app).await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 1);
    }

    async fn without_the_secret_nothing_happens_and_nothing_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Kept", &[]).await;
        let id = key.id.to_string();
        let forged = another_secret_of(&id);
        let test = key.secret.replace("acme_live", "acme_test");
        let tokens = [forged.as_str(), &id, test.as_str(), "not a key", "", app.token.as_str()];
        let body: Value = tokens.iter().map(|token| json!({ "token": token })).collect();
        assert_eq!(labels(&app, &body).await, ["false_positive"; 6]);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        assert!(told(&app).await.is_empty());
        assert_eq!(reports(&app).await, 0);
        assert_eq!(labels(&app, &json!([])).await, [""; 0]);
        let many: Value = (0..101).map(|_| json!({ "token": "x" })).collect();
        for wrong in [json!({}), json!([{}]), json!([{ "token": 5 }]), json!("x"), many] {
            let refused = send(&app, &wrong).await;
            assert_eq!(refused.status, 400, "{}", refused.body);
        }
        let text = Request::post("/v1/leaks").header(header::CONTENT_TYPE, "text/plain");
        assert_eq!(app.send(text.body(Body::from("[]")).unwrap()).await.status, 415);
    }

    async fn the_policy_of_its_environment_decides(backend: Backend) {
        let app = TestApp::on(backend).await;
        save_for(&app, Environment::Test, &[("on_leak", "alert"), ("creators", "developers")], "").await.unwrap();
        let live = app.issue("Live", &[]).await;
        let test = app.try_issue("Test", "test", &[], "90").await.unwrap();
        let both = json!([{ "token": live.secret }, { "token": test.secret, "url": null }]);
        assert_eq!(labels(&app, &both).await, ["true_positive"; 2]);
        assert_eq!(app.verify(&live.secret).await, "REVOKED");
        assert_eq!(app.verify(&test.secret).await, "VALID");
        for _ in 0..30 {
            labels(&app, &json!([{ "token": test.secret }])).await;
        }
        let ends: Vec<LeakEnd> = told(&app).await.into_iter().map(|(_, end)| end).collect();
        assert_eq!(ends.len(), 2, "a letter a key and day: {ends:?}");
        assert!(ends.contains(&LeakEnd::GoesOn) && ends.contains(&LeakEnd::Revoked));
        assert_eq!(reports(&app).await, 1 + 20, "whoever holds it cannot fill the log");
        app.clock.advance_ms(86_400_001);
        labels(&app, &json!([{ "token": test.secret }])).await;
        assert_eq!(told(&app).await.len(), 3, "and once more the day after");
    }

    async fn a_key_that_goes_on_has_an_incident_with_or_without_mail(backend: Backend) {
        let app = TestApp::on_without_mail(backend).await;
        save_for(&app, Environment::Live, &[("on_leak", "alert")], "").await.unwrap();
        let (key, other) = (app.issue("Leaked", &[]).await, app.issue("Fine", &[]).await);
        for _ in 0..3 {
            assert_eq!(labels(&app, &found(&key.secret)).await, ["true_positive"]);
        }
        assert_eq!((app.verify(&key.secret).await, app.verify(&other.secret).await), ("VALID".into(), "VALID".into()));
        let noted = app.db.texts("SELECT key_id || ' ' || opened_by_type || ' ' || noticed FROM incidents").await;
        assert_eq!(noted, [format!("{} system Found in public, reported from 203.0.113.7 (commit): {URL}", key.id)], "one for all reports");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents WHERE frozen_at_ms IS NOT NULL").await, 0);
        assert_eq!(waiting::count(&app.ctx, &app.owner_of(app.org)).await.unwrap().incidents, 1);
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}", key.id)).await.body;
        assert!(page.contains("This key may have leaked.") && page.contains("/settings/incidents/inc_"), "{page}");
        assert!(owner.get("/settings/incidents").await.body.contains("Leaked"));
        let told = app.browser().get("/found?done=told").await.body;
        assert!(told.contains("An incident is open for those who look after it"), "{told}");
        app.db.tamper("UPDATE incidents SET status = 'closed', closed_at_ms = opened_at_ms").await;
        labels(&app, &found(&key.secret)).await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents").await, 2, "still public after it was closed");
    }

    async fn its_people_get_one_letter_not_one_of_each_kind(backend: Backend) {
        let app = TestApp::on(backend).await;
        save_for(&app, Environment::Live, &[("on_leak", "alert")], "").await.unwrap();
        let key = app.issue("Leaked", &[]).await;
        labels(&app, &found(&key.secret)).await;
        let kinds: Vec<_> = app.letters().await.iter().map(|one| one.letter.kind()).collect();
        assert_eq!(kinds, ["key_leaked"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM incidents").await, 1);
    }

    async fn a_replaced_secret_is_ours_and_ends_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Rotated", &[]).await;
        let overlap = Overlap::parse("1h", "", false).unwrap();
        let made = rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None).await.unwrap();
        rotation::finish(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(labels(&app, &found(&key.secret)).await, ["true_positive"]);
        assert_eq!(app.verify(made.secret.expose()).await, "VALID");
        assert_eq!(told(&app).await.into_iter().map(|(_, end)| end).collect::<Vec<_>>(), [LeakEnd::Replaced]);
        // The new one the same day is another matter.
        assert_eq!(labels(&app, &found(made.secret.expose())).await, ["true_positive"]);
        assert_eq!(app.verify(made.secret.expose()).await, "REVOKED");
        assert_eq!(told(&app).await.len(), 2);
    }

    async fn reported_by_many_at_once_it_is_revoked_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Popular", &[]).await;
        let body = found(&key.secret);
        let answers = futures_util::future::join_all((0..12).map(|_| labels(&app, &body))).await;
        assert!(answers.iter().all(|labels| labels == &["true_positive"]), "{answers:?}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 1);
        assert_eq!((reports(&app).await, told(&app).await.len()), (1, 1));
        assert_eq!(app.db.number("SELECT version FROM api_keys").await, 2);
    }

    async fn where_keys_are_configured_only_their_signature_counts(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Signed", &[]).await;
        let (ours, theirs) = (signer(), signer());
        let router = app.with_report_keys(ReportKeys::parse(&published("k1", &ours)).unwrap()).await;
        let body = found(&key.secret).to_string();
        let good = signature(&ours, &body);
        for (status, identifier, signature) in [
            (401, None, None),
            (401, Some("k1"), None),
            (401, None, Some(good.as_str())),
            (403, Some("k2"), Some(good.as_str())),
            (403, Some("k1"), Some(signature(&theirs, &body).as_str())),
            (403, Some("k1"), Some(signature(&ours, &format!("{body} ")).as_str())),
            (403, Some("k1"), Some("AAAA")),
        ] {
            let answer = signed(&router, &body, identifier, signature).await;
            assert_eq!(answer.status, status, "{identifier:?} {}", answer.body);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.body.contains(&key.secret));
        }
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let answer = signed(&router, &body, Some("k1"), Some(&good)).await;
        assert!(answer.status == 200 && answer.body.contains("true_positive"), "{}", answer.body);
        let status = app.db.texts("SELECT status FROM api_keys").await;
        assert_eq!(status, ["revoked"]);
    }

    async fn r12_unsigned_reports_of_one_network_are_spaced(backend: Backend) {
        let app = TestApp::on(backend).await;
        for _ in 0..60 {
            labels(&app, &json!([{ "token": "x" }])).await;
        }
        let refused = send(&app, &json!([{ "token": "x" }])).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
        let mut browser = app.browser();
        browser.peer = "203.0.113.7:4711".to_owned();
        let refused = browser.post("/found", &[("text", "x")]).await;
        assert_eq!(refused.status, 429, "by the form, too");
        let signs_in = browser.post("/sign-in", &[("email", crate::kit::app::EMAIL), ("password", crate::kit::app::PASSWORD)]).await;
        assert_eq!(signs_in.status, 303, "the door of people stays open");
        app.clock.advance_ms(60_000);
        labels(&app, &json!([{ "token": "x" }])).await;
    }

    async fn a_finder_without_an_account_does_the_same(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Found", &[]).await;
        let mut browser = app.browser();
        let page = browser.get("/found").await;
        assert!(page.status == 200 && page.body.contains("Found a key?"), "{}", page.body);
        assert!(browser.get("/sign-in").await.body.contains("href=\"/found\""));
        let refused = browser.post("/found", &[("text", " "), ("url", &format!("https://x.example/?k={}", key.secret))]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("Paste the key") && !refused.body.contains(&key.secret[24..40]), "{}", refused.body);
        let nothing = browser.post("/found", &[("text", "lorem ipsum")]).await;
        assert_eq!(nothing.header("location"), "/found?done=unknown");
        let pasted = format!("const KEY = \"{}\"; // production", key.secret);
        for (done, words) in [("revoked", "It was one of ours, and is revoked."), ("over", "had been revoked before")] {
            let answer = browser.post("/found", &[("text", &pasted), ("url", URL)]).await;
            assert_eq!((answer.status, answer.header("location")), (303, format!("/found?done={done}").as_str()));
            let thanks = browser.get(&format!("/found?done={done}")).await;
            assert!(thanks.body.contains(words), "{}", thanks.body);
        }
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
        let noted = app.db.texts("SELECT revoked_note FROM api_keys").await;
        assert!(noted[0].contains("found by hand") && noted[0].ends_with(URL), "{noted:?}");
        assert!(browser.get("/found?done=%3Cb%3E").await.body.contains("Found a key?"));
    }
}

#[tokio::test]
async fn r77_r43_a_reported_secret_is_in_no_log_letter_file_or_page() {
    let log = Sink::default();
    let _guard = log.listen();
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("Leaked", &[]).await;
    let part = &key.secret[24..46];
    let url = format!("https://x.example/{}", key.secret.replace('_', "%5F"));
    let body = json!([{ "token": key.secret, "url": url, "source": key.secret }]);
    assert_eq!(labels(&app, &body).await, ["true_positive"]);
    let mut owner = app.owner().await;
    let key_page = format!("/settings/api-keys/{}", key.id);
    for path in [key_page.as_str(), "/settings/audit-log"] {
        let page = owner.get(path).await;
        assert!(page.status == 200 && !page.body.contains(part), "{path}");
    }
    let letters = serde_json::to_string(&app.letters().await).unwrap();
    assert!(
        letters.contains("x.example") && !letters.contains(part),
        "{letters}"
    );
    let details = app.db.texts("SELECT detail FROM audit_events").await.concat();
    assert!(
        details.contains("x.example") && !details.contains(part),
        "{details}"
    );
    assert!(!String::from_utf8_lossy(&log.bytes()).contains(part));
}

fn signer() -> EcdsaKeyPair {
    let (algorithm, rng) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &rng).unwrap()
}

/// The list with one key in it, as it is published.
fn published(name: &str, key: &EcdsaKeyPair) -> String {
    let head = BASE64_STANDARD
        .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE")
        .unwrap();
    let der = [&head[..head.len() - 1], key.public_key().as_ref()].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(der)
    );
    json!({ "public_keys": [{ "key_identifier": name, "key": pem, "is_current": false }] }).to_string()
}

fn signature(key: &EcdsaKeyPair, body: &str) -> String {
    let signed = key.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
    BASE64_STANDARD.encode(signed)
}

async fn signed(router: &Router, body: &str, identifier: Option<&str>, signature: Option<&str>) -> Answer {
    let mut builder = request();
    if let Some(identifier) = identifier {
        builder = builder.header("Github-Public-Key-Identifier", identifier);
    }
    if let Some(signature) = signature {
        builder = builder.header("Github-Public-Key-Signature", signature);
    }
    let mut request = builder.body(Body::from(body.to_owned())).unwrap();
    request
        .extensions_mut()
        .insert(Peer("203.0.113.7:4711".parse().unwrap()));
    Answer::read(router.clone().oneshot(request).await.unwrap()).await
}
