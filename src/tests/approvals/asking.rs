//! What needs approval, and how it is asked for.

use keywright::model::org::Role;
use keywright::server::domain::DomainError;

use super::{ASK, NEW, WIDER, asked, asks, collects, decides, fills_in, page_of, state_of, under};
use crate::kit::{TestApp, on_both_databases};
use crate::policy;

/// Marks scopes of the project as sensitive.
async fn sensitive(app: &TestApp, scope: &str) {
    let table = "UPDATE project_scopes SET sensitive = TRUE";
    assert_eq!(app.db.tamper(&format!("{table} WHERE name = '{scope}'")).await, 1);
}

on_both_databases! {
    async fn a_new_key_waits_for_a_second_person_and_what_was_typed_stays(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        let refused = fills_in(&app, &mut owner, "Shop", &[("purpose", "Sells things")]).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.contains("A second person has to approve this") && refused.body.contains("it is a new key"), "{}", refused.body);
        assert!(refused.body.contains("value=\"Sells things\"") && refused.body.contains("name=\"justification\""));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
        let silent = fills_in(&app, &mut owner, "Shop", &[("step", "ask"), ("justification", "  ")]).await;
        assert!(silent.status == 422 && silent.body.contains("Say what it is needed for"), "{}", silent.body);
        let long = "x".repeat(1_001);
        let long = fills_in(&app, &mut owner, "Shop", &[("step", "ask"), ("justification", &long)]).await;
        assert!(long.status == 422 && long.body.contains("1001 characters; at most 1000 fit"), "{}", long.body);
        let id = asks(&app, &mut owner, "Shop").await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0, "there is no key before it is approved");
        let page = page_of(&mut owner, &id).await;
        assert!(page.body.contains("The new shop needs it") && page.body.contains("Shop is a live key of"), "{}", page.body);
        assert!(!page.body.contains(">Approve the key<"), "whoever asked does not decide");
        let test = fills_in(&app, &mut owner, "Test", &[("environment", "test")]).await;
        assert_eq!(test.status, 200, "the rules for live keys say nothing of test keys: {}", test.body);
    }

    async fn a_form_that_is_sent_twice_asks_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        let mark = crate::keys::nonce(&mut owner, "/settings/api-keys/new").await;
        let mut form = vec![("nonce", mark.as_str()), ("project", app.project.as_str()), ("environment", "live"),
            ("name", "Twice"), ("scopes", "images:read"), ("expiry", "90")];
        form.extend(ASK);
        let first = asked(&owner.post("/settings/api-keys/new", &form).await);
        let second = asked(&owner.post("/settings/api-keys/new", &form).await);
        assert_eq!(first, second);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM approvals").await, 1);
    }

    async fn what_nobody_has_to_approve_is_not_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, WIDER).await;
        let mut owner = app.owner().await;
        let needless = fills_in(&app, &mut owner, "Plain", ASK).await;
        assert!(needless.status == 409 && needless.body.contains("This needs no approval"), "{}", needless.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM approvals").await, 0);
    }

    async fn each_reason_is_found_and_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        sensitive(&app, "images:write").await;
        under(&app, &[("approve_sensitive", "1"), ("approve_beyond_days", "30")]).await;
        let mut owner = app.owner().await;
        let told = |scopes: &'static str, expiry: &'static str| [("scopes", scopes), ("expiry", expiry)];
        for (more, said) in [
            (told("images:write", "30"), "it gets a sensitive scope"),
            (told("images:*", "30"), "it gets a sensitive scope"),
            (told("images:read", "60"), "it may live longer"),
            (told("images:read", "none"), "it may live longer"),
        ] {
            let answer = fills_in(&app, &mut owner, "Reason", &more).await;
            assert!(answer.status == 409 && answer.body.contains(said), "{more:?}: {}", answer.body);
        }
        let plain = fills_in(&app, &mut owner, "Plain", &told("images:read", "30")).await;
        assert_eq!(plain.status, 200, "{}", plain.body);
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let edit = async |owner: &mut crate::kit::Browser, scopes: &str, expiry: &str| {
            let form = [("name", "Plain"), ("access", "1"), ("scopes", scopes), ("expiry", expiry)];
            owner.post(&format!("/settings/api-keys/{id}/edit"), &form).await
        };
        assert_eq!(edit(&mut owner, "images:read", "keep").await.status, 303);
        let more = edit(&mut owner, "images:write", "keep").await;
        assert!(more.status == 409 && more.body.contains("it gets a sensitive scope"), "{}", more.body);
        let longer = edit(&mut owner, "images:read", "60").await;
        assert!(longer.status == 409 && longer.body.contains("it may live longer"), "{}", longer.body);
    }

    async fn a_developer_asks_for_what_they_may_not_create(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        assert_eq!(fills_in(&app, &mut dev.browser, "Mine", ASK).await.status, 403, "nothing is asked for before a policy says so");
        let mut grace = under(&app, NEW).await;
        let direct = fills_in(&app, &mut dev.browser, "Mine", &[]).await;
        assert!(direct.status == 409 && direct.body.contains("name=\"justification\""), "{}", direct.body);
        let others = fills_in(&app, &mut dev.browser, "Theirs", &[("step", "ask"), ("justification", "x"), ("owner", "team"), ("owner_team", "ops")]).await;
        assert!(others.status == 422 && others.body.contains("keys that you own yourself"), "{}", others.body);
        let id = asks(&app, &mut dev.browser, "Mine").await;
        assert_eq!(decides(&mut grace.browser, &id, "approve", "").await.status, 303);
        let secret = collects(&mut dev.browser, &id).await;
        assert_eq!(secret.status, 200, "{}", secret.body);
        assert_eq!(app.verify(secret.between("id=\"secret\">", "<")).await, "VALID");
        let auditor = app.join("audit@acme.example", Role::Auditor).await;
        let mut auditor = auditor.browser;
        assert_eq!(auditor.post("/settings/api-keys/new", &[("environment", "live"), ("step", "ask")]).await.status, 403);
    }

    async fn a_rule_that_ends_meanwhile_leaves_nobody_with_more_than_their_role(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let mut grace = under(&app, NEW).await;
        let id = asks(&app, &mut dev.browser, "Mine").await;
        let actor = app.signed_in(&dev.browser).await.unwrap().actor;
        policy::save(&app, &[], "").await.unwrap();
        let late = decides(&mut grace.browser, &id, "approve", "").await;
        assert!(late.status == 409 && late.body.contains("may not do this any more"), "{}", late.body);
        assert_eq!(state_of(&app, &id).await, "waiting");
        // Whoever asks while the rule goes: the transaction sees that nothing needs approval, and the role still counts.
        let project = app.project;
        let draft = keywright::server::domain::keys::issue::KeyDraft {
            project: Some(&project), environment: "live", name: "Sneaked in", purpose: "", owner: "me", scopes: vec!["images:read"],
            expiry: "90", expiry_date: "", rotation_days: "", restrictions: Default::default(), extend_catalogue: false, scopes_required: true,
        };
        let made = keywright::server::domain::keys::issue::issue(&app.ctx, &actor, &draft, None).await;
        assert!(matches!(made.err(), Some(DomainError::Denied(_))));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn owners_are_exempt_where_the_policy_says_so_and_the_audit_log_says_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, &[("approve_new", "1"), ("owners_exempt", "1")]).await;
        assert_eq!(fills_in(&app, &mut grace.browser, "Admin", &[]).await.status, 409, "an admin is no owner");
        let mut owner = app.owner().await;
        let direct = fills_in(&app, &mut owner, "Owner", &[]).await;
        assert_eq!(direct.status, 200, "{}", direct.body);
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.created'").await;
        assert!(told.len() == 1 && told[0].contains("\"exemptFromApproval\":[\"new_key\"]"), "{told:?}");
    }

    async fn a_policy_that_leaves_nobody_to_approve_is_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let alone = policy::save(&app, NEW, "").await;
        assert!(matches!(&alone, Err(DomainError::Invalid(errors)) if errors[0].code == "alone"), "{alone:?}");
        policy::save(&app, &[("approve_new", "1"), ("owners_exempt", "1")], "").await.unwrap();
        app.join("grace@acme.example", Role::Admin).await;
        policy::save(&app, NEW, "").await.unwrap();
    }

    async fn nothing_goes_round_approval(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        let link = fills_in(&app, &mut owner, "Handed over", &[("handover", "link")]).await;
        assert!(link.status == 409 && link.body.contains("name=\"justification\""), "{}", link.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM claims").await, 0);
        let review = fills_in(&app, &mut owner, "Reviewed", &[("step", "review")]).await;
        assert!(review.body.contains("asks that a second person approves this"), "{}", review.body);
        let issued = app.try_issue("By command", "live", &["images:read"], "90").await;
        assert!(issued.is_ok(), "the command line is exempt");
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.created'").await;
        assert!(told[0].contains("exemptFromApproval"), "{told:?}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 1);
    }

    async fn only_so_many_requests_of_one_person_wait(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        asks(&app, &mut owner, "First").await;
        for n in 0..49 {
            let columns = "org_id, kind, state, key_id, project_id, environment, key_name, reasons, proposal, former, told, justification, requested_by, requested_at_ms, lapses_at_ms";
            app.db.tamper(&format!("INSERT INTO approvals (id, {columns}) SELECT 'apr_0000000000{n:02}', {columns} FROM approvals WHERE key_name = 'First' AND id NOT LIKE 'apr_0000000000%'")).await;
        }
        let more = fills_in(&app, &mut owner, "One more", ASK).await;
        assert!(more.status == 409 && more.body.contains("50 requests of yours wait"), "{}", more.body);
    }

    async fn imported_keys_cannot_wait_so_they_are_refused_row_by_row(backend: Backend) {
        let app = crate::keys::import::with_format(backend).await;
        let mut grace = under(&app, NEW).await;
        let file = crate::keys::import::file_of([1, 2]);
        let answer = grace.browser.upload("/settings/api-keys/import", app.project.as_str(), file.as_bytes()).await;
        assert!(answer.body.contains("Imported keys pass at once"), "{}", answer.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn a_form_that_asked_never_says_that_a_secret_was_shown(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, &[("approve_new", "1")]).await;
        let mut owner = app.owner().await;
        let mark = crate::keys::nonce(&mut owner, "/settings/api-keys/new").await;
        let mut form = vec![("nonce", mark.as_str()), ("project", app.project.as_str()), ("environment", "live"),
            ("name", "Back"), ("scopes", "images:read"), ("expiry", "90")];
        form.extend(ASK);
        let id = asked(&owner.post("/settings/api-keys/new", &form).await);
        form.retain(|(name, _)| *name != "step");
        assert_eq!(asked(&owner.post("/settings/api-keys/new", &form).await), id, "it leads to the request");
    }

    async fn only_owners_take_the_mark_off_while_it_means_an_approval(backend: Backend) {
        use keywright::server::domain::projects::{self, ProjectEdit};
        let app = TestApp::on(backend).await;
        sensitive(&app, "images:write").await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let admin = app.signed_in(&grace.browser).await.unwrap().actor;
        let owner = app.owner_of(app.org);
        let unmark = async |actor: &keywright::model::actor::Actor, mark: bool| {
            let project = projects::find(&app.ctx, &owner, &app.project).await.unwrap();
            let mut scopes = project.scopes.clone();
            scopes.iter_mut().filter(|scope| scope.name == "images:write").for_each(|scope| scope.sensitive = mark);
            let edit = ProjectEdit { name: &project.name, scopes: Ok(scopes), formats: Ok(None), resources: None };
            projects::edit(&app.ctx, actor, &app.project, project.version, edit).await
        };
        unmark(&admin, false).await.unwrap();
        unmark(&admin, true).await.unwrap();
        policy::save(&app, &[("approve_sensitive", "1")], "").await.unwrap();
        let refused = unmark(&admin, false).await;
        assert!(matches!(&refused, Err(DomainError::Invalid(errors)) if errors[0].code == "sensitive"), "{refused:?}");
        unmark(&owner, false).await.unwrap();
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'project.edited' ORDER BY seq DESC LIMIT 1").await;
        assert!(told[0].contains("\"sensitive\":[\"images:write\"]") && told[0].contains("\"sensitive\":[]"), "{told:?}");
    }

    async fn an_import_is_called_exempt_only_where_it_is(backend: Backend) {
        let app = crate::keys::import::with_format(backend).await;
        under(&app, &[("approve_sensitive", "1")]).await;
        let imports = async || app.db.texts("SELECT detail FROM audit_events WHERE action = 'keys.imported' ORDER BY seq").await;
        crate::keys::import::import(&app, &crate::keys::import::file_of([1])).await.unwrap();
        assert!(!imports().await[0].contains("exempt"), "nothing of it needed approval");
        sensitive(&app, "images:read").await;
        crate::keys::import::import(&app, &crate::keys::import::file_of([2])).await.unwrap();
        assert!(imports().await[1].contains("\"exemptFromApproval\":[\"sensitive_scope\"]"), "{:?}", imports().await);
    }
}
