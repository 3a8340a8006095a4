//! Verification from outside: every code, the contract's answers, and what must never happen.

use axum::body::Body;
use keywright::model::id::ProjectId;
use keywright::model::key::RevocationReason;
use keywright::model::project::ProjectStatus;
use keywright::model::time::DAY_MS;
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::projects::{self, ProjectDraft};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::verification::follow_changes;
use serde_json::json;

use crate::kit::app::catalogue;
use crate::kit::{Backend, SeededRng, TestApp, on_both_databases};

on_both_databases! {
    async fn a_valid_key_is_answered_with_the_fields_of_the_contract(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Production server", &["images:*"]).await;
        let answer = app.ask(json!({ "key": key.secret, "permissions": "images:read AND images:write" })).await;
        assert_eq!(answer["valid"], true);
        assert_eq!(answer["code"], "VALID");
        assert_eq!(answer["keyId"], key.id.as_str());
        assert_eq!(answer["name"], "Production server");
        assert_eq!(answer["projectId"], app.project.as_str());
        assert_eq!(answer["environment"], "live");
        assert_eq!(answer["scopes"], json!(["images:*"]));
        assert!(answer["expiresAt"].as_str().unwrap().ends_with('Z'));
        assert!(answer["requestId"].as_str().unwrap().starts_with("req_"));
        assert_eq!(answer.get("denial"), None);
    }

    async fn every_code_of_this_release_is_reached(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &["images:read"]).await;
        let actor = app.operator();
        for junk in ["", "x", "acme_live_", &"x".repeat(513), "kwt_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub"] {
            assert_eq!(app.verify(junk).await, "MALFORMED", "{junk}");
        }
        assert_eq!(app.verify("acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub").await, "NOT_FOUND");
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let other = app.ask(json!({ "key": key.secret, "environment": "test" })).await;
        assert_eq!(other["code"], "ENVIRONMENT_MISMATCH");
        let lacks = app.ask(json!({ "key": key.secret, "permissions": "images:read AND admin" })).await;
        assert_eq!(lacks["code"], "INSUFFICIENT_SCOPE");
        assert_eq!(lacks["denial"]["missing"], json!(["admin"]));
        lifecycle::disable(&app.ctx, &actor, &key.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        lifecycle::enable(&app.ctx, &actor, &key.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "VALID");
        projects::set_status(&app.ctx, &actor, &app.project, ProjectStatus::Archived).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        projects::set_status(&app.ctx, &actor, &app.project, ProjectStatus::Active).await.unwrap();
        app.clock.advance_ms(90 * DAY_MS);
        assert_eq!(app.verify(&key.secret).await, "EXPIRED");
        lifecycle::revoke(&app.ctx, &actor, &key.id, RevocationReason::Superseded, "").await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn a_wrong_secret_for_a_known_id_is_not_found_even_when_revoked(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let head = &key.secret[.."acme_live_".len() + 12];
        let forged = keywright::model::key_text::compose("acme_live", &head[head.len() - 12..], &"x".repeat(32));
        assert_eq!(app.verify(&forged).await, "NOT_FOUND");
        app.revoke(&key.id).await;
        assert_eq!(app.verify(&forged).await, "NOT_FOUND");
        let as_test = forged.replacen("acme_live", "acme_test", 1);
        assert_eq!(app.verify(&as_test).await, "MALFORMED", "the checksum covers the environment");
    }

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

    async fn r58_a_revocation_holds_from_the_next_request_on(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..25 {
            let key = app.issue(&format!("key {n}"), &[]).await;
            assert_eq!(app.verify(&key.secret).await, "VALID");
            app.revoke(&key.id).await;
            assert_eq!(app.verify(&key.secret).await, "REVOKED");
        }
    }

    async fn a_key_whose_owner_has_left_is_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let draft = keywright::server::domain::keys::issue::KeyDraft {
            project: Some(&app.project), environment: "live", name: "owned", purpose: "", owner: "me", scopes: vec![],
            expiry: "90", expiry_date: "", extend_catalogue: false, scopes_required: false,
        };
        let owner = app.member(keywright::model::org::Role::Owner);
        let made = keywright::server::domain::keys::issue::issue(&app.ctx, &owner, &draft, None).await.unwrap();
        assert_eq!(app.verify(made.secret.expose()).await, "VALID");
        app.db.tamper("UPDATE members SET status = 'suspended'").await;
        app.ctx.key_cache.forget_everything();
        assert_eq!(app.verify(made.secret.expose()).await, "OWNER_INACTIVE");
    }

    async fn another_process_s_change_arrives_with_the_news(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        // Another process has its own memory: its revocation evicts nothing here.
        let other = app.another_process().await;
        lifecycle::revoke(&other, &app.operator(), &key.id, RevocationReason::Superseded, "").await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn without_news_of_changes_memory_is_not_trusted(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let other = app.another_process().await;
        lifecycle::revoke(&other, &app.operator(), &key.id, RevocationReason::Superseded, "").await.unwrap();
        app.clock.advance_ms(3_001);
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn r80_a_row_edited_behind_our_back_fails_closed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let columns = [
            ("scopes", "scopes = '*'"),
            ("status", "status = 'disabled'"),
            ("expiry", "expires_at_ms = NULL"),
            ("project", "version = version + 1"),
            ("prefix", "prefix = 'acm2'"),
            ("environment", "environment = 'test'"),
            ("owner", "owner_team = 'somebody'"),
        ];
        for (name, change) in columns {
            let key = app.issue(name, &["images:read"]).await;
            assert_eq!(app.verify(&key.secret).await, "VALID");
            assert_eq!(app.db.tamper(&format!("UPDATE api_keys SET {change} WHERE id = '{}'", key.id)).await, 1);
            app.clock.advance_ms(5_001);
            assert_eq!(app.verify(&key.secret).await, "NOT_FOUND", "{name}");
        }
        let victim = app.issue("victim", &["admin"]).await;
        let thief = app.issue("thief", &[]).await;
        let stolen = format!(
            "UPDATE key_secrets SET hash = (SELECT hash FROM key_secrets WHERE key_id = '{}') WHERE key_id = '{}'",
            thief.id, victim.id
        );
        app.db.tamper(&stolen).await;
        assert_eq!(app.verify(&victim.secret).await, "NOT_FOUND", "a hash moved to another row");
    }

    async fn the_database_is_asked_once_per_cold_key_and_never_for_junk(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        follow_changes(&app.ctx).await.unwrap();
        app.verify("warm the token").await;
        let before = app.ctx.key_cache.reads();
        let asks = (0..64).map(|_| app.verify(&key.secret));
        let codes = futures_join(asks.collect()).await;
        assert!(codes.iter().all(|code| code == "VALID"));
        assert_eq!(app.ctx.key_cache.reads() - before, 1, "64 askers, one reader");
        app.verify("acme_live_junk").await;
        assert_eq!(app.ctx.key_cache.reads() - before, 1, "junk is not looked up");
        let unknown = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub";
        for _ in 0..5 {
            assert_eq!(app.verify(unknown).await, "NOT_FOUND");
        }
        assert_eq!(app.ctx.key_cache.reads() - before, 2, "what does not exist is remembered too");
    }

    async fn r69_while_the_database_is_down_nothing_is_valid_and_nothing_invalid(backend: Backend) {
        let app = TestApp::on(backend).await;
        let known = app.issue("known", &[]).await;
        let cold = app.issue("cold", &[]).await;
        assert_eq!(app.verify(&known.secret).await, "VALID");
        app.ctx.db.close().await;
        let body = json!({ "key": cold.secret }).to_string();
        let answer = app.verify_raw(&app.token, "application/json", body, "").await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("\"code\":\"unavailable\"") && !answer.body.contains("valid\":"), "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
        let ready = app.browser().get("/readyz").await;
        let alive = app.browser().get("/healthz").await;
        assert_eq!((ready.status, alive.status), (503, 200));
        let page = app.browser().get("/sign-in").await;
        assert_eq!(page.status, 503);
        assert!(page.body.contains("<h1>Unavailable right now</h1>"), "{}", page.body);
    }
}

/// Polls many futures at once on one task.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(move |context| {
        let mut waiting = false;
        for (future, output) in &mut pending {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        match waiting {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(
                pending
                    .iter_mut()
                    .map(|(_, output)| output.take().unwrap())
                    .collect(),
            ),
        }
    })
    .await
}

#[tokio::test]
async fn the_caller_s_own_mistakes_are_400_with_their_place() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await.secret;
    let cases = [
        (
            json!({ "key": key, "permissions": "a AND" }).to_string(),
            400,
            "column 6",
        ),
        (
            json!({ "key": key, "unknown": 1 }).to_string(),
            400,
            "unknown field",
        ),
        (json!({ "key": 7 }).to_string(), 400, "wrong type"),
        (json!({}).to_string(), 400, "lacks one"),
        (
            json!([key, null, null, null, null, null, null, null, null, null, null]).to_string(),
            400,
            "object",
        ),
        ("{\"key\":".to_owned(), 400, "not valid JSON"),
        (json!({ "key": key, "cost": -1 }).to_string(), 400, "cost"),
        (json!({ "key": key, "cost": 1.5 }).to_string(), 400, "wrong type"),
        (json!({ "key": key, "tags": ["a"] }).to_string(), 400, "tags"),
        (
            json!({ "key": key, "environment": "prod" }).to_string(),
            400,
            "wrong type",
        ),
        (
            json!({ "key": key, "resource": "x".repeat(257) }).to_string(),
            400,
            "resource",
        ),
        (format!("{}{}", "[".repeat(200), "]".repeat(200)), 400, "JSON"),
    ];
    for (body, status, mark) in cases {
        let answer = app
            .verify_raw(&app.token, "application/json", body.clone(), "")
            .await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{body}"
        );
        assert!(
            answer.body.contains(mark) || mark == "JSON",
            "{body}: {}",
            answer.body
        );
        assert!(!answer.body.contains(&key), "the key is echoed: {}", answer.body);
    }
    let cut = app
        .ask(json!({ "key": key, "userAgent": "x".repeat(5_000), "path": "é".repeat(3_000) }))
        .await;
    assert_eq!(
        cut["code"], "VALID",
        "over-long userAgent and path are cut, not refused"
    );
}

#[tokio::test]
async fn r37_only_json_is_read() {
    let app = TestApp::on(Backend::Sqlite).await;
    for media_type in [
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let answer = app.verify_raw(&app.token, media_type, "{}", "").await;
        assert_eq!(answer.status, 415, "{media_type}");
    }
    let answer = app
        .verify_raw(
            &app.token,
            "application/json; charset=utf-8",
            json!({ "key": "x" }).to_string(),
            "",
        )
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn r70_sixty_four_kibibytes_fit_and_one_byte_more_does_not() {
    let app = TestApp::on(Backend::Sqlite).await;
    let padded = |size: usize| {
        let body = json!({ "key": "x" }).to_string();
        format!("{body}{}", " ".repeat(size - body.len()))
    };
    assert_eq!(
        app.verify_raw(&app.token, "application/json", padded(65_536), "")
            .await
            .status,
        200
    );
    assert_eq!(
        app.verify_raw(&app.token, "application/json", padded(65_537), "")
            .await
            .status,
        413
    );
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

#[tokio::test]
async fn the_http_style_maps_refusals_to_statuses() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await;
    let ask = async |body: serde_json::Value, query: &'static str| {
        app.verify_raw(&app.token, "application/json", body.to_string(), query)
            .await
    };
    assert_eq!(ask(json!({ "key": key.secret }), "?style=http").await.status, 200);
    assert_eq!(
        ask(
            json!({ "key": key.secret, "permissions": "admin" }),
            "?style=http"
        )
        .await
        .status,
        403
    );
    app.revoke(&key.id).await;
    let answer = ask(json!({ "key": key.secret }), "?style=http").await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("REVOKED") && answer.header("www-authenticate").contains("invalid_token"));
    let wrong = ask(json!({ "key": key.secret }), "?style=a&style=b").await;
    assert_eq!(
        (wrong.status, wrong.header("content-type")),
        (400, "application/problem+json")
    );
}

#[tokio::test]
async fn a_dry_run_counts_nothing() {
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &[]).await;
    app.ask(json!({ "key": key.secret, "dryRun": true })).await;
    app.ctx.usage.flush().await;
    assert_eq!(app.db.number("SELECT COUNT(*) FROM usage_events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn r73_ten_thousand_malformed_requests_break_nothing() {
    const REQUESTS: usize = 10_000;
    let app = TestApp::on(Backend::Sqlite).await;
    let key = app.issue("one", &["images:read"]).await.secret;
    let rng = SeededRng::new(42);
    let mut by_status = std::collections::BTreeMap::new();
    for n in 0..REQUESTS {
        let (media_type, body) = malformed(&rng, &key, n);
        let answer = app
            .verify_raw(
                &app.token,
                media_type,
                body,
                if n % 7 == 0 { "?style=http" } else { "" },
            )
            .await;
        assert!(answer.status < 500, "{}", answer.body);
        assert!(!answer.body.contains("\"valid\":true"), "{}", answer.body);
        *by_status.entry(answer.status).or_insert(0) += 1;
    }
    assert!(by_status.len() >= 3, "the generator is too tame: {by_status:?}");
    assert_eq!(app.verify(&key).await, "VALID", "and a good request still passes");
    println!("{REQUESTS} malformed requests: {by_status:?}");
}

/// Broken JSON, broken UTF-8, wrong types, mutated keys, deep nesting, strange queries.
fn malformed(rng: &SeededRng, key: &str, n: usize) -> (&'static str, Body) {
    let noise = |length: u64| {
        (0..rng.next() % length)
            .map(|_| (rng.next() & 0xff) as u8)
            .collect::<Vec<u8>>()
    };
    let mut text = json!({ "key": key, "permissions": "images:read", "tags": ["a=b"] })
        .to_string()
        .into_bytes();
    let at = (rng.next() as usize) % text.len();
    let body = match n % 9 {
        0 => noise(2_000),
        1 => {
            text[at] = (rng.next() & 0xff) as u8 ^ text[at] | 1;
            mutated_key(rng, key)
        }
        2 => text[..at].to_vec(),
        3 => {
            text.splice(at..at, noise(40).into_iter().chain([0xff]));
            text
        }
        4 => json!({ "key": mutated(rng, key), "permissions": String::from_utf8_lossy(&noise(300)) })
            .to_string()
            .into_bytes(),
        5 => json!({ "key": mutated(rng, key), "clientIp": [1, 2], "cost": "x" })
            .to_string()
            .into_bytes(),
        6 => format!("{{\"key\":{}{}", "[".repeat(at), "]".repeat(at)).into_bytes(),
        7 => json!({ "key": format!("{key}' OR '1'='1"), "resource": "'; DROP TABLE api_keys; --" })
            .to_string()
            .into_bytes(),
        _ => json!([{ "key": key }, null, 1e308]).to_string().into_bytes(),
    };
    (
        if n.is_multiple_of(11) {
            "text/plain"
        } else {
            "application/json"
        },
        Body::from(body),
    )
}

fn mutated_key(rng: &SeededRng, key: &str) -> Vec<u8> {
    json!({ "key": mutated(rng, key) }).to_string().into_bytes()
}

/// The key with one character changed: never the key itself.
fn mutated(rng: &SeededRng, key: &str) -> String {
    let at = (rng.next() as usize) % key.len();
    let changed = key.chars().enumerate().map(|(n, c)| {
        if n == at {
            if c == 'z' { 'y' } else { 'z' }
        } else {
            c
        }
    });
    changed.collect()
}
