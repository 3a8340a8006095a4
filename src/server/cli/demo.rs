//! `keywright demo`

use clap::Args;
use serde_json::json;

use super::output::{Done, Output, Refusal};
use crate::server::boot::{self, Parts, Schema};
use crate::server::config::Place;
use crate::server::domain::demo;
use crate::server::platform::telemetry;

#[derive(Args)]
pub struct DemoCommand {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub output: Output,
}

pub async fn run(command: DemoCommand) -> Result<Done, Refusal> {
    telemetry::start(command.place.log_format, &command.place.log);
    let (ctx, _) = boot::open(&command.place, Schema::Migrate, Parts::offline()?).await?;
    let made = demo::seed(&ctx).await?;
    let fresh = if made { "Made" } else { "This folder already holds" };
    let prose = format!(
        "{fresh} the demonstration organisation. Sign in as {} with the password: {}",
        demo::EMAIL,
        demo::PASSWORD
    );
    Ok(Done::new(
        json!({ "made": made, "email": demo::EMAIL, "password": demo::PASSWORD }),
        prose,
    ))
}
