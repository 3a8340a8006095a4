//! Each second: what did keys with an open incident do?

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::incidents::reading::read_on;

const EVERY: Duration = Duration::from_secs(1);
/// Between slices when there is much to read: others want the disk, too.
const BREATH: Duration = Duration::from_millis(20);

pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let wait = match read_on(&ctx).await {
            Ok(more) => {
                failing = false;
                if more { BREATH } else { EVERY }
            }
            Err(error) => {
                // Once per outage.
                if !failing {
                    tracing::warn!(error = %error, "the use of leaked keys cannot be read; trying again");
                }
                failing = true;
                EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}
