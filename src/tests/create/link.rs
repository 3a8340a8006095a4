//! Links to "create exactly this key": whatever an address says stands in the form, or is told.

use super::{FORM, is_checked, send};
use crate::kit::{TestApp, on_both_databases};
use keywright::model::org::Role;
use keywright::model::scope_group::field_name;

on_both_databases! {
    async fn a_link_fills_the_form_in_and_makes_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let link = format!(
            "{FORM}?project=image-api&environment=test&name=Nightly%20export&purpose=Batch&scopes=images:read&scopes=admin,images:*\
             &expiry=45&rotation_days=14&ip_allow=10.0.0.0/8&ip_allow=203.0.113.7&resource_allow=gpt-4.1*&hours_days=mon,tue\
             &hours_from=08:00&hours_to=18:00&hours_zone=Europe/Berlin&not_before=2030-01-01&owner=team&owner_team=Batch"
        );
        let page = browser.get(&link).await;
        assert_eq!(page.status, 200);
        for part in [
            "Filled in by a link. Read it before you create the key.", "value=\"Nightly export\"", "value=\"Batch\"",
            ">10.0.0.0/8\n203.0.113.7</textarea>", ">gpt-4.1*</textarea>", "value=\"images:*\"", "Wildcards: images:*.", "value=\"14\"",
            "value=\"2030-01-01\"",
        ] {
            assert!(page.body.contains(part), "{part} is not in {}", page.body);
        }
        assert!(is_checked(&page, "environment", "test") && is_checked(&page, "expiry", "custom"), "{}", page.body);
        assert!(is_checked(&page, &field_name(&app.project, "images"), "read") && is_checked(&page, "scopes", "admin"));
        assert!(is_checked(&page, "hours_days", "mon") && !is_checked(&page, "hours_days", "wed"));
        assert!(!page.body.contains("id=\"errors\""), "nothing is wrong with it");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
        let head = browser.get(FORM).await;
        assert!(!head.body.contains("Filled in by"));
    }

    async fn what_a_link_gets_wrong_is_shown_and_explained(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let long = "n".repeat(4_000);
        let many: String = (0..300).map(|n| format!("s{n}+")).collect();
        let many_shown = "s299";
        for (query, kept, said) in [
            ("project=payments".to_owned(), "Choose a project", "names the project “payments”, which does not exist here"),
            ("environment=prod".to_owned(), "", "The link says “prod”. Choose live or test."),
            (format!("name={long}"), long.as_str(), "The name has 4000 characters; at most 200 fit."),
            ("name=a&name=b".to_owned(), "value=\"a\"", "The link says this more than once"),
            ("scopes=Images:Read".to_owned(), "value=\"Images:Read\"", "“Images:Read” is not a scope"),
            ("project=image-api&scopes=payments:read".to_owned(), "value=\"payments:read\"", "Image API does not list payments:read."),
            (format!("scopes={many}"), many_shown, "At most 100 scopes fit."),
            ("expiry=soon".to_owned(), "", "Choose how long it is valid"),
            ("expiry=custom&expiry_date=2001-01-01".to_owned(), "value=\"2001-01-01\"", "2001-01-01 has passed."),
            ("rotation_days=x".to_owned(), "value=\"x\"", "Give the days as a number"),
            ("ip_allow=10.0.0.5/8".to_owned(), ">10.0.0.5/8</textarea>", "10.0.0.0/8 for the network"),
            ("ip_deny=0.0.0.0/0".to_owned(), ">0.0.0.0/0</textarea>", "errors"),
            ("resource_allow=*".to_owned(), ">*</textarea>", "an empty list restricts nothing"),
            ("hours_days=mon&hours_zone=Mars/Phobos".to_owned(), "", "There is no such time zone."),
            ("not_before=tomorrow".to_owned(), "value=\"tomorrow\"", "Give the first day as YYYY-MM-DD"),
            ("owner=member:acc_zzzzzzzzzzzz".to_owned(), "", "who is no member here"),
            ("name=x&colour=red&size=5".to_owned(), "value=\"x\"", "The address also says “colour”, “size”, which this form does not know."),
        ] {
            let page = browser.get(&format!("{FORM}?{query}")).await;
            assert_eq!(page.status, 200, "{query:.60}");
            assert!(page.body.contains(kept) && page.body.contains(said), "{said} of {query:.60} is not in {}", page.body);
            assert!(page.body.contains("Filled in by a link."), "{query:.60}");
        }
        assert_eq!(browser.get(&format!("{FORM}?name={}", "n".repeat(9_000))).await.status, 413, "an address has its limit");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn a_hostile_link_hides_nothing_and_is_no_markup(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let attack = "%3C/textarea%3E%3Cscript%3Ealert(1)%3C/script%3E%22%3E%3Cimg%20src=x%3E";
        for name in [
            "project", "environment", "name", "purpose", "owner", "owner_team", "scopes", "other_scopes", "expiry", "expiry_date", "rotation_days",
            "ip_allow", "ip_deny", "resource_allow", "resource_deny", "hours_days", "hours_from", "hours_to", "hours_zone", "not_before",
            "template", "from", "copy", attack,
        ] {
            let page = browser.get(&format!("{FORM}?name=x&{name}={attack}")).await;
            assert_eq!(page.status, 200, "{name}");
            assert!(!page.body.contains("<script>alert") && !page.body.contains("<img src"), "{name}: {}", page.body);
        }
        app.db.tamper("UPDATE project_scopes SET sensitive = TRUE WHERE name = 'admin'").await;
        let page = browser.get(&format!("{FORM}?project=image-api&environment=live&scopes=admin+*&nonce=abcdefghijklmnopqrstuvwx&step=review")).await;
        for said in ["Sensitive scopes: admin.", "The scope * allows everything in the project", "It would be a live key", "“nonce”, “step”"] {
            assert!(page.body.contains(said), "{said} is not in {}", page.body);
        }
        assert!(!page.body.contains("abcdefghijklmnopqrstuvwx"), "the mark is the server’s own");
        assert!(is_checked(&page, "scopes", "admin"));
        // Of another organisation: as unknown as any.
        let other = app.another_org("Globex").await;
        app.db.tamper(&format!(
            "INSERT INTO projects (id, org_id, name, name_folded, slug, prefix, status, version, created_at_ms)
             VALUES ('prj_foreign00001', '{other}', 'Secret project', 'secret project', 'secret-project', 'ff', 'active', 1, 0)"
        )).await;
        for named in ["prj_foreign00001", "secret-project"] {
            let page = browser.get(&format!("{FORM}?project={named}")).await;
            assert!(page.body.contains("does not exist here") && !page.body.contains("Secret project"), "{named}");
        }
    }

    async fn a_link_grants_no_power_that_its_reader_lacks(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut developer = app.join("dev@acme.example", Role::Developer).await.browser;
        let page = developer.get(&format!("{FORM}?environment=live&owner=team&owner_team=Batch&name=x")).await;
        assert!(page.body.contains("asks for a live key, which only administrators create"), "{}", page.body);
        assert!(page.body.contains("You would own the key yourself"));
        assert!(!is_checked(&page, "environment", "test"), "nobody chose test");
        let mut auditor = app.join("auditor@acme.example", Role::Auditor).await.browser;
        assert_eq!(auditor.get(&format!("{FORM}?name=x")).await.status, 403);
    }

    async fn the_link_of_a_form_opens_the_same_form_and_carries_no_mark(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let images = field_name(&app.project, "images");
        let fields = [
            (images.as_str(), "write"), ("purpose", "a & b = c"), ("ip_allow", "10.0.0.0/8"), ("ip_more", "203.0.113.7"), ("rotation_days", "30"),
            ("step", "link"),
        ];
        let answer = send(&app, &mut browser, "Größe <b>", &fields).await;
        assert_eq!(answer.status, 303);
        let link = answer.header("location").to_owned();
        assert!(!link.contains("nonce") && link.starts_with(&format!("{FORM}?project=prj_")), "{link}");
        let page = browser.get(&link).await;
        for part in ["value=\"Größe &lt;b&gt;\"", "value=\"a &amp; b = c\"", ">10.0.0.0/8\n", "203.0.113.7</textarea>", "This address opens the form", "value=\"30\""] {
            assert!(page.body.contains(part), "{part} is not in {}", page.body);
        }
        assert!(is_checked(&page, &images, "write") && page.body.contains("Filled in by a link."));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
        let addresses: String = (0..500).map(|n| format!("10.{}.{}.1\n", n / 250, n % 250)).collect();
        let long = send(&app, &mut browser, "Long", &[(images.as_str(), "read"), ("ip_allow", &addresses), ("step", "link")]).await;
        assert_eq!(long.status, 422);
        assert!(long.body.contains("too long for a link") && long.body.contains("value=\"Long\""));
    }

    async fn a_key_is_copied_as_a_link_without_its_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let key = app.issue("Production server", &["images:read", "admin"]).await;
        let page = browser.get(&format!("/settings/api-keys/{}", key.id)).await;
        let link = page.between("href=\"/settings/api-keys/new?", "\"").replace("&amp;", "&");
        assert!(!link.contains(&key.secret) && !link.contains(key.id.as_str()), "{link}");
        let form = browser.get(&format!("{FORM}?{link}")).await;
        assert!(form.body.contains("value=\"Production server\"") && is_checked(&form, "scopes", "admin"), "{link}");
        let again = browser.get(&format!("{FORM}?from={}", key.id)).await;
        assert!(again.body.contains("Filled in as Production server.") && is_checked(&again, "scopes", "admin"));
        let gone = browser.get(&format!("{FORM}?from=key_zzzzzzzzzzzz")).await;
        assert!(gone.body.contains("The key to begin with does not exist here."));
        let snippets = page.body.matches("name=\"snippets\"").count();
        assert_eq!(snippets, 11);
        assert!(page.body.contains("IMAGE_API_API_KEY=paste-the-key-here") && !page.body.contains(&key.secret));
    }
}
