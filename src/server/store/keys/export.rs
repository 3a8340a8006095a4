//! All keys that match, a few at a time, for a file.

use sqlx::AssertSqlSafe;

use super::list::{DetailRow, FullRow, badge, detail, from_keys};
use super::narrow::{asked, narrowed, narrowing};
use crate::model::actor::OrgScope;
use crate::model::key::KeyFilter;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::statements;

statements! {
    /// By moment and id, so that what is made meanwhile moves nothing. In two, because keys that were imported together have
    /// one moment, and a database does not jump to the middle of them by a condition with an "or".
    LIST_OF_MOMENT = concat!(detail!(), narrowed!(), " AND k.created_at_ms = $10 AND k.id > $11 ORDER BY k.id LIMIT $12");
    LIST_OLDER = concat!(detail!(), narrowed!(), " AND k.created_at_ms < $10 ORDER BY k.created_at_ms DESC, k.id LIMIT $11");
}

/// The newest keys that match and come after one in the list; `None` begins at its head.
pub async fn list_after(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    after: Option<&(Timestamp, String)>,
    (most, now): (i64, Timestamp),
) -> Result<Vec<DetailRow>, StoreError> {
    let [a, b, c, d, e, f, g] = asked(filter);
    let (before_ms, after_id) = after.map_or((i64::MAX, ""), |(at, id)| (at.ms(), id.as_str()));
    let of_moment = narrowing(tx, scope, filter, LIST_OF_MOMENT, now).await?;
    let older = narrowing(tx, scope, filter, LIST_OLDER, now).await?;
    let mut rows: Vec<FullRow> = match after {
        None => Vec::new(),
        Some(_) => {
            on!(tx, q => sqlx::query_as(AssertSqlSafe(of_moment)).bind(scope.org_id().as_str()).bind(now.ms())
            .bind(&a).bind(&b).bind(&c).bind(&d).bind(&e).bind(&f).bind(&g)
            .bind(before_ms).bind(after_id).bind(most).fetch_all(q).await)?
        }
    };
    let room = most - i64::try_from(rows.len()).unwrap_or(most);
    if room > 0 {
        let older: Vec<FullRow> = on!(tx, q => sqlx::query_as(AssertSqlSafe(older)).bind(scope.org_id().as_str()).bind(now.ms())
            .bind(&a).bind(&b).bind(&c).bind(&d).bind(&e).bind(&f).bind(&g)
            .bind(before_ms).bind(room).fetch_all(q).await)?;
        rows.extend(older);
    }
    rows.into_iter().map(FullRow::into_detail).collect()
}
