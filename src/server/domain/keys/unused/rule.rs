//! When a key counts as unused, when its people are told and when it is disabled: said once, for the job and for the pages.
//!
//! What counts is the time since the key was last made, given a secret, used or enabled, or since the rule holds,
//! whichever is latest. Nothing is disabled earlier than [`UNUSED_NOTICE_DAYS`] after its people were told, and a use or an
//! enabling in between begins anew.

use crate::model::actor::OrgScope;
use crate::model::key::Environment;
use crate::model::key_page::UnusedNotice;
use crate::model::policy::{PolicyStanding, UNUSED_NOTICE_DAYS};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::domain::DomainError;
use crate::server::store::db::Tx;
use crate::server::store::keys::{self as store, IdleKey};
use crate::server::store::policies;

const NOTICE_MS: i64 = UNUSED_NOTICE_DAYS as i64 * DAY_MS;

/// After how many days keys are disabled, and since when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub days: i64,
    pub since: Timestamp,
}

/// What is due for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Tell,
    Disable,
}

impl Rule {
    /// How long a key is unused before its people are told. A rule of few days leaves at least half of them first: a job
    /// that runs each day is not told of each time. `told!` of the store says the same.
    pub const fn tell_after_ms(self) -> i64 {
        let early = self.days - UNUSED_NOTICE_DAYS as i64;
        let half = (self.days + 1) / 2;
        (if early > half { early } else { half }) * DAY_MS
    }

    /// Since when the key is not in use, as far as the rule goes.
    pub fn idle_since(self, key: &IdleKey) -> Timestamp {
        last_in_use(key).max(self.since)
    }

    pub fn step(self, key: &IdleKey, now: Timestamp) -> Step {
        let idle_since = self.idle_since(key);
        match told_since(key, idle_since) {
            None if now.since_ms(idle_since) >= self.tell_after_ms() => Step::Tell,
            Some(told) if now >= self.disabled_from(idle_since, told) => Step::Disable,
            _ => Step::Nothing,
        }
    }

    /// The first moment at which a key is disabled that its people were told of.
    fn disabled_from(self, idle_since: Timestamp, told: Timestamp) -> Timestamp {
        let unused_enough = idle_since.plus_ms(self.days * DAY_MS);
        unused_enough.max(told.plus_ms(NOTICE_MS))
    }
}

/// When the key was last used, made, enabled or given a secret, or begins to be good.
fn last_in_use(key: &IdleKey) -> Timestamp {
    let moments = [
        Some(key.created_at_ms),
        Some(key.secret_since_ms),
        key.not_before_ms,
        key.used_at_ms,
        key.enabled_at_ms,
    ];
    Timestamp::from_ms(moments.into_iter().flatten().max().unwrap_or_default())
}

/// When its people were told of this time of not being used; what they were told of an earlier one is void.
fn told_since(key: &IdleKey, idle_since: Timestamp) -> Option<Timestamp> {
    let told = key.told_at_ms.map(Timestamp::from_ms);
    told.filter(|told| *told > idle_since)
}

/// What holds for unused keys of an environment, as the job will find it.
pub(super) struct Standing {
    rule: Rule,
    policy: PolicyStanding,
}

impl Standing {
    /// None where no rule holds, and where the job has not seen the present one: it will count from then on.
    pub async fn find(
        tx: &mut Tx,
        scope: &OrgScope,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Option<Self>, DomainError> {
        let noted = store::find_rule(tx, scope, environment).await?;
        let Some((days, since)) = noted else {
            return Ok(None);
        };
        let standing = Self {
            rule: Rule { days, since },
            policy: policies::find(tx, scope, environment).await?,
        };
        Ok(Some(standing).filter(|standing| standing.holds_at(now)))
    }

    fn holds_at(&self, at: Timestamp) -> bool {
        let days = self.policy.clone().in_force(at).unused_days;
        days.map(i64::from) == Some(self.rule.days)
    }

    /// The notice that runs for a key which could be used. None where nobody was told, where a use or an enabling has voided
    /// it, and where the key ends, or another rule begins, before it would be disabled.
    pub fn notice(&self, key: &IdleKey) -> Option<UnusedNotice> {
        let idle_since = self.rule.idle_since(key);
        let told_at = told_since(key, idle_since)?;
        let disabled_from = self.rule.disabled_from(idle_since, told_at);
        let ends_before = key.expires_at_ms.is_some_and(|end| end <= disabled_from.ms());
        (!ends_before && self.holds_at(disabled_from)).then(|| UnusedNotice {
            since: last_in_use(key),
            told_at,
            disabled_from,
            days: self.rule.days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

    fn days_ago(days: i64) -> Timestamp {
        NOW.minus_ms(days * DAY_MS)
    }

    fn rule(days: i64) -> Rule {
        Rule {
            days,
            since: days_ago(1_000),
        }
    }

    fn unused_for(days: i64, told_days_ago: Option<i64>) -> IdleKey {
        IdleKey {
            id: "key_0123456789AB".to_owned(),
            name: "Idle".to_owned(),
            owner_account_id: None,
            created_at_ms: days_ago(2_000).ms(),
            secret_since_ms: days_ago(2_000).ms(),
            not_before_ms: None,
            expires_at_ms: None,
            idle_since_ms: days_ago(days).ms(),
            used_at_ms: Some(days_ago(days).ms()),
            enabled_at_ms: None,
            told_at_ms: told_days_ago.map(|days| days_ago(days).ms()),
        }
    }

    #[test]
    fn nothing_is_disabled_earlier_than_a_week_after_the_letter() {
        let after = |idle, told| rule(90).step(&unused_for(idle, told), NOW);
        assert_eq!(after(82, None), Step::Nothing);
        assert_eq!(after(83, None), Step::Tell);
        assert_eq!(after(400, None), Step::Tell);
        assert_eq!(after(400, Some(6)), Step::Nothing);
        assert_eq!(after(400, Some(7)), Step::Disable);
        assert_eq!(after(89, Some(7)), Step::Nothing, "told early");
        assert_eq!(after(83, Some(84)), Step::Tell, "told of an earlier time");
    }

    #[test]
    fn a_short_rule_does_not_tell_of_each_pause() {
        assert_eq!(rule(7).tell_after_ms(), 4 * DAY_MS);
        assert_eq!(rule(14).tell_after_ms(), 7 * DAY_MS);
        assert_eq!(rule(90).tell_after_ms(), 83 * DAY_MS);
    }

    #[test]
    fn a_notice_names_the_moment_of_the_job() {
        let mut policy = crate::model::policy::Policy::default_of(Environment::Live);
        policy.unused_days = Some(90);
        let policy = PolicyStanding {
            environment: Environment::Live,
            policy,
            plan: None,
            version: 1,
            changed_at: None,
        };
        let standing = Standing {
            rule: rule(90),
            policy,
        };
        let told = |key: &IdleKey| standing.notice(key).map(|notice| notice.disabled_from);
        for (idle, told_at) in [(83, 0), (85, 2), (89, 6), (400, 3), (400, 0)] {
            let key = unused_for(idle, Some(told_at));
            let from = told(&key).unwrap();
            assert_eq!(standing.rule.step(&key, from), Step::Disable, "{idle} {told_at}");
            assert_eq!(
                standing.rule.step(&key, from.minus_ms(1)),
                Step::Nothing,
                "{idle} {told_at}"
            );
        }
        assert_eq!(told(&unused_for(83, None)), None);
        assert_eq!(told(&unused_for(2, Some(3))), None, "used since");
        let mut ends = unused_for(85, Some(2));
        ends.expires_at_ms = told(&ends).map(Timestamp::ms);
        assert_eq!(told(&ends), None, "it ends before");
    }
}
