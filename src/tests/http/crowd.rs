//! Many pages at once.

use std::time::Duration;

use crate::kit::{Backend, TestApp};

/// Far longer than a page takes, far shorter than the server would wait.
const MOST: Duration = Duration::from_secs(5);
const PAGES: [&str; 5] = [
    "/account/password",
    "/settings/api-keys",
    "/settings/members",
    "/account/two-factor",
    "/confirm-email",
];

/// Pages that waited by effects missed their end now and then, once in some thousand, and were never answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_page_of_two_thousand_is_left_unanswered() {
    let app = TestApp::on(Backend::Sqlite).await;
    let cookie = app.owner().await.cookie;
    let people = (0..8).map(|person| {
        let mut browser = app.browser();
        browser.cookie.clone_from(&cookie);
        tokio::spawn(async move {
            for n in 0..250 {
                let page = PAGES[(person + n) % PAGES.len()];
                let answer = tokio::time::timeout(MOST, browser.get(page)).await;
                assert!(answer.is_ok(), "{page} was not answered");
            }
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
}
