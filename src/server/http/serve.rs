//! The accept loop: HTTP/1.1 with a bound on everything a slow or greedy peer could hold (R71).
//!
//! 2026-11: our own loop instead of `axum::serve`, which bounds neither the time to read a header nor the number of
//! connections. HTTP/2 without TLS has no browser; a proxy in front speaks HTTP/1.1 to us.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::middleware::client_ip::Peer;

/// A header must be complete within this time; it also ends connections that stay silent.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);
/// Requests in flight may finish within this time when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// How much of the machine peers may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub connections: usize,
    /// A peer that takes nothing of its answer for so long is let go.
    pub write_time: Duration,
}

impl Bounds {
    #[must_use]
    pub const fn of(connections: usize) -> Self {
        Self {
            connections,
            write_time: Duration::from_secs(30),
        }
    }
}

/// Serves until told to stop, then lets requests in flight finish.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let Ok(place) = place else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for one to come back.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let connection = graceful.watch(connection(stream, Peer(peer), router.clone(), bounds.write_time));
        tokio::spawn(async move {
            // Errors here are the peer's: a reset, a time-out, a broken request.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    write_time: Duration,
) -> impl GracefulConnection<Error: Send> + Send + use<> {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write_time));
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .max_buf_size(super::middleware::limits::HEADERS_MAX + super::middleware::limits::TARGET_MAX + 1_024)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
}
