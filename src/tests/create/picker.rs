//! Presets of groups, as the server reads them.

use keywright::model::scope_group::field_name;

use super::{is_checked, send, stored};
use crate::kit::{Browser, TestApp, on_both_databases};

/// Gives the project scopes in two groups, one of them sensitive.
async fn with_groups(app: &TestApp, browser: &mut Browser) {
    let fields = [
        ("version", "1"),
        ("name", "Image API"),
        ("scope_name", "images:read"),
        ("scope_name", "images:write"),
        ("scope_name", "images:delete"),
        ("scope_name", "jobs:list"),
        ("scope_name", "jobs:run"),
        ("scope_sensitive", "2"),
    ];
    let saved = browser
        .post(&format!("/settings/projects/{}", app.project), &fields)
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
}

on_both_databases! {
    async fn a_preset_is_expanded_by_the_server_and_never_takes_what_is_sensitive(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        with_groups(&app, &mut browser).await;
        let (images, jobs) = (field_name(&app.project, "images"), field_name(&app.project, "jobs"));
        for (name, fields, scopes) in [
            ("Reader", vec![(images.as_str(), "read"), (jobs.as_str(), "none")], "images:read"),
            ("Writer", vec![(&images, "write"), (&jobs, "read")], "images:read images:write jobs:list"),
            // A tick that the form hides behind a preset does not count.
            ("Hidden", vec![(&images, "read"), ("scopes", "images:delete")], "images:read"),
            ("Custom", vec![(&images, "custom"), ("scopes", "images:delete"), (&jobs, "read")], "images:delete jobs:list"),
            ("Ticked", vec![("scopes", "images:write")], "images:write"),
            ("Typed", vec![(&images, "none"), ("other_scopes", "jobs:*, images:*")], "images:* jobs:*"),
            ("Elsewhere", vec![("grant:prj_zzzzzzzzzzzz:jobs", "write"), (&images, "read")], "images:read"),
        ] {
            let made = send(&app, &mut browser, name, &fields).await;
            assert_eq!(made.status, 200, "{name}: {}", made.body);
            assert_eq!(stored(&app, "scopes", name).await, scopes, "{name}");
        }
        for nothing in [vec![(images.as_str(), "none")], vec![(images.as_str(), "custom")], vec![(&images, "everything")]] {
            let refused = send(&app, &mut browser, "Nothing", &nothing).await;
            assert_eq!(refused.status, 422);
            assert!(refused.body.contains("Choose at least one scope"));
        }
    }

    async fn a_refused_form_shows_the_presets_and_ticks_that_were_sent(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        with_groups(&app, &mut browser).await;
        let (images, jobs) = (field_name(&app.project, "images"), field_name(&app.project, "jobs"));
        let fields = [(images.as_str(), "read"), (jobs.as_str(), "custom"), ("scopes", "jobs:run"), ("expiry", "0")];
        let page = send(&app, &mut browser, "Refused", &fields).await;
        assert_eq!(page.status, 422);
        assert!(is_checked(&page, &images, "read") && is_checked(&page, &jobs, "custom"));
        assert!(is_checked(&page, "scopes", "jobs:run") && !is_checked(&page, "scopes", "images:read"));
        assert!(page.body.contains("Sensitive, by Custom alone: delete."), "{}", page.body);
    }

    async fn editing_shows_what_is_held_as_presets_and_saves_the_same(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        with_groups(&app, &mut browser).await;
        let key = app.issue("Held", &["images:read", "images:write", "jobs:run", "other:*"]).await;
        let (images, jobs) = (field_name(&app.project, "images"), field_name(&app.project, "jobs"));
        let at = format!("/settings/api-keys/{}/edit", key.id);
        let page = browser.get(&at).await;
        assert!(is_checked(&page, &images, "write") && is_checked(&page, &jobs, "custom"));
        assert!(is_checked(&page, "scopes", "jobs:run") && page.body.contains("value=\"other:*\""));
        let fields = [
            ("access", "1"), ("name", "Held"), (images.as_str(), "read"), (jobs.as_str(), "custom"), ("scopes", "jobs:run"),
            ("scopes", "images:write"), ("other_scopes", "other:*"),
        ];
        assert_eq!(browser.post(&at, &fields).await.status, 303);
        assert_eq!(stored(&app, "scopes", "Held").await, "images:read jobs:run other:*");
        assert_eq!(browser.post("/settings/api-keys/key_zzzzzzzzzzzz/edit", &fields).await.status, 404);
    }

    async fn a_review_says_what_the_form_means_and_makes_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        with_groups(&app, &mut browser).await;
        let images = field_name(&app.project, "images");
        let fields = [
            (images.as_str(), "custom"), ("scopes", "images:delete"), ("other_scopes", "jobs:*"), ("ip_allow", "10.0.0.0/8"),
            ("rotation_days", "30"), ("step", "review"),
        ];
        let page = send(&app, &mut browser, "Reviewed", &fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for said in [
            "nothing is created yet", "Reviewed is a live key of Image API, owned by Ada Lovelace.", "It may images:delete, jobs:*.",
            "Only from 10.0.0.0/8.", "It is valid until", "Another secret is due every 30 days.", "Sensitive scopes: images:delete.",
            "Wildcards: jobs:*.",
        ] {
            assert!(page.body.contains(said), "{said} is not in {}", page.body);
        }
        assert!(page.body.contains("value=\"Reviewed\""), "the form is there still");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
        let wrong = send(&app, &mut browser, "", &fields).await;
        assert_eq!(wrong.status, 422);
        // The form was not used up by either.
        let made = send(&app, &mut browser, "Reviewed", &fields[..fields.len() - 1]).await;
        assert_eq!(made.status, 200);
        let secret = made.between("id=\"secret\">", "<").to_owned();
        let seen = app.ask(serde_json::json!({ "key": secret, "clientIp": "10.1.1.1" })).await;
        assert_eq!(seen["code"], "VALID", "the interval is under the MAC");
        assert_eq!(stored(&app, "rotation_days", "Reviewed").await, "30");
        let due = app.db.number("SELECT rotation_due_at_ms - created_at_ms FROM api_keys").await;
        assert_eq!(due, 30 * keywright::model::time::DAY_MS);
    }
}
