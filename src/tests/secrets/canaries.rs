//! What must not be found, and where it is looked for.

use std::path::Path;

/// The part of a secret that must not be seen anywhere; the public id may.
pub fn canary(secret: &str) -> &str {
    &secret[secret.len() - 38..]
}

/// Database, WAL and whatever lies beside them.
pub fn files_of(folder: &Path) -> Vec<u8> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(files.len() > 100_000, "database and WAL were read");
    files
}

pub fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// Everything that must not be seen: what it is, and its bytes.
#[derive(Default)]
pub struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    pub fn add(&mut self, what: &str, secret: &str) {
        self.0.push((what.to_owned(), secret.as_bytes().to_vec()));
    }

    /// As an app is given it, and as it is sealed.
    pub fn add_totp_secret(&mut self, base32: &str) {
        self.add("a TOTP secret", base32);
        self.0
            .push(("the bytes of a TOTP secret".to_owned(), from_base32(base32)));
    }

    pub fn add_recovery_codes(&mut self, codes: &[String]) {
        for code in codes {
            self.add("a recovery code", code);
            self.add("a recovery code without dashes", &code.replace('-', ""));
        }
    }

    pub fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            // Six digits occur inside numbers and digests; a code that leaked stands alone.
            let found = if secret.len() == 6 {
                stands_alone(bytes, secret)
            } else {
                holds(bytes, secret)
            };
            assert!(!found, "{place} hold {what}");
        }
    }
}

fn stands_alone(bytes: &[u8], word: &[u8]) -> bool {
    let is_other = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let starts = bytes
        .windows(word.len())
        .enumerate()
        .filter(|(_, window)| *window == word);
    let mut ends = starts.map(|(at, _)| {
        (
            at.checked_sub(1).and_then(|before| bytes.get(before)),
            bytes.get(at + word.len()),
        )
    });
    ends.any(|(before, after)| is_other(before) && is_other(after))
}

fn from_base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|b| {
        u64::from(if b.is_ascii_digit() {
            b - b'2' + 26
        } else {
            b - b'A'
        })
    });
    let digits: Vec<u64> = digits.collect();
    let forty_bits = |eight: &[u64]| {
        eight
            .iter()
            .fold(0, |bits, digit| bits << 5 | digit)
            .to_be_bytes()[3..]
            .to_vec()
    };
    digits.chunks(8).flat_map(forty_bits).collect()
}
