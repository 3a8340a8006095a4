//! What is no proper question is told so, and breaks nothing.

use axum::body::Body;
use serde_json::json;

use crate::kit::{Backend, SeededRng, TestApp};

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
