//! Keys through the browser: forms, the page that shows the secret, and what another organisation sees.

pub mod acts;
mod advice;
mod algebra;
mod bulk;
mod by_command;
mod countries;
mod disabled;
mod export;
mod handover;
mod hints;
pub mod import;
mod import_file;
mod long_lists;
pub mod openings;
mod overlaps;
mod reminders;
mod restrictions;
mod rotation;
mod stale;
mod undo;
mod unused;

use keywright::model::key::Environment;
use keywright::model::key_text::parse_key;
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::server::domain::DomainError;

use crate::kit::{Answer, Backend, Browser, TestApp, on_both_databases};

pub async fn nonce(browser: &mut Browser, page: &str) -> String {
    browser
        .get(page)
        .await
        .between("name=\"nonce\" value=\"", "\"")
        .to_owned()
}

async fn create(browser: &mut Browser, app: &TestApp, name: &str, nonce: &str) -> Answer {
    let fields = [
        ("nonce", nonce),
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("purpose", "Tests"),
        ("owner", ""),
        ("scopes", "images:read"),
        ("other_scopes", ""),
        ("expiry", "90"),
        ("expiry_date", ""),
    ];
    browser.post("/settings/api-keys/new", &fields).await
}

on_both_databases! {
    async fn the_secret_is_shown_once_and_its_form_works_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let mark = nonce(&mut browser, "/settings/api-keys/new").await;
        let shown = create(&mut browser, &app, "Production server", &mark).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.header("cache-control"), "no-store");
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!(parse_key(&secret).unwrap().environment, Environment::Live);
        assert_eq!(app.verify(&secret).await, "VALID");
        let again = create(&mut browser, &app, "Production server", &mark).await;
        assert_eq!(again.status, 409);
        assert!(again.body.contains("Already shown") && !again.body.contains(&secret));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 1);
    }

    async fn two_clicks_at_once_make_one_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let mark = nonce(&mut browser, "/settings/api-keys/new").await;
        let (mut one, mut two) = (app.browser(), app.browser());
        one.cookie.clone_from(&browser.cookie);
        two.cookie.clone_from(&browser.cookie);
        let (a, b) = tokio::join!(create(&mut one, &app, "Twice", &mark), create(&mut two, &app, "Twice", &mark));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 1);
    }

    async fn a_refused_form_keeps_what_was_typed_and_names_each_field(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let mark = nonce(&mut browser, "/settings/api-keys/new").await;
        let fields = [
            ("nonce", mark.as_str()), ("project", app.project.as_str()), ("environment", "live"), ("name", ""),
            ("purpose", "Renders pictures"), ("scopes", "images:read"), ("other_scopes", ""), ("expiry", "custom"), ("expiry_date", "2020-01-01"),
        ];
        let answer = browser.post("/settings/api-keys/new", &fields).await;
        assert_eq!(answer.status, 422);
        for part in ["The name is missing.", "2020-01-01 has passed", "value=\"Renders pictures\"", "id=\"name-error\"", "aria-invalid=\"true\""] {
            assert!(answer.body.contains(part), "{part} is not in {}", answer.body);
        }
        let lost = browser.post("/settings/api-keys/new", &fields[1..]).await;
        assert_eq!(lost.status, 422, "a form without its mark is not accepted");
    }

    async fn a_name_is_free_again_once_its_key_is_revoked(backend: Backend) {
        let app = TestApp::on(backend).await;
        let first = app.issue("CI Pipeline", &[]).await;
        for taken in ["CI Pipeline", "ci pipeline", " CI PIPELINE "] {
            let refused = app.try_issue(taken, "live", &[], "90").await;
            assert!(matches!(refused, Err(DomainError::Invalid(ref fields)) if fields[0].field == "name"), "{taken}");
        }
        assert!(app.try_issue("CI Pipeline", "test", &[], "90").await.is_ok(), "another environment");
        app.revoke(&first.id).await;
        assert!(app.try_issue("ci pipeline", "live", &[], "90").await.is_ok());
    }

    async fn r50_another_organisation_s_key_is_as_missing_as_a_random_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let key = app.issue("ours", &[]).await;
        // The same account now looks at another organisation.
        app.db.tamper("INSERT INTO organisations (id, name, name_folded, slug, created_at_ms) VALUES ('org_other0000001', 'Other', 'other', 'other', 1)").await;
        app.db.tamper(&format!("INSERT INTO members (org_id, account_id, role, status, created_at_ms) VALUES ('org_other0000001', '{}', 'owner', 'active', 1)", app.account)).await;
        let switched = browser.post("/session/organisation", &[("organisation", "org_other0000001")]).await;
        assert_eq!(switched.status, 303, "{}", switched.body);
        let random = "key_zzzzzzzzzzzz";
        for suffix in ["", "/edit", "/revoke"] {
            let foreign = browser.get(&format!("/settings/api-keys/{}{suffix}", key.id)).await;
            let missing = browser.get(&format!("/settings/api-keys/{random}{suffix}")).await;
            assert_eq!((foreign.status, missing.status), (404, 404), "{suffix}");
            assert_eq!(plain(&foreign, key.id.as_str()), plain(&missing, random), "{suffix}");
        }
        for (suffix, field, value) in [("edit", "name", "x"), ("revoke", "reason", "superseded"), ("stored", "note", "")] {
            let foreign = browser.post(&format!("/settings/api-keys/{}/{suffix}", key.id), &[(field, value)]).await;
            let missing = browser.post(&format!("/settings/api-keys/{random}/{suffix}"), &[(field, value)]).await;
            assert_eq!((foreign.status, missing.status), (404, 404), "{suffix}");
            assert_eq!(plain(&foreign, key.id.as_str()), plain(&missing, random), "{suffix}");
        }
        assert_eq!(app.verify(&key.secret).await, "VALID", "nothing was done to it");
    }

    async fn r79_every_act_leaves_its_event_and_no_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let mark = nonce(&mut browser, "/settings/api-keys/new").await;
        let shown = create(&mut browser, &app, "Production server", &mark).await;
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        let address = shown.between("action=\"/settings/api-keys/", "/stored").to_owned();
        let page = format!("/settings/api-keys/{address}");
        browser.post(&format!("{page}/stored"), &[("note", "vault")]).await;
        browser.post("/api/keys/disable", &[("key_id", address.as_str())]).await;
        browser.post("/api/keys/enable", &[("key_id", address.as_str())]).await;
        browser.post(&format!("{page}/edit"), &[("name", "Renamed"), ("purpose", "")]).await;
        browser.post(&format!("{page}/revoke"), &[("reason", "superseded"), ("note", "")]).await;
        let acts = app.db.texts("SELECT action FROM audit_events WHERE target_type = 'key' ORDER BY seq").await;
        assert_eq!(acts, ["key.created", "key.stored", "key.disabled", "key.enabled", "key.edited", "key.revoked"]);
        let all = app.db.texts("SELECT detail || target_id || actor_id FROM audit_events").await.join("\n");
        assert!(!all.contains(&secret[secret.len() - 38..]), "{all}");
        let log = browser.get("/settings/audit-log").await;
        for words in ["Key created", "Key revoked", "Ada Lovelace", "203.0.113.7"] {
            assert!(log.body.contains(words), "{words}");
        }
    }
}

/// A page without what must differ: request id, nonce, and the id that was asked for.
fn plain(answer: &Answer, id: &str) -> String {
    let mut body = answer.body.replace(id, "*");
    for (mark, end) in [("nonce=\"", "\""), ("req_", "<")] {
        while let Some(at) = body.find(mark) {
            let length = body[at + mark.len()..].find(end).unwrap();
            body.replace_range(at..at + mark.len() + length, "");
        }
    }
    body
}

#[tokio::test]
async fn powers_before_any_policy_hold_at_the_use_case() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("team key", &[]).await;
    let developer = app.member(Role::Developer);
    let auditor = app.member(Role::Auditor);
    let draft = |environment| keywright::server::domain::keys::issue::KeyDraft {
        project: Some(&app.project),
        environment,
        name: "mine",
        purpose: "",
        owner: "me",
        scopes: vec![],
        expiry: "7",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: false,
        scopes_required: false,
    };
    let issue = async |actor, environment| {
        keywright::server::domain::keys::issue::issue(&app.ctx, actor, &draft(environment), None)
            .await
            .map(|made| made.id)
    };
    assert!(matches!(
        issue(&developer, "live").await,
        Err(DomainError::Denied(_))
    ));
    assert!(matches!(
        issue(&auditor, "test").await,
        Err(DomainError::Denied(_))
    ));
    let own = issue(&developer, "test").await.unwrap();
    let disable =
        async |actor, id| keywright::server::domain::keys::lifecycle::disable(&app.ctx, actor, id).await;
    assert!(disable(&developer, &own).await.is_ok(), "one's own");
    assert!(
        matches!(disable(&developer, &key.id).await, Err(DomainError::Denied(_))),
        "somebody else's"
    );
    assert!(matches!(
        disable(&auditor, &own).await,
        Err(DomainError::Denied(_))
    ));
}

#[tokio::test]
async fn a_pasted_key_is_taken_out_of_the_address() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let key = app.issue("one", &[]).await;
    for page in ["/settings/api-keys", "/settings/audit-log", "/settings/projects"] {
        let answer = browser
            .get(&format!("{page}?q={}&status=active", key.secret))
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, format!("{page}?q={}&status=active", key.id).as_str())
        );
    }
    let encoded = key.secret.replace('_', "%5F");
    for address in [
        format!("/settings/api-keys?q={encoded}"),
        format!("/settings/api-keys?q={}", key.secret),
    ] {
        let stranger = app.browser().get(&address).await;
        assert!(
            !stranger
                .header("location")
                .contains(&key.secret[key.secret.len() - 20..]),
            "{address}"
        );
        let signed_in = browser.get(&address).await;
        assert_eq!(
            signed_in.header("location"),
            format!("/settings/api-keys?q={}", key.id)
        );
    }
    let found = browser.get(&format!("/settings/api-keys?q={}", key.id)).await;
    assert!(found.body.contains("1–1 of 1"), "{}", found.body);
}

#[tokio::test]
async fn r42_stored_text_is_never_markup() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let attacks = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</title><script>x</script>",
        "<a href=javascript:alert(1)>x</a>",
        "{{7*7}}",
        "<!-- comment",
        "&lt;script&gt;",
        "</textarea><script>",
        "<style>*{}</style>",
    ];
    for (n, attack) in attacks.iter().enumerate() {
        let key = app.issue(&format!("{attack} {n}"), &[]).await;
        for page in [
            "/settings/api-keys".to_owned(),
            format!("/settings/api-keys/{}", key.id),
            "/settings/audit-log".to_owned(),
        ] {
            let body = browser.get(&page).await.body;
            assert!(
                !body.contains(attack) || *attack == "{{7*7}}" || *attack == "&lt;script&gt;",
                "{attack} on {page}"
            );
        }
    }
}

#[tokio::test]
async fn the_env_file_is_the_secret_just_shown_and_nothing_else() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let key = app.issue("one", &[]).await;
    let file = browser
        .post(
            "/settings/env-file",
            &[("variable", "IMAGE_API_API_KEY"), ("secret", &key.secret)],
        )
        .await;
    assert_eq!(file.body, format!("IMAGE_API_API_KEY={}\n", key.secret));
    assert_eq!(
        (file.header("cache-control"), file.header("content-disposition")),
        ("no-store", "attachment; filename=\".env\"")
    );
    for (variable, secret) in [
        ("A=1\nB", key.secret.as_str()),
        ("A", "no secret"),
        ("", &key.secret),
    ] {
        assert_eq!(
            browser
                .post(
                    "/settings/env-file",
                    &[("variable", variable), ("secret", secret)]
                )
                .await
                .status,
            400
        );
    }
}
