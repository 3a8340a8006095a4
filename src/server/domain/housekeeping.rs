//! What has to be done some time or other, each hour: duties that do not know of each other.

use super::{DomainError, reviews};
use crate::server::ctx::Context;

/// Does all that is due. A duty that fails is tried again in an hour and keeps no other; the first failure comes back.
pub async fn run(ctx: &Context) -> Result<(), DomainError> {
    let duties = [
        ("review reminders", reviews::remind(ctx).await),
        ("review deadlines", reviews::close_due(ctx).await),
    ];
    let mut first = None;
    for (duty, done) in duties {
        if let Err(error) = done {
            tracing::warn!(duty, %error, "a duty could not be done; trying again in an hour");
            first = first.or(Some(error));
        }
    }
    first.map_or(Ok(()), Err)
}
