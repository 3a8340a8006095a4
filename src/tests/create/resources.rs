//! The resources that a project lists, and what patterns mean for them.

use super::{FORM, send};
use crate::kit::{Answer, Browser, TestApp, on_both_databases};

const MODELS: &str =
    "gpt-4.1 The large one\r\ngpt-4.1-mini\r\ngpt-4.1-nano\r\nclaude-opus-4\r\nclaude-sonnet-4";

async fn save(app: &TestApp, browser: &mut Browser, version: &str, resources: Option<&str>) -> Answer {
    let mut fields = vec![
        ("version", version),
        ("name", "Image API"),
        ("scope_name", "images:read"),
        ("scope_name", "images:write"),
    ];
    fields.extend(resources.map(|typed| ("resources", typed)));
    browser
        .post(&format!("/settings/projects/{}", app.project), &fields)
        .await
}

on_both_databases! {
    async fn resources_are_saved_told_and_kept_when_a_form_does_not_have_them(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        assert_eq!(save(&app, &mut browser, "1", Some(MODELS)).await.status, 303);
        let page = browser.get(&format!("/settings/projects/{}", app.project)).await;
        assert!(page.body.contains(">gpt-4.1 The large one\ngpt-4.1-mini\n"), "{}", page.body);
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'project.edited'").await;
        assert!(told[0].contains("\"resources\":[\"gpt-4.1\""), "{told:?}");
        assert_eq!(save(&app, &mut browser, "2", None).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM project_resources").await, 5);
        let late = save(&app, &mut browser, "2", Some("other")).await;
        assert_eq!(late.status, 409, "two people at once");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM project_resources").await, 5);
        assert_eq!(save(&app, &mut browser, "3", Some(" ")).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM project_resources").await, 0);
    }

    async fn mistakes_are_told_and_what_was_typed_is_kept(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let many: String = (0..501).map(|n| format!("model-{n}\n")).collect();
        for (typed, said) in [
            (many.as_str(), "A project lists at most 500 resources."),
            ("gpt\nclaude\ngpt", "“gpt” is listed twice."),
            ("gpt-*", "is not the name of a resource"),
            ("x</textarea><script>alert(1)</script>é", "is not the name of a resource"),
        ] {
            let refused = save(&app, &mut browser, "1", Some(typed)).await;
            assert_eq!(refused.status, 422);
            assert!(refused.body.contains(said) && refused.body.contains("id=\"resources-error\""), "{said}");
            assert!(!refused.body.contains("<script>alert"));
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM project_resources").await, 0);
        let most: String = (0..500).map(|n| format!("model-{n}\n")).collect();
        assert_eq!(save(&app, &mut browser, "1", Some(&most)).await.status, 303);
    }

    async fn patterns_are_explained_in_the_form_and_on_the_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        save(&app, &mut browser, "1", Some(MODELS)).await;
        let rules = [("scopes", "images:read"), ("resource_allow", "gpt-4.1* gtp-5"), ("resource_deny", "*-nano")];
        let mut asked = rules.to_vec();
        asked.push(("step", "review"));
        let page = send(&app, &mut browser, "Modelled", &asked).await;
        for said in [
            "gpt-4.1* allows 3 of 5 listed resources: gpt-4.1, gpt-4.1-mini, gpt-4.1-nano.",
            "gtp-5 allows none of the 5 listed resources. Is it spelt right?",
            "*-nano denies 1 of 5 listed resources: gpt-4.1-nano.",
            "May use 2 of 5 listed resources: gpt-4.1, gpt-4.1-mini.",
            "5 listed resources of Image API",
        ] {
            assert!(page.body.contains(said), "{said} is not in {}", page.body);
        }
        assert_eq!(send(&app, &mut browser, "Modelled", &rules).await.status, 200);
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        for (address, said) in [
            (format!("/settings/api-keys/{id}"), "May use 2 of 5 listed resources: gpt-4.1, gpt-4.1-mini."),
            (format!("/settings/api-keys/{id}/edit"), "*-nano denies 1 of 5 listed resources: gpt-4.1-nano."),
            (format!("{FORM}?from={id}"), "gtp-5 allows none"),
        ] {
            let page = browser.get(&address).await;
            assert!(page.body.contains(said), "{said} is not on {address}: {}", page.body);
        }
    }
}
