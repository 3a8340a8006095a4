//! Each hour, first a minute after the start: forget what is past its time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::retention::prune;

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
        match prune(&ctx).await {
            Ok(pruned) => tracing::info!(events = pruned.events, sessions = pruned.sessions, "pruned"),
            Err(error) => tracing::warn!(error = %error, "could not prune; trying again in an hour"),
        }
    }
}
