//! Whether a format could take texts of ours: place by place, against every shape that ours have.

use super::{Alphabet, ImportFormat};
use crate::model::key_text::{BODY_LENGTH, is_prefix};

/// What a character of a text of ours may be.
#[derive(Clone, Copy)]
enum Place {
    Exactly(u8),
    Prefix,
    Body,
    /// Base64 of either kind, as a webhook secret has it.
    Base64,
}

impl Place {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Exactly(own) => own == byte,
            Self::Prefix => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Self::Body => byte.is_ascii_alphanumeric(),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'),
        }
    }

    fn meets(self, alphabet: Alphabet) -> bool {
        (0x21..0x7f).any(|byte| self.has(byte) && alphabet.has(byte))
    }
}

/// Every shape that a text of ours may have, whatever its checksum.
fn own_shapes() -> impl Iterator<Item = Vec<Place>> {
    let exactly = |text: &'static str| text.bytes().map(Place::Exactly);
    let keys = (2..=16).flat_map(move |length| {
        ["_live_", "_test_"].map(move |middle| {
            let head = std::iter::repeat_n(Place::Prefix, length).chain(exactly(middle));
            head.chain(std::iter::repeat_n(Place::Body, BODY_LENGTH))
                .collect()
        })
    });
    let tokens = ["kwt_", "kws_", "kwi_", "kwr_", "kwe_", "kwc_"];
    let tokens = tokens.map(move |head| {
        exactly(head)
            .chain(std::iter::repeat_n(Place::Body, BODY_LENGTH))
            .collect()
    });
    // 24 to 64 bytes.
    let webhooks = (32..=88).map(move |length| {
        exactly("whsec_")
            .chain(std::iter::repeat_n(Place::Base64, length))
            .collect()
    });
    keys.chain(tokens).chain(webhooks)
}

impl ImportFormat {
    /// Whether some text of the format could be a key or token of ours, whatever its checksum.
    pub(super) fn could_be_ours(&self) -> bool {
        let prefix = self.prefix.as_bytes();
        own_shapes().any(|shape| {
            let Some(length) = shape.len().checked_sub(prefix.len()) else {
                return false;
            };
            // A whole head that no project may have: `sk_live_` is nobody's here.
            let head = shape
                .iter()
                .take_while(|place| matches!(place, Place::Prefix))
                .count();
            let is_foreign = head > 0 && prefix.len() > head && !is_prefix(&self.prefix[..head]);
            !is_foreign
                && (self.min..=self.max).contains(&length)
                && shape.iter().zip(prefix).all(|(place, byte)| place.has(*byte))
                && shape[prefix.len()..]
                    .iter()
                    .all(|place| place.meets(self.alphabet))
        })
    }
}
