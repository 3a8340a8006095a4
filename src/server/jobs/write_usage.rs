//! The one writer of usage: collects, folds, writes; keeps a batch until it is written.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::usage::{BATCH_MAX, UsageEvent, UsageReceiver, write};

/// Wait after a failed write; meanwhile events queue up.
const RETRY: Duration = Duration::from_millis(500);
/// Tries to write the rest when the process stops.
const LAST_TRIES: usize = 5;

pub async fn run(ctx: Ctx, mut receiver: UsageReceiver, flush_every: Duration, stop: CancellationToken) {
    let mut batch: Vec<UsageEvent> = Vec::new();
    loop {
        let mut asked: Option<oneshot::Sender<()>> = None;
        tokio::select! {
            () = tokio::time::sleep(flush_every) => {}
            flush = receiver.flushes.recv() => asked = flush,
            () = stop.cancelled() => {}
        }
        if stop.is_cancelled() {
            // What comes from now on is counted as dropped rather than taken and left.
            receiver.events.close();
        }
        write_all(&ctx, &mut receiver, &mut batch, &stop).await;
        if let Some(asked) = asked {
            let _ = asked.send(());
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Writes full batches and one that is not: what comes meanwhile waits for the next turn, or busy hours would be a
/// stream of small commits. An outage is waited out, unless the process stops meanwhile: then a few more tries.
async fn write_all(
    ctx: &Ctx,
    receiver: &mut UsageReceiver,
    batch: &mut Vec<UsageEvent>,
    stop: &CancellationToken,
) {
    let mut tries = 0;
    loop {
        take(receiver, batch);
        let Err(error) = write(ctx, batch).await else {
            let is_last = batch.len() < BATCH_MAX;
            batch.clear();
            if is_last {
                return;
            }
            tries = 0;
            continue;
        };
        tries += 1;
        tracing::warn!(error = %error, waiting = batch.len(), "usage could not be written; trying again");
        // An outage ends; a batch that the database refuses for another reason never fits.
        let hopeless = stop.is_cancelled() || !error.is_unavailable();
        if hopeless && tries >= LAST_TRIES {
            tracing::error!(lost = batch.len(), "usage was lost: the database did not take it");
            ctx.usage.count_dropped(batch.len());
            batch.clear();
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => tries = 0,
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
