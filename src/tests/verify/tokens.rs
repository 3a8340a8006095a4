//! Who may ask, and about which keys.

use keywright::model::id::ProjectId;
use keywright::server::domain::projects::{self, ProjectDraft};
use keywright::server::domain::tokens::{self, TokenDraft};
use serde_json::json;

use crate::kit::app::catalogue;
use crate::kit::{Backend, TestApp, on_both_databases};

on_both_databases! {
    async fn r61_a_key_of_another_project_does_not_exist(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let draft = ProjectDraft { name: "Other", prefix: "other", scopes: Ok(catalogue(&["read"])) };
        let other: ProjectId = projects::create(&app.ctx, &app.operator(), draft).await.unwrap();
        let draft = TokenDraft { project: Some(&other), name: "other", permissions: vec!["verify"], expiry: "none", expiry_date: "" };
        let token = tokens::create(&app.ctx, &app.operator(), &draft, None).await.unwrap();
        let body = json!({ "key": key.secret }).to_string();
        let answer = app.verify_raw(token.secret.expose(), "application/json", body, "").await;
        assert!(answer.body.contains("NOT_FOUND") && !answer.body.contains(key.id.as_str()), "{}", answer.body);
    }
}

#[tokio::test]
async fn r61_only_a_whole_valid_service_token_may_ask() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await.secret;
    let body = || json!({ "key": key }).to_string();
    let forged = keywright::model::key_text::compose("kwt", &app.token[4..16], &"x".repeat(32));
    for token in ["", "x", "kwt_", &key, &forged, &app.token[..app.token.len() - 1]] {
        let answer = app.verify_raw(token, "application/json", body(), "").await;
        assert_eq!(answer.status, 401, "{token}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let id = format!("tok_{}", &app.token[4..16]).parse().unwrap();
    tokens::revoke(&app.ctx, &app.operator(), &id).await.unwrap();
    assert_eq!(
        app.verify_raw(&app.token, "application/json", body(), "")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn r80_a_token_row_edited_behind_our_back_fails_closed() {
    let app = TestApp::on(Backend::Sqlite).await;
    assert_eq!(app.verify("x").await, "MALFORMED");
    app.db
        .tamper("UPDATE service_tokens SET expires_at_ms = 99999999999999")
        .await;
    app.clock.advance_ms(5_001);
    let answer = app
        .verify_raw(
            &app.token,
            "application/json",
            json!({ "key": "x" }).to_string(),
            "",
        )
        .await;
    assert_eq!(answer.status, 401);
}
