//! The secret of a key, and of a service token.

use serde_json::json;

use super::canaries::{canary, files_of, holds};
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::{Backend, Sink, TestApp};

#[tokio::test]
async fn r77_r43_a_secret_is_in_no_page_log_file_or_later_answer() {
    let log = Sink::default();
    let _guard = log.listen();
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let key = app.issue("canary", &["images:read"]).await;
    app.ask(json!({ "key": key.secret, "path": format!("/x?key={}", key.secret), "userAgent": key.secret }))
        .await;
    app.ask(json!({ "key": format!("{}x", key.secret) })).await;
    browser.get(&format!("/settings/api-keys?q={}", key.secret)).await;
    browser.get(&format!("/{}", key.secret)).await;
    browser.get(&format!("/settings/api-keys/{}", key.secret)).await;
    app.ctx.usage.flush().await;
    let mut pages = String::new();
    for page in [
        "/settings/api-keys".to_owned(),
        format!("/settings/api-keys/{}", key.id),
        "/settings/audit-log".to_owned(),
        "/settings/service-tokens".to_owned(),
    ] {
        pages.push_str(&browser.get(&page).await.body);
    }
    assert!(pages.contains("canary"));
    let files = files_of(app.db.folder.path());
    let log = log.bytes();
    for (name, bytes) in [("pages", pages.as_bytes()), ("database", &files), ("log", &log)] {
        for secret in [
            canary(&key.secret),
            canary(&app.token),
            browser.cookie.as_deref().unwrap(),
            PASSWORD,
        ] {
            assert!(!holds(bytes, secret.as_bytes()), "{name} hold a secret");
        }
    }
    let typed = String::from_utf8_lossy(&log);
    assert!(!typed.contains(EMAIL), "nor who signed in");
}
