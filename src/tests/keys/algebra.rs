//! Whatever is done to a key that rotates, in whatever order: each secret passes exactly as long as the rules say (R63).

use keywright::model::id::KeyId;
use keywright::model::rotation::{OVERLAP_MAX_MS, Overlap};
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use keywright::server::domain::keys::rotation;
use keywright::server::platform::clock::Clock;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::rotation::start;
use crate::kit::{TestApp, on_both_databases};

/// What may be done to a key that rotates.
#[derive(Clone, Debug)]
enum Step {
    Start { hours: i64, counted: bool },
    Use { newest: bool },
    Finish,
    Extend { hours: i64 },
    Cancel,
    Wait { minutes: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let hours = prop_oneof![Just(0_i64), 1_i64..72, Just(720)];
    prop_oneof![
        3 => (hours.clone(), any::<bool>()).prop_map(|(hours, counted)| Step::Start { hours, counted }),
        3 => any::<bool>().prop_map(|newest| Step::Use { newest }),
        1 => Just(Step::Finish),
        2 => (1_i64..720).prop_map(|hours| Step::Extend { hours }),
        1 => Just(Step::Cancel),
        4 => (1_i64..4_000).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// The rules, written once more and as plainly as possible.
struct Expected {
    expires_at: Timestamp,
    started_at: Timestamp,
    current: String,
    /// The previous secret, when it ends, and how long after the first use of the current one.
    previous: Option<(String, Timestamp, Option<i64>)>,
    dead: Vec<String>,
}

impl Expected {
    fn is_running(&self, now: Timestamp) -> bool {
        self.previous.as_ref().is_some_and(|(_, end, _)| *end > now)
    }

    fn code(&self, secret: &str, now: Timestamp) -> &'static str {
        let known = secret == self.current || self.previous.as_ref().is_some_and(|(text, ..)| text == secret);
        match () {
            () if !known => "NOT_FOUND",
            () if self.expires_at <= now => "EXPIRED",
            () if secret == self.current || self.is_running(now) => "VALID",
            () => "EXPIRED",
        }
    }
}

/// Does a step to the key and to what is expected of it; both must agree on whether it can be done.
async fn take(app: &TestApp, key: &KeyId, expected: &mut Expected, step: &Step) {
    let now = app.clock.now();
    let (alive, running) = (expected.expires_at > now, expected.is_running(now));
    let operator = app.operator();
    let of_hours = |hours: i64, from_first_use| Overlap {
        length_ms: hours * HOUR_MS,
        from_first_use,
    };
    match step {
        Step::Start { hours, counted } => {
            let started = start(app, key, of_hours(*hours, *counted)).await;
            assert_eq!(started.is_ok(), alive && !running, "{step:?}");
            let Ok(secret) = started else { return };
            if let Some((dead, ..)) = expected.previous.take() {
                expected.dead.push(dead);
            }
            let countdown = counted.then_some(hours * HOUR_MS);
            let length = countdown.map_or(hours * HOUR_MS, |_| OVERLAP_MAX_MS);
            let end = now.plus_ms(length).min(expected.expires_at);
            let former = std::mem::replace(&mut expected.current, secret);
            expected.previous = Some((former, end, countdown));
            expected.started_at = now;
        }
        Step::Use { newest } => {
            let secret = match (&expected.previous, newest) {
                (Some((previous, ..)), false) => previous.clone(),
                _ => expected.current.clone(),
            };
            let code = app.verify(&secret).await;
            app.ctx.usage.flush().await;
            let began = code == "VALID" && secret == expected.current && running;
            if let Some((_, end, countdown @ Some(_))) = expected.previous.as_mut().filter(|_| began) {
                *end = now.plus_ms(countdown.take().unwrap()).min(*end);
            }
        }
        Step::Finish => {
            let done = rotation::finish(&app.ctx, &operator, key).await;
            assert_eq!(done.is_ok(), running, "{step:?}");
            if let Some((_, end, countdown)) = expected.previous.as_mut().filter(|_| running) {
                (*end, *countdown) = (now, None);
            }
        }
        Step::Extend { hours } => {
            let wanted = now.plus_ms(hours * HOUR_MS).min(expected.expires_at);
            let is_later = expected
                .previous
                .as_ref()
                .is_some_and(|(_, end, _)| wanted > *end);
            let allowed = running && is_later && wanted <= expected.started_at.plus_ms(OVERLAP_MAX_MS);
            let done = rotation::extend(&app.ctx, &operator, key, of_hours(*hours, false)).await;
            assert_eq!(done.is_ok(), allowed, "{step:?}");
            if let Some((_, end, countdown)) = expected.previous.as_mut().filter(|_| allowed) {
                (*end, *countdown) = (wanted, None);
            }
        }
        Step::Cancel => {
            let done = rotation::cancel(&app.ctx, &operator, key).await;
            assert_eq!(done.is_ok(), running, "{step:?}");
            if running {
                let (former, ..) = expected.previous.take().unwrap();
                expected
                    .dead
                    .push(std::mem::replace(&mut expected.current, former));
            }
        }
        Step::Wait { minutes } => app.clock.advance_ms(minutes * MINUTE_MS),
    }
}

/// Asks without leaving a trace.
async fn peek(app: &TestApp, secret: &str) -> String {
    let answer = app.ask(json!({ "key": secret, "dryRun": true })).await;
    answer["code"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn r63_the_algebra_of_rotation_holds(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut runner = TestRunner::deterministic();
        for n in 0..24 {
            let steps = prop::collection::vec(step(), 4..24).new_tree(&mut runner).unwrap().current();
            let key = app.issue(&format!("key {n}"), &[]).await;
            let mut expected = Expected {
                expires_at: app.clock.now().plus_ms(90 * DAY_MS),
                started_at: app.clock.now(),
                current: key.secret.clone(),
                previous: None,
                dead: Vec::new(),
            };
            for (at, step) in steps.iter().enumerate() {
                take(&app, &key.id, &mut expected, step).await;
                let now = app.clock.now();
                let previous = expected.previous.iter().map(|(secret, ..)| secret);
                for secret in previous.chain([&expected.current]).chain(&expected.dead) {
                    assert_eq!(peek(&app, secret).await, expected.code(secret, now), "step {at} of {steps:#?}");
                }
            }
        }
    }
}
