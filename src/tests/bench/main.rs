//! How fast is a verification, as a ratio to the least an axum server can do with the same bytes?
//!
//! Both answer the same requests over loopback, in turns within one run, because the same binary drifts by tens of
//! per cent between minutes. Load generator and server share the machine; where there are two cores, server threads
//! and clients share them too, which this says rather than hides.

#![expect(clippy::expect_used, reason = "a measurement that cannot go on has failed")]

mod load;
mod subject;

use load::Measured;
use subject::Subject;

const ROUNDS: usize = 5;
const SECONDS_PER_TURN: u64 = 2;

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn spread(values: &[f64]) -> String {
    let (low, high) = values
        .iter()
        .fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    format!("{low:.2}–{high:.2}")
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    runtime.block_on(run());
}

async fn run() {
    println!(
        "cores: {}",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    let subject = Subject::start(1_000, 5_000).await;
    for connections in [16, 64] {
        compare(&subject, connections).await;
    }
    memory_and_size().await;
    cold_and_junk(&subject).await;
    println!(
        "events accepted {}, persisted {}, dropped {}",
        subject.ctx.usage.accepted(),
        subject.persisted().await,
        subject.ctx.usage.dropped()
    );
}

/// The house and the reference in turns; prints throughput, latency and their ratio.
async fn compare(subject: &Subject, connections: usize) {
    let (mut ratios, mut p99s) = (Vec::new(), Vec::new());
    let (mut ours, mut reference) = (Measured::default(), Measured::default());
    for _ in 0..ROUNDS {
        reference = load::run(
            subject.reference,
            connections,
            SECONDS_PER_TURN,
            &subject.requests,
        )
        .await;
        ours = load::run(subject.house, connections, SECONDS_PER_TURN, &subject.requests).await;
        ratios.push(ours.per_second / reference.per_second);
        p99s.push(ours.p99_us / reference.p99_us);
    }
    println!(
        "reference  c={connections:<3} {:>8.0}/s  p50 {:>6.0} µs  p99 {:>6.0} µs",
        reference.per_second, reference.p50_us, reference.p99_us
    );
    println!(
        "verify     c={connections:<3} {:>8.0}/s  p50 {:>6.0} µs  p99 {:>6.0} µs",
        ours.per_second, ours.p50_us, ours.p99_us
    );
    let between = (spread(&ratios), spread(&p99s));
    println!(
        "ratio      c={connections:<3} throughput {:.2} ({}; must 0.50)  p99 {:.2}× ({}; must ≤ 4 at c=16)",
        median(&mut ratios),
        between.0,
        median(&mut p99s),
        between.1
    );
}

/// Many keys against few, both warm, with the age limit out of the way: what is measured is the map, not the database.
async fn memory_and_size() {
    let few = Subject::start(1_000, 3_600_000).await;
    let many = Subject::start(20_000, 3_600_000).await;
    let mut ratios = Vec::new();
    load::run(many.house, 16, SECONDS_PER_TURN * 2, &many.requests).await;
    for _ in 0..3 {
        let a = load::run(few.house, 16, SECONDS_PER_TURN, &few.requests).await;
        let b = load::run(many.house, 16, SECONDS_PER_TURN, &many.requests).await;
        ratios.push(b.per_second / a.per_second);
    }
    println!("20k keys ÷ 1k keys, warm: {:.2} (must 0.80)", median(&mut ratios));
}

async fn cold_and_junk(subject: &Subject) {
    let before = subject.ctx.key_cache.reads();
    let junk = vec![load::request(&subject.token, "acme_live_junk")];
    load::run(subject.house, 16, 1, &junk).await;
    let token_reads = subject.ctx.key_cache.reads() - before;
    println!(
        "database reads for malformed keys: {} (the caller's token is read anew each five seconds)",
        token_reads.saturating_sub(1)
    );
}
