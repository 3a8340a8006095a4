//! The benchmark of pages opens every page there is: a new one joins by itself, or here it is said what is missing.

#[path = "bench/pages/routes.rs"]
mod routes;

use std::collections::BTreeSet;

use keywright::server::http::router::page_paths;

use self::routes::{ASKED, NOUNS, OTHERWISE, noun_of, status_of};
use crate::kit::{TestApp, on_both_databases};

#[test]
fn the_benchmark_knows_what_the_id_in_every_address_is() {
    let pages = page_paths();
    let unknown: Vec<_> = pages.iter().filter(|page| noun_of(page).is_none()).collect();
    assert!(
        unknown.is_empty(),
        "say in bench/pages/routes.rs what the id is: {unknown:?}"
    );
    let otherwise = OTHERWISE.iter().map(|(page, ..)| *page);
    let said = otherwise.chain(NOUNS.iter().map(|(begins, _)| *begins));
    let stale: Vec<_> = said
        .filter(|said| !pages.iter().any(|page| page.starts_with(said)))
        .collect();
    assert!(stale.is_empty(), "no such page any more: {stale:?}");
    for asked in ASKED {
        let (page, _) = asked.split_once('?').unwrap();
        assert!(
            pages.iter().any(|known| known == page),
            "no such page any more: {asked}"
        );
    }
}

on_both_databases! {
    async fn the_benchmark_knows_how_pages_answer_that_take_no_id(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let mut wrong = BTreeSet::new();
        for page in page_paths() {
            // The kit is in development, where there is a style guide.
            if noun_of(&page) != Some(None) || page == "/styleguide" {
                continue;
            }
            let status = owner.get(&page).await.status;
            if status != status_of(&page) {
                wrong.insert(format!("{page} answers {status}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
