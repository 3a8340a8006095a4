//! Peppers and MAC keys: random rows of the database, opened once at start.
//!
//! They are not derived from the master key, because hashes made with them could not be recomputed when it rotates.
//! Every hash and MAC is stored with the id of its key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::master_key::{hex, unhex};
use super::secret::Secret;

/// Name of the one hash algorithm for secrets in use.
pub const HASH_ALG: &str = "hmac-sha256";

/// What a key of the ring is for; keys of different purposes are never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Hashes of API keys and tokens.
    Key,
    /// MACs over security columns of rows.
    Row,
    /// The audit chain.
    Audit,
    /// The secret input of argon2.
    Password,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Key, Self::Row, Self::Audit, Self::Password];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Row => "row",
            Self::Audit => "audit",
            Self::Password => "password",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

struct RingKey {
    purpose: Purpose,
    id: String,
    is_active: bool,
    bytes: Secret<[u8; 32]>,
    /// Keyed once; every MAC starts from a copy.
    mac: Hmac<Sha256>,
}

fn keyed(bytes: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(bytes) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

/// All peppers and MAC keys, and which of each purpose new hashes are made with. They are a handful: a list is looked
/// through faster than a map.
#[derive(Default)]
pub struct Keyring {
    keys: Vec<RingKey>,
}

/// Which key of this process's ring; a ring only grows, so a place stays true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingPlace(u16);

/// A MAC with the name of its key, as it is stored.
#[derive(Clone, Debug)]
pub struct StoredMac {
    /// 64 hexadecimal digits.
    pub mac: String,
    pub key_id: String,
}

impl Keyring {
    pub fn add(&mut self, purpose: Purpose, id: &str, bytes: [u8; 32], active: bool) {
        for key in self.keys.iter_mut().filter(|key| key.purpose == purpose) {
            key.is_active &= !active;
        }
        self.keys.push(RingKey {
            purpose,
            id: id.to_owned(),
            is_active: active,
            mac: keyed(&bytes),
            bytes: Secret::new(bytes),
        });
    }

    /// Purposes without an active key: a ring that is asked for one of them refuses everything.
    #[must_use]
    pub fn missing(&self) -> Vec<Purpose> {
        Purpose::ALL
            .into_iter()
            .filter(|purpose| self.active(*purpose).is_none())
            .collect()
    }

    /// Makes a MAC with the active key. `parts` are length-prefixed, so that no two lists give one input.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, parts: &[impl AsRef<str>]) -> StoredMac {
        let Some(key) = self.active(purpose) else {
            return StoredMac {
                mac: String::new(),
                key_id: String::new(),
            };
        };
        StoredMac {
            mac: hex(&key.mac_of(parts)),
            key_id: key.id.clone(),
        }
    }

    /// Whether `expected` (64 hexadecimal digits) is the MAC of `parts` under the key named. Constant time; a missing
    /// key or malformed text is no.
    #[must_use]
    pub fn is_signed(
        &self,
        purpose: Purpose,
        key_id: &str,
        parts: &[impl AsRef<str>],
        expected: &str,
    ) -> bool {
        match (self.place(purpose, key_id), unhex(expected)) {
            (Some(place), Some(expected)) => self.is_mac(place, parts, &expected),
            _ => false,
        }
    }

    /// Where a key lies, for whoever compares with it often.
    #[must_use]
    pub fn place(&self, purpose: Purpose, key_id: &str) -> Option<RingPlace> {
        let named = |key: &RingKey| key.purpose == purpose && key.id == key_id;
        let place = self.keys.iter().position(named)?;
        u16::try_from(place).ok().map(RingPlace)
    }

    /// Whether `expected` is the MAC of `parts` under the key at that place. Constant time.
    #[must_use]
    pub fn is_mac(&self, place: RingPlace, parts: &[impl AsRef<str>], expected: &[u8; 32]) -> bool {
        let key = self.keys.get(usize::from(place.0));
        key.is_some_and(|key| key.mac_of(parts).ct_eq(expected).into())
    }

    /// The MACs of `parts` under every key of this purpose, the active one first: for what is found by its MAC.
    #[must_use]
    pub fn macs(&self, purpose: Purpose, parts: &[impl AsRef<str>]) -> Vec<[u8; 32]> {
        let (active, former): (Vec<_>, Vec<_>) = self
            .keys
            .iter()
            .filter(|key| key.purpose == purpose)
            .partition(|key| key.is_active);
        active
            .into_iter()
            .chain(former)
            .map(|key| key.mac_of(parts))
            .collect()
    }

    /// The raw key, for argon2's secret input.
    #[must_use]
    pub fn raw(&self, purpose: Purpose, key_id: &str) -> Option<&[u8; 32]> {
        let place = self.place(purpose, key_id)?;
        self.keys.get(usize::from(place.0)).map(|key| key.bytes.expose())
    }

    #[must_use]
    pub fn active_id(&self, purpose: Purpose) -> &str {
        self.active(purpose).map_or("", |key| &key.id)
    }

    fn active(&self, purpose: Purpose) -> Option<&RingKey> {
        self.keys
            .iter()
            .find(|key| key.purpose == purpose && key.is_active)
    }
}

impl RingKey {
    fn mac_of(&self, parts: &[impl AsRef<str>]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for part in parts {
            let part = part.as_ref();
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        let mut ring = Keyring::default();
        ring.add(Purpose::Key, "k1", [7; 32], true);
        ring
    }

    #[test]
    fn parts_cannot_flow_into_each_other() {
        let ring = ring();
        assert_ne!(
            ring.sign(Purpose::Key, &["ab", "c"]).mac,
            ring.sign(Purpose::Key, &["a", "bc"]).mac
        );
    }

    #[test]
    fn a_mac_names_its_key_and_another_key_says_no() {
        let mut ring = ring();
        let made = ring.sign(Purpose::Key, &["x"]);
        ring.add(Purpose::Key, "k2", [8; 32], true);
        assert!(ring.is_signed(Purpose::Key, &made.key_id, &["x"], &made.mac));
        assert!(!ring.is_signed(Purpose::Key, "k2", &["x"], &made.mac));
        assert!(!ring.is_signed(Purpose::Key, "gone", &["x"], &made.mac));
        assert!(!ring.is_signed(Purpose::Key, &made.key_id, &["y"], &made.mac));
        assert!(!ring.is_signed(Purpose::Key, &made.key_id, &["x"], ""));
    }
}
