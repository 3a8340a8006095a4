//! Work nobody waits for.
//!
//! | job | entity | every | why |
//! |---|---|---|---|
//! | follow_changes | change_log | 1 s | other nodes' and the command line's writes evict what verification remembers |
//! | follow_countries | – | 1 min | a newer country database is read without a restart; only where one is configured |
//! | write_usage | usage_events, usage_rollups, *_last_used | flush interval | verification never writes |
//! | prune | events, sessions, counters | 1 h | nothing is kept longer than promised |
//! | read_incidents | incidents, incident_uses | 1 s | how a leaked key was used is gathered from raw events, which have no index by key |
//! | housekeep | policies, api_keys, mails | 1 h | what falls due by itself: planned policies, unused keys, reviews, reminders of rotations |
//! | send_mail | mails | 1 s | letters are written in transactions and sent after them; only with a mail server |

mod follow_changes;
mod follow_countries;
mod housekeep;
mod prune;
mod read_incidents;
mod send_mail;
mod write_usage;

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ctx::Ctx;
use super::domain::usage::UsageReceiver;

/// The running jobs of one process.
pub struct Jobs {
    stop: CancellationToken,
    usage: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

/// Starts all jobs.
#[must_use]
pub fn start(ctx: &Ctx, receiver: UsageReceiver, flush_every: Duration) -> Jobs {
    let stop = CancellationToken::new();
    Jobs {
        usage: tokio::spawn(write_usage::run(ctx.clone(), receiver, flush_every, stop.clone())),
        others: vec![
            tokio::spawn(follow_changes::run(ctx.clone(), stop.clone())),
            tokio::spawn(follow_countries::run(ctx.clone(), stop.clone())),
            tokio::spawn(prune::run(ctx.clone(), stop.clone())),
            tokio::spawn(read_incidents::run(ctx.clone(), stop.clone())),
            tokio::spawn(housekeep::run(ctx.clone(), stop.clone())),
        ],
        stop,
    }
}

impl Jobs {
    /// The same, and mail is sent if there is a server for it.
    #[must_use]
    pub fn with_mail(mut self, ctx: &Ctx) -> Self {
        if ctx.mailer.is_some() {
            self.others
                .push(tokio::spawn(send_mail::run(ctx.clone(), self.stop.clone())));
        }
        self
    }

    /// Stops all jobs; usage taken in so far is written first.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.usage.await;
        for job in self.others {
            let _ = job.await;
        }
    }
}
