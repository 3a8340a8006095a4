//! Lists as long as they may be, through the forms that hold them: more than other forms take.

use keywright::server::http::middleware::limits::{BODY_MAX, RULES_MAX};
use serde_json::json;

use super::acts::{create, edited};
use crate::kit::{Answer, Browser, TestApp, on_both_databases};

/// A thousand networks, each as long as one can be written.
fn networks(group: &str) -> String {
    let one = |n: usize| format!("2001:0db8:{group}:aaaa:bbbb:cccc:dddd:{n:04x}/128");
    (0..1_000).map(one).collect::<Vec<_>>().join("\r\n")
}

fn length_of(fields: &[(&str, &str)]) -> usize {
    serde_urlencoded::to_string(fields).unwrap().len()
}

async fn posted(browser: &mut Browser, path: &str, length: usize) -> Answer {
    browser
        .post_body(path, &format!("name={}", "a".repeat(length - 5)))
        .await
}

on_both_databases! {
    async fn a_thousand_allowed_and_a_thousand_denied_networks_are_saved(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let (allow, deny, other) = (networks("1111"), networks("2222"), networks("3333"));
        let rules = [("ip_allow", allow.as_str()), ("ip_deny", deny.as_str())];
        assert!(length_of(&rules) > BODY_MAX, "more than any other form takes");
        let passes = async |secret: &str, ip: &str| app.ask(json!({ "key": secret, "clientIp": ip })).await["code"] == "VALID";

        let shown = create(&mut owner, &app, "Made", &rules).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        for (ip, expected) in [("2001:db8:1111:aaaa:bbbb:cccc:dddd:3e7", true), ("2001:db8:2222:aaaa:bbbb:cccc:dddd:3e7", false), ("2001:db8:1111:aaaa:bbbb:cccc:dddd:3e8", false)] {
            assert_eq!(passes(&secret, ip).await, expected, "{ip}");
        }

        let key = app.issue("Edited", &["images:read"]).await;
        let rules = [("ip_allow", other.as_str()), ("ip_deny", deny.as_str())];
        let saved = edited(&mut owner, key.id.as_str(), "Edited", &rules).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        assert!(passes(&key.secret, "2001:db8:3333:aaaa:bbbb:cccc:dddd:1").await);
        assert!(!passes(&key.secret, "2001:db8:1111:aaaa:bbbb:cccc:dddd:1").await);
        let page = owner.get(&format!("/settings/api-keys/{}/edit", key.id)).await;
        assert!(page.body.contains("2001:db8:3333:aaaa:bbbb:cccc:dddd:3e7"), "the form has all of them");

        let template = [("name", "Far and wide"), ("preset", "none"), ("expiry", "90"), rules[0], rules[1]];
        let made = owner.post("/settings/templates/new", &template).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let id = app.db.texts("SELECT id FROM key_templates WHERE name = 'Far and wide'").await.remove(0);
        let again = owner.post(&format!("/settings/templates/{id}"), &[&template[..], &[("version", "1")]].concat()).await;
        assert_eq!(again.status, 303, "{}", again.body);
    }

    async fn what_is_wrong_with_a_long_list_is_told_in_the_form_and_nothing_typed_is_lost(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let (allow, deny) = (networks("1111"), format!("{} 10.0.0.5/8", networks("2222")));
        let refused = create(&mut owner, &app, "Mistyped", &[("ip_allow", &allow), ("ip_deny", &deny)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("10.0.0.0/8 for the network") && refused.body.contains("2001:0db8:1111:aaaa:bbbb:cccc:dddd:03e7/128"));
    }

    async fn r70_forms_with_rules_have_a_limit_of_their_own_and_no_other_form_has(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let key = app.issue("Key", &[]).await;
        let of_key = |end: &str| format!("/settings/api-keys/{}/{end}", key.id);
        for path in ["/settings/api-keys/new".to_owned(), of_key("edit"), "/settings/templates/new".to_owned()] {
            assert_ne!(posted(&mut owner, &path, RULES_MAX).await.status, 413, "{path}");
            let long = posted(&mut owner, &path, RULES_MAX + 1).await;
            assert!(long.status == 413 && long.body.contains("512 KiB"), "{path}: {}", long.body);
        }
        for path in [of_key("rotate"), of_key("handover"), "/settings/policy/live".to_owned(), "/api/keys/disable".to_owned()] {
            assert_ne!(posted(&mut owner, &path, BODY_MAX).await.status, 413, "{path}");
            let long = posted(&mut owner, &path, BODY_MAX + 1).await;
            assert!(long.status == 413 && long.body.contains("64 KiB"), "{path}: {}", long.body);
        }
    }
}
