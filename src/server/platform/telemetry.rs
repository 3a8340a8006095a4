//! Logs: human or JSON, one line each, redacted before they are written (R77, R78).

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::server::platform::redaction::redacted;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    #[default]
    Human,
    Json,
}

/// Starts logging to standard error. A second call changes nothing.
pub fn start(format: LogFormat, filter: &str) {
    // Not EnvFilter: it looks at every entering of a span, which each request would pay for.
    let filter = parse_filter(filter).unwrap_or(Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(RedactedStderr);
    let _ = match format {
        LogFormat::Human => registry
            .with(lines.with_target(false).with_ansi(false))
            .try_init(),
        LogFormat::Json => registry
            .with(lines.json().flatten_event(true).with_current_span(true))
            .try_init(),
    };
}

/// Levels and `target=level`, separated by commas; spaces and empty parts do not matter. `None` when a part is neither.
fn parse_filter(text: &str) -> Option<Targets> {
    let parts: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let is_plain = |part: &&str| !part.ends_with('=') && !part.contains(['[', ']', '{', '}', ' ']);
    if parts.is_empty() || !parts.iter().all(is_plain) {
        return None;
    }
    parts.join(",").parse().ok()
}

/// Redacts each event as it is written; one event is one `write`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedactedStderr;

impl<'a> MakeWriter<'a> for RedactedStderr {
    type Writer = RedactingWriter<io::Stderr>;
    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter::new(io::stderr())
    }
}

/// Replaces every key and token text in what passes through by its public id, and collects a line before it goes on,
/// so that a secret cannot hide in two halves.
pub struct RedactingWriter<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            line: Vec::new(),
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        self.inner.write_all(redacted(&text).as_bytes())
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            self.pass_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        let _ = self.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_with_spaces_and_refused_when_it_is_something_else() {
        let parse = |text| parse_filter(text).map(|targets| targets.to_string());
        assert_eq!(parse("warn, keywright=info,"), parse("warn,keywright=info"));
        assert!(parse("warn,keywright=info").is_some());
        for bad in [
            "",
            "keywright=",
            "keywright[request]=debug",
            "keywright=loud",
            "a b=info",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn r77_a_secret_written_in_two_halves_is_redacted() {
        let mut sink = Vec::new();
        {
            let mut writer = RedactingWriter::new(&mut sink);
            writer
                .write_all(b"GET /?q=acme_live_0123456789AB0123456789abc")
                .unwrap();
            writer.write_all(b"defghijklmnopqrstuv3ndZub HTTP\n").unwrap();
        }
        assert_eq!(
            String::from_utf8(sink).unwrap(),
            "GET /?q=key_0123456789AB HTTP\n"
        );
    }
}
