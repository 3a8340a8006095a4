//! Whoever holds a key may end it, and nobody else may by this door.

use axum::body::Body;
use axum::http::{Request, header};
use keywright::model::rotation::Overlap;
use keywright::server::domain::keys::rotation;
use serde_json::{Value, json};

use crate::kit::{Answer, TestApp, on_both_databases};

async fn send(app: &TestApp, body: &Value) -> Answer {
    let request = Request::post("/v1/keys/self-revoke").header(header::CONTENT_TYPE, "application/json");
    app.send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

on_both_databases! {
    async fn the_holder_ends_a_key_for_good_and_twice_is_no_error(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        for _ in 0..2 {
            let done = send(&app, &json!({ "key": key.secret })).await;
            assert_eq!(done.status, 200, "{}", done.body);
            let answer: Value = serde_json::from_str(&done.body).unwrap();
            assert_eq!(answer, json!({ "keyId": key.id.to_string(), "status": "revoked" }));
        }
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
        assert_eq!(app.db.texts("SELECT revoked_reason || ' ' || revoked_note FROM api_keys").await, ["keyCompromise By whoever holds it, from 203.0.113.7."]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 1);
    }

    async fn whoever_does_not_hold_it_is_told_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Kept", &[]).await;
        let kid = key.id.as_str().trim_start_matches("key_");
        let forged = keywright::model::key_text::compose("acme_live", kid, &"x".repeat(32));
        let unknown = keywright::model::key_text::compose("acme_live", "000000000000", &"x".repeat(32));
        let mut said = Vec::new();
        for text in [forged.as_str(), unknown.as_str(), "not a key", "", app.token.as_str()] {
            let refused = send(&app, &json!({ "key": text })).await;
            assert_eq!(refused.status, 404, "{}", refused.body);
            assert!(text.is_empty() || !refused.body.contains(text));
            let body: Value = serde_json::from_str(&refused.body).unwrap();
            said.push(body["detail"].as_str().unwrap().to_owned());
        }
        said.dedup();
        assert_eq!(said.len(), 1, "one answer for all: {said:?}");
        assert_eq!(app.verify(&key.secret).await, "VALID");
        for wrong in [json!({}), json!({ "key": 5 }), json!({ "key": key.secret, "reason": "boredom" }), json!({ "key": key.secret, "more": 1 }), json!([])] {
            let refused = send(&app, &wrong).await;
            assert!(refused.status == 400 && !refused.body.contains(&key.secret), "{} {}", refused.status, refused.body);
        }
        assert_eq!(app.verify(&key.secret).await, "VALID");
    }

    async fn a_replaced_secret_holds_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Rotated", &[]).await;
        let overlap = Overlap::parse("1h", "", false).unwrap();
        let made = rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None).await.unwrap();
        rotation::finish(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(send(&app, &json!({ "key": key.secret })).await.status, 404, "whose time is over");
        assert_eq!(app.verify(made.secret.expose()).await, "VALID");
        assert_eq!(send(&app, &json!({ "key": made.secret.expose() })).await.status, 200);
    }
}
