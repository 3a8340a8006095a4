//! All keys as a file: what the list shows and more, nothing of secrets.

use keywright::model::org::Role;

use super::import::{file_of, import, old_key, sha256, with_format};
use crate::kit::on_both_databases;

const CSV: &str = "/settings/api-keys/export.csv";

on_both_databases! {
    async fn every_key_that_the_filter_matches_is_in_the_file_and_no_other(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of(1..=1_100)).await.unwrap();
        let ours = app.try_issue("=HYPERLINK(\"http://evil.example\")", "test", &["images:read"], "90").await.unwrap();
        let mut browser = app.join("eve@acme.example", Role::Auditor).await.browser;
        let all = browser.get(CSV).await;
        assert_eq!((all.status, all.header("content-type"), all.header("cache-control")), (200, "text/csv; charset=utf-8", "no-store"));
        assert!(all.header("content-disposition").contains("keywright-keys-2026-"), "{}", all.header("content-disposition"));
        assert_eq!(all.body.matches("\r\n").count(), 1 + 1_101);
        for n in [1, 500, 501, 1_100] {
            assert_eq!(all.body.matches(&format!(",Old {n},")).count(), 1, "{n}");
        }
        assert!(all.body.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "a spreadsheet computes nothing");
        let narrowed = browser.get(&format!("{CSV}?environment=test")).await;
        assert!(narrowed.body.matches("\r\n").count() == 2 && narrowed.body.contains(ours.id.as_str()), "{}", narrowed.body);
        assert_eq!(browser.get(&format!("{CSV}?q=old+110")).await.body.matches("\r\n").count(), 3, "Old 110 and Old 1100");
        let lines = browser.get("/settings/api-keys/export.jsonl?environment=test").await;
        let one: serde_json::Value = serde_json::from_str(lines.body.trim()).unwrap();
        assert_eq!((one["id"].as_str(), one["owner"].as_str(), one["scopes"].as_str()), (Some(ours.id.as_str()), Some("team:tests"), Some("images:read")));
        let hashes = app.db.texts("SELECT hash FROM key_secrets LIMIT 20").await;
        assert!(hashes.iter().all(|hash| !all.body.contains(hash.as_str())) && !all.body.contains(&sha256(&old_key(1))));
        assert!(!all.body.contains(&ours.secret[22..]));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'keys.exported'").await, 4);
        app.revoke(&ours.id).await;
        let rows = async |browser: &mut crate::kit::Browser, query: &str| browser.get(&format!("{CSV}{query}")).await.body.matches("\r\n").count();
        assert_eq!(rows(&mut browser, "?environment=test").await, 1, "as in the list");
        assert_eq!(rows(&mut browser, "?environment=test&status=any").await, 2, "and with those that are revoked");
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'keys.exported' ORDER BY seq").await;
        assert!(told[5].contains("\"withRevoked\":true") && told[4].contains("\"withRevoked\":false"), "{told:?}");
    }

    async fn a_file_holds_one_organisation_s_keys(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1])).await.unwrap();
        let globex = app.another_org("Globex").await;
        let export = keywright::server::domain::keys::export::begin(&app.ctx, &app.owner_of(globex), Default::default()).await;
        assert_eq!(export.unwrap().next().await.unwrap().len(), 0);
        let mut nobody = app.browser();
        assert!(nobody.get(CSV).await.header("location").starts_with("/sign-in"));
    }
}
