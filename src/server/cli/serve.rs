//! `keywright serve`

use std::io::Write;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::output::{Done, Output, Refusal};
use crate::server::boot::{self, Announcement};
use crate::server::config::{Place, ServeOptions};
use crate::server::platform::telemetry;

#[derive(Args)]
pub struct ServeCommand {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    pub output: Output,
}

pub async fn run(command: ServeCommand) -> Result<Done, Refusal> {
    telemetry::start(command.place.log_format, &command.place.log);
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let json = command.output.json;
    boot::serve(&command.place, &command.options, stop, |announcement| {
        announce(announcement, json)
    })
    .await?;
    Ok(Done::silent())
}

/// One line on standard output: the address, and before set-up the one-time link.
fn announce(announcement: &Announcement, json: bool) {
    let Announcement {
        origin, setup_link, ..
    } = announcement;
    let line = match (json, setup_link) {
        (true, link) => serde_json::json!({ "origin": origin, "setupLink": link }).to_string(),
        (false, Some(link)) => {
            format!("Keywright is at {origin} — set it up with this one-time link: {link}")
        }
        (false, None) => format!("Keywright is at {origin}"),
    };
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    stop.cancel();
    // Who asks twice does not want to wait.
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    std::process::exit(1);
}
