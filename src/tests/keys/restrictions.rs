//! From where, for what and when a key passes: each rule in each act by which a key comes to one.

use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::edit::{self, AccessEdit, KeyEdit};
use keywright::server::domain::keys::{rotation, secured};
use keywright::server::platform::clock::Clock;
use serde_json::{Value, json};

use super::acts::{Act, create, edited, take_imports};
use crate::kit::mmdb::test_countries;
use crate::kit::{TestApp, on_both_databases};

type Fields = Vec<(&'static str, String)>;

/// The same rule mistyped, and how that is told.
struct Wrong {
    fields: Fields,
    field: &'static str,
    code: &'static str,
    says: &'static str,
}

/// A rule as a form sends it.
struct Case {
    fields: Fields,
    /// What a request must tell to pass, and what is refused with which code.
    passes: Value,
    refused: Value,
    code: &'static str,
    says: &'static str,
    wrong: Wrong,
}

fn field(name: &'static str, value: &str) -> Fields {
    vec![(name, value.to_owned())]
}

/// Every day, in a place that knows no summer time.
fn hours(from: &str, to: &str) -> Fields {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let mut fields: Fields = days.map(|day| ("hours_days", day.to_owned())).into();
    for (name, value) in [
        ("hours_from", from),
        ("hours_to", to),
        ("hours_zone", "Asia/Kolkata"),
    ] {
        fields.push((name, value.to_owned()));
    }
    fields
}

/// What is to be refused by the clock is asked so much later.
fn shift_ms(code: &str) -> i64 {
    match code {
        "OUTSIDE_HOURS" => 2 * HOUR_MS,
        "NOT_YET_VALID" => -(DAY_MS + HOUR_MS),
        _ => 0,
    }
}

fn cases(app: &TestApp) -> Vec<Case> {
    let today = app.clock.now().iso_date();
    let in_kolkata = app.clock.now().plus_ms(5 * HOUR_MS + 30 * MINUTE_MS);
    let (from, to) = (in_kolkata.clock_time(), in_kolkata.plus_ms(HOUR_MS).clock_time());
    let case = |fields, passes, refused, code, says, wrong: (Fields, _, _, _)| {
        let (mistyped, field, its_code, its_words) = wrong;
        Case {
            fields,
            passes,
            refused,
            code,
            says,
            wrong: Wrong {
                fields: mistyped,
                field,
                code: its_code,
                says: its_words,
            },
        }
    };
    let wrong = |name, value: &str, code, says| (field(name, value), name, code, says);
    vec![
        case(
            field("ip_allow", "10.0.0.0/8\n2001:db8::/32"),
            json!({ "clientIp": "10.1.2.3" }),
            json!({ "clientIp": "203.0.113.7" }),
            "IP_NOT_ALLOWED",
            "not among those",
            wrong(
                "ip_allow",
                "10.0.0.5/8",
                "host_bits",
                "Write 10.0.0.0/8 for the network",
            ),
        ),
        case(
            field("ip_deny", "203.0.113.0/24"),
            json!({ "clientIp": "10.1.2.3" }),
            json!({ "clientIp": "::ffff:203.0.113.7" }),
            "IP_NOT_ALLOWED",
            "denied by 203.0.113.0/24",
            wrong("ip_deny", "0.0.0.0/0", "everything", "is every address"),
        ),
        case(
            field("country_allow", "DE\nFR"),
            json!({ "clientIp": "198.51.100.7" }),
            json!({ "clientIp": "2001:db8::7" }),
            "COUNTRY_NOT_ALLOWED",
            "is in Japan (JP), which is not among",
            wrong(
                "country_allow",
                "DE UK",
                "country",
                "UK is not a country code; use GB.",
            ),
        ),
        case(
            field("country_deny", "JP\nKP"),
            json!({ "clientIp": "10.1.2.3" }),
            json!({ "clientIp": "2001:db8::7" }),
            "COUNTRY_NOT_ALLOWED",
            "Japan (JP) is denied",
            wrong(
                "country_deny",
                "JP KP jp",
                "twice",
                "Japan (JP) stands here twice",
            ),
        ),
        case(
            field("resource_allow", "gpt-4.1*"),
            json!({ "resource": "gpt-4.1-mini" }),
            json!({ "resource": "gpt-4" }),
            "RESOURCE_NOT_ALLOWED",
            "not among those",
            wrong("resource_allow", "gpt**", "syntax", "two say no more"),
        ),
        case(
            field("resource_deny", "*-opus-*"),
            json!({ "resource": "gpt-4.1" }),
            json!({ "resource": "claude-opus-4" }),
            "RESOURCE_NOT_ALLOWED",
            "denied by *-opus-*",
            wrong("resource_deny", "*", "everything", "is every resource"),
        ),
        case(
            hours(&from, &to),
            Value::Null,
            Value::Null,
            "OUTSIDE_HOURS",
            "in Asia/Kolkata",
            (hours("25:00", "12:00"), "hours_from", "time", "HH:MM"),
        ),
        case(
            field("not_before", &today),
            Value::Null,
            Value::Null,
            "NOT_YET_VALID",
            "valid from",
            wrong("not_before", "soon", "date", "YYYY-MM-DD"),
        ),
    ]
}

fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

async fn ask(app: &TestApp, secret: &str, told: &Value) -> Value {
    let mut body = json!({ "key": secret });
    if let (Some(body), Some(told)) = (body.as_object_mut(), told.as_object()) {
        body.extend(told.clone());
    }
    app.ask(body).await
}

/// The key passes what it should and refuses the rest, with the code and the reason.
async fn holds(app: &TestApp, secret: &str, case: &Case) {
    let now = app.clock.now();
    assert_eq!(
        ask(app, secret, &case.passes).await["code"],
        "VALID",
        "{}",
        case.code
    );
    app.clock.advance_ms(shift_ms(case.code));
    let refused = ask(app, secret, &case.refused).await;
    app.clock.advance_ms(now.ms() - app.clock.now().ms());
    assert_eq!(refused["code"], case.code, "{refused}");
    assert!(
        refused["denial"]["detail"].as_str().unwrap().contains(case.says),
        "{refused}"
    );
    if case.refused.is_object() {
        let silent = ask(app, secret, &Value::Null).await;
        assert_eq!(
            silent["code"], case.code,
            "a request that does not say is refused"
        );
    }
}

on_both_databases! {
    async fn each_restriction_holds_in_each_act(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        take_imports(&app).await;
        let mut owner = app.owner().await;
        let mut cells = 0;
        for (n, case) in cases(&app).iter().enumerate() {
            for act in Act::ALL {
                let what = format!("{act:?} with {}", case.wrong.field);
                let done = act.attempt(&app, &mut owner, n, &borrowed(&case.fields)).await;
                let keys = done.unwrap_or_else(|refused| panic!("{what}: {refused:?}"));
                for secret in &keys.secrets {
                    holds(&app, secret, case).await;
                }
                cells += 2;
                if !act.takes_rules() {
                    continue;
                }
                let before = app.db.texts("SELECT id || COALESCE(restrictions, '') FROM api_keys ORDER BY id").await;
                let Err(refused) = act.attempt(&app, &mut owner, 100 + n, &borrowed(&case.wrong.fields)).await else {
                    panic!("{what} was not refused");
                };
                assert_eq!(refused.field, case.wrong.field, "{what}: {refused:?}");
                assert!(refused.text.contains(case.wrong.says), "{what}: {refused:?}");
                assert_eq!(refused.code, case.wrong.code, "{what}: {refused:?}");
                let mut after = app.db.texts("SELECT id || COALESCE(restrictions, '') FROM api_keys ORDER BY id").await;
                after.retain(|row| !act.prepares() || before.contains(row));
                assert_eq!(before, after, "{what}: nothing is half done");
                cells += 1;
            }
        }
        eprintln!("restrictions on {backend:?}: {cells} cells of create, edit, rotate and import, allowed and refused");
    }

    async fn an_allowed_resource_that_is_denied_altogether_is_refused_in_each_act(backend: Backend) {
        let app = TestApp::on(backend).await;
        take_imports(&app).await;
        let mut owner = app.owner().await;
        let dead = [("resource_allow", "gpt-4.1 claude-*"), ("resource_deny", "gpt-*")];
        for act in Act::ALL.into_iter().filter(|act| act.takes_rules()) {
            let Err(refused) = act.attempt(&app, &mut owner, 1, &dead).await else { panic!("{act:?} took it") };
            assert_eq!(refused.field, "resource_allow", "{act:?}: {refused:?}");
            assert!(refused.text.contains("gpt-4.1 is allowed here and denied by gpt-* below"), "{act:?}: {refused:?}");
            let alive = [("resource_allow", "gpt-*"), ("resource_deny", "gpt-4.1*")];
            assert!(act.attempt(&app, &mut owner, 2, &alive).await.is_ok(), "{act:?}");
        }
    }

    async fn a_key_with_such_a_resource_from_before_goes_on_and_is_told_when_it_is_edited(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("From before", &["images:read"]).await;
        let actor = app.operator();
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        let scope = actor.require(Permission::KeysManageAny).unwrap();
        let mut row = secured::find(&app.ctx, &mut tx, &actor, &key.id).await.unwrap();
        row.restrictions = Some(r#"{"resources":{"allow":["gpt-4.1","claude-*"],"deny":["gpt-*"]}}"#.to_owned());
        secured::save(&app.ctx, &mut tx, &scope, row, app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        app.ctx.key_cache.forget_everything();
        for (resource, code) in [("claude-x", "VALID"), ("gpt-4.1", "RESOURCE_NOT_ALLOWED")] {
            assert_eq!(ask(&app, &key.secret, &json!({ "resource": resource })).await["code"], code);
        }
        let renamed = KeyEdit { name: "Renamed", purpose: "", rotation_days: "", access: None };
        assert!(edit::save(&app.ctx, &actor, &key.id, &renamed).await.is_ok());
        let overlap = Overlap::parse("1h", "", false).unwrap();
        assert!(rotation::start(&app.ctx, &actor, &key.id, overlap, None).await.is_ok());
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}/edit", key.id)).await;
        assert!(page.status == 200 && page.body.contains(">gpt-4.1\nclaude-*</textarea>"), "{}", page.body);
        let rules = [("resource_allow", "claude-*\r\ngpt-4.1"), ("resource_deny", "gpt-*")];
        let told = edited(&mut owner, key.id.as_str(), "Again", &rules).await;
        assert!(told.status == 422 && told.body.contains("gpt-4.1 is allowed here and denied by gpt-* below"), "{}", told.body);
    }

    async fn an_edited_restriction_is_in_the_form_again_and_can_be_taken_out(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let mut owner = app.owner().await;
        for (n, case) in cases(&app).iter().enumerate() {
            let name = format!("edited {n}");
            let wrong = create(&mut owner, &app, &name, &borrowed(&case.wrong.fields)).await;
            assert!(wrong.status == 422 && wrong.body.contains("<details open"), "the mistake is in sight");
            let plain = app.issue(&name, &["images:read"]).await;
            let id = plain.id.to_string();
            assert_eq!(edited(&mut owner, &id, &name, &borrowed(&case.fields)).await.status, 303);
            let page = owner.get(&format!("/settings/api-keys/{id}/edit")).await;
            for (field, value) in case.fields.iter().filter(|(field, _)| *field != "hours_days") {
                let first = value.lines().next().unwrap();
                assert!(page.body.contains(first), "{field} is in the form again");
            }
            // Taken out again, nothing of it is left.
            assert_eq!(edited(&mut owner, &id, &name, &[]).await.status, 303);
            assert_eq!(ask(&app, &plain.secret, &case.refused).await["code"], "VALID", "{}", case.code);
        }
    }

    async fn addresses_can_be_ticked_where_one_is_and_where_the_key_was_seen(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        for ip in ["198.51.100.4", "198.51.100.4", "198.51.100.9"] {
            app.ask(json!({ "key": key.secret, "clientIp": ip })).await;
        }
        app.ctx.usage.flush().await;
        let mut owner = app.owner().await;
        owner.peer = "203.0.113.50:4000".to_owned();
        let page = owner.get(&format!("/settings/api-keys/{}/edit", key.id)).await;
        assert!(page.body.contains("seen in the last 30 days") && page.body.contains("2 requests, last"), "{}", page.body);
        assert!(page.body.contains("value=\"203.0.113.50\""), "where one is now");
        let form = [("ip_allow", "10.0.0.0/8"), ("ip_more", "198.51.100.4"), ("ip_more", "203.0.113.50")];
        assert_eq!(edited(&mut owner, key.id.as_str(), "Nightly export", &form).await.status, 303);
        for (ip, code) in [("198.51.100.4", "VALID"), ("203.0.113.50", "VALID"), ("10.9.9.9", "VALID"), ("198.51.100.9", "IP_NOT_ALLOWED")] {
            assert_eq!(ask(&app, &key.secret, &json!({ "clientIp": ip })).await["code"], code, "{ip}");
        }
    }

    async fn r26_to_let_a_live_key_do_more_is_for_whoever_may_create_one_and_says_who_they_are(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let key = app.issue("Hers", &["images:read"]).await;
        app.give_key(key.id.as_str(), &grace.account).await;
        let actor = app.signed_in(&grace.browser).await.unwrap().actor;
        let to = async |actor, scopes: Vec<&str>, ip: &str| {
            let mut access = AccessEdit { scopes, ..AccessEdit::default() };
            access.restrictions.ip_allow = vec![ip];
            let typed = KeyEdit { name: "Hers", purpose: "", rotation_days: "", access: Some(access) };
            edit::save(&app.ctx, actor, &key.id, &typed).await
        };
        assert!(to(&actor, vec!["images:read"], "10.0.0.0/8").await.is_ok(), "to narrow it is theirs");
        for (scopes, ip) in [(vec!["images:read", "admin"], "10.0.0.0/8"), (vec!["images:read"], ""), (vec!["images:read"], "10.0.0.0/8 11.0.0.0/8")] {
            let refused = to(&actor, scopes, ip).await;
            assert!(matches!(refused, Err(DomainError::Denied(_))), "{refused:?}");
        }
        let mut owner = app.owner().await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let narrower = edited(&mut owner, key.id.as_str(), "Hers", &[("ip_allow", "10.1.0.0/16")]).await;
        assert_eq!(narrower.status, 303, "nothing is asked to restrict: {}", narrower.body);
        assert!(edited(&mut owner, key.id.as_str(), "Hers", &[("ip_allow", "10.0.0.0/8")]).await.asks_who());
    }

    async fn r80_a_restriction_edited_in_the_database_is_found(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let shown = create(&mut owner, &app, "Edited", &[("ip_allow", "10.0.0.0/8")]).await;
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        let from = json!({ "clientIp": "10.1.2.3" });
        assert_eq!(ask(&app, &secret, &from).await["code"], "VALID");
        let stored = app.db.texts("SELECT restrictions FROM api_keys").await.remove(0);
        for edit in ["restrictions = NULL", "restrictions = '{}'", "not_before_ms = 0"] {
            app.db.tamper(&format!("UPDATE api_keys SET {edit}")).await;
            app.ctx.key_cache.forget_everything();
            assert_eq!(ask(&app, &secret, &from).await["code"], "NOT_FOUND", "{edit}");
            app.db.tamper(&format!("UPDATE api_keys SET restrictions = '{stored}', not_before_ms = NULL")).await;
        }
        app.ctx.key_cache.forget_everything();
        assert_eq!(ask(&app, &secret, &from).await["code"], "VALID", "as it was");
    }

    async fn a_key_that_begins_later_shows_so_and_cannot_begin_after_its_end(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let tomorrow = app.clock.now().plus_ms(DAY_MS).iso_date();
        let shown = create(&mut owner, &app, "Tomorrow", &[("not_before", &tomorrow)]).await;
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!(app.verify(&secret).await, "NOT_YET_VALID");
        assert!(owner.get("/settings/api-keys?status=not_yet_valid").await.body.contains(">Tomorrow<"));
        app.clock.advance_ms(DAY_MS);
        assert_eq!(app.verify(&secret).await, "VALID");
        let mut owner = app.owner().await;
        let late = create(&mut owner, &app, "Never", &[("not_before", "2099-01-01")]).await;
        assert!(late.status == 422 && late.body.contains("before it begins"), "{}", late.body);
    }
}
