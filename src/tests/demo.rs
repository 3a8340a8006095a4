//! What the demonstration shows.

use keywright::model::actor::Actor;
use keywright::model::incident::{IncidentFilter, IncidentStatus};
use keywright::server::domain::demo;
use keywright::server::domain::incidents::{reading, view};

use crate::kit::app::EmptyHouse;
use crate::kit::on_both_databases;

on_both_databases! {
    async fn the_demonstration_has_an_incident_in_progress_and_one_that_is_closed(backend: Backend) {
        let house = EmptyHouse::on(backend).await;
        assert!(demo::seed(&house.ctx).await.unwrap());
        let org = house.db.texts("SELECT id FROM organisations").await.remove(0);
        let actor = Actor::operator("tests", Some(org.parse().unwrap()));
        let list = view::list(&house.ctx, &actor, &IncidentFilter::default()).await.unwrap();
        assert_eq!((list.open, list.page.total), (1, 2));
        // The job of this house reads them at the same time, and whoever comes second stops.
        while house.db.number("SELECT COUNT(*) FROM incidents WHERE read_from_ms > horizon_ms").await > 0 {
            reading::read_on(&house.ctx).await.unwrap();
        }
        for summary in list.page.rows {
            let page = view::page(&house.ctx, &actor, &summary.id, None).await.unwrap();
            let timeline = &page.timeline;
            assert!(timeline.is_whole(), "{}", summary.key_name);
            assert!(timeline.before > 50 && timeline.after > 30, "{}: {timeline:?}", summary.key_name);
            let strange: Vec<_> = timeline.addresses.rows.iter().filter(|used| used.is_new).collect();
            assert_eq!(strange.len(), 1, "{}", summary.key_name);
            assert!(strange[0].refused > 0, "{}", summary.key_name);
            match summary.status {
                IncidentStatus::Open => assert!(!summary.revoked && page.open_items().len() == 8),
                IncidentStatus::Closed => {
                    assert!(summary.revoked && page.open_items().is_empty());
                    assert!(!page.incident.cause.is_empty() && !page.incident.lessons.is_empty());
                }
            }
        }
    }
}
