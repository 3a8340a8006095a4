//! What every request passes, once, in the order of [`super`].

pub mod access;
pub mod client_ip;
pub mod cross_site;
pub mod headers;
pub mod host;
pub mod limits;
pub mod outer;
pub mod panic;
pub mod request_id;
pub mod session;
