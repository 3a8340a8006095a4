//! What falls due by itself, hour by hour. Each duty is safe to do twice, and by several nodes at once.

use super::{DomainError, approvals, keys, policy, reviews};
use crate::server::ctx::Context;

/// Does every duty. One that fails keeps no other and is tried again in an hour; the first failure comes back.
pub async fn run(ctx: &Context) -> Result<(), DomainError> {
    let duties = [
        ("planned policies", policy::change::take_effect(ctx).await),
        ("unused keys", keys::unused::disable_unused(ctx).await),
        ("rotation reminders", keys::reminders::remind(ctx).await),
        ("review reminders", reviews::remind(ctx).await),
        ("review deadlines", reviews::close_due(ctx).await),
        ("lapsed requests", approvals::lapse(ctx).await),
        ("waiting requests", approvals::tell(ctx).await),
    ];
    let mut first = None;
    for (duty, done) in duties {
        if let Err(error) = done {
            tracing::warn!(duty, %error, "a duty failed; trying again in an hour");
            first = first.or(Some(error));
        }
    }
    first.map_or(Ok(()), Err)
}
