//! A load generator: keep-alive connections, each one request after the other, for some seconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

/// The bytes of one verification.
pub fn verification(token: &str, key: &str, dry_run: bool) -> Arc<[u8]> {
    let body = format!(
        "{{\"key\":\"{key}\",\"permissions\":\"images:read AND images:write\",\"clientIp\":\"203.0.113.7\",\"dryRun\":{dry_run}}}"
    );
    let head = format!(
        "POST /v1/keys/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    format!("{head}{body}").into_bytes().into()
}

pub async fn run(address: SocketAddr, connections: usize, seconds: u64, requests: &[Arc<[u8]>]) -> Measured {
    let requests = Arc::new(requests.to_vec());
    let until = Instant::now() + Duration::from_secs(seconds);
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|n| tokio::spawn(client(address, Arc::clone(&requests), n * 7_919, until)))
        .collect();
    let mut latencies: Vec<u32> = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a client finishes"));
    }
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |part: f64| f64::from(latencies[((latencies.len() - 1) as f64 * part) as usize]);
    Measured {
        per_second: latencies.len() as f64 / elapsed,
        p50_us: at(0.5),
        p99_us: at(0.99),
    }
}

/// Sends each request once.
pub async fn each(address: SocketAddr, connections: usize, requests: &Arc<Vec<Arc<[u8]>>>) {
    let share = |n| {
        let requests = Arc::clone(requests);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("the server listens");
            let mut buffer = vec![0_u8; 16_384];
            for request in requests.iter().skip(n).step_by(connections) {
                stream.write_all(request).await.expect("the request is taken");
                read_answer(&mut stream, &mut buffer).await;
            }
        })
    };
    let tasks: Vec<_> = (0..connections).map(share).collect();
    for task in tasks {
        task.await.expect("a client finishes");
    }
}

/// Opens a page on a connection of its own: the head of the answer, and microseconds until its first byte.
pub async fn page(address: SocketAddr, request: &str) -> (String, f64) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let sent = Instant::now();
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is taken");
    let mut answer = vec![0_u8; 1];
    stream.read_exact(&mut answer).await.expect("an answer comes");
    let first_byte_us = sent.elapsed().as_secs_f64() * 1e6;
    stream.read_to_end(&mut answer).await.expect("the answer ends");
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text, first_byte_us)
}

async fn client(
    address: SocketAddr,
    requests: Arc<Vec<Arc<[u8]>>>,
    offset: usize,
    until: Instant,
) -> Vec<u32> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("a TCP option");
    let (mut latencies, mut buffer) = (Vec::with_capacity(100_000), vec![0_u8; 16_384]);
    let mut n = offset;
    while Instant::now() < until {
        let sent = Instant::now();
        stream
            .write_all(&requests[n % requests.len()])
            .await
            .expect("the request is taken");
        read_answer(&mut stream, &mut buffer).await;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        n += 1;
    }
    latencies
}

/// Reads one whole answer and insists that it is 200.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        filled += stream.read(&mut buffer[filled..]).await.expect("an answer comes");
        let text = &buffer[..filled];
        if let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = std::str::from_utf8(&text[..end]).expect("headers are text");
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")
                    .map(str::to_owned)
            });
            let length: usize = length
                .expect("the answer tells its length")
                .parse()
                .expect("a number");
            if filled >= end + 4 + length {
                return;
            }
        }
    }
}
