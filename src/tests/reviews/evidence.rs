//! What an auditor gets: a table that is no formula, and a document whose signature holds anywhere.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keywright::model::actor::Denied;
use keywright::model::org::Role;
use keywright::model::review::Decision;
use keywright::model::time::MINUTE_MS;
use keywright::server::domain::DomainError;
use keywright::server::domain::reviews::{self, Format};
use serde_json::Value;

use super::{actor, decide, keys, person, started};
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn the_signed_document_holds_anywhere_until_a_letter_of_it_is_changed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 3).await;
        let id = started(&app, &[&app.account], 14).await;
        let owner = app.owner_of(app.org);
        decide(&app, &owner, &id, &keys[0].id, Some(Decision::Keep), None).await.unwrap();
        decide(&app, &owner, &id, &keys[1].id, Some(Decision::Revoke), None).await.unwrap();
        let file = reviews::export(&app.ctx, &owner, &id, Format::Json).await.unwrap();
        let signed: Value = serde_json::from_str(&file.text).unwrap();
        let document = &signed["document"];
        assert_eq!(document["items"].as_array().unwrap().len(), 3);
        assert_eq!(document["review"]["result"]["revoked"], 1);
        let revoked = document["items"].as_array().unwrap().iter().find(|item| item["keyId"] == keys[1].id.as_str()).unwrap();
        assert_eq!((revoked["decision"].as_str(), revoked["evidence"]["badge"].as_str()), (Some("revoke"), Some("active")), "as it was when it was decided");
        // As an auditor would, with a library of their own and the canonical form from the documentation.
        let bytes = canonical(document);
        let part = |name: &str| BASE64.decode(signed["signature"][name].as_str().unwrap()).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, part("publicKey"));
        key.verify(bytes.as_bytes(), &part("value")).unwrap();
        let verified = reviews::verify(&app.ctx, &file.text).unwrap().unwrap();
        assert!(verified.intact && verified.ours && verified.public_key == reviews::public_key(&app.ctx).unwrap());
        let changed = reviews::verify(&app.ctx, &file.text.replacen("\"keep\"", "\"kepp\"", 1)).unwrap().unwrap();
        assert!(!changed.intact && changed.ours);
        assert!(reviews::verify(&app.ctx, "{}").unwrap().is_none() && reviews::verify(&app.ctx, "no").unwrap().is_none());
        let elsewhere = TestApp::on(backend).await;
        let foreign = reviews::verify(&elsewhere.ctx, &file.text).unwrap().unwrap();
        assert!(foreign.intact && !foreign.ours, "it holds, but is not theirs");
        let again = app.another_process().await;
        assert_eq!(reviews::public_key(&again).unwrap(), verified.public_key, "the same after a restart");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'review.exported'").await, 1);
    }

    async fn r26_an_export_asks_for_a_fresh_proof_and_for_whoever_sees_all(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 1).await;
        let dora = person(&app, "dora", Role::Developer).await;
        app.give_key(keys[0].id.as_str(), &dora).await;
        let id = started(&app, &[&app.account], 14).await;
        let auditor = actor(&app, person(&app, "aud", Role::Auditor).await, Role::Auditor);
        assert!(reviews::export(&app.ctx, &auditor, &id, Format::Csv).await.is_ok(), "that is what they are for");
        app.clock.advance_ms(11 * MINUTE_MS);
        assert!(matches!(reviews::export(&app.ctx, &auditor, &id, Format::Csv).await, Err(DomainError::Denied(Denied::StepUpDue))));
        let developer = actor(&app, dora, Role::Developer);
        assert!(reviews::export(&app.ctx, &developer, &id, Format::Csv).await.is_err());
    }

    async fn the_table_has_a_row_for_each_key_and_no_formulas(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("=cmd|'/c calc'!A1", &["images:read", "admin"]).await;
        app.issue("plain, with a comma", &[]).await;
        let id = started(&app, &[&app.account], 14).await;
        let mut owner = app.owner().await;
        let file = owner.post(&format!("/settings/reviews/{id}/export"), &[("format", "csv")]).await;
        assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", file.body);
        assert!(file.header("content-disposition").ends_with(".csv\""));
        let lines: Vec<&str> = file.body.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(file.body.contains("'=cmd|'/c calc'!A1") && file.body.contains("\"plain, with a comma\"") && file.body.contains("admin; images:read"), "{}", file.body);
        assert!(!file.body.contains(",=cmd"));
    }
}

/// JSON without white space, the names of every object in order: as `json.dumps(…, sort_keys=True, separators=(',', ':'),
/// ensure_ascii=False)` writes it.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            let pairs = names
                .into_iter()
                .map(|name| format!("{}:{}", Value::from(name.as_str()), canonical(&map[name])));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
