//! A log to look through.

use std::io::Write;
use std::sync::{Arc, Mutex};

use keywright::server::platform::telemetry::RedactingWriter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::canaries::holds;

/// A log in memory, redacted as the real one is.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

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
    pub fn open_to_everything() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub fn written(&self) -> Vec<u8> {
        let log = self.0.lock().unwrap().clone();
        assert!(holds(&log, b"answered"), "the log is open to everything");
        log
    }
}
