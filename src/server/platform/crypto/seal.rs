//! Encryption at rest: XChaCha20-Poly1305 under a subkey of the master key.
//!
//! Envelope `v1.<kek_id>.<base64(nonce ‖ ciphertext)>`. The associated data names table, column, tenant and row, so
//! that a ciphertext moved elsewhere does not open.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::master_key::MasterKey;
use super::secret::Secret;
use crate::server::platform::rng::Rng;

const NONCE_BYTES: usize = 24;

/// Why a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("it was sealed by another master key")]
    OtherMasterKey,
    #[error("it is damaged, or was moved from another place")]
    Damaged,
}

/// Seals and opens while the process runs.
pub struct Sealer {
    master: Arc<MasterKey>,
    rng: Arc<dyn Rng>,
}

impl Sealer {
    #[must_use]
    pub fn new(master: Arc<MasterKey>, rng: Arc<dyn Rng>) -> Self {
        Self { master, rng }
    }

    #[must_use]
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> String {
        seal(&self.master, self.rng.as_ref(), place, plain)
    }

    pub fn open(&self, place: Place<'_>, envelope: &str) -> Result<Secret<Vec<u8>>, OpenError> {
        open(&self.master, place, envelope)
    }
}

/// Where a sealed value lives.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub org: &'a str,
    pub row: &'a str,
}

impl Place<'_> {
    fn associated_data(self) -> Vec<u8> {
        format!("v1|{}|{}|{}|{}", self.table, self.column, self.org, self.row).into_bytes()
    }
}

fn cipher(master: &MasterKey, table: &str) -> XChaCha20Poly1305 {
    let mut subkey = Zeroizing::new([0_u8; 32]);
    let info = format!("keywright-seal-v1|{table}");
    let derived = Hkdf::<Sha256>::new(None, master.bytes()).expand(info.as_bytes(), subkey.as_mut());
    debug_assert!(derived.is_ok(), "32 bytes are within what HKDF-SHA-256 can give");
    XChaCha20Poly1305::new((&*subkey).into())
}

/// Seals `plain` for its place.
#[must_use]
pub fn seal(master: &MasterKey, rng: &dyn Rng, place: Place<'_>, plain: &[u8]) -> String {
    let mut nonce = [0_u8; NONCE_BYTES];
    rng.fill(&mut nonce);
    let aad = place.associated_data();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    // Encryption fails only for messages beyond 256 GiB.
    let sealed = cipher(master, place.table)
        .encrypt(&XNonce::from(nonce), payload)
        .unwrap_or_default();
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&sealed);
    format!("v1.{}.{}", master.id(), BASE64.encode(bytes))
}

/// Opens what [`seal`] made for the same place.
pub fn open(master: &MasterKey, place: Place<'_>, envelope: &str) -> Result<Secret<Vec<u8>>, OpenError> {
    let mut parts = envelope.splitn(3, '.');
    let (Some("v1"), Some(kek_id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(OpenError::Damaged);
    };
    if kek_id != master.id() {
        return Err(OpenError::OtherMasterKey);
    }
    let bytes = BASE64.decode(body).map_err(|_| OpenError::Damaged)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(OpenError::Damaged)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| OpenError::Damaged)?;
    let aad = place.associated_data();
    let opened = cipher(master, place.table).decrypt(
        &XNonce::from(nonce),
        Payload {
            msg: sealed,
            aad: &aad,
        },
    );
    opened.map(Secret::new).map_err(|_| OpenError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::platform::rng::OsRng;

    const HERE: Place<'_> = Place {
        table: "server_secrets",
        column: "sealed",
        org: "instance",
        row: "k1",
    };

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_under_its_key() {
        let (master, other) = (MasterKey::random(&OsRng), MasterKey::random(&OsRng));
        let sealed = seal(&master, &OsRng, HERE, b"pepper");
        assert!(!sealed.contains("pepper"));
        assert!(open(&master, HERE, &sealed).is_ok_and(|plain| plain.expose() == b"pepper"));
        assert!(matches!(
            open(&other, HERE, &sealed),
            Err(OpenError::OtherMasterKey)
        ));
        let elsewhere = Place { row: "k2", ..HERE };
        assert!(matches!(
            open(&master, elsewhere, &sealed),
            Err(OpenError::Damaged)
        ));
        assert!(matches!(open(&master, HERE, "v1.x"), Err(OpenError::Damaged)));
    }
}
