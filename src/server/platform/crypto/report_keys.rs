//! Public keys that reports of leaked secrets are signed with: ECDSA over P-256 and SHA-256, in the list that GitHub
//! publishes for its secret scanning partners.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

/// The list is some hundred bytes a key.
const FILE_MAX: u64 = 256 * 1024;
/// What stands before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: a mark and two coordinates.
const POINT_BYTES: usize = 65;

/// Why a list of keys cannot be used; the text is for the operator.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReportKeysError {
    #[error("{0} cannot be read, or is larger than 256 KiB")]
    File(String),
    #[error(
        "the keys for reports of leaks are no JSON of the form {{\"public_keys\":[{{\"key_identifier\":…,\"key\":…}}]}}"
    )]
    Syntax,
    #[error(
        "the list of keys for reports of leaks is empty; without KEYWRIGHT_LEAK_KEYS_FILE unsigned reports are taken"
    )]
    Empty,
    #[error("the key {0} for reports of leaks is no public key of P-256 (PEM)")]
    Key(String),
}

#[derive(Deserialize)]
struct Published {
    public_keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    key_identifier: String,
    key: String,
}

/// The keys, by their names. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct ReportKeys(Arc<[(String, [u8; POINT_BYTES])]>);

impl ReportKeys {
    /// Reads the list from a file; none without a file.
    pub fn load(path: Option<&Path>) -> Result<Self, ReportKeysError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let unreadable = || ReportKeysError::File(path.display().to_string());
        let size = std::fs::metadata(path).map_err(|_| unreadable())?.len();
        if size > FILE_MAX {
            return Err(unreadable());
        }
        Self::parse(&std::fs::read_to_string(path).map_err(|_| unreadable())?)
    }

    /// Reads the list. Keys that are not current any more count, too: what they have signed may still be on its way, and
    /// whoever keeps the file takes out what must not count.
    pub fn parse(text: &str) -> Result<Self, ReportKeysError> {
        let published: Published = serde_json::from_str(text).map_err(|_| ReportKeysError::Syntax)?;
        let keys = published.public_keys.into_iter().map(|listed| {
            let point =
                point_of(&listed.key).ok_or_else(|| ReportKeysError::Key(listed.key_identifier.clone()))?;
            Ok((listed.key_identifier, point))
        });
        let keys: Arc<[_]> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(ReportKeysError::Empty);
        }
        Ok(Self(keys))
    }

    /// Whether nobody is asked for a signature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key of this name has signed exactly these bytes; the signature is DER in base64.
    #[must_use]
    pub fn is_signed(&self, identifier: &str, signature: &str, body: &[u8]) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else {
            return false;
        };
        self.0
            .iter()
            .filter(|(name, _)| name == identifier)
            .any(|(_, point)| {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
                key.verify(body, &signature).is_ok()
            })
    }
}

/// The point of a key in PEM. That it lies on the curve is looked at when a signature is.
fn point_of(pem: &str) -> Option<[u8; POINT_BYTES]> {
    let inner = pem
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?;
    let inner: String = inner.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD.decode(inner).ok()?;
    let point: [u8; POINT_BYTES] = der.strip_prefix(HEAD.as_slice())?.try_into().ok()?;
    (point[0] == 4).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key in the form in which they are published; that a right signature counts is shown from outside.
    const NAME: &str = "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d";
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\nHzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n-----END PUBLIC KEY-----\n";
    const BODY: &[u8] = br#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
    const SIGNATURE: &str =
        "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=";

    fn list(pem: &str) -> String {
        serde_json::json!({ "public_keys": [{ "key_identifier": NAME, "key": pem, "is_current": true }] })
            .to_string()
    }

    #[test]
    fn a_signature_counts_for_its_bytes_and_its_key_alone() {
        let keys = ReportKeys::parse(&list(PEM)).unwrap();
        assert!(!keys.is_signed(NAME, SIGNATURE, &BODY[..BODY.len() - 1]));
        assert!(!keys.is_signed("another", SIGNATURE, BODY));
        assert!(!keys.is_signed(NAME, "", BODY));
        assert!(!keys.is_signed(NAME, "not base64!", BODY));
        assert!(!ReportKeys::default().is_signed(NAME, SIGNATURE, BODY));
    }

    #[test]
    fn a_list_that_cannot_be_used_is_refused_as_a_whole() {
        let refusal = |text: &str| ReportKeys::parse(text).unwrap_err();
        assert_eq!(refusal("{}"), ReportKeysError::Syntax);
        assert_eq!(refusal("{\"public_keys\":[]}"), ReportKeysError::Empty);
        for pem in ["", "MFkw", &PEM.replace("MFkw", "MFkx"), &PEM.replace("3Q==", "")] {
            assert_eq!(refusal(&list(pem)), ReportKeysError::Key(NAME.to_owned()));
        }
        assert!(ReportKeys::load(None).unwrap().is_empty());
        assert!(matches!(
            ReportKeys::load(Some(Path::new("/nowhere"))),
            Err(ReportKeysError::File(_))
        ));
    }
}
