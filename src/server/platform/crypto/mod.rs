//! Cryptography: sealed secrets, keyed hashes, passwords. Thin layers over RustCrypto (and ring, which TLS brings
//! along, for other people's signatures); no construction of our own
//! beyond length-prefixing.

pub mod blocklist;
pub mod keyring;
pub mod master_key;
pub mod password;
pub mod report_keys;
pub mod seal;
pub mod secret;
pub mod totp;
