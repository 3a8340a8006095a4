//! What concerns the installation as a whole, for those who administer it.

pub mod mail;
