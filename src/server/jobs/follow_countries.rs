//! Each minute: is the country database another file? Only where one is configured.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::ctx::Ctx;

const EVERY: Duration = Duration::from_secs(60);

pub async fn run(ctx: Ctx, stop: CancellationToken) {
    if !ctx.countries.is_configured() {
        return;
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        let reading = ctx.clone();
        match tokio::task::spawn_blocking(move || reading.countries.refresh()).await {
            Ok(Ok(true)) => {
                let edition = ctx.countries.edition();
                let (kind, built_at) = edition
                    .map(|edition| (edition.kind, edition.built_at.rfc3339()))
                    .unzip();
                tracing::info!(kind, built_at, "the country database was read anew");
            }
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the country database stays as it was"),
            Err(error) => tracing::warn!(%error, "the country database could not be looked at"),
        }
    }
}
