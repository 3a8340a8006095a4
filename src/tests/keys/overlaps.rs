//! What forms offer of an overlap: nothing that the policy refuses, and a default that it allows.

use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::server::domain::keys::rotation;
use keywright::server::platform::clock::Clock;

use super::nonce;
use crate::kit::app::Issued;
use crate::kit::{Answer, TestApp, on_both_databases};
use crate::policy::{save, save_for};

const START: &str = "/settings/rotation/start";

/// The lengths that a form offers, and the one it begins with.
fn offered(page: &Answer) -> (Vec<&str>, &str) {
    let radios = page
        .body
        .split("type=\"radio\" name=\"overlap\" value=\"")
        .skip(1);
    let radios: Vec<(&str, bool)> = radios
        .map(|rest| {
            let (value, rest) = rest.split_once('"').unwrap();
            (value, rest.split('>').next().unwrap().contains("checked"))
        })
        .collect();
    let first = radios
        .iter()
        .filter(|(_, checked)| *checked)
        .map(|(value, _)| *value)
        .collect::<Vec<_>>();
    assert_eq!(first.len(), 1, "one is chosen: {}", page.body);
    (radios.iter().map(|(value, _)| *value).collect(), first[0])
}

async fn allow(app: &TestApp, environment: Environment, hours: &str) {
    let days = if environment == Environment::Live {
        "90"
    } else {
        "180"
    };
    let rules = [
        ("max_overlap_hours", hours),
        ("rotation_days", days),
        ("creators", "admins"),
    ];
    save_for(app, environment, &rules, "").await.unwrap();
}

on_both_databases! {
    async fn the_form_that_rotates_a_key_offers_what_the_policy_allows(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (live, test) = (app.issue("Live", &[]).await, app.try_issue("Test", "test", &[], "90").await.unwrap());
        let mut owner = app.owner().await;
        let at = |key: &Issued| format!("/settings/api-keys/{}/rotate", key.id);
        let most: [(&str, &[&str], &str, &str, &str); 4] = [
            ("720", &["now", "1h", "24h", "3d", "7d", "custom"], "24h", "Until then both go on, for thirty days at most.", "1 to 720, which are 30 days."),
            ("36", &["now", "1h", "24h", "custom"], "24h", "Until then both go on, for 36 hours at most.", "1 to 36."),
            ("1", &["now", "1h"], "1h", "Until then both go on, for 1 hour at most.", "The policy lets an old secret go on for 1 hour at most."),
            ("0", &["now"], "now", "The policy lets no old secret go on beside a new one.", ""),
        ];
        for (hours, lengths, first, said, hint) in most {
            allow(&app, Environment::Live, hours).await;
            let page = owner.get(&at(&live)).await;
            assert_eq!(offered(&page), (lengths.to_vec(), first), "{hours}");
            assert!(page.body.contains(said) && page.body.contains(hint), "{hours}: {}", page.body);
            assert_eq!(page.body.contains("thirty days"), hours == "720", "{hours}");
            assert_eq!(page.body.contains("from_first_use"), hours != "0", "{hours}");
            let mark = nonce(&mut owner, &at(&live)).await;
            let untouched = owner.post(&at(&live), &[("nonce", &mark), ("overlap", first)]).await;
            assert_eq!(untouched.status, 200, "{hours}: as it stands it is accepted: {}", untouched.body);
            rotation::finish(&app.ctx, &app.operator(), &live.id).await.ok();
        }
        let of_test = owner.get(&at(&test)).await;
        assert_eq!(offered(&of_test).1, "24h", "the other environment has its own rules");
        assert!(of_test.body.contains("for thirty days at most"), "{}", of_test.body);
        // Chosen before the policy changed: told, and only what is allowed is offered again.
        let mark = nonce(&mut owner, &at(&live)).await;
        let late = owner.post(&at(&live), &[("nonce", &mark), ("overlap", "24h")]).await;
        assert!(late.status == 422 && late.body.contains("Choose none."), "{}", late.body);
        assert_eq!(offered(&late), (vec!["now"], "now"));
    }

    async fn an_extension_is_offered_as_far_as_the_policy_lets_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let overlap = Overlap::parse("1h", "", false).unwrap();
        rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None).await.unwrap();
        let at = format!("/settings/api-keys/{}/rotate/extend", key.id);
        app.clock.advance_ms(HOUR_MS / 2);
        let mut owner = app.owner().await;
        let page = owner.get(&at).await;
        assert_eq!(offered(&page), (vec!["1h", "24h", "3d", "7d", "custom"], "24h"));
        assert!(page.body.contains("Two secrets are good at once for thirty days at most."), "{}", page.body);
        save(&app, &[("max_overlap_hours", "12")], "").await.unwrap();
        let page = owner.get(&at).await;
        assert_eq!(offered(&page), (vec!["1h", "custom"], "1h"));
        for words in ["The policy lets two secrets be good at once for 12 hours at most.", "1 to 11."] {
            assert!(page.body.contains(words) && !page.body.contains("thirty days"), "{words}: {}", page.body);
        }
        let longest = owner.post(&at, &[("overlap", "custom"), ("overlap_hours", "11")]).await;
        assert_eq!(longest.status, 303, "{}", longest.body);
        let over = owner.get(&at).await;
        assert!(over.body.contains("It cannot go on any longer.") && over.body.contains("for 12 hours at most"), "{}", over.body);
        assert!(!over.body.contains("name=\"overlap\""), "nothing to choose, so no form: {}", over.body);
    }

    async fn rotations_of_many_begin_with_what_is_allowed_for_all_of_them(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (live, test) = (app.issue("Live", &[]).await, app.try_issue("Test", "test", &[], "90").await.unwrap());
        allow(&app, Environment::Live, "1").await;
        let mut ada = app.owner().await;
        let ids = [live.id.to_string(), test.id.to_string()];
        let page = ada.post(START, &[("key", &ids[0]), ("key", &ids[1])]).await;
        assert_eq!(offered(&page), (vec!["now", "1h"], "1h"));
        for words in ["Start 2 rotations?", "those of live keys 1 hour at most, those of test keys thirty days at most", "the shorter time holds", "value=\"3600000.0\""] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let versions = ids.clone().map(|id| format!("{id}:1"));
        let form = [("key", versions[0].as_str()), ("key", &versions[1]), ("step", "apply"), ("overlap", "1h"), ("seen", "3600000.0")];
        let done = ada.post(START, &form).await;
        assert!(done.header("location").ends_with("n=2&skipped=0&changed=0&missing=0"), "{}", done.body);
        // The live key waits now, so the test key alone decides.
        app.db.tamper(&format!("DELETE FROM opened_rotations WHERE key_id = '{}'", ids[1])).await;
        let page = ada.post(START, &[("key", &ids[0]), ("key", &ids[1])]).await;
        assert_eq!(offered(&page).1, "24h", "{}", page.body);
    }

    async fn whoever_leaves_hands_over_with_an_overlap_that_is_allowed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let key = app.issue("Hers", &[]).await;
        app.give_key(key.id.as_str(), &grace.account).await;
        allow(&app, Environment::Live, "0").await;
        let mut owner = app.owner().await;
        let at = format!("/settings/members/{}/offboard", grace.account);
        let page = owner.get(&at).await;
        assert_eq!(offered(&page), (vec!["now"], "now"), "of live keys alone");
        assert!(page.body.contains("The policy lets no old secret go on beside a new one."), "{}", page.body);
        let heir = app.account.to_string();
        let form = [("departure", "remove"), ("heir", heir.as_str()), (key.id.as_str(), "transfer_and_rotate"), ("overlap", "now")];
        assert_eq!(owner.post(&at, &form).await.status, 303);
    }

    async fn running_rotations_beyond_those_listed_are_counted(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..53 {
            app.try_issue(&format!("Key {n}"), "live", &[], "none").await.unwrap();
        }
        let until = app.clock.now().plus_ms(DAY_MS).ms();
        let running = format!("UPDATE api_keys SET overlap_until_ms = {until} WHERE name <> 'Key 0'");
        app.db.tamper(&running).await;
        app.db.tamper("UPDATE api_keys SET status = 'disabled' WHERE name = 'Key 1'").await;
        let mut owner = app.owner().await;
        let page = owner.get("/settings/rotation").await;
        assert!(page.body.contains("And 1 more key; those that end first stand here."), "{}", page.body);
        assert!(page.body.contains("href=\"/settings/api-keys?status=rotating\""), "{}", page.body);
        let listed = owner.get("/settings/api-keys?status=rotating").await;
        assert!(listed.body.contains("51 keys match"), "{}", listed.body);
        app.db.tamper("UPDATE api_keys SET status = 'disabled' WHERE name = 'Key 2'").await;
        let page = owner.get("/settings/rotation").await;
        assert!(!page.body.contains("more key"), "all fifty stand there: {}", page.body);
    }
}
