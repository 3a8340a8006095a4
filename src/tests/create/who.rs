//! Who comes to a key under each policy: the ways to the form, the form, and what it does are of one mind.

use keywright::model::key::Environment;
use keywright::model::org::Role;

use super::{FORM, is_checked};
use crate::keys::acts::take_imports;
use crate::keys::import::{old_key, sha256};
use crate::kit::{Answer, Browser, TestApp, on_both_databases};
use crate::policy::save_for;

const LIST: &str = "/settings/api-keys";
const IMPORT: &str = "/settings/api-keys/import";
const TEMPLATES: &str = "/settings/templates";

/// What the policy of one environment lets developers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Create,
    Ask,
    Closed,
}

impl Way {
    const ALL: [Self; 3] = [Self::Create, Self::Ask, Self::Closed];

    fn rules(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Create => &[("creators", "developers")],
            Self::Ask => &[("creators", "admins"), ("approve_new", "1")],
            Self::Closed => &[("creators", "admins")],
        }
    }
}

/// An environment, its way, and the template that is for it alone.
type Place = (Environment, Way, &'static str);

async fn under(app: &TestApp, places: &[Place]) {
    for (environment, way, _) in places {
        save_for(app, *environment, way.rules(), "").await.unwrap();
    }
}

fn has_link(page: &Answer, to: &str) -> bool {
    page.body.contains(&format!("href=\"{to}\""))
}

/// The list, its links, and what they lead to.
async fn ways_to_the_form(browser: &mut Browser, places: &[Place], what: &str) {
    let is_open = places.iter().any(|(_, way, _)| *way != Way::Closed);
    let creates = places.iter().any(|(_, way, _)| *way == Way::Create);
    let list = browser.get(LIST).await;
    assert_eq!(has_link(&list, FORM), is_open, "{what}: Create key");
    assert_eq!(has_link(&list, IMPORT), creates, "{what}: Import");
    assert_eq!(has_link(&list, TEMPLATES), is_open, "{what}: Templates");
    for (page, opens) in [(FORM, is_open), (TEMPLATES, is_open), (IMPORT, creates)] {
        let status = if opens { 200 } else { 403 };
        assert_eq!(browser.get(page).await.status, status, "{what}: {page}");
    }
}

/// What the form offers of an environment, by itself, from a link and from a template.
async fn offers(browser: &mut Browser, (environment, way, template): Place, what: &str) {
    let named = environment.as_str();
    let page = browser.get(&format!("{FORM}?environment={named}&name=x")).await;
    let is_told = page.body.contains("which only administrators create");
    assert_eq!(is_told, way == Way::Closed, "{what}: a link for {named}");
    let radio = format!("type=\"radio\" name=\"environment\" value=\"{named}\"");
    let radio = page.body.split('<').find(|tag| tag.contains(&radio)).unwrap();
    assert_eq!(radio.contains("disabled"), way == Way::Closed, "{what}: {radio}");
    let asks = match environment {
        Environment::Live => "Real traffic. An administrator has to approve it.",
        Environment::Test => "Development and tests. An administrator has to approve it.",
    };
    assert_eq!(page.body.contains(asks), way == Way::Ask, "{what}: {asks}");
    let page = browser.get(&format!("{FORM}?template={template}")).await;
    let remark = format!("is for {named} keys, which only administrators create");
    assert_eq!(
        page.body.contains(&remark),
        way == Way::Closed,
        "{what}: a template for {named}"
    );
    if way != Way::Closed {
        assert!(
            is_checked(&page, "environment", named),
            "{what}: a template for {named}"
        );
    }
}

/// Sends the form, and asks for approval where it says so.
async fn sends(app: &TestApp, browser: &mut Browser, (environment, way, _): Place, what: &str) {
    let page = browser.get(FORM).await;
    let mark = match page.status {
        200 => page.between("name=\"nonce\" value=\"", "\"").to_owned(),
        _ => "abcdefghijklmnopqrstuvwx".to_owned(),
    };
    let name = format!("{what} {environment:?}");
    let mut form = vec![
        ("nonce", mark.as_str()),
        ("project", app.project.as_str()),
        ("environment", environment.as_str()),
        ("name", name.as_str()),
        ("scopes", "images:read"),
        ("expiry", "90"),
    ];
    let sent = browser.post(FORM, &form).await;
    match way {
        Way::Create => assert!(
            sent.status == 200 && sent.body.contains("id=\"secret\">"),
            "{what}: {}",
            sent.body
        ),
        Way::Ask => {
            assert!(
                sent.status == 409 && sent.body.contains("Ask for approval"),
                "{what}: {} {}",
                sent.status,
                sent.body
            );
            form.extend([("step", "ask"), ("justification", "The shop needs it")]);
            let asked = browser.post(FORM, &form).await;
            let location = asked.header("location");
            assert!(
                location.starts_with("/settings/approvals/"),
                "{what}: {location} {}",
                asked.body
            );
        }
        Way::Closed => assert_eq!(sent.status, 403, "{what}"),
    }
}

on_both_databases! {
    async fn a_developer_comes_to_the_form_by_every_way_or_by_none(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("There already", &["images:read"]).await;
        app.second_admin().await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        for live in Way::ALL {
            for test in Way::ALL {
                let places = [(Environment::Live, live, "tpl_Analytics000"), (Environment::Test, test, "tpl_Pipeline0000")];
                let what = format!("live {live:?}, test {test:?}");
                under(&app, &places).await;
                ways_to_the_form(&mut grace.browser, &places, &what).await;
                for place in places {
                    if places.iter().any(|(_, way, _)| *way != Way::Closed) {
                        offers(&mut grace.browser, place, &what).await;
                    }
                    sends(&app, &mut grace.browser, place, &what).await;
                }
            }
        }
    }

    async fn who_may_create_nothing_may_import_nothing_and_of_one_environment_that_alone(backend: Backend) {
        let app = TestApp::on(backend).await;
        take_imports(&app).await;
        app.second_admin().await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let places = [(Environment::Live, Way::Create, ""), (Environment::Test, Way::Closed, "")];
        under(&app, &places).await;
        let row = |n: usize, environment: &str| {
            let digest = sha256(&old_key(n));
            format!("digest,name,environment,scopes\n{digest},Old {n},{environment},images:read\n")
        };
        let upload = async |browser: &mut Browser, n, environment| {
            browser.upload(IMPORT, app.project.as_str(), row(n, environment).as_bytes()).await
        };
        let refused = upload(&mut grace.browser, 1, "test").await;
        assert!(refused.status == 422 && refused.body.contains("Your role may not import test keys."), "{}", refused.body);
        let waits = upload(&mut grace.browser, 2, "live").await;
        assert_eq!(waits.status, 303, "{}", waits.body);
        let id = waits.header("location").split_once("upload=").unwrap().1.to_owned();
        assert_eq!(grace.browser.post(IMPORT, &[("upload", &id)]).await.status, 303);
        assert_eq!(app.verify(&old_key(2)).await, "VALID");
        under(&app, &[(Environment::Live, Way::Ask, "")]).await;
        assert_eq!(upload(&mut grace.browser, 3, "live").await.status, 403, "imported keys cannot wait for approval");
    }
}
