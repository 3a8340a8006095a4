//! Charts: drawn as SVG on the server, legible as a table, without a script.

pub mod scale;
mod spark;
mod usage;

pub use spark::spark;
pub use usage::UsageChart;
