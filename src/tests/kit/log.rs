//! A log that is kept, as the program would write it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use keywright::server::platform::telemetry::RedactingWriter;
use tracing::dispatcher::{Dispatch, set_default};
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

/// As long as this lives, the sink takes what its thread logs.
pub struct Listening(
    #[expect(dead_code, reason = "its end is what matters")] DefaultGuard,
    #[expect(dead_code, reason = "see listen")] Dispatch,
);

impl Sink {
    /// Everything, down to TRACE.
    pub fn listen(&self) -> Listening {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(self.clone())
            .finish();
        let guard = set_default(&Dispatch::new(subscriber));
        // While there is one subscriber, tracing asks only the thread that first comes to an event whether anybody
        // listens, and keeps its answer for all: tests beside this one would silence it. With two it asks them.
        Listening(guard, Dispatch::new(NoSubscriber::default()))
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

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
