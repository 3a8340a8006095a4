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
pub fn request(token: &str, key: &str) -> Arc<[u8]> {
    let body = format!(
        "{{\"key\":\"{key}\",\"permissions\":\"images:read AND images:write\",\"clientIp\":\"203.0.113.7\"}}"
    );
    let head = format!(
        "POST /v1/keys/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    format!("{head}{body}").into_bytes().into()
}

pub async fn run(address: SocketAddr, connections: usize, seconds: u64, requests: &[Arc<[u8]>]) -> Measured {
    let until = Instant::now() + Duration::from_secs(seconds);
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|n| tokio::spawn(client(address, requests.to_vec(), n * 7, until)))
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

async fn client(address: SocketAddr, requests: Vec<Arc<[u8]>>, offset: usize, until: Instant) -> Vec<u32> {
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
