//! What is shown of a key's text: of one that somebody else made it is how that one begins, never what a key of ours with
//! its id would begin with.

use keywright::model::id::KeyId;
use keywright::model::key::{Environment, KeyFilter};
use keywright::model::key_text::display_hint;
use keywright::model::time::{DAY_MS, MINUTE_MS};
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::reviews::{self, ReviewDraft};
use keywright::server::platform::clock::Clock;
use serde_json::json;

use super::import::{file_of, import, old_key, with_format};
use crate::kit::{TestApp, on_both_databases};

async fn id_of(app: &TestApp, name: &str) -> KeyId {
    let ids = app
        .db
        .texts(&format!("SELECT id FROM api_keys WHERE name = '{name}'"))
        .await;
    ids[0].parse().unwrap()
}

on_both_databases! {
    async fn every_page_shows_how_an_imported_key_begins(backend: Backend) {
        let app = with_format(backend).await;
        import(&app, &file_of([1, 2])).await.unwrap();
        let ours = app.try_issue("Ours", "live", &["images:read"], "none").await.unwrap();
        let (first, second) = (id_of(&app, "Old 1").await, id_of(&app, "Old 2").await);
        app.clock.advance_ms(100 * DAY_MS);
        let unused = app.owner().await.get("/settings/api-keys/unused").await;

        let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: false };
        let incident = incidents::open(&app.ctx, &app.operator(), &first, &opening).await.unwrap().id;
        for n in [1, 2] {
            app.ask(json!({ "key": old_key(n), "clientIp": "198.51.100.9" })).await;
        }
        app.ctx.usage.flush().await;
        app.clock.advance_ms(MINUTE_MS);
        let reviewer = app.account.to_string();
        let last = app.clock.now().plus_ms(20 * DAY_MS).iso_date();
        let draft = ReviewDraft {
            name: "Fourth quarter",
            filter: KeyFilter::default(),
            assignment: "members",
            reviewers: vec![&reviewer],
            deadline: &last,
            on_undecided: "disable",
        };
        let review = reviews::start(&app.ctx, &app.owner_of(app.org), &draft).await.unwrap();

        let mut owner = app.owner().await;
        let mut pages = vec![("unused", unused.body)];
        for (what, address) in [
            ("list", "/settings/api-keys".to_owned()),
            ("key", format!("/settings/api-keys/{first}")),
            ("incidents", "/settings/incidents".to_owned()),
            ("siblings", format!("/settings/incidents/{incident}")),
            ("review", format!("/settings/reviews/{review}")),
            ("file", "/settings/api-keys/export.csv".to_owned()),
        ] {
            let page = owner.get(&address).await;
            assert_eq!(page.status, 200, "{address}");
            pages.push((what, page.body));
        }
        for (what, body) in pages {
            assert!(body.contains("imported · old_…"), "{what}: {body}");
            for id in [&first, &second] {
                let as_ours = display_hint("acme", Environment::Live, id.random_part());
                assert!(!body.contains(&as_ours), "{what} shows {as_ours}");
            }
            let is_of_one = matches!(what, "key" | "incidents" | "siblings");
            let own = display_hint("acme", Environment::Live, ours.id.random_part());
            assert_eq!(body.contains(&own), !is_of_one, "{what}: ours is shown as ours");
        }
    }
}
