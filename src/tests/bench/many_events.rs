//! The chart of a key's last thirty days, in a house with ten million events against one with a million.

use keywright::server::store::db::Db;

use crate::ROUNDS;
use crate::many_keys::Browser;
use crate::ratio::Ratio;
use crate::subject::Subject;

pub async fn measure() {
    let (few, many) = (Subject::start(1, 5_000).await, Subject::start(1, 5_000).await);
    seed(&few, 1_000_000).await;
    seed(&many, 10_000_000).await;
    let (a, b) = (Browser::sign_in(&few).await, Browser::sign_in(&many).await);
    let page = |subject: &Subject| format!("/settings/api-keys/{}?range=30d", subject.key.as_str());
    let (short, long) = (page(&few), page(&many));
    let mut ratio = Ratio::default();
    for _ in 0..ROUNDS {
        let less = a.median(&short).await;
        ratio.add(b.median(&long).await, less);
    }
    ratio.print("30-day chart, 10 M events ÷ 1 M", "at most 1.3");
}

/// Events of ninety days over one key for every ten thousand of them, with their counts per hour and day; the key that
/// is looked at has its share.
async fn seed(subject: &Subject, events: i64) {
    let Db::Sqlite { writer, .. } = &subject.ctx.db else {
        return;
    };
    let now = subject.ctx.clock.now().ms();
    let first = now - 90 * 86_400_000;
    let keys = events / 10_000;
    let key = format!(
        "CASE WHEN n % {keys} = 0 THEN '{}' ELSE 'key_' || (n % {keys}) END",
        subject.key.as_str()
    );
    let numbers = |count: i64| {
        format!(
            "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1)"
        )
    };
    let raw = format!(
        "{} INSERT INTO usage_events (at_ms, request_id, key_id, token_id, code, ip) SELECT {first} + n * (7776000000 / {events}), \
         'req_' || n, {key}, 'tok', 'VALID', '203.0.113.7' FROM numbers",
        numbers(events)
    );
    let counts = |grain: &str, width: i64, requests: i64| {
        format!(
            "{} INSERT INTO usage_rollups (key_id, grain, bucket_at_ms, code, org_id, project_id, requests) SELECT {key}, '{grain}', \
             ({first} / {width} + n / {keys} + 1) * {width}, 'VALID', k.org_id, k.project_id, {requests} FROM numbers, api_keys k",
            numbers(keys * (90 * 86_400_000 / width - 1))
        )
    };
    for sql in [raw, counts("hour", 3_600_000, 5), counts("day", 86_400_000, 111)] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(writer)
            .await
            .expect("events");
    }
}
