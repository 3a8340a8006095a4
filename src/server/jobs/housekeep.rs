//! Each hour, first a minute after the start: what falls due by itself.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::housekeeping;

const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3_600);

pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = EVERY;
        // Each duty has said what went wrong.
        let _ = housekeeping::run(&ctx).await;
    }
}
