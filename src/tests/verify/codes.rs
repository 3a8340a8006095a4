//! What is answered about a key, and with which status.

use keywright::model::key::RevocationReason;
use keywright::model::project::ProjectStatus;
use keywright::model::time::DAY_MS;
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::projects;
use serde_json::json;

use crate::kit::{Backend, TestApp, on_both_databases};

on_both_databases! {
    async fn a_valid_key_is_answered_with_the_fields_of_the_contract(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Production server", &["images:*"]).await;
        let answer = app.ask(json!({ "key": key.secret, "permissions": "images:read AND images:write" })).await;
        assert_eq!(answer["valid"], true);
        assert_eq!(answer["code"], "VALID");
        assert_eq!(answer["keyId"], key.id.as_str());
        assert_eq!(answer["name"], "Production server");
        assert_eq!(answer["projectId"], app.project.as_str());
        assert_eq!(answer["environment"], "live");
        assert_eq!(answer["scopes"], json!(["images:*"]));
        assert!(answer["expiresAt"].as_str().unwrap().ends_with('Z'));
        assert!(answer["requestId"].as_str().unwrap().starts_with("req_"));
        assert_eq!(answer.get("denial"), None);
    }

    async fn every_code_of_this_release_is_reached(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &["images:read"]).await;
        let actor = app.operator();
        for junk in ["", "x", "acme_live_", &"x".repeat(513), "kwt_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub"] {
            assert_eq!(app.verify(junk).await, "MALFORMED", "{junk}");
        }
        assert_eq!(app.verify("acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub").await, "NOT_FOUND");
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let other = app.ask(json!({ "key": key.secret, "environment": "test" })).await;
        assert_eq!(other["code"], "ENVIRONMENT_MISMATCH");
        let lacks = app.ask(json!({ "key": key.secret, "permissions": "images:read AND admin" })).await;
        assert_eq!(lacks["code"], "INSUFFICIENT_SCOPE");
        assert_eq!(lacks["denial"]["missing"], json!(["admin"]));
        lifecycle::disable(&app.ctx, &actor, &key.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        lifecycle::enable(&app.ctx, &actor, &key.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "VALID");
        projects::set_status(&app.ctx, &actor, &app.project, ProjectStatus::Archived).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        projects::set_status(&app.ctx, &actor, &app.project, ProjectStatus::Active).await.unwrap();
        app.clock.advance_ms(90 * DAY_MS);
        assert_eq!(app.verify(&key.secret).await, "EXPIRED");
        lifecycle::revoke(&app.ctx, &actor, &key.id, RevocationReason::Superseded, "").await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn a_wrong_secret_for_a_known_id_is_not_found_even_when_revoked(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let head = &key.secret[.."acme_live_".len() + 12];
        let forged = keywright::model::key_text::compose("acme_live", &head[head.len() - 12..], &"x".repeat(32));
        assert_eq!(app.verify(&forged).await, "NOT_FOUND");
        app.revoke(&key.id).await;
        assert_eq!(app.verify(&forged).await, "NOT_FOUND");
        let as_test = forged.replacen("acme_live", "acme_test", 1);
        assert_eq!(app.verify(&as_test).await, "MALFORMED", "the checksum covers the environment");
    }

    async fn r58_a_revocation_holds_from_the_next_request_on(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..25 {
            let key = app.issue(&format!("key {n}"), &[]).await;
            assert_eq!(app.verify(&key.secret).await, "VALID");
            app.revoke(&key.id).await;
            assert_eq!(app.verify(&key.secret).await, "REVOKED");
        }
    }

    async fn a_key_whose_owner_has_left_is_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let draft = keywright::server::domain::keys::issue::KeyDraft {
            project: Some(&app.project), environment: "live", name: "owned", purpose: "", owner: "me", scopes: vec![],
            expiry: "90", expiry_date: "", rotation_days: "", restrictions: keywright::model::restriction::RestrictionsDraft::default(),
            extend_catalogue: false, scopes_required: false,
        };
        let owner = app.member(keywright::model::org::Role::Owner);
        let made = keywright::server::domain::keys::issue::issue(&app.ctx, &owner, &draft, None).await.unwrap();
        assert_eq!(app.verify(made.secret.expose()).await, "VALID");
        app.db.tamper("UPDATE members SET status = 'suspended'").await;
        app.ctx.key_cache.forget_everything();
        assert_eq!(app.verify(made.secret.expose()).await, "OWNER_INACTIVE");
    }
}

#[tokio::test]
async fn the_http_style_maps_refusals_to_statuses() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await;
    let ask = async |body: serde_json::Value, query: &'static str| {
        app.verify_raw(&app.token, "application/json", body.to_string(), query)
            .await
    };
    assert_eq!(ask(json!({ "key": key.secret }), "?style=http").await.status, 200);
    assert_eq!(
        ask(
            json!({ "key": key.secret, "permissions": "admin" }),
            "?style=http"
        )
        .await
        .status,
        403
    );
    app.revoke(&key.id).await;
    let answer = ask(json!({ "key": key.secret }), "?style=http").await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("REVOKED") && answer.header("www-authenticate").contains("invalid_token"));
    let wrong = ask(json!({ "key": key.secret }), "?style=a&style=b").await;
    assert_eq!(
        (wrong.status, wrong.header("content-type")),
        (400, "application/problem+json")
    );
}

#[tokio::test]
async fn a_dry_run_counts_nothing() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await;
    app.ask(json!({ "key": key.secret, "dryRun": true })).await;
    app.ctx.usage.flush().await;
    assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_events").await, 0);
}
