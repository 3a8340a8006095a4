//! The list, the report and the files.

use keywright::model::org::Role;
use keywright::model::time::MINUTE_MS;
use keywright::server::domain::audit;
use keywright::server::domain::incidents::findings::{self, Findings};
use keywright::server::domain::incidents::{checklist, export};
use serde_json::{Value, json};

use super::{acts, member, open};
use crate::kit::{Backend, TestApp, on_both_databases};

on_both_databases! {
    async fn the_list_has_open_ones_first_page_by_page(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let empty = owner.get("/settings/incidents").await;
        assert!(empty.body.contains("No incidents"), "{}", empty.body);
        let mut last = None;
        for n in 0..52 {
            let key = app.issue(&format!("Key number {n:02}"), &[]).await;
            let id = open(&app, &key.id, true).await;
            app.clock.advance_ms(MINUTE_MS);
            if n >= 50 {
                let typed = Findings { cause: "x", ..Findings::default() };
                findings::close(&app.ctx, &app.operator(), &id, typed, true).await.unwrap();
            }
            last = Some(key.id);
        }
        let mut owner = app.owner().await;
        let first = owner.get("/settings/incidents").await.body;
        assert!(first.contains("50 open.") && first.contains("1–50 of 52"), "{first}");
        assert!(first.find("Key number 49") < first.find("Key number 48") && !first.contains("Key number 51"), "newest open ones first");
        let second = owner.get("/settings/incidents?page=2").await.body;
        assert!(second.contains("Key number 51") && second.contains("51–52 of 52"), "{second}");
        let closed = owner.get("/settings/incidents?status=closed").await.body;
        assert!(closed.contains("1–2 of 2") && !closed.contains("Key number 49"), "{closed}");
        let of_key = owner.get(&format!("/settings/incidents?key={}", last.unwrap())).await.body;
        assert!(of_key.contains("1–1 of 1") && of_key.contains("Key number 51"), "{of_key}");
        let none = owner.get("/settings/incidents?status=open&key=key_zzzzzzzzzzzz").await.body;
        assert!(none.contains("No incident matches"), "{none}");
        let mut foreign = app.another_org("Globex").await.to_string();
        foreign = owner.post("/session/organisation", &[("organisation", &foreign)]).await.header("location").to_owned();
        assert!(!foreign.is_empty());
        let theirs = owner.get("/settings/incidents").await.body;
        assert!(theirs.contains("No incidents") && !theirs.contains("Key number"), "{theirs}");
    }

    async fn the_report_says_everything_but_the_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let auditor = member(&app, "katherine@acme.example", Role::Auditor).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        app.ask(json!({ "key": key.secret, "clientIp": "10.0.0.1", "method": "GET", "path": format!("/v1/{}", key.secret), "userAgent": "=cmd|'/C calc'!A0" })).await;
        let id = open(&app, &key.id, true).await;
        app.ctx.usage.flush().await;
        let typed = Findings { noticed: "By | a [friend](http://x)", cause: "Committed\nto git", impact: "None", lessons: "Hooks", version: None };
        findings::save(&app.ctx, &app.operator(), &id, typed).await.unwrap();
        checklist::add(&app.ctx, &app.operator(), &id, "Call the partner").await.unwrap();
        let mut owner = app.owner().await;
        let at = format!("/settings/incidents/{id}");
        let report = owner.get(&format!("{at}/report")).await.body;
        for part in ["Incident report: Nightly export", "Committed\nto git", "Hooks", "10.0.0.1", "images:read", "Call the partner", "The key is frozen."] {
            assert!(report.contains(part), "{part} is not in {report}");
        }
        let mut files = Vec::new();
        for (format, media, ending) in [("json", "application/json", ".json\""), ("markdown", "text/markdown", ".md\""), ("csv", "text/csv", ".csv\"")] {
            let file = owner.post(&format!("{at}/export"), &[("format", format)]).await;
            assert_eq!(file.status, 200, "{}", file.body);
            assert!(file.header("content-type").starts_with(media) && file.header("content-disposition").ends_with(ending));
            files.push(file.body);
        }
        for text in files.iter().chain([&report]) {
            assert!(!text.contains(&key.secret) && !text.contains(&key.secret[22..54]), "{text}");
        }
        let parsed: Value = serde_json::from_str(&files[0]).unwrap();
        assert_eq!(parsed["incident"]["cause"], "Committed\nto git");
        assert_eq!(parsed["use"]["addresses"]["rows"][0]["address"], "10.0.0.1");
        assert_eq!(parsed["checklist"][0]["settledBy"], "The key is frozen.");
        assert!(files[1].contains("- [x] Stop the leaked secret") && !files[1].contains("[friend](http"), "{}", files[1]);
        assert!(files[2].contains(",\"'=cmd|'/C calc'!A0\"") || files[2].contains("client,\"'=cmd|'/C calc'!A0\""), "{}", files[2]);
        assert_eq!(acts(&app, "incident.exported").await, 3);
        assert!(export::export(&app.ctx, &auditor, &id, "json").await.is_ok(), "auditors take it away, too");
        assert_eq!(owner.post(&format!("{at}/export"), &[("format", "pdf")]).await.status, 422);
        assert!(audit::verify(&app.ctx).await.unwrap().ok);
    }

    async fn an_auditor_looks_and_is_offered_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut auditor = app.join("katherine@acme.example", Role::Auditor).await.browser;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, false).await;
        let page = auditor.get(&format!("/settings/incidents/{id}")).await.body;
        assert!(page.contains("Nightly export may have leaked") && page.contains("Checklist"), "{page}");
        for offered in ["/replace", "/freeze", "/close", "name=\"act\"", "name=\"cause\"", "/since"] {
            assert!(!page.contains(offered), "{offered}");
        }
        assert!(!auditor.get(&format!("/settings/api-keys/{}", key.id)).await.body.contains("/leaked"));
    }
}

#[tokio::test]
async fn what_is_written_about_an_incident_is_never_markup() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut owner = app.owner().await;
    for (n, attack) in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</textarea><script>alert(2)</script>",
        "</title><svg/onload=alert(1)>",
    ]
    .iter()
    .enumerate()
    {
        let key = app.issue(&format!("{attack} {n}"), &[]).await;
        let told = json!({ "key": key.secret, "clientIp": "10.0.0.1", "method": "GET", "path": format!("/{attack}"), "userAgent": attack });
        app.ask(told).await;
        let id = open(&app, &key.id, true).await;
        app.ctx.usage.flush().await;
        let typed = Findings {
            noticed: attack,
            cause: attack,
            impact: attack,
            lessons: attack,
            version: None,
        };
        findings::save(&app.ctx, &app.operator(), &id, typed)
            .await
            .unwrap();
        let item = checklist::add(&app.ctx, &app.operator(), &id, attack)
            .await
            .unwrap();
        checklist::save(&app.ctx, &app.operator(), &id, item, ("", attack))
            .await
            .unwrap();
        let at = format!("/settings/incidents/{id}");
        let pages = [
            "", "/report", "/close", "/replace", "/revoke", "/freeze", "/since", "/reopen",
        ];
        let pages = pages.iter().map(|page| format!("{at}{page}"));
        for page in pages.chain([
            "/settings/incidents".to_owned(),
            format!("/settings/api-keys/{}/leaked", key.id),
        ]) {
            let body = owner.get(&page).await.body;
            assert!(!body.contains(attack), "{attack} on {page}");
        }
        let again = owner
            .post(
                &format!("{at}/checklist"),
                &[
                    ("act", "save"),
                    ("item", "2"),
                    ("note", &format!("{attack}\u{202e}")),
                ],
            )
            .await;
        assert!(
            again.status == 422 && !again.body.contains(attack) && again.body.contains("id=\"note-error\""),
            "{}",
            again.body
        );
    }
}
