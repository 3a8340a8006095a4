//! Keys that somebody else made: declared, imported by their digests, verified by their texts.

use keywright::model::actor::Actor;
use keywright::model::id::{OrgId, ProjectId};
use keywright::model::import::ImportSummary;
use keywright::model::import_format::{DigestAlgorithm, ImportFormat};
use keywright::model::permission::Permission;
use keywright::model::project::CatalogueScope;
use keywright::model::rotation::Overlap;
use keywright::model::time::DAY_MS;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::import::import_file;
use keywright::server::domain::keys::{lifecycle, read, rotation};
use keywright::server::domain::projects::{self, ProjectDraft, ProjectEdit};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::verification::follow_changes;
use keywright::server::platform::redaction;
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use crate::kit::app::catalogue;
use crate::kit::{Backend, TestApp, on_both_databases};

/// The text of an old key: `old_` and 32 characters.
pub fn old_key(n: usize) -> String {
    format!("old_{n:032}")
}

pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn format(prefix: &str, length: &str, algorithm: &str) -> ImportFormat {
    ImportFormat::parse(prefix, "base62", length, algorithm).unwrap()
}

/// Declares formats in the place of those that a project has.
pub async fn declare(
    app: &TestApp,
    project: &ProjectId,
    formats: Vec<ImportFormat>,
) -> Result<(), DomainError> {
    let present = projects::find(&app.ctx, &app.operator(), project).await.unwrap();
    let edit = ProjectEdit {
        name: &present.name,
        scopes: Ok::<Vec<CatalogueScope>, _>(present.scopes.clone()),
        formats: Ok(Some(formats)),
        resources: None,
    };
    projects::edit(&app.ctx, &app.operator(), project, present.version, edit).await
}

/// An installation whose project takes `old_…` by SHA-256.
pub async fn with_format(backend: Backend) -> TestApp {
    let app = TestApp::on(backend).await;
    declare(&app, &app.project, vec![format("old_", "32", "sha256")])
        .await
        .unwrap();
    app
}

/// A file with a row for each of these keys.
pub fn file_of(keys: impl IntoIterator<Item = usize>) -> String {
    let rows = keys
        .into_iter()
        .map(|n| format!("{},Old {n},live,team:data,images:read\n", sha256(&old_key(n))));
    format!(
        "digest,name,environment,owner,scopes\n{}",
        rows.collect::<String>()
    )
}

pub async fn import(app: &TestApp, file: &str) -> Result<ImportSummary, DomainError> {
    import_file(&app.ctx, &app.operator(), &app.project, file.as_bytes(), None).await
}

async fn project_with_token(app: &TestApp, name: &str, org: OrgId) -> (ProjectId, String) {
    let actor = Actor::operator("tests", Some(org));
    let draft = ProjectDraft {
        name,
        prefix: "other",
        scopes: Ok(catalogue(&["images:read"])),
    };
    let id = projects::create(&app.ctx, &actor, draft).await.unwrap();
    let draft = TokenDraft {
        project: Some(&id),
        name,
        permissions: vec!["verify"],
        expiry: "none",
        expiry_date: "",
    };
    let token = tokens::create(&app.ctx, &actor, &draft, None).await.unwrap();
    (id, token.secret.expose().clone())
}

async fn code_by(app: &TestApp, token: &str, key: &str) -> String {
    let answer = app
        .verify_raw(token, "application/json", json!({ "key": key }).to_string(), "")
        .await;
    let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    answer["code"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn an_imported_key_passes_by_the_text_that_its_user_has(backend: Backend) {
        let app = with_format(backend).await;
        let summary = import(&app, &file_of([1, 2])).await.unwrap();
        assert_eq!((summary.rows, summary.good, summary.bad, summary.live), (2, 2, 0, 2));
        let told = app.ask(json!({ "key": old_key(1), "permissions": "images:read" })).await;
        assert_eq!((told["code"].as_str(), told["name"].as_str(), told["environment"].as_str()), (Some("VALID"), Some("Old 1"), Some("live")));
        assert_eq!(app.ask(json!({ "key": old_key(2), "permissions": "admin" })).await["code"], "INSUFFICIENT_SCOPE");
        let id = told["keyId"].as_str().unwrap().parse().unwrap();
        app.revoke(&id).await;
        assert_eq!(app.verify(&old_key(1)).await, "REVOKED", "like any other");
        assert_eq!(app.verify(&old_key(3)).await, "NOT_FOUND");
        for junk in [&old_key(1)[..35], &format!("{}0", old_key(1)), &old_key(1).replace("old_", "odd_"), &old_key(1).replace('0', "-"), &sha256(&old_key(1))] {
            assert_eq!(app.verify(junk).await, "MALFORMED", "{junk}");
        }
        let stored = app.db.texts("SELECT hash FROM key_secrets UNION ALL SELECT hash FROM import_digests").await;
        assert!(stored.iter().all(|hash| *hash != sha256(&old_key(1))), "a digest is not stored as it is");
    }

    async fn both_algorithms_and_both_spellings_work_side_by_side(backend: Backend) {
        use base64::Engine;
        let app = TestApp::on(backend).await;
        declare(&app, &app.project, vec![format("old_", "32", "sha256"), format("older_", "20-40", "sha512")]).await.unwrap();
        let older = "older_abcdefghijklmnopqrstuvwx";
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha512::digest(older.as_bytes()));
        let file = format!("digest,algorithm,name,environment,owner\n{digest},sha512,a,test,team:x\n{},SHA-256,b,test,team:x\n", sha256(&old_key(1)).to_uppercase());
        assert_eq!(import(&app, &file).await.unwrap().good, 2);
        assert_eq!((app.verify(older).await, app.verify(&old_key(1)).await), ("VALID".into(), "VALID".into()));
        assert_eq!(DigestAlgorithm::Sha512.bytes(), 64);
    }

    async fn without_a_declared_format_nothing_is_looked_up(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.verify("warm up the token").await;
        let before = app.ctx.key_cache.reads();
        assert_eq!(app.verify(&old_key(1)).await, "MALFORMED");
        assert_eq!(app.ctx.key_cache.reads(), before);
        let refused = import(&app, &file_of([1])).await;
        let Err(DomainError::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!(errors[0].code, "no_format");
        declare(&app, &app.project, vec![format("old_", "32", "sha256")]).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND", "from the next request on");
    }

    async fn memory_serves_imported_keys_as_it_does_ours(backend: Backend) {
        let app = with_format(backend).await;
        app.verify("warm up the token").await;
        let reads = || app.ctx.key_cache.reads();
        let before = reads();
        for _ in 0..5 {
            assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND");
        }
        assert_eq!(reads() - before, 1, "what is not there is remembered");
        import(&app, &file_of([1])).await.unwrap();
        let before = reads();
        let many = futures_util::future::join_all((0..16).map(|_| async { app.verify(&old_key(1)).await })).await;
        assert!(many.iter().all(|code| code == "VALID"), "an import evicts what was not there: {many:?}");
        assert!(reads() - before <= 3, "token, digest and key are each read once, not {}", reads() - before);
        let before = reads();
        app.verify(&old_key(1)).await;
        assert_eq!(reads(), before);
    }

    async fn another_process_hears_of_an_import_and_of_a_format(backend: Backend) {
        let app = TestApp::on(backend).await;
        assert_eq!(app.verify(&old_key(1)).await, "MALFORMED");
        let other = app.another_process().await;
        let present = projects::find(&other, &app.operator(), &app.project).await.unwrap();
        let edit = ProjectEdit { name: "Image API", scopes: Ok(present.scopes.clone()), formats: Ok(Some(vec![format("old_", "32", "sha256")])), resources: None };
        projects::edit(&other, &app.operator(), &app.project, present.version, edit).await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND");
        import_file(&other, &app.operator(), &app.project, file_of([1]).as_bytes(), None).await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "VALID");
    }

    async fn only_the_project_it_was_imported_into_knows_it(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1])).await.unwrap();
        let (sibling, token) = project_with_token(&app, "Sibling", app.org).await;
        assert_eq!(code_by(&app, &token, &old_key(1)).await, "MALFORMED", "it declares nothing");
        declare(&app, &sibling, vec![format("old_", "32", "sha256")]).await.unwrap();
        assert_eq!(code_by(&app, &token, &old_key(1)).await, "NOT_FOUND");
        // The same key may be imported into both; each is a key of its own.
        let other = import_file(&app.ctx, &app.operator(), &sibling, file_of([1]).as_bytes(), None).await;
        assert_eq!(other.unwrap().good, 1);
        assert_eq!((code_by(&app, &token, &old_key(1)).await, app.verify(&old_key(1)).await), ("VALID".into(), "VALID".into()));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 2);
    }

    async fn r80_the_way_to_a_key_is_no_proof_of_it(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1, 2])).await.unwrap();
        let ours = app.issue("Ours", &["admin"]).await;
        app.db.tamper(&format!("UPDATE import_digests SET key_id = '{}'", ours.id)).await;
        app.ctx.key_cache.forget_everything();
        assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND", "the key it leads to has another secret");
        assert_eq!(app.verify(&ours.secret).await, "VALID");
        // Even with the hash beside it: the row is under a MAC.
        app.db.tamper(&format!("UPDATE key_secrets SET hash_alg = 'import-sha256', hash = (SELECT MIN(hash) FROM import_digests) WHERE key_id = '{}'", ours.id)).await;
        app.ctx.key_cache.forget_everything();
        assert_eq!((app.verify(&old_key(1)).await, app.verify(&old_key(2)).await), ("NOT_FOUND".into(), "NOT_FOUND".into()));
    }

    async fn the_next_rotation_gives_a_key_of_our_own_form(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1])).await.unwrap();
        let id = app.ask(json!({ "key": old_key(1) })).await["keyId"].as_str().unwrap().parse().unwrap();
        let shown = || async { read::find(&app.ctx, &app.operator(), &id).await.unwrap().summary };
        assert_eq!(shown().await.hint, "imported · old_…");
        assert!(shown().await.stored_at.is_some(), "whoever uses it has stored it");
        let made = rotation::start(&app.ctx, &app.operator(), &id, Overlap::parse("24h", "", false).unwrap(), None).await.unwrap();
        let new = made.secret.expose().clone();
        assert!(new.starts_with(&format!("acme_live_{}", id.random_part())));
        assert!(shown().await.hint.starts_with("acme_live_"));
        assert_eq!((app.verify(&new).await, app.verify(&old_key(1)).await), ("VALID".into(), "VALID".into()));
        let which = |key: String| { let app = &app; async move { app.ask(json!({ "key": key })).await["rotation"]["secret"].clone() } };
        assert_eq!((which(new.clone()).await, which(old_key(1)).await), (json!("current"), json!("previous")));
        rotation::cancel(&app.ctx, &app.operator(), &id).await.unwrap();
        assert_eq!((app.verify(&new).await, app.verify(&old_key(1)).await), ("NOT_FOUND".into(), "VALID".into()));
        assert_eq!(shown().await.hint, "imported · old_…");
        let made = rotation::start(&app.ctx, &app.operator(), &id, Overlap::parse("24h", "", false).unwrap(), None).await.unwrap();
        app.clock.advance_ms(DAY_MS);
        assert_eq!((app.verify(made.secret.expose()).await, app.verify(&old_key(1)).await), ("VALID".into(), "EXPIRED".into()));
        rotation::start(&app.ctx, &app.operator(), &id, Overlap::parse("1h", "", false).unwrap(), None).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "NOT_FOUND", "two secrets are remembered");
        let again = import(&app, &file_of([1])).await.unwrap();
        assert!(again.mistakes[0].message.contains("Already imported"), "nor can it come back: {:?}", again.mistakes);
    }

    async fn a_format_that_keys_use_can_be_widened_and_nothing_else(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1, 2])).await.unwrap();
        for other in [vec![], vec![format("old_", "33-40", "sha256")], vec![format("old_", "32", "sha512")]] {
            let refused = declare(&app, &app.project, other).await;
            let Err(DomainError::Invalid(errors)) = refused else { panic!("{refused:?}") };
            assert!(errors[0].code == "in_use" && errors[0].message.contains("2 imported keys"), "{errors:?}");
        }
        declare(&app, &app.project, vec![format("new_", "20", "sha256"), format("old_", "20-40", "sha256")]).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "VALID");
        for n in [1, 2] {
            let id = app.ask(json!({ "key": old_key(n) })).await["keyId"].as_str().unwrap().parse().unwrap();
            app.revoke(&id).await;
        }
        declare(&app, &app.project, vec![]).await.unwrap();
        assert_eq!(app.verify(&old_key(1)).await, "MALFORMED");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'project.edited' AND detail LIKE '%importFormats%'").await, 3);
    }

    async fn whoever_holds_an_imported_key_may_end_it_wherever_it_is(backend: Backend) {
        let app = with_format(backend).await;
        let (sibling, token) = project_with_token(&app, "Sibling", app.org).await;
        declare(&app, &sibling, vec![format("old_", "32", "sha256")]).await.unwrap();
        import(&app, &file_of([1, 2])).await.unwrap();
        import_file(&app.ctx, &app.operator(), &sibling, file_of([1]).as_bytes(), None).await.unwrap();
        let end = |key: String| {
            let request = axum::http::Request::post("/v1/keys/self-revoke").header("content-type", "application/json");
            app.send(request.body(json!({ "key": key }).to_string().into()).unwrap())
        };
        assert_eq!(end(old_key(3)).await.status, 404);
        assert_eq!(end("nothing like a key".to_owned()).await.status, 404);
        assert_eq!(end(old_key(1)).await.status, 200);
        assert_eq!((app.verify(&old_key(1)).await, code_by(&app, &token, &old_key(1)).await), ("REVOKED".into(), "REVOKED".into()));
        assert_eq!(app.verify(&old_key(2)).await, "VALID");
        assert_eq!(end(old_key(1)).await.status, 200, "twice is no error");
    }

    async fn r77_an_imported_key_stands_in_no_log_and_no_address(backend: Backend) {
        let app = TestApp::on(backend).await;
        let format = format("zq_live_", "32", "sha256");
        let key = format!("zq_live_{:032}", 7);
        declare(&app, &app.project, vec![format]).await.unwrap();
        import(&app, &format!("digest,name,environment,owner\n{},a,live,team:x\n", sha256(&key))).await.unwrap();
        app.ask(json!({ "key": key, "path": format!("/v1/x?key={key}"), "userAgent": format!("curl {key}") })).await;
        app.ctx.usage.flush().await;
        let told = app.db.texts("SELECT CAST(told AS TEXT) FROM usage_events").await.concat();
        assert!(told.contains("imported_key") && !told.contains("zq_live_"), "{told}");
        assert_eq!(redaction::redacted(&format!("key {key}\n")), "key imported_key\n", "not the beginning of it either");
        let answer = app.owner().await.get(&format!("/settings/api-keys?q={}", key.replace('_', "%5F"))).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/settings/api-keys?q=imported_key"));
    }

    async fn what_keys_hang_on_holds_for_imported_ones(backend: Backend) {
        let app = with_format(backend).await;
        let file = format!(
            "digest,name,environment,owner,expires,not_before,ip_allow,resource_allow,rotation_days\n\
             {},soon,live,team:x,,2099-01-01,,,\n{},there,live,team:x,2027-01-01,,10.0.0.0/8,gpt-*,30\n",
            sha256(&old_key(1)), sha256(&old_key(2)),
        );
        assert_eq!(import(&app, &file).await.unwrap().mistakes, []);
        assert_eq!(app.verify(&old_key(1)).await, "NOT_YET_VALID");
        assert_eq!(app.verify(&old_key(2)).await, "IP_NOT_ALLOWED");
        assert_eq!(app.ask(json!({ "key": old_key(2), "clientIp": "10.1.2.3", "resource": "o3" })).await["code"], "RESOURCE_NOT_ALLOWED");
        assert_eq!(app.ask(json!({ "key": old_key(2), "clientIp": "10.1.2.3", "resource": "gpt-5", "environment": "test" })).await["code"], "ENVIRONMENT_MISMATCH");
        assert_eq!(app.ask(json!({ "key": old_key(2), "clientIp": "10.1.2.3", "resource": "gpt-5" })).await["code"], "VALID");
        let id = app.db.texts("SELECT id FROM api_keys WHERE name = 'there'").await[0].parse().unwrap();
        lifecycle::disable(&app.ctx, &app.operator(), &id).await.unwrap();
        assert_eq!(app.verify(&old_key(2)).await, "DISABLED");
        assert_eq!(app.db.number("SELECT rotation_days FROM api_keys WHERE name = 'there'").await, 30);
        assert!(app.operator().may(Permission::KeysManageAny));
    }
}
