//! Slow, silent and greedy peers (R71), over real sockets.

use std::time::{Duration, Instant};

use keywright::server::http::serve::{Bounds, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::kit::{Backend, TestApp};

async fn listening(app: &TestApp, connections: usize) -> (std::net::SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let bounds = Bounds {
        write_time: Duration::from_secs(1),
        ..Bounds::of(connections)
    };
    tokio::spawn(serve(listener, app.router.clone(), bounds, stop.clone()));
    (address, stop)
}

async fn healthy(address: std::net::SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut answer))
        .await
        .is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread")]
async fn r71_silent_and_slow_peers_are_let_go() {
    let app = TestApp::on(Backend::Sqlite).await;
    let (address, _stop) = listening(&app, 2_000).await;
    let started = Instant::now();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..500 {
        let mut one = TcpStream::connect(address).await.unwrap();
        one.write_all(b"POST /v1/keys/verify HTTP/1.1\r\n").await.unwrap();
        crowd.push(one);
    }
    assert!(healthy(address).await, "the others are served meanwhile");
    for stream in [&mut silent, &mut slow] {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "still open after {:?}", started.elapsed());
    }
    assert!(
        started.elapsed() >= Duration::from_secs(5),
        "not cut off at once either"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r71_a_peer_that_reads_nothing_is_let_go() {
    let app = TestApp::on(Backend::Sqlite).await;
    let (address, _stop) = listening(&app, 1).await;
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let questions = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
    // Until the answers fill every buffer on the way, and then the questions do.
    let _ = tokio::time::timeout(Duration::from_secs(3), async {
        while deaf.write_all(&questions).await.is_ok() {}
    })
    .await;
    assert!(healthy(address).await, "the one place is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_finish_when_the_server_stops() {
    let app = TestApp::on(Backend::Sqlite).await;
    let (address, stop) = listening(&app, 10).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0_u8; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert!(healthy(address).await);
    stop.cancel();
    let mut rest = Vec::new();
    assert!(
        tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest))
            .await
            .is_ok()
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
}
