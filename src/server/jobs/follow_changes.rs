//! Each second: what did others change?

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::verification::follow_changes;

const EVERY: Duration = Duration::from_secs(1);

pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let mut failing = false;
    loop {
        match follow_changes(&ctx).await {
            Ok(()) => failing = false,
            // Once per outage: memory is not trusted meanwhile, and each request says the rest.
            Err(error) if !failing => {
                tracing::warn!(error = %error, "changes cannot be read; verification reads the database each time");
                failing = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
