//! Why a key is disabled stands on its page, for everybody who sees the key.

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::id::KeyId;
use keywright::model::key_page::{Disabled, DisabledBecause};
use keywright::model::org::Role;
use keywright::model::time::HOUR_MS;
use keywright::model::usage::UsageRange;
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::keys::{lifecycle, read};
use keywright::server::platform::clock::Clock;

use crate::kit::{TestApp, on_both_databases};

async fn told(app: &TestApp, actor: &Actor, id: &KeyId) -> Option<Disabled> {
    let page = read::page(&app.ctx, actor, id, UsageRange::Week).await.unwrap();
    page.disabled
}

on_both_databases! {
    async fn by_whom_and_why_a_key_is_disabled_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let account = app.person("grace@acme.example", Some((app.org, Role::Developer, "active"))).await;
        let grace = Actor::account(account, Some((app.org, Role::Developer)), SessionStage::Complete, Origin::default());
        let (hers, leaked) = (app.issue("Hers", &[]).await, app.issue("Leaked", &[]).await);
        app.give_key(hers.id.as_str(), &account).await;
        assert_eq!(told(&app, &grace, &hers.id).await, None);
        lifecycle::disable(&app.ctx, &grace, &hers.id).await.unwrap();
        let by_hand = Disabled { by: "grace@acme.example".to_owned(), why: DisabledBecause::ByHand };
        assert_eq!(told(&app, &grace, &hers.id).await, Some(by_hand.clone()));
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}", hers.id)).await.body;
        assert!(page.contains(" by grace@acme.example") && !page.contains("nobody used it"), "{page}");
        let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: true };
        let incident = incidents::open(&app.ctx, &app.owner_of(app.org), &leaked.id, &opening).await.unwrap().id;
        let seen = told(&app, &grace, &leaked.id).await.unwrap();
        assert_eq!(seen.why, DisabledBecause::Incident(incident));
        let page = owner.get(&format!("/settings/api-keys/{}", leaked.id)).await.body;
        assert!(page.contains("because it may have leaked") && page.contains(&format!("/settings/incidents/{incident}")), "{page}");
        // The newest time counts, and none once it passes again.
        app.clock.advance_ms(HOUR_MS);
        lifecycle::enable(&app.ctx, &app.operator(), &hers.id).await.unwrap();
        assert_eq!(told(&app, &grace, &hers.id).await, None);
        lifecycle::disable(&app.ctx, &app.operator(), &hers.id).await.unwrap();
        let seen = told(&app, &grace, &hers.id).await.unwrap();
        assert!(seen.by.starts_with("operator") && seen.why == DisabledBecause::ByHand, "{seen:?}");
        let other = app.another_org("Globex").await;
        let stranger = read::page(&app.ctx, &app.owner_of(other), &hers.id, UsageRange::Week).await;
        assert!(stranger.is_err(), "no key of theirs, no word of it");
    }
}
