//! What waits for somebody, in one statement from indexes; each number stops where it need not be told any more.

use super::db::{Tx, on};
use super::error::StoreError;
use super::keys::{overdue, told};
use super::members::others_than;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::AccountId;
use crate::model::time::Timestamp;
use crate::model::waiting::{COUNTED_MAX, Waiting};

/// Overdue rotations of keys that nobody is to collect a new secret of.
macro_rules! overdue_keys {
    ($whose:literal) => {
        concat!(
            "SELECT 1 FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE ",
            $whose,
            " AND ",
            overdue!(),
            " AND p.status <> 'archived' AND NOT EXISTS (SELECT 1 FROM opened_rotations w WHERE w.key_id = k.id) LIMIT $4"
        )
    };
}

/// Rotations that were opened and can be collected by $3.
macro_rules! to_collect {
    ($whose:literal) => {
        concat!(
            "SELECT 1 FROM opened_rotations w JOIN api_keys k ON k.id = w.key_id JOIN projects p ON p.id = k.project_id
            WHERE w.org_id = $1 AND k.status = 'active' AND p.status <> 'archived' AND COALESCE(k.expires_at_ms, $2 + 1) > $2
            AND COALESCE(k.overlap_until_ms, 0) <= $2 AND ",
            $whose,
            " LIMIT $4"
        )
    };
}

/// Undecided keys of running reviews.
macro_rules! undecided {
    () => {
        "FROM reviews r JOIN review_items i ON i.review_id = r.id WHERE r.org_id = $1 AND r.status = 'running'
        AND i.decided_at_ms IS NULL AND i.outcome IS NULL"
    };
}

/// Undecided keys of whoever is not here to decide, in reviews that $3 began. People are few: their items are found by the
/// index, once it is known who is not here.
macro_rules! left_to {
    () => {
        concat!(
            "SELECT 1 FROM reviews r CROSS JOIN ",
            others_than!("'owner', 'admin', 'developer'"),
            " t CROSS JOIN review_items i WHERE r.org_id = $1 AND r.status = 'running' AND r.started_by = $3 AND t.account_id <> $3
            AND i.review_id = r.id AND i.reviewer_id = t.account_id AND i.decided_at_ms IS NULL AND i.outcome IS NULL LIMIT $4"
        )
    };
}

/// Approved requests of $3 whose secret can still be collected, and those of others that $3 may decide.
macro_rules! requests {
    ($decides:literal) => {
        concat!(
            "SELECT 1 FROM approvals q JOIN api_keys y ON y.id = q.key_id WHERE q.org_id = $1 AND q.requested_by = $3 AND q.state = 'approved'
                AND q.kind = 'create' AND q.collected_at_ms IS NULL AND q.decided_at_ms > $2 - 1209600000 AND y.status <> 'revoked'
            UNION ALL SELECT 1 FROM approvals q WHERE q.org_id = $1 AND ",
            $decides,
            " AND q.requested_by <> $3 AND q.state = 'waiting' AND q.lapses_at_ms > $2 LIMIT $4"
        )
    };
}

/// As long as a secret can be collected, above.
const _: () = assert!(crate::model::approval::COLLECT_MS == 1_209_600_000);

macro_rules! counts {
    ($overdue:literal, $collect:literal, $unused:literal, $mine:literal, $decides:literal) => {
        concat!(
            "SELECT (SELECT COUNT(*) FROM (",
            overdue_keys!($overdue),
            ") a) + (SELECT COUNT(*) FROM (",
            to_collect!($collect),
            ") b), (SELECT COUNT(*) FROM (SELECT 1 ",
            undecided!(),
            " AND i.reviewer_id = $3 AND ",
            $mine,
            " LIMIT $4) c), (SELECT COUNT(*) FROM (SELECT 1 FROM incidents n WHERE n.org_id = $1 AND n.status = 'open' LIMIT $4) d),
            (SELECT COUNT(*) FROM (",
            left_to!(),
            ") g), (SELECT COUNT(*) FROM (",
            requests!($decides),
            ") h), (SELECT COUNT(*) FROM (SELECT 1",
            told!(),
            " AND ",
            $unused,
            " LIMIT $4) f)"
        )
    };
}

statements! {
    /// For whoever looks after every key: what teams own, or auditors, is theirs to collect as well.
    COUNT_OF_ALL = counts!(
        "k.org_id = $1 AND (k.owner_account_id IS NULL
            OR EXISTS (SELECT 1 FROM active_membership m WHERE m.org_id = k.org_id AND m.account_id = k.owner_account_id))",
        "(k.owner_account_id = $3 OR k.owner_account_id IS NULL OR EXISTS (SELECT 1 FROM active_membership m
            WHERE m.org_id = k.org_id AND m.account_id = k.owner_account_id AND m.role = 'auditor'))",
        "1 = 1", "1 = 1", "1 = 1");
    /// For whoever looks after their own. They own few keys of many: the organisation is no way to them.
    COUNT_OF_OWN = counts!("k.owner_account_id = $3 AND k.org_id || '' = $1", "k.owner_account_id = $3",
        "k.owner_account_id = $3", "EXISTS (SELECT 1 FROM api_keys q WHERE q.id = i.key_id AND q.owner_account_id = $3)", "1 = 0");
    /// For whoever looks on.
    COUNT_INCIDENTS = "SELECT COUNT(*) FROM (SELECT 1 FROM incidents n WHERE n.org_id = $1 AND n.status = 'open' LIMIT $2) d";
}

/// Which keys somebody looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    All,
    Own,
    None,
}

pub async fn count(
    tx: &mut Tx,
    scope: &OrgScope,
    (account, reach): (&AccountId, Reach),
    now: Timestamp,
) -> Result<Waiting, StoreError> {
    let (org, most) = (scope.org_id().as_str(), COUNTED_MAX + 1);
    let statement = match reach {
        Reach::All => COUNT_OF_ALL,
        Reach::Own => COUNT_OF_OWN,
        Reach::None => {
            let incidents =
                on!(tx, c => sqlx::query_scalar(COUNT_INCIDENTS).bind(org).bind(most).fetch_one(c).await)?;
            return Ok(Waiting {
                incidents,
                ..Waiting::default()
            });
        }
    };
    let (rotations, mine, incidents, left_to_me, approvals, keys): (i64, i64, i64, i64, i64, i64) = on!(tx, c => sqlx::query_as(statement).bind(org)
        .bind(now.ms()).bind(account.as_str()).bind(most).fetch_one(c).await)?;
    Ok(Waiting {
        rotations,
        reviews: mine + left_to_me,
        incidents,
        approvals,
        keys,
    })
}
