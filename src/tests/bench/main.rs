//! How fast is the house? Every answer is a ratio of two measurements taken in turns within one run, because the same
//! binary drifts by tens of per cent between minutes: against the least an axum server can do with the same bytes, or
//! against the house itself with less in it.
//!
//! Load generator and server share the machine; where there are two cores, server threads and clients share them too,
//! which this says rather than hides.

#![expect(clippy::expect_used, reason = "a measurement that cannot go on has failed")]

mod load;
mod many_events;
mod many_keys;
mod pages;
mod ratio;
mod scan;
mod sign_in;
mod subject;

use std::process::ExitCode;

use keywright::server::platform::telemetry::{self, LogFormat};
use ratio::Ratio;
use subject::Subject;

/// As the served binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
const SECONDS_PER_TURN: u64 = 2;

fn main() -> ExitCode {
    telemetry::start(LogFormat::Human, "warn,keywright=info");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    runtime.block_on(run())
}

async fn run() -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{cores} cores, shared by the server and its clients; medians of {ROUNDS} turns, lowest and highest in brackets"
    );
    // `cargo bench … -- sign-in`, `-- scan` or `-- pages` for whoever waits for that alone.
    let only = |part: &str| std::env::args().any(|word| word == part);
    if only("sign-in") {
        sign_in::measure().await;
        return ExitCode::SUCCESS;
    }
    if only("scan") {
        scan::measure();
        return ExitCode::SUCCESS;
    }
    if only("pages") {
        return pages::measure().await;
    }
    let subject = Subject::start(1_000, 5_000).await;
    for connections in [16, 64] {
        against_reference(&subject, connections).await;
    }
    events(&subject).await;
    junk(&subject).await;
    drop(subject);
    many_keys::measure().await;
    many_events::measure().await;
    sign_in::measure().await;
    scan::measure();
    pages::measure().await
}

/// The house and the reference in turns.
async fn against_reference(subject: &Subject, connections: usize) {
    let (mut throughput, mut p99) = (Ratio::default(), Ratio::default());
    let mut last = None;
    for _ in 0..ROUNDS {
        let reference = load::run(
            subject.reference,
            connections,
            SECONDS_PER_TURN,
            &subject.requests,
        )
        .await;
        let ours = load::run(subject.house, connections, SECONDS_PER_TURN, &subject.requests).await;
        throughput.add(ours.per_second, reference.per_second);
        p99.add(ours.p99_us, reference.p99_us);
        last = Some((reference, ours));
    }
    for (name, m) in last
        .map(|(a, b)| [("axum", a), ("verify", b)])
        .into_iter()
        .flatten()
    {
        println!(
            "{name:<7} c={connections:<3} {:>8.0}/s  p50 {:>5.0} µs  p99 {:>5.0} µs",
            m.per_second, m.p50_us, m.p99_us
        );
    }
    throughput.print(
        &format!("verify ÷ axum POST JSON, c={connections}"),
        "at least 0.50",
    );
    let must = if connections == 16 {
        "at most 4"
    } else {
        "small; no budget"
    };
    p99.print(&format!("p99 of verify ÷ axum, c={connections}"), must);
}

/// With usage events and without; and whether each was kept.
async fn events(subject: &Subject) {
    let mut ratio = Ratio::default();
    for _ in 0..ROUNDS {
        let off = load::run(subject.house, 16, SECONDS_PER_TURN, &subject.dry_requests).await;
        let on = load::run(subject.house, 16, SECONDS_PER_TURN, &subject.requests).await;
        ratio.add(on.per_second, off.per_second);
    }
    ratio.print("events on ÷ off", "at least 0.85");
    let persisted = subject.persisted().await;
    let usage = &subject.ctx.usage;
    println!(
        "events accepted {}, persisted {persisted}, dropped {}; what they needed, noted {} times",
        usage.accepted(),
        usage.dropped(),
        subject.needs_noted().await
    );
}

/// Text that is no key never reaches the database.
async fn junk(subject: &Subject) {
    let before = subject.ctx.key_cache.reads();
    let junk = [load::verification(&subject.token, "acme_live_junk", false)];
    load::run(subject.house, 16, 1, &junk).await;
    // The caller's token may have been read once more meanwhile.
    let reads = (subject.ctx.key_cache.reads() - before).saturating_sub(1);
    println!("database reads for malformed keys: {reads} (must 0)");
}
