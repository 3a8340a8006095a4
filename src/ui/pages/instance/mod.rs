//! What concerns the installation as a whole, for those who administer it.

pub mod accounts;
pub mod mail;
pub mod organisations;
