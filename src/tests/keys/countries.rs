//! Countries: what can be told of addresses, and what happens where nothing can.

use std::net::IpAddr;

use keywright::model::country::CountryCode;
use keywright::model::restriction::Whereabouts;
use keywright::server::domain::diagnosis::{self, Weight};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::router::router;
use keywright::server::http::state::AppState;
use keywright::server::platform::countries::CountryDatabase;
use serde_json::{Value, json};

use super::acts::{create, edited, take_imports};
use super::import::{import, old_key, sha256};
use crate::command_line::{PASSWORD, SET_UP, json as answer, refusal, run};
use crate::kit::mmdb::{CountryFile, NETWORKS, Value as Mmdb, countries, database, test_countries};
use crate::kit::{TestApp, on_both_databases};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn in_country(code: &str) -> Whereabouts {
    Whereabouts::In(CountryCode::from_letters(code).unwrap())
}

/// The same installation, served by a process that was given no country database.
async fn without_database(app: &mut TestApp) {
    app.ctx = app.another_process().await;
    app.router = router(AppState {
        ctx: app.ctx.clone(),
        assets: &EMBEDDED,
    });
}

async fn ask_from(app: &TestApp, secret: &str, ip: &str) -> Value {
    app.ask(json!({ "key": secret, "clientIp": ip })).await
}

/// What the doctor says of countries.
async fn doctor(app: &TestApp) -> (Weight, String) {
    let findings = diagnosis::examine(&app.ctx).await;
    let found = findings
        .into_iter()
        .find(|finding| finding.check == "countries")
        .unwrap();
    (found.weight, found.detail)
}

#[test]
fn addresses_are_told_by_the_file_in_each_of_their_forms() {
    let held = test_countries();
    for (text, expected) in [
        ("198.51.100.1", in_country("DE")),
        ("::ffff:198.51.100.1", in_country("DE")),
        ("203.0.113.127", in_country("FR")),
        ("203.0.113.128", in_country("US")),
        ("2001:db8:ffff::1", in_country("JP")),
        ("2001:db9::1", Whereabouts::Unknown),
        ("10.1.2.3", Whereabouts::Unknown),
        ("192.0.2.1", Whereabouts::Unknown),
    ] {
        assert_eq!(held.whereabouts(address(text)), expected, "{text}");
    }
    assert_eq!(held.edition().unwrap().kind, "Test-Country");
    assert_eq!(
        CountryDatabase::default().whereabouts(address("198.51.100.1")),
        Whereabouts::Untold
    );
    let v4 = vec![(
        "198.51.100.0/24".parse().unwrap(),
        Mmdb::Map(vec![("country", Mmdb::Map(vec![("iso_code", Mmdb::Text("DE"))]))]),
    )];
    let v4 = CountryFile::new(&database("Test-Country", 4, v4)).open();
    assert_eq!(v4.whereabouts(address("198.51.100.1")), in_country("DE"));
    assert_eq!(
        v4.whereabouts(address("2001:db8::1")),
        Whereabouts::Untold,
        "a file without IPv6 cannot say"
    );
}

#[test]
fn another_file_is_read_anew_and_a_damaged_one_changes_nothing() {
    let file = CountryFile::new(&countries(NETWORKS));
    let held = file.open();
    let here = || held.whereabouts(address("198.51.100.1"));
    assert!(!held.refresh().unwrap(), "it is the same file");
    file.replace(&countries(&[("198.51.100.0/24", "AT")]));
    assert_eq!(here(), in_country("DE"), "until it is looked at");
    assert!(held.refresh().unwrap());
    assert_eq!(here(), in_country("AT"));
    file.replace(b"half a download");
    assert!(
        held.refresh()
            .unwrap_err()
            .to_string()
            .contains("is no country database")
    );
    assert_eq!(
        (held.refresh().unwrap(), here()),
        (false, in_country("AT")),
        "told once, and the old one goes on"
    );
    std::fs::remove_file(file.path()).unwrap();
    assert!(held.refresh().unwrap_err().to_string().contains("cannot be read"));
    assert_eq!((held.refresh().unwrap(), here()), (false, in_country("AT")));
    file.replace(&countries(NETWORKS));
    assert_eq!((held.refresh().unwrap(), here()), (true, in_country("DE")));
}

#[test]
fn what_cannot_be_a_country_database_is_refused_with_the_reason() {
    let missing = CountryDatabase::open(Some("/nowhere/countries.mmdb".as_ref()))
        .err()
        .unwrap()
        .to_string();
    assert!(
        missing.contains("/nowhere/countries.mmdb cannot be read")
            && missing.contains("KEYWRIGHT_COUNTRY_DATABASE"),
        "{missing}"
    );
    let networks = |value| vec![("198.51.100.0/24".parse().unwrap(), value)];
    let number = networks(Mmdb::Map(vec![(
        "autonomous_system_number",
        Mmdb::Number32(64_496),
    )]));
    let flat = networks(Mmdb::Map(vec![("country", Mmdb::Text("DE"))]));
    for (bytes, says) in [
        (
            database("Test-ASN", 6, number),
            "none of its networks has a country; it is of the kind “Test-ASN”",
        ),
        (database("Flat", 6, flat), "is no country database"),
        (countries(&[]), "none of its networks has a country"),
        (b"PK\x03\x04".to_vec(), "is no country database"),
        (Vec::new(), "is no country database"),
    ] {
        let file = CountryFile::new(&bytes);
        let refused = CountryDatabase::open(Some(&file.path()))
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains(says) && refused.contains("GeoLite2-Country.mmdb"),
            "{refused}"
        );
        assert!(!CountryDatabase::open_or_without(Some(&file.path())).is_ready());
    }
}

#[test]
fn a_command_that_writes_rules_needs_the_database_and_a_server_does_not_start_with_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(run(root, &SET_UP, PASSWORD).status.success());
    let file = CountryFile::new(&countries(NETWORKS));
    let path = file.path().display().to_string();
    let issue = |name: &str, more: &[&str]| {
        let mut words = vec![
            "keys",
            "issue",
            "--project",
            "image-api",
            "--environment",
            "test",
            "--name",
            name,
            "--scope",
            "images:read",
            "--json",
        ];
        words.extend(more);
        run(root, &words, "")
    };
    assert_eq!(
        refusal(&issue("none", &["--allow-country", "DE"])),
        (1, "invalid".into())
    );
    assert_eq!(
        refusal(&issue(
            "wrong",
            &["--allow-country", "UK", "--country-database", &path]
        )),
        (1, "invalid".into())
    );
    let made = issue(
        "right",
        &[
            "--allow-country",
            "fr,DE",
            "--deny-country",
            "KP",
            "--country-database",
            &path,
        ],
    );
    assert!(made.status.success(), "{made:?}");
    let doctor = answer(&run(root, &["doctor", "--json"], ""));
    let finding = doctor["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "countries")
        .unwrap();
    assert_eq!(
        (
            finding["weight"].as_str(),
            finding["detail"].as_str().unwrap().contains("1 key.")
        ),
        (Some("broken"), true),
        "{finding}"
    );
    let stopped = run(
        root,
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--country-database",
            "/nowhere.mmdb",
            "--json",
        ],
        "",
    );
    assert_eq!(refusal(&stopped), (1, "country_database".into()));
    // What only reads or ends keys goes on.
    assert!(
        run(
            root,
            &["keys", "list", "--country-database", "/nowhere.mmdb", "--json"],
            ""
        )
        .status
        .success()
    );
}

on_both_databases! {
    async fn without_a_database_no_rule_is_saved_and_the_forms_say_what_is_needed(backend: Backend) {
        let app = TestApp::on(backend).await;
        take_imports(&app).await;
        let mut owner = app.owner().await;
        let key = app.issue("Plain", &["images:read"]).await;
        for page in ["/settings/api-keys/new".to_owned(), format!("/settings/api-keys/{}/edit", key.id), "/settings/templates/new".to_owned()] {
            let body = owner.get(&page).await.body;
            assert!(body.contains("KEYWRIGHT_COUNTRY_DATABASE") && !body.contains("name=\"country_allow\""), "{page}");
        }
        let says = "and this installation has none";
        let created = create(&mut owner, &app, "Ruled", &[("country_allow", "DE")]).await;
        assert!(created.status == 422 && created.body.contains("country_allow-error") && created.body.contains(says), "{}", created.body);
        assert!(created.body.contains(">DE</textarea>"), "what was typed is there to be taken out");
        let changed = edited(&mut owner, key.id.as_str(), "Plain", &[("country_deny", "KP")]).await;
        assert!(changed.status == 422 && changed.body.contains("country_deny-error") && changed.body.contains(says));
        let template = [("name", "T"), ("project", ""), ("environment", "test"), ("preset", "none"), ("expiry", "30"), ("country_allow", "DE")];
        let template = owner.post("/settings/templates/new", &template).await;
        assert!(template.status == 422 && template.body.contains(says), "{}", template.body);
        let linked = owner.get("/settings/api-keys/new?name=Linked&country_allow=DE").await;
        assert!(linked.body.contains(says) && linked.body.contains(">DE</textarea>"), "a link cannot say it either");
        let file = format!("digest,name,environment,owner,country_allow\n{},Old,live,team:x,DE\n", sha256(&old_key(1)));
        let told = import(&app, &file).await.unwrap().mistakes;
        assert_eq!((told[0].column.as_str(), told[0].code.as_str()), ("country_allow", "no_database"));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys WHERE restrictions IS NOT NULL").await, 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_templates WHERE name = 'T'").await, 0);
        assert_eq!(doctor(&app).await.0, Weight::Fine, "nothing needs one");
    }

    async fn a_rule_whose_database_is_gone_refuses_every_request_and_says_so(backend: Backend) {
        let mut app = TestApp::on_with_countries(backend, test_countries()).await;
        let mut owner = app.owner().await;
        let shown = create(&mut owner, &app, "European", &[("country_allow", "fr DE")]).await;
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        let plain = app.issue("Plain", &["images:read"]).await;
        assert_eq!(ask_from(&app, &secret, "198.51.100.7").await["code"], "VALID");
        let id = app.db.texts("SELECT id FROM api_keys WHERE name = 'European'").await.remove(0);
        let page = owner.get(&format!("/settings/api-keys/{id}")).await.body;
        assert!(page.contains("Only from addresses in Germany, France.") && !page.contains("Every request is refused."), "{page}");
        assert!(doctor(&app).await.1.contains("Countries are told by Test-Country"));

        without_database(&mut app).await;
        let mut owner = app.owner().await;
        let refused = ask_from(&app, &secret, "198.51.100.7").await;
        assert_eq!(refused["code"], "COUNTRY_NOT_ALLOWED");
        assert!(refused["denial"]["detail"].as_str().unwrap().contains("no country database is there"), "{refused}");
        assert_eq!(ask_from(&app, &plain.secret, "198.51.100.7").await["code"], "VALID", "it concerns no other key");
        let page = owner.get(&format!("/settings/api-keys/{id}")).await.body;
        assert!(page.contains("Every request is refused.") && page.contains("KEYWRIGHT_COUNTRY_DATABASE"), "{page}");
        let (weight, detail) = doctor(&app).await;
        assert!(weight == Weight::Broken && detail.contains("1 key."), "{detail}");
        let form = owner.get(&format!("/settings/api-keys/{id}/edit")).await.body;
        assert!(form.contains(">DE\nFR</textarea>") && form.contains("so a key with this rule is refused"), "{form}");
        let kept = [("country_allow", "DE FR"), ("ip_deny", "203.0.113.66")];
        assert_eq!(edited(&mut owner, &id, "Renamed", &kept).await.status, 303, "the rest can be edited");
        assert_eq!(edited(&mut owner, &id, "Renamed", &[("country_allow", "DE")]).await.status, 422, "not the countries");
        assert_eq!(edited(&mut owner, &id, "Renamed", &[]).await.status, 303, "but they can be taken out");
        assert_eq!(ask_from(&app, &secret, "198.51.100.7").await["code"], "VALID");
    }

    async fn who_has_no_address_or_no_country_passes_where_it_is_not_a_question(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let mut owner = app.owner().await;
        let (mut secrets, lists) = (Vec::new(), [("country_allow", "DE"), ("country_deny", "US")]);
        for rule in lists {
            let shown = create(&mut owner, &app, rule.0, &[rule]).await;
            secrets.push(shown.between("id=\"secret\">", "<").to_owned());
        }
        for (ip, by_allow, by_deny) in [
            ("198.51.100.1", "VALID", "VALID"),
            ("203.0.113.1", "COUNTRY_NOT_ALLOWED", "VALID"),
            ("203.0.113.200", "COUNTRY_NOT_ALLOWED", "COUNTRY_NOT_ALLOWED"),
            ("10.1.2.3", "COUNTRY_NOT_ALLOWED", "VALID"),
            ("192.0.2.1", "COUNTRY_NOT_ALLOWED", "VALID"),
            ("unknown", "COUNTRY_NOT_ALLOWED", "COUNTRY_NOT_ALLOWED"),
        ] {
            let codes = (ask_from(&app, &secrets[0], ip).await, ask_from(&app, &secrets[1], ip).await);
            assert_eq!((codes.0["code"].as_str(), codes.1["code"].as_str()), (Some(by_allow), Some(by_deny)), "{ip}");
        }
        let unknown = ask_from(&app, &secrets[0], "10.1.2.3").await;
        assert!(unknown["denial"]["detail"].as_str().unwrap().contains("The country of 10.1.2.3 is not known"));
        let http = app.verify_raw(&app.token, "application/json", json!({ "key": secrets[0], "clientIp": "203.0.113.1" }).to_string(), "?style=http").await;
        assert_eq!(http.status, 403);
    }

    async fn rows_without_a_country_are_written_as_they_always_were(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let mut owner = app.owner().await;
        create(&mut owner, &app, "Address", &[("ip_allow", "10.0.0.0/8")]).await;
        create(&mut owner, &app, "Country", &[("country_allow", "fr\nDE"), ("country_deny", "us")]).await;
        let stored = app.db.texts("SELECT restrictions FROM api_keys ORDER BY name").await;
        assert_eq!(stored, [r#"{"addresses":{"allow":["10.0.0.0/8"]}}"#, r#"{"countries":{"allow":["DE","FR"],"deny":["US"]}}"#]);
    }

    async fn rules_travel_with_templates_links_and_files(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let mut owner = app.owner().await;
        let template = [("name", "European"), ("description", ""), ("project", ""), ("environment", "test"), ("preset", "none"),
            ("expiry", "30"), ("country_allow", "de fr"), ("country_deny", "kp")];
        assert_eq!(owner.post("/settings/templates/new", &template).await.status, 303);
        let id = app.db.texts("SELECT id FROM key_templates WHERE name = 'European'").await.remove(0);
        let filled = owner.get(&format!("/settings/api-keys/new?template={id}")).await.body;
        assert!(filled.contains(">DE\nFR</textarea>") && filled.contains(">KP</textarea>") && filled.contains("Allowed: Germany, France."), "{filled}");
        assert!(owner.get("/settings/templates").await.body.contains("Never from addresses in North Korea."));
        let shown = create(&mut owner, &app, "Copied", &[("country_allow", "DE FR")]).await;
        assert_eq!(shown.status, 200);
        let key = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let page = owner.get(&format!("/settings/api-keys/{key}")).await.body;
        assert!(page.contains("country_allow=DE%0AFR"), "the link says it: {page}");
        let again = owner.get(&format!("/settings/api-keys/new?from={key}")).await.body;
        assert!(again.contains(">DE\nFR</textarea>"), "and so does a key like it");
        let file = owner.get("/settings/api-keys/export.csv").await.body;
        assert!(file.contains("country_allow,country_deny,resource_allow") && file.contains(",DE FR,"), "{file}");
    }

    async fn the_country_of_a_use_is_written_down_and_shown(backend: Backend) {
        let app = TestApp::on_with_countries(backend, test_countries()).await;
        let (key, other) = (app.issue("Nightly export", &["images:read"]).await, app.issue("Inside", &["images:read"]).await);
        for ip in ["198.51.100.4", "198.51.100.4", "203.0.113.9"] {
            ask_from(&app, &key.secret, ip).await;
            app.clock.advance_ms(1_000);
        }
        ask_from(&app, &other.secret, "10.1.2.3").await;
        app.ctx.usage.flush().await;
        let events = app.db.texts("SELECT ip || ' ' || COALESCE(country, '-') FROM usage_events ORDER BY at_ms").await;
        assert_eq!(events, ["198.51.100.4 DE", "198.51.100.4 DE", "203.0.113.9 FR", "10.1.2.3 -"]);
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}", key.id)).await.body;
        assert!(page.contains("203.0.113.9") && page.contains(", France"), "{page}");
        assert!(!owner.get(&format!("/settings/api-keys/{}", other.id)).await.body.contains("10.1.2.3</span>, "), "of the other nothing is known");
        let form = owner.get(&format!("/settings/api-keys/{}/edit", key.id)).await.body;
        assert!(form.contains("Germany, 2 requests") && form.contains("France, 1 request"), "{form}");
        let file = owner.get("/settings/api-keys/export.jsonl?q=Nightly").await.body;
        let line: Value = serde_json::from_str(file.trim()).unwrap();
        assert_eq!((line["last_used_ip"].as_str(), line["last_used_country"].as_str()), (Some("203.0.113.9"), Some("FR")));
    }
}
