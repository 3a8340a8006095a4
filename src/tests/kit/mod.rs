//! A house to test in: real database, real router, a clock that is moved by hand.

pub mod app;
pub mod browser;
mod clock;
mod database;
mod log;
mod mail;
pub mod mmdb;
pub mod people;
mod rng;
mod smtp;

pub use app::TestApp;
pub use browser::{Answer, Browser};
pub use database::{Backend, TestDb, takes_part};
pub use log::Sink;
pub use mail::MemoryMailer;
pub use rng::SeededRng;
pub use smtp::{Authority, MailHost, settings as smtp_settings};

/// Writes each test once and runs it on SQLite and PostgreSQL.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($backend:ident: Backend) $body:block)*) => {$(
        mod $name {
            use super::*;
            use $crate::kit::Backend;

            async fn story($backend: Backend) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                if $crate::kit::takes_part(Backend::Sqlite) {
                    story(Backend::Sqlite).await;
                }
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::kit::takes_part(Backend::Postgres) {
                    story(Backend::Postgres).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both_databases;
