//! A secret is nowhere but in the one answer.

mod keys;
mod people;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use keywright::server::platform::telemetry::RedactingWriter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// A log in memory, redacted as the real one is.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = RedactingWriter<Sink>;
    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter::new(self.clone())
    }
}

impl Sink {
    /// Everything that this thread logs, down to TRACE, while the guard lives.
    fn open_to_everything() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn written(&self) -> Vec<u8> {
        let log = self.0.lock().unwrap().clone();
        assert!(holds(&log, b"answered"), "the log is open to everything");
        log
    }
}

/// The part of a secret that must not be seen anywhere; the public id may.
fn canary(secret: &str) -> &str {
    &secret[secret.len() - 38..]
}

/// Database, WAL and whatever lies beside them.
fn files_of(folder: &Path) -> Vec<u8> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(files.len() > 100_000, "database and WAL were read");
    files
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}
