//! Each second: is there mail to send? People wait for it, so one that was just written goes within about a second.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;
use crate::server::domain::mail::{Turn, send_next};

const EVERY: Duration = Duration::from_secs(1);
/// After the server could not be used, so that a long queue does not knock each second.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// A server that hangs does not keep us from stopping: the mail is tried again by whoever runs next.
const AT_STOP: Duration = Duration::from_secs(8);

/// Ends between two mails: the present one is finished, unless that takes longer than [`AT_STOP`].
pub async fn run(ctx: Ctx, stop: CancellationToken) {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(AT_STOP).await;
    };
    tokio::pin!(late);
    while !stop.is_cancelled() {
        let ctx = ctx.clone();
        // A task of its own: a mail that makes a library panic must not end the sending of all others.
        let mut turn = tokio::spawn(async move { send_next(&ctx).await });
        let turn = tokio::select! {
            turn = &mut turn => turn,
            () = &mut late => return turn.abort(),
        };
        let wait = match turn {
            Ok(Ok(Turn::Sent | Turn::Kept)) => continue,
            Ok(Ok(Turn::Idle)) => EVERY,
            Ok(Ok(Turn::Unusable)) => AFTER_FAILURE,
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the outbox could not be read or written");
                AFTER_FAILURE
            }
            Err(_) => {
                tracing::error!("sending a mail broke off; it is tried again in some minutes");
                EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}
