//! What falls due by itself, hour by hour. Each duty is safe to do twice, and by several nodes at once.

use super::{DomainError, keys, policy, reviews};
use crate::server::ctx::Context;

/// Does every duty. One that fails does not keep the others; it is done with the next hour.
pub async fn run(ctx: &Context) {
    noted("planned policies", policy::change::take_effect(ctx).await);
    noted("unused keys", keys::unused::disable_unused(ctx).await);
    noted("review reminders", reviews::remind(ctx).await);
    noted("review deadlines", reviews::close_due(ctx).await);
    noted("rotation reminders", keys::reminders::remind(ctx).await);
}

fn noted(duty: &'static str, outcome: Result<(), DomainError>) {
    if let Err(error) = outcome {
        tracing::warn!(duty, error = %error, "a duty failed; trying again in an hour");
    }
}
