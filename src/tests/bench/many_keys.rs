//! A million keys: in memory, at start, and in the list.

use std::sync::Arc;

use crate::ratio::Ratio;
use crate::subject::{EMAIL, PASSWORD, Subject};
use crate::{ROUNDS, SECONDS_PER_TURN, load};

const MANY: usize = 1_000_000;
/// Out of the way: what is measured is the memory, not the database behind it.
const AN_HOUR_MS: i64 = 3_600_000;

pub async fn measure() {
    let few = Subject::start(1_000, AN_HOUR_MS).await;
    let many = Subject::start(MANY, AN_HOUR_MS).await;
    println!(
        "start to ready with 1 M keys: {:.3} s (must be at most 2 s)",
        many.start_again().await
    );
    let all = Arc::new(many.dry_requests.clone());
    let before = resident_mib();
    load::each(many.house, 64, &all).await;
    println!(
        "memory per 1 M cached keys: {:.0} MiB (must be at most 400)",
        resident_mib() - before
    );
    load::run(few.house, 16, SECONDS_PER_TURN, &few.requests).await;
    let mut ratio = Ratio::default();
    for _ in 0..ROUNDS {
        let a = load::run(few.house, 16, SECONDS_PER_TURN, &few.requests).await;
        let b = load::run(many.house, 16, SECONDS_PER_TURN, &many.requests).await;
        ratio.add(b.per_second, a.per_second);
    }
    ratio.print("verify with 1 M keys ÷ 1 k keys, warm", "at least 0.80");
    drop((few, many));
    list().await;
}

/// The key list of an organisation with ten thousand keys against one with a hundred.
async fn list() {
    let (few, many) = (
        Subject::start(100, 5_000).await,
        Subject::start(10_000, 5_000).await,
    );
    let (a, b) = (Browser::sign_in(&few).await, Browser::sign_in(&many).await);
    let mut ratio = Ratio::default();
    for _ in 0..ROUNDS {
        let short = a.median("/settings/api-keys").await;
        ratio.add(b.median("/settings/api-keys").await, short);
    }
    ratio.print("first byte of the list, 10,000 keys ÷ 100", "at most 2");
}

/// Somebody signed in.
pub struct Browser<'a> {
    subject: &'a Subject,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub async fn sign_in(subject: &'a Subject) -> Self {
        let body = format!(
            "email={}&password={}",
            EMAIL.replace('@', "%40"),
            PASSWORD.replace(' ', "+")
        );
        let origin = subject.ctx.site.public_origin.as_str();
        let host = subject.ctx.site.public_origin.authority();
        let request = format!(
            "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (answer, _) = load::page(subject.house, &request).await;
        let lower = answer.to_ascii_lowercase();
        let at = lower.find("set-cookie: ").expect("a cookie") + "set-cookie: ".len();
        let cookie = answer[at..].split(';').next().unwrap_or_default().to_owned();
        Self { subject, cookie }
    }

    /// The median of some openings of a page.
    pub async fn median(&self, path: &str) -> f64 {
        let mut all = Vec::new();
        for _ in 0..50 {
            all.push(self.open(path).await);
        }
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }

    /// Microseconds until the first byte of a page.
    async fn open(&self, path: &str) -> f64 {
        let (status, first_byte_us) = self.get(path).await;
        assert_eq!(status, 200, "{path}");
        first_byte_us
    }

    /// Opens an address: the status, and microseconds until the first byte.
    pub async fn get(&self, path: &str) -> (u16, f64) {
        self.ask(&format!("GET {path}"), "").await
    }

    /// Sends a form.
    pub async fn send(&self, path: &str, form: &str) -> (u16, f64) {
        self.ask(&format!("POST {path}"), form).await
    }

    async fn ask(&self, what: &str, form: &str) -> (u16, f64) {
        let origin = &self.subject.ctx.site.public_origin;
        let request = format!(
            "{what} HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nAccept: text/html\r\nCookie: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            origin.authority(),
            origin.as_str(),
            self.cookie,
            form.len()
        );
        let (answer, first_byte_us) = load::page(self.subject.house, &request).await;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_default(), first_byte_us)
    }
}

/// What the process holds of the machine's memory, as Linux tells it; 0 elsewhere.
pub fn resident_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    pages * 4_096.0 / 1_048_576.0
}
