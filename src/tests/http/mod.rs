//! The surface: every route, every header, every limit.

mod crowd;
mod sockets;

use std::collections::HashSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use keywright::server::http::middleware::access::is_public;
use keywright::server::http::router::surface;

use crate::kit::browser::HOST;
use crate::kit::{Backend, TestApp};

/// A pattern with something in place of its parameters.
fn filled(pattern: &str) -> String {
    pattern
        .replace("{id}", "key_zzzzzzzzzzzz")
        .replace(":id", "key_zzzzzzzzzzzz")
        .replace("{file}", "none.css")
}

fn request(method: &Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin")
}

#[tokio::test]
async fn r48_nobody_reaches_what_is_not_on_the_list() {
    let app = TestApp::on(Backend::Sqlite).await;
    let routes = surface();
    assert!(routes.len() > 40, "{routes:?}");
    let mut closed = 0;
    for (method, pattern) in &routes {
        let path = filled(pattern);
        let form = request(method, &path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = app.send(form.body(Body::from("id=x")).unwrap()).await;
        let machine = pattern.starts_with("/v1/") || ["/healthz", "/readyz"].contains(&pattern.as_str());
        if machine || is_public(&path) {
            continue;
        }
        closed += 1;
        let html = app
            .send(
                request(&Method::GET, &path)
                    .header(header::ACCEPT, "text/html")
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        assert_eq!(answer.status, 401, "{method} {pattern}");
        let kept_out = html.header("location").starts_with("/sign-in") || [401, 405].contains(&html.status);
        assert!(kept_out, "{method} {pattern}: {}", html.status);
    }
    println!("{} routes, {closed} closed to strangers", routes.len());
}

const POLICY_OF_DATA: [&str; 4] = [
    "default-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
];
const POLICY_OF_PAGES: [&str; 6] = [
    "default-src 'none'",
    "script-src 'self' 'nonce-",
    "style-src 'self';",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
];

#[tokio::test]
async fn r39_r40_r41_every_answer_carries_the_security_headers() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut nonces = HashSet::new();
    let mut paths: Vec<(Method, String)> = surface()
        .into_iter()
        .map(|(method, pattern)| (method, filled(&pattern)))
        .collect();
    paths.extend([
        (Method::GET, "/nothing/here".into()),
        (Method::DELETE, "/sign-in".into()),
        (Method::TRACE, "/".into()),
        (Method::GET, "/settings/x.css".into()),
    ]);
    for (method, path) in paths {
        let answer = app
            .send(request(&method, &path).body(Body::empty()).unwrap())
            .await;
        let policy = answer.header("content-security-policy");
        let is_data = path.starts_with("/v1/") || ["/healthz", "/readyz"].contains(&path.as_str());
        let parts: &[&str] = if is_data {
            &POLICY_OF_DATA
        } else {
            &POLICY_OF_PAGES
        };
        for part in parts {
            assert!(policy.contains(part), "{method} {path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {path}");
        }
        assert!(
            ["same-origin", "no-referrer"].contains(&answer.header("referrer-policy")),
            "{path}"
        );
        assert!(!answer.header("permissions-policy").is_empty());
        assert!(answer.header("x-request-id").starts_with("req_"));
        assert_eq!(answer.header("access-control-allow-origin"), "");
        if answer.status != 200 || !path.contains(".svg") {
            assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
        }
        if is_data {
            assert!(!policy.contains("'self'"), "{path}: {policy}");
            continue;
        }
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        assert!(nonces.insert(nonce), "a nonce came twice");
    }
}

#[tokio::test]
async fn r36_server_functions_and_forms_take_post_only() {
    let app = TestApp::on(Backend::Sqlite).await;
    let cookie = app.owner().await.cookie.unwrap();
    for (method, pattern) in surface() {
        if method == Method::POST && !pattern.starts_with("/settings") && !pattern.starts_with("/v1") {
            for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
                let before = app.db.number("SELECT COUNT(*) FROM audit_events").await;
                let answer = app
                    .send(
                        request(&method, &filled(&pattern))
                            .header(header::COOKIE, format!("kw_s={cookie}"))
                            .body(Body::empty())
                            .unwrap(),
                    )
                    .await;
                let page = [200, 303, 404, 410].contains(&answer.status)
                    && [Method::GET, Method::HEAD].contains(&method);
                assert!(
                    page || answer.status == 405,
                    "{method} {pattern}: {}",
                    answer.status
                );
                assert_eq!(
                    app.db.number("SELECT COUNT(*) FROM audit_events").await,
                    before,
                    "{method} {pattern} did something"
                );
            }
        }
    }
}

#[tokio::test]
async fn r35_an_act_from_another_site_does_nothing() {
    let app = TestApp::on(Backend::Sqlite).await;
    let cookie = app.owner().await.cookie.unwrap();
    let key = app.issue("one", &[]).await;
    let posts: Vec<String> = surface()
        .into_iter()
        .filter(|(method, path)| *method == Method::POST && !path.starts_with("/v1"))
        .map(|(_, path)| filled(&path))
        .collect();
    for path in posts {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "null"),
            ("origin", "https://127.0.0.1:3000"),
            ("x-nothing", ""),
        ] {
            let forged = Request::post(&path)
                .header(header::HOST, HOST)
                .header(name, value)
                .header(header::COOKIE, format!("kw_s={cookie}"))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(format!("key_id={}", key.id)))
                .unwrap();
            assert_eq!(app.send(forged).await.status, 403, "{path} with {name}: {value}");
        }
    }
    assert_eq!(app.verify(&key.secret).await, "VALID");
}

#[tokio::test]
async fn r37_forms_and_server_functions_refuse_other_content_types() {
    let app = TestApp::on(Backend::Sqlite).await;
    let cookie = app.owner().await.cookie.unwrap();
    for (method, pattern) in surface() {
        if method == Method::POST && !pattern.starts_with("/v1") {
            for media_type in ["text/plain", "multipart/form-data; boundary=x", "application/xml"] {
                let sent = request(&method, &filled(&pattern))
                    .header(header::COOKIE, format!("kw_s={cookie}"))
                    .header(header::CONTENT_TYPE, media_type)
                    .body(Body::from("a=b"))
                    .unwrap();
                // One form takes a file; this is none.
                let takes_a_file =
                    pattern == "/settings/api-keys/import" && media_type.starts_with("multipart");
                let expected = if takes_a_file { 400 } else { 415 };
                assert_eq!(app.send(sent).await.status, expected, "{pattern} {media_type}");
            }
        }
    }
}

#[tokio::test]
async fn r46_the_site_answers_under_its_own_name_only() {
    let app = TestApp::on(Backend::Sqlite).await;
    for host in [
        "evil.example",
        "127.0.0.1:3001",
        "",
        "127.0.0.1:3000.evil.example",
    ] {
        let answer = app
            .send(
                Request::get("/sign-in")
                    .header(header::HOST, host)
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        assert!(
            answer.status == 421
                || (answer.status == 307 && answer.header("location") == "http://127.0.0.1:3000/sign-in"),
            "{host}: {}",
            answer.status
        );
    }
    let alias = app
        .send(
            Request::get("/sign-in?next=%2Fx")
                .header(header::HOST, "localhost:3000")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(
        (alias.status, alias.header("location")),
        (307, "http://127.0.0.1:3000/sign-in?next=%2Fx")
    );
    let forwarded = app
        .send(
            request(&Method::GET, "/sign-in")
                .header("x-forwarded-host", "evil.example")
                .header("forwarded", "host=evil.example")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(forwarded.status == 200 && !forwarded.body.contains("evil.example"));
    let machine = app
        .send(
            Request::get("/healthz")
                .header(header::HOST, "anything")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(machine.status, 200);
}

#[tokio::test]
async fn r70_addresses_and_headers_have_limits() {
    let app = TestApp::on(Backend::Sqlite).await;
    let long = app
        .send(
            request(&Method::GET, &format!("/sign-in?next={}", "a".repeat(8_200)))
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(long.status, 413);
    let fat = app
        .send(
            request(&Method::GET, "/sign-in")
                .header("x-fat", "a".repeat(16_400))
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(fat.status, 413);
    let form = app
        .send(
            request(&Method::POST, "/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(vec![b'a'; 65_537]))
                .unwrap(),
        )
        .await;
    assert_eq!(form.status, 413);
}

#[tokio::test]
async fn broken_encodings_are_refused_with_a_readable_answer() {
    let app = TestApp::on(Backend::Sqlite).await;
    for body in [
        b"email=%FF&password=x".to_vec(),
        vec![0xff, 0xfe],
        b"email=%zz%".to_vec(),
    ] {
        let sent = request(&Method::POST, "/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "text/html")
            .body(Body::from(body))
            .unwrap();
        let answer = app.send(sent).await;
        assert!([400, 401].contains(&answer.status), "{}", answer.status);
        assert!(answer.body.contains("<h1>"));
    }
}

#[tokio::test]
async fn r41_an_unknown_style_sheet_is_no_page() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    assert_eq!(
        browser.get("/pkg/none.css").await.header("content-type"),
        "application/problem+json"
    );
    assert_eq!(browser.get("/settings/api-keys/x.css").await.status, 404);
}

#[tokio::test]
async fn r74_errors_tell_nothing_of_the_inside() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    app.db.tamper("ALTER TABLE api_keys RENAME TO gone").await;
    let answer = browser.get("/settings/api-keys").await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    for inside in [
        "SELECT",
        "api_keys k",
        "sqlx",
        "src/",
        "no such table",
        "StoreError",
    ] {
        assert!(!answer.body.contains(inside), "{inside}: {}", answer.body);
    }
    assert!(answer.body.contains("req_"));
}
