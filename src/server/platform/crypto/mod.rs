//! Cryptography: sealed secrets, keyed hashes, passwords. Thin layers over RustCrypto; no construction of our own
//! beyond length-prefixing.

pub mod blocklist;
pub mod keyring;
pub mod master_key;
pub mod password;
pub mod seal;
pub mod secret;
pub mod totp;
