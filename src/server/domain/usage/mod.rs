//! Usage events: taken in without waiting, written in batches by one writer.

mod needs;
mod sink;
mod write;

pub use sink::{Told, UsageEvent, UsageReceiver, UsageSink};
pub use write::{BATCH_MAX, write};
