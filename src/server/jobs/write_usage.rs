//! The one writer of usage: collects, folds, writes; keeps a batch until it is written.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::usage::{BATCH_MAX, UsageEvent, UsageReceiver, write};

/// Wait after a failed write; meanwhile events queue up.
const RETRY: Duration = Duration::from_millis(500);
/// Tries to write the rest when the process stops.
const LAST_TRIES: usize = 10;

pub async fn run(ctx: Ctx, mut receiver: UsageReceiver, flush_every: Duration, stop: CancellationToken) {
    let mut batch: Vec<UsageEvent> = Vec::new();
    loop {
        let mut asked: Option<oneshot::Sender<()>> = None;
        let stopping = tokio::select! {
            () = tokio::time::sleep(flush_every) => false,
            flush = receiver.flushes.recv() => { asked = flush; false }
            () = stop.cancelled() => true,
        };
        let mut tries = 0;
        loop {
            take(&mut receiver, &mut batch);
            if batch.is_empty() {
                break;
            }
            match write(&ctx, &batch).await {
                Ok(()) => batch.clear(),
                Err(error) => {
                    tracing::warn!(error = %error, waiting = batch.len(), "usage could not be written; trying again");
                    tries += 1;
                    // An outage ends; a batch that the database refuses for another reason never fits.
                    let hopeless = !error.is_unavailable() && tries >= LAST_TRIES;
                    if hopeless && !stopping {
                        tracing::error!(lost = batch.len(), "a batch of usage was refused by the database");
                        ctx.usage.count_dropped(batch.len());
                        batch.clear();
                    }
                    if stopping && tries >= LAST_TRIES {
                        tracing::error!(
                            lost = batch.len(),
                            "usage was lost: the database did not come back"
                        );
                        return;
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        if let Some(asked) = asked {
            let _ = asked.send(());
        }
        if stopping {
            return;
        }
    }
}

fn take(receiver: &mut UsageReceiver, batch: &mut Vec<UsageEvent>) {
    while batch.len() < BATCH_MAX {
        match receiver.events.try_recv() {
            Ok(event) => batch.push(event),
            Err(_) => return,
        }
    }
}
