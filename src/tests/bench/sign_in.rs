//! Signing in: whether a refusal tells by its time why it is one (R08), and what five hundred people at once do to memory
//! and to everybody else (R72).
//!
//! The delays after failures are cleared before each try: they are not what is measured, and would hide it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keywright::server::domain::accounts::throttle::{LOCKED_FROM, account_bucket};
use keywright::server::store::db::Db;

use crate::many_keys::resident_mib;
use crate::ratio::{Ratio, rank_test};
use crate::subject::{EMAIL, PASSWORD, Subject};
use crate::{SECONDS_PER_TURN, load};

const TRIES: usize = 500;
const CROWD: usize = 500;
const TURNS: usize = 3;

const WRONG: &str = "a phrase that is not the one";
const DISABLED: &str = "disabled@acme.example";
const LOCKED: &str = "locked@acme.example";
/// Why a sign-in is refused, with which address and password.
const REFUSALS: [(&str, &str, &str); 4] = [
    ("unknown", "nobody@acme.example", PASSWORD),
    ("wrong", EMAIL, WRONG),
    ("disabled", DISABLED, PASSWORD),
    ("locked", LOCKED, PASSWORD),
];

pub async fn measure() {
    let proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let subject = Subject::start_behind(1_000, 5_000, proxies).await;
    add_account(&subject, DISABLED, "disabled").await;
    add_account(&subject, LOCKED, "active").await;
    for n in 0..CROWD {
        add_account(&subject, &member_of_the_crowd(n), "active").await;
    }
    refusals(&subject).await;
    crowd(&subject).await;
}

fn member_of_the_crowd(n: usize) -> String {
    format!("user{n}@acme.example")
}

async fn execute(subject: &Subject, sql: String) {
    if let Db::Sqlite { writer, .. } = &subject.ctx.db {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(writer).await;
        done.expect("a statement");
    }
}

/// An account with the owner's password: hashing five hundred would take longer than what is measured.
async fn add_account(subject: &Subject, email: &str, status: &str) {
    let sql = format!(
        "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status, is_instance_admin,
         session_epoch, created_at_ms) SELECT 'acc_' || substr(lower(hex(randomblob(6))), 1, 12), '{email}', '{email}', 'Somebody',
         password_hash, password_pepper_id, '{status}', 0, 0, created_at_ms FROM accounts WHERE email_folded = '{EMAIL}'"
    );
    execute(subject, sql).await;
}

/// Forgets all failures but those that lock the one account.
async fn clear_delays(subject: &Subject) {
    let bucket = account_bucket(&subject.ctx, LOCKED);
    let sql = format!(
        "DELETE FROM throttles; INSERT INTO throttles (bucket, failures, blocked_until_ms, updated_at_ms)
         VALUES ('{bucket}', {LOCKED_FROM}, 0, 0)"
    );
    execute(subject, sql).await;
}

/// The bytes of one sign-in, from an address of its own.
fn request(subject: &Subject, n: usize, email: &str, password: &str) -> String {
    let body = format!(
        "email={}&password={}",
        email.replace('@', "%40"),
        password.replace(' ', "+")
    );
    let origin = subject.ctx.site.public_origin.as_str();
    let host = subject.ctx.site.public_origin.authority();
    format!(
        "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nX-Forwarded-For: 10.0.{}.{}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        n / 250,
        n % 250 + 1,
        body.len()
    )
}

fn status_of(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default()
}

/// Each kind of refusal in turn, one try at a time.
async fn refusals(subject: &Subject) {
    let mut times = [const { Vec::new() }; REFUSALS.len()];
    for n in 0..TRIES {
        for turn in 0..REFUSALS.len() {
            // Another kind goes first each time.
            let kind = (turn + n) % REFUSALS.len();
            let (what, email, password) = REFUSALS[kind];
            clear_delays(subject).await;
            let (answer, time_us) = load::page(subject.house, &request(subject, n, email, password)).await;
            assert_eq!(status_of(&answer), 401, "{what}");
            times[kind].push(time_us);
        }
    }
    let unknown = median(&times[0]);
    for ((what, ..), times_of_kind) in REFUSALS.into_iter().zip(&times) {
        let middle = median(times_of_kind);
        println!(
            "refused, {what:<9} median {:>6.2} ms, ÷ unknown {:.3} (must be 0.95–1.05), Mann-Whitney p {:.3} (must be above 0.01)",
            middle / 1e3,
            middle / unknown,
            rank_test(&times[0], times_of_kind)
        );
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Verification alone, and with crowds at the door, in turns.
async fn crowd(subject: &Subject) {
    let (mut p99, mut throughput) = (Ratio::default(), Ratio::default());
    let (mut answers, mut crowds) = (Answers::default(), 0);
    load::run(subject.house, 16, 1, &subject.dry_requests).await;
    let before_mib = resident_mib();
    let mut peak_mib = before_mib;
    for _ in 0..TURNS {
        let idle = load::run(subject.house, 16, SECONDS_PER_TURN, &subject.dry_requests).await;
        let watch = Watch::start();
        let until = Instant::now() + Duration::from_secs(SECONDS_PER_TURN);
        let (busy, came) = tokio::join!(
            load::run(subject.house, 16, SECONDS_PER_TURN, &subject.dry_requests),
            crowds_until(subject, until, &mut answers)
        );
        crowds += came;
        peak_mib = peak_mib.max(watch.stop().await);
        p99.add(busy.p99_us, idle.p99_us);
        throughput.add(busy.per_second, idle.per_second);
    }
    println!(
        "{crowds} crowds of {CROWD} sign-ins: {} let in, {} too many (503), {} too soon (429), {} else (must be 0)",
        answers.let_in, answers.busy, answers.throttled, answers.other
    );
    println!(
        "memory before {before_mib:.0} MiB, at most {peak_mib:.0} MiB: {:+.0} (must be below 128)",
        peak_mib - before_mib
    );
    p99.print("p99 of verify with a crowd ÷ without", "small; no budget");
    throughput.print("verify with a crowd ÷ without", "above 0; they share the cores");
}

#[derive(Default)]
struct Answers {
    let_in: usize,
    busy: usize,
    throttled: usize,
    other: usize,
}

/// One crowd after the other; how many.
async fn crowds_until(subject: &Subject, until: Instant, answers: &mut Answers) -> usize {
    let mut crowds = 0;
    while Instant::now() < until {
        clear_delays(subject).await;
        let house = subject.house;
        let person = |n| {
            let request = request(subject, n, &member_of_the_crowd(n), PASSWORD);
            tokio::spawn(async move { load::page(house, &request).await.0 })
        };
        let people: Vec<_> = (0..CROWD).map(person).collect();
        for person in people {
            match status_of(&person.await.expect("a person is answered")) {
                303 => answers.let_in += 1,
                503 => answers.busy += 1,
                429 => answers.throttled += 1,
                _ => answers.other += 1,
            }
        }
        crowds += 1;
    }
    crowds
}

/// The most memory that was seen while it looked.
struct Watch {
    over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<f64>,
}

impl Watch {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let look = move || {
            let mut peak: f64 = 0.0;
            while !seen.load(Ordering::Relaxed) {
                peak = peak.max(resident_mib());
                std::thread::sleep(Duration::from_millis(5));
            }
            peak
        };
        Self {
            over,
            task: tokio::task::spawn_blocking(look),
        }
    }

    async fn stop(self) -> f64 {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.expect("somebody looked")
    }
}
