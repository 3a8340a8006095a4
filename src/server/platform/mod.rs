//! The outside world, made exchangeable: time, chance, cryptography, telemetry.
//!
//! Called by domain through `Ctx`, and by boot. Calls only the model. `SystemTime::now` and the OS random source are
//! read here and nowhere else.

pub mod clock;
pub mod countries;
pub mod crypto;
pub mod mail;
pub mod redaction;
pub mod rng;
pub mod telemetry;
pub mod zones;
