//! What people see. Asks rpc; knows no SQL and no cookies; draws the same on both sides.

pub mod charts;
pub mod components;
pub mod form;
pub mod frame;
pub mod islands;
pub mod pages;
pub mod target;
