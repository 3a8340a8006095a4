//! Serves demonstration data under a fixed clock and seeded chance: the same pictures each time. Not a part of the
//! product: a server whose chance is seeded gives secrets that anybody can compute.

#[path = "kit/rng.rs"]
mod rng;

use std::sync::Arc;
use std::time::Duration;

use keywright::model::time::Timestamp;
use keywright::server::boot::{self, Parts};
use keywright::server::config::Site;
use keywright::server::domain::verification::{CacheLimits, follow_changes};
use keywright::server::domain::{demo, instance};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::router::router;
use keywright::server::http::serve::{Bounds, serve};
use keywright::server::http::state::AppState;
use keywright::server::jobs;
use keywright::server::platform::clock::Clock;
use keywright::server::platform::crypto::master_key::MasterKey;
use keywright::server::platform::crypto::password::PasswordCost;
use keywright::server::store::db::{DatabaseUrl, Db};
use keywright::server::store::migrate;
use rng::SeededRng;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// 21 November 2026, 10:00 UTC: time stands still.
const NOON: Timestamp = Timestamp::from_ms(1_795_255_200_000);

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOON
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let listen = arguments
        .iter()
        .position(|word| word == "--listen")
        .and_then(|at| arguments.get(at + 1));
    let listen = listen.map_or("127.0.0.1:3917", String::as_str);
    // `--empty` leaves the house before its set-up, for the picture of that page.
    let empty = arguments.iter().any(|word| word == "--empty");
    let folder = tempfile::tempdir()?;
    let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("stage.db")), true).await?;
    migrate::run(&db).await?;
    let clock = Arc::new(Noon);
    let rng = Arc::new(SeededRng::new(20_261_121));
    let master = MasterKey::random(rng.as_ref());
    let keyring = instance::open_keyring(&db, &master, rng.as_ref(), clock.now()).await?;
    let site = Site {
        public_origin: format!("http://{listen}").parse()?,
        trusted_proxies: Vec::new(),
        development: true,
        // Set up, it asks for a fresh proof at once: for the picture of that page.
        proof_lifetime_ms: if empty {
            0
        } else {
            keywright::model::actor::FRESH_MS
        },
        report_keys: keywright::server::platform::crypto::report_keys::ReportKeys::default(),
    };
    let parts = Parts {
        site,
        cache: CacheLimits::default(),
        password_cost: PasswordCost::default(),
        clock,
        rng,
        mailer: None,
        countries: keywright::server::platform::countries::CountryDatabase::default(),
    };
    let (ctx, receiver) = boot::assemble(db, keyring, Arc::new(master), parts)?;
    follow_changes(&ctx).await?;
    if empty {
        if let Some(token) = instance::new_setup_token(&ctx).await? {
            eprintln!("http://{listen}/setup?token={}", token.expose());
        }
    } else {
        demo::seed(&ctx).await?;
    }
    let _jobs = jobs::start(&ctx, receiver, Duration::from_millis(100));
    let listener = TcpListener::bind(listen).await?;
    serve(
        listener,
        router(AppState {
            ctx,
            assets: &EMBEDDED,
        }),
        Bounds::of(1_000),
        CancellationToken::new(),
    )
    .await;
    Ok(())
}
