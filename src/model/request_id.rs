//! The name of one request, in its answer, in every log line about it and in the audit log.

use super::key_text::ALPHABET;

const PREFIX: &str = "req_";
const LENGTH: usize = 24;

/// `req_` and twenty characters; ours alone, whatever the client sent. Empty where there is no request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestId(Option<[u8; LENGTH]>);

impl RequestId {
    /// Names a request by twenty random bytes. A name need not be hard to guess: that 256 is no multiple of 62 does
    /// not matter here.
    #[must_use]
    pub fn from_random(bytes: [u8; 20]) -> Self {
        let mut text = [0; LENGTH];
        text[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        for (place, byte) in text[PREFIX.len()..].iter_mut().zip(bytes) {
            *place = ALPHABET[usize::from(byte) % ALPHABET.len()];
        }
        Self(Some(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.as_ref().map(|text| std::str::from_utf8(text));
        text.and_then(Result::ok).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_prefix_and_plain_characters() {
        let id = RequestId::from_random(std::array::from_fn(|n| u8::try_from(n * 13).unwrap()));
        assert_eq!(id.as_str().len(), LENGTH);
        let rest = id.as_str().strip_prefix(PREFIX).unwrap();
        assert!(rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(RequestId::default().as_str(), "");
    }
}
