//! What a form may begin with.

use keywright::model::id::TemplateId;
use keywright::model::org::Role;
use keywright::model::scope_group::field_name;
use keywright::model::template::{EXPIRIES, STARTERS};

use super::{FORM, is_checked, send, stored};
use crate::kit::{Browser, TestApp, TestDb, on_both_databases};

const PAGE: &str = "/settings/templates";

const NIGHTLY: [(&str, &str); 10] = [
    ("name", "Nightly batch"),
    ("description", "Jobs on worker 3"),
    ("project", ""),
    ("environment", "test"),
    ("preset", "none"),
    ("scopes", "images:read payments:read"),
    ("ip_allow", "10.0.0.0/8"),
    ("resource_deny", "*-opus-*"),
    ("expiry", "30"),
    ("rotation_days", "14"),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> = NIGHTLY.to_vec();
    fields.retain(|(own, _)| *own != name);
    fields.push((name, value));
    fields
}

async fn make(app: &TestApp, browser: &mut Browser) -> TemplateId {
    let made = browser.post(&format!("{PAGE}/new"), &NIGHTLY).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let ids = app
        .db
        .texts("SELECT id FROM key_templates WHERE name = 'Nightly batch'")
        .await;
    ids[0].parse().unwrap()
}

const ROWS: &str = "SELECT id || '|' || name || '|' || name_folded || '|' || description || '|' || COALESCE(environment, '-') || '|'
    || preset || '|' || scopes || '|' || expiry || '|' || COALESCE(restrictions, '-') || '|' || COALESCE(project_id, '-')
    FROM key_templates WHERE org_id = 'ORG' ORDER BY id";

on_both_databases! {
    async fn a_new_organisation_has_the_templates_that_the_migration_gave_to_the_others(backend: Backend) {
        let bare = TestDb::bare(backend).await;
        let kind = if backend == crate::kit::Backend::Sqlite { "sqlite" } else { "postgres" };
        let folder = format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"));
        let mut steps: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        steps.sort();
        let before = steps.iter().position(|step| step.ends_with("0020_template.sql")).unwrap();
        for step in &steps[..before] {
            bare.tamper(&std::fs::read_to_string(step).unwrap()).await;
        }
        bare.tamper("INSERT INTO organisations (id, name, name_folded, slug, created_at_ms) VALUES ('org_a', 'A', 'a', 'a', 0)").await;
        bare.tamper(&std::fs::read_to_string(&steps[before]).unwrap()).await;
        let migrated = bare.texts(&ROWS.replace("ORG", "org_a")).await;
        let app = TestApp::on(backend).await;
        let made = app.db.texts(&ROWS.replace("ORG", app.org.as_str())).await;
        assert_eq!((migrated.len(), &migrated), (STARTERS.len(), &made));
        let another = app.another_org("Globex").await;
        assert_eq!(app.db.texts(&ROWS.replace("ORG", another.as_str())).await, made);
    }

    async fn a_template_fills_the_form_in_and_the_key_is_what_the_form_says(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let id = make(&app, &mut browser).await;
        let page = browser.get(&format!("{FORM}?template={id}")).await;
        assert_eq!(page.status, 200);
        assert!(is_checked(&page, "environment", "test") && is_checked(&page, "expiry", "30"));
        assert!(is_checked(&page, "scopes", "images:read") && !is_checked(&page, "scopes", "images:write"));
        for part in [
            "Filled in from the template Nightly batch.", "value=\"14\"", ">10.0.0.0/8</textarea>", ">*-opus-*</textarea>",
            "Image API does not list payments:read, which the template Nightly batch names. It is left out.",
        ] {
            assert!(page.body.contains(part), "{part} is not in {}", page.body);
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0, "looking makes nothing");
        // It is deleted while somebody fills the form: the form does not depend on it.
        let gone = browser.post(&format!("{PAGE}/{id}/delete"), &[]).await;
        assert_eq!(gone.status, 303);
        let fields = [("environment", "test"), ("scopes", "images:read"), ("rotation_days", "14"), ("ip_allow", "10.0.0.0/8")];
        assert_eq!(send(&app, &mut browser, "Nightly", &fields).await.status, 200);
        assert_eq!(stored(&app, "rotation_days", "Nightly").await, "14");
        let page = browser.get(&format!("{FORM}?template={id}")).await;
        assert!(page.status == 200 && page.body.contains("There is no such template, or it was deleted."));
    }

    async fn the_starters_read_and_write_what_each_project_lists(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let images = field_name(&app.project, "images");
        let read = browser.get(&format!("{FORM}?template=tpl_ReadOnly0000")).await;
        assert!(is_checked(&read, &images, "read"), "{}", read.body);
        let ci = browser.get(&format!("{FORM}?template=tpl_Pipeline0000")).await;
        assert!(is_checked(&ci, &images, "write") && is_checked(&ci, "environment", "test"));
        let full = browser.get(&format!("{FORM}?template=tpl_FullAccess00")).await;
        assert!(full.body.contains("name=\"other_scopes\"") && full.body.contains("value=\"*\""));
        // What the address says comes before what the template says.
        let both = browser.get(&format!("{FORM}?template=tpl_Pipeline0000&environment=live&scopes=images:write")).await;
        assert!(is_checked(&both, "environment", "live") && is_checked(&both, "scopes", "images:write"));
        assert!(!is_checked(&both, &images, "write") && both.body.contains("Filled in by a link."));
    }

    async fn mistakes_are_told_and_nothing_is_saved(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let long = "x".repeat(201);
        for (name, value, said) in [
            ("name", "", "The name is missing."),
            ("name", "read-ONLY", "Another template has this name."),
            ("name", &long, "at most 200 fit"),
            ("project", "prj_zzzzzzzzzzzz", "Choose one of your organisation’s projects"),
            ("environment", "prod", "Choose one of those that are offered."),
            ("preset", "custom", "Choose what the template takes"),
            ("preset", "", "Choose what the template takes"),
            ("scopes", "Images:read", "is not a scope"),
            ("expiry", "custom", "Choose how long a key is valid."),
            ("expiry", "5000", "Choose how long a key is valid."),
            ("rotation_days", "0", "Give the days as a number"),
            ("ip_allow", "10.0.0.5/8", "10.0.0.0/8 for the network"),
        ] {
            let refused = browser.post(&format!("{PAGE}/new"), &with(name, value)).await;
            assert_eq!(refused.status, 422, "{name}={value}");
            assert!(refused.body.contains(said), "{said} is not in {}", refused.body);
            assert!(refused.body.contains("Jobs on worker 3"), "what was typed is kept");
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_templates").await, 4);
        app.db.tamper(&format!(
            "INSERT INTO projects (id, org_id, name, name_folded, slug, prefix, status, version, created_at_ms)
             VALUES ('prj_foreign00001', '{}', 'F', 'f', 'f', 'ff', 'active', 1, 0)", app.another_org("Globex").await
        )).await;
        let foreign = browser.post(&format!("{PAGE}/new"), &with("project", "prj_foreign00001")).await;
        assert_eq!(foreign.status, 422, "another organisation’s project is as unknown as any");
    }

    async fn two_people_do_not_overwrite_each_other_and_each_act_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let id = make(&app, &mut browser).await;
        let at = format!("{PAGE}/{id}");
        let mut edited = with("expiry", "365");
        edited.push(("version", "1"));
        assert_eq!(browser.post(&at, &edited).await.status, 303);
        let late = browser.post(&at, &edited).await;
        assert_eq!(late.status, 409);
        assert!(late.body.contains("Somebody else saved this template"), "{}", late.body);
        assert!(late.body.contains("name=\"version\" value=\"2\""));
        assert_eq!(browser.post(&format!("{at}/delete"), &[]).await.status, 303);
        assert_eq!(browser.post(&format!("{at}/delete"), &[]).await.status, 404);
        assert_eq!(browser.post(&at, &edited).await.status, 404);
        let acts = app.db.texts("SELECT action FROM audit_events WHERE target_type = 'template' ORDER BY seq").await;
        assert_eq!(acts, ["template.created", "template.edited", "template.deleted"]);
        let log = browser.get("/settings/audit-log").await;
        assert!(log.body.contains("Template deleted"));
    }

    async fn whoever_creates_keys_reads_templates_and_does_not_edit_them(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut developer = app.join("dev@acme.example", Role::Developer).await.browser;
        let list = developer.get(PAGE).await;
        assert!(list.status == 200 && list.body.contains("Read-only") && !list.body.contains("Delete…"));
        assert_eq!(developer.get(&format!("{PAGE}/new")).await.status, 403);
        assert_eq!(developer.post(&format!("{PAGE}/new"), &NIGHTLY).await.status, 403);
        let page = developer.get(&format!("{FORM}?template=tpl_Analytics000")).await;
        assert!(page.body.contains("is for live keys, which only administrators create"), "{}", page.body);
        assert!(is_checked(&page, "environment", "test"));
        let mut auditor = app.join("auditor@acme.example", Role::Auditor).await.browser;
        assert_eq!(auditor.get(PAGE).await.status, 403);
    }
}

#[test]
fn every_lifetime_of_a_template_is_offered_by_the_form() {
    use keywright::model::key::Lifetime;
    use keywright::model::time::Timestamp;
    for (value, _) in EXPIRIES {
        assert!(
            Lifetime::parse(value, "", Timestamp::from_ms(0)).is_ok(),
            "{value}"
        );
    }
}
