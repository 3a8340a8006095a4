//! The text of keys and tokens: `<prefix>_<live|test>_<kid12><secret32><crc6>` and `<kind>_<id12><secret32><crc6>`.
//!
//! Parsing needs no database, so that typing errors and junk stop here. The checksum is no security control: it only
//! says that the text was copied whole.

use crc::{CRC_32_ISO_HDLC, Crc};

use super::key::Environment;

pub const KID_LENGTH: usize = 12;
pub const SECRET_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;
/// Characters after the last underscore: one double click selects them all.
pub const BODY_LENGTH: usize = KID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;
/// Longest text that is looked at at all.
pub const TEXT_MAX: usize = 512;

/// Base62 in the order the checksum is written with.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Prefixes that a project may not take: ours, and those of well-known others.
pub const RESERVED_PREFIXES: [&str; 10] = [
    "kwt", "kws", "kwi", "kwr", "kwe", "kwc", "whsec", "sk", "pk", "rk",
];

/// The key that documentation and examples show. Its id and its secret are written out in order, so no key of anybody is
/// this text; whoever looks for keys leaves it out, and nothing but it.
pub const EXAMPLE_KEY: &str = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub";

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Which credential a token text is; none passes as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Service,
    Setup,
    /// One-time links: an invitation, a new password, a new address.
    Invitation,
    Reset,
    Address,
    /// Collects the secret of a key.
    Claim,
}

impl TokenKind {
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Service => "kwt",
            Self::Setup => "kws",
            Self::Invitation => "kwi",
            Self::Reset => "kwr",
            Self::Address => "kwe",
            Self::Claim => "kwc",
        }
    }
}

/// A key text taken apart. Borrows from the text; shows nothing of the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParsedKey<'a> {
    pub prefix: &'a str,
    pub environment: Environment,
    pub kid: &'a str,
}

/// The six base62 characters of CRC-32/ISO-HDLC over everything before them, left-padded with `0`.
#[must_use]
pub fn checksum(text: &str) -> String {
    let mut rest = CRC.checksum(text.as_bytes());
    let mut out = [b'0'; CHECKSUM_LENGTH];
    for place in out.iter_mut().rev() {
        *place = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    out.iter().map(|&b| char::from(b)).collect()
}

/// Whether a project may use this prefix: 2–16 of `[a-z0-9]`, not reserved.
#[must_use]
pub fn is_prefix(text: &str) -> bool {
    (2..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !RESERVED_PREFIXES.contains(&text)
}

/// Takes a whole key text apart. `None` for anything that is not exactly a key with a right checksum.
#[must_use]
pub fn parse_key(text: &str) -> Option<ParsedKey<'_>> {
    let (head, body) = split_body(text)?;
    let (prefix, environment) = head.split_once('_')?;
    let environment = Environment::parse(environment)?;
    is_prefix(prefix).then_some(ParsedKey {
        prefix,
        environment,
        kid: &body[..KID_LENGTH],
    })
}

/// Takes a token text apart and gives its twelve id characters. `None` unless it is of this kind and whole.
#[must_use]
pub fn parse_token(kind: TokenKind, text: &str) -> Option<&str> {
    let (head, body) = split_body(text)?;
    (head == kind.prefix()).then(|| &body[..KID_LENGTH])
}

fn split_body(text: &str) -> Option<(&str, &str)> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let (head, body) = text.rsplit_once('_')?;
    let whole = body.len() == BODY_LENGTH && body.bytes().all(|b| b.is_ascii_alphanumeric());
    let covered = text.len().checked_sub(CHECKSUM_LENGTH)?;
    (whole && checksum(text.get(..covered)?) == text[covered..]).then_some((head, body))
}

/// Joins head (`acme_live`, `kwt`), public id and secret to the whole text with its checksum.
#[must_use]
pub fn compose(head: &str, kid: &str, secret: &str) -> String {
    let mut text = format!("{head}_{kid}{secret}");
    let sum = checksum(&text);
    text.push_str(&sum);
    text
}

/// What may be shown of a key for ever: prefix, environment and the first four characters of its public id.
#[must_use]
pub fn display_hint(prefix: &str, environment: Environment, kid: &str) -> String {
    format!(
        "{prefix}_{}_{}…",
        environment.as_str(),
        kid.get(..4).unwrap_or(kid)
    )
}

/// Finds where something that looks like one of our keys or tokens stands in `text`, whatever its checksum says:
/// for a search box and for redaction, a mistyped secret is as secret as a right one. Gives the byte range from the
/// head to the end of the run, and the public id.
#[must_use]
pub fn find_secret(text: &str) -> Option<(std::ops::Range<usize>, String)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(offset) = bytes[from..].iter().position(|&b| b == b'_') {
        let underscore = from + offset;
        let run = bytes[underscore + 1..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric())
            .count();
        if run >= KID_LENGTH + 8 {
            let is_head = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
            let head = bytes[..underscore].iter().rev().take_while(is_head).count();
            if names_a_secret(&text[underscore - head..underscore]) {
                let body = &text[underscore + 1..underscore + 1 + run];
                return Some((
                    underscore - head..underscore + 1 + run,
                    body[..KID_LENGTH].to_owned(),
                ));
            }
        }
        from = underscore + 1;
    }
    None
}

fn names_a_secret(head: &str) -> bool {
    let last = head.rsplit('_').next().unwrap_or_default();
    matches!(
        last,
        "live" | "test" | "kwt" | "kws" | "kwi" | "kwr" | "kwe" | "kwc" | "whsec"
    )
}

/// The same for a part of an address, where a secret may hide behind percent-encoding, once or several times over.
/// Plain text when there was one; otherwise the text as it came.
#[must_use]
pub fn redacted_address(text: &str) -> std::borrow::Cow<'_, str> {
    let mut plain = text.to_owned();
    for _ in 0..3 {
        if find_secret(&plain).is_some() {
            return std::borrow::Cow::Owned(redacted(&plain).into_owned());
        }
        let decoded = percent_decoded(&plain);
        if decoded == plain {
            break;
        }
        plain = decoded;
    }
    std::borrow::Cow::Borrowed(text)
}

/// Decodes `%5F` and its like where they stand for ASCII; everything else stays.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

/// Replaces every secret in `text` by its public id: `key_0123456789AB`, or `kwt_0123456789AB` for tokens.
#[must_use]
pub fn redacted(text: &str) -> std::borrow::Cow<'_, str> {
    let Some((range, kid)) = find_secret(text) else {
        return std::borrow::Cow::Borrowed(text);
    };
    let head = &text[range.start..range.end];
    let label = head
        .split('_')
        .next()
        .filter(|first| first.starts_with("kw") || *first == "whsec")
        .unwrap_or("key");
    let rest = redacted(&text[range.end..]).into_owned();
    std::borrow::Cow::Owned(format!("{}{label}_{kid}{rest}", &text[..range.start]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the contract.
    const VECTOR: &str = EXAMPLE_KEY;

    #[test]
    fn the_contract_vector_is_a_key() {
        let parsed = parse_key(VECTOR).unwrap();
        assert_eq!(
            (parsed.prefix, parsed.environment, parsed.kid),
            ("acme", Environment::Live, "0123456789AB")
        );
        assert_eq!(
            compose("acme_live", "0123456789AB", "0123456789abcdefghijklmnopqrstuv"),
            VECTOR
        );
    }

    #[test]
    fn any_changed_character_breaks_the_checksum() {
        for at in 0..VECTOR.len() {
            let mut bytes = VECTOR.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(
                parse_key(std::str::from_utf8(&bytes).unwrap()).is_none(),
                "at {at}"
            );
        }
    }

    #[test]
    fn a_token_of_one_kind_is_not_another_and_not_a_key() {
        let token = compose("kwt", "0123456789AB", "0123456789abcdefghijklmnopqrstuv");
        assert_eq!(parse_token(TokenKind::Service, &token), Some("0123456789AB"));
        assert_eq!(parse_token(TokenKind::Setup, &token), None);
        assert!(parse_key(&token).is_none());
    }

    #[test]
    fn reserved_and_malformed_prefixes_are_refused() {
        for bad in ["a", "sk", "kwt", "Acme", "ac-me", "abcdefghijklmnopq", "é1", ""] {
            assert!(!is_prefix(bad), "{bad}");
        }
        assert!(is_prefix("acme") && is_prefix("a1"));
    }

    #[test]
    fn r77_a_secret_is_found_wherever_it_stands() {
        let text =
            format!("GET /x?key={VECTOR}&b=1 and kwt_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub!");
        assert_eq!(
            redacted(&text),
            "GET /x?key=key_0123456789AB&b=1 and kwt_0123456789AB!"
        );
        assert_eq!(redacted("key_0123456789AB is an id"), "key_0123456789AB is an id");
    }

    #[test]
    fn r77_percent_encoding_hides_no_secret() {
        let encoded = VECTOR.replace('_', "%5F");
        let twice = VECTOR.replace('_', "%255f");
        for address in [format!("/settings?q={encoded}"), format!("/settings?q={twice}")] {
            assert_eq!(redacted_address(&address), "/settings?q=key_0123456789AB");
        }
        assert_eq!(redacted_address("/a%20b?q=100%"), "/a%20b?q=100%");
    }

    #[test]
    fn r77_a_mistyped_secret_is_a_secret_all_the_same() {
        let cut = &VECTOR[..VECTOR.len() - 9];
        assert_eq!(redacted(cut), "key_0123456789AB");
    }
}
