//! What the texts of keys look like that somebody else made: prefix, alphabet, length, and how they were digested.
//!
//! A project declares them. Text that fits none is no key and is not looked up; text that could be a key or token of
//! ours may fit none.

mod shape;

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::form::FormValues;
use super::key::words;
use super::key_text::TEXT_MAX;
use super::text;

/// Formats of one project.
pub const FORMATS_MAX: usize = 10;
/// Characters after the prefix: fewer are no secret.
pub const LENGTH_MIN: usize = 16;
const PREFIX_MAX: usize = 40;
/// A shorter prefix is no mark by which a key is told from other words.
pub const MARK_MIN: usize = 3;

words! {
    /// Of what the text behind the prefix is made.
    Alphabet {
        LowerHex = "lower_hex", "0–9 a–f";
        Hex = "hex", "0–9 a–f A–F";
        Base62 = "base62", "0–9 a–z A–Z";
        Base64Url = "base64url", "0–9 a–z A–Z - _";
        Printable = "printable", "any ASCII but quotes";
    }
}

words! {
    /// How the keys were digested where they come from.
    DigestAlgorithm {
        Sha256 = "sha256", "SHA-256";
        Sha512 = "sha512", "SHA-512";
    }
}

impl Alphabet {
    #[must_use]
    pub const fn has(self, byte: u8) -> bool {
        match self {
            Self::LowerHex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base62 => byte.is_ascii_alphanumeric(),
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Printable => byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\'),
        }
    }
}

impl DigestAlgorithm {
    /// Bytes of a digest.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// One declared format.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImportFormat {
    /// Empty until it is saved.
    #[serde(default)]
    pub id: String,
    pub prefix: String,
    pub alphabet: Alphabet,
    /// Characters after the prefix, both ends included.
    pub min: usize,
    pub max: usize,
    pub algorithm: DigestAlgorithm,
}

impl ImportFormat {
    /// Whether the text is one of this format.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        text.as_bytes()
            .strip_prefix(self.prefix.as_bytes())
            .is_some_and(|rest| {
                (self.min..=self.max).contains(&rest.len())
                    && rest.iter().all(|byte| self.alphabet.has(*byte))
            })
    }

    /// Whether two formats are the same one, with other lengths at most.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.prefix.as_str(), self.alphabet, self.algorithm)
            == (other.prefix.as_str(), other.alphabet, other.algorithm)
    }

    /// Whether every text of `other` fits here.
    #[must_use]
    pub const fn covers_lengths_of(&self, other: &Self) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    /// Whether a key of it can be told from other words wherever it stands.
    #[must_use]
    pub const fn has_mark(&self) -> bool {
        self.prefix.len() >= MARK_MIN
    }

    /// `32` or `20-40`.
    #[must_use]
    pub fn length_text(&self) -> String {
        match self.min == self.max {
            true => self.min.to_string(),
            false => format!("{}-{}", self.min, self.max),
        }
    }

    /// What is shown of it: `old_… · 32 × 0–9 a–f · SHA-256`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let lengths = self.length_text().replace('-', "–");
        format!(
            "{}… · {lengths} × {} · {}",
            self.prefix,
            self.alphabet.label(),
            self.algorithm.label()
        )
    }

    /// Reads one: `length` is a number or a range.
    pub fn parse(prefix: &str, alphabet: &str, length: &str, algorithm: &str) -> Result<Self, FieldError> {
        let refuse = |code: &str, message: String| Err(FieldError::new("formats", code, message));
        let shown = text::shown(prefix, 60);
        let prefix = prefix.trim();
        if prefix.len() > PREFIX_MAX || !prefix.bytes().all(|byte| Alphabet::Printable.has(byte)) {
            let message = format!(
                "The prefix “{shown}” must be at most {PREFIX_MAX} ASCII characters without spaces or quotes."
            );
            return refuse("prefix", message);
        }
        let head = prefix.split('_').next().unwrap_or_default();
        let is_reserved = head == "whsec" || (head.len() == 3 && head.starts_with("kw"));
        if is_reserved && prefix.contains('_') {
            let message = format!(
                "“{shown}” begins like a token of Keywright. Such text is never looked up as an imported key."
            );
            return refuse("reserved", message);
        }
        let Some(alphabet) = Alphabet::parse(alphabet) else {
            return refuse(
                "alphabet",
                "Choose the characters of the keys from the list.".to_owned(),
            );
        };
        let Some(algorithm) = DigestAlgorithm::parse(algorithm) else {
            return refuse("algorithm", "Choose SHA-256 or SHA-512.".to_owned());
        };
        let (from, to) = length.split_once(['-', '–']).unwrap_or((length, length));
        let most = TEXT_MAX - prefix.len();
        let number = |text: &str| {
            text.trim()
                .parse::<usize>()
                .ok()
                .filter(|n| (LENGTH_MIN..=most).contains(n))
        };
        let (Some(min), Some(max)) = (number(from), number(to)) else {
            let message = format!(
                "“{}” is no length. Give the characters after the prefix as one number or a range such as 20-40, from {LENGTH_MIN} to {most}.",
                text::shown(length, 20)
            );
            return refuse("length", message);
        };
        if min > max {
            return refuse("length", format!("The range {min}-{max} ends before it begins."));
        }
        let format = Self {
            id: String::new(),
            prefix: prefix.to_owned(),
            alphabet,
            min,
            max,
            algorithm,
        };
        if alphabet == Alphabet::Printable && !format.has_mark() {
            let message = format!(
                "A format that takes any ASCII needs a prefix of at least {MARK_MIN} characters; otherwise nearly every text would fit."
            );
            return refuse("too_wide", message);
        }
        if format.could_be_ours() {
            let message = format!(
                "{} could also be a key or token of Keywright’s own. Give a longer prefix, or lengths that exclude it.",
                format.in_words()
            );
            return refuse("ours", message);
        }
        Ok(format)
    }
}

/// Reads the formats of a form: rows `format_prefix`, `format_alphabet`, `format_length`, `format_algorithm`, and
/// `format_remove` naming a row's index. Rows without prefix and length are dropped. `None` when the form had none of it.
pub fn parse_formats(values: &FormValues) -> Result<Option<Vec<ImportFormat>>, FieldError> {
    if !values.has("formats") {
        return Ok(None);
    }
    let cell = |name: &str, row: usize| values.all(name).get(row).map_or("", String::as_str).to_owned();
    let mut formats: Vec<ImportFormat> = Vec::new();
    for row in 0..values
        .all("format_length")
        .len()
        .max(values.all("format_prefix").len())
    {
        let (prefix, length) = (cell("format_prefix", row), cell("format_length", row));
        let is_empty = prefix.trim().is_empty() && length.trim().is_empty();
        let is_removed = values.all("format_remove").iter().any(|at| at.parse() == Ok(row));
        if is_empty || is_removed {
            continue;
        }
        let format = ImportFormat::parse(
            &prefix,
            &cell("format_alphabet", row),
            &length,
            &cell("format_algorithm", row),
        )?;
        if formats.iter().any(|known| known.is_same(&format)) {
            let message = format!("{} is declared twice.", format.in_words());
            return Err(FieldError::new("formats", "twice", message));
        }
        formats.push(format);
    }
    if formats.len() > FORMATS_MAX {
        let message = format!("A project has at most {FORMATS_MAX} import formats.");
        return Err(FieldError::new("formats", "too_many", message));
    }
    Ok(Some(formats))
}

/// What stands in the place of an imported key.
pub const HIDDEN: &str = "imported_key";

/// Replaces every key of a format with a mark by [`HIDDEN`]; one that was mistyped or goes on is hidden all the same.
#[must_use]
pub fn hidden<'a>(text: &'a str, formats: &[ImportFormat]) -> std::borrow::Cow<'a, str> {
    let mut out = std::borrow::Cow::Borrowed(text);
    for format in formats.iter().filter(|format| format.has_mark()) {
        if out.contains(&format.prefix) {
            out = std::borrow::Cow::Owned(hidden_of(&out, format));
        }
    }
    out
}

fn hidden_of(text: &str, format: &ImportFormat) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&format.prefix) {
        let behind = &rest[at + format.prefix.len()..];
        let run = behind
            .bytes()
            .take_while(|byte| format.alphabet.has(*byte))
            .count();
        // Among any ASCII there is no saying where a key ends; elsewhere it is all hidden.
        let end = match format.alphabet {
            Alphabet::Printable => run.min(format.max),
            _ => run,
        };
        let (shown, taken) = match run >= format.min {
            true => (HIDDEN, end),
            false => (format.prefix.as_str(), 0),
        };
        out.push_str(&rest[..at]);
        out.push_str(shown);
        rest = &behind[taken..];
    }
    out + rest
}

/// What is shown of a key whose text somebody else made.
#[must_use]
pub fn imported_hint(prefix: &str) -> String {
    match prefix.is_empty() {
        true => "imported".to_owned(),
        false => format!("imported · {prefix}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(prefix: &str, alphabet: &str, length: &str) -> String {
        match ImportFormat::parse(prefix, alphabet, length, "sha256") {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code,
        }
    }

    #[test]
    fn a_format_that_could_be_ours_is_refused() {
        for (prefix, alphabet, length, expected) in [
            ("", "base64url", "20-80", "ours"),
            ("acme_live_", "base62", "50", "ours"),
            ("acme_live_", "base62", "16-49", "ok"),
            ("acme_live_", "lower_hex", "40-60", "ours"),
            ("acme_", "base64url", "55", "ours"),
            ("acme_", "base62", "55", "ok"),
            ("acme_live", "base64url", "51", "ours"),
            ("Acme_live_", "base62", "50", "ok"),
            ("sk_live_", "base62", "50", "ok"),
            ("sk_live_", "base62", "24", "ok"),
            ("xk", "base64url", "56", "ours"),
            ("", "base62", "32", "ok"),
            ("", "hex", "64", "ok"),
            ("whsec_", "base62", "20", "reserved"),
            ("kwt_", "base62", "20", "reserved"),
            ("kwx_", "base62", "20", "reserved"),
            ("kwt", "base64url", "51", "ours"),
            ("kwt", "base64url", "20", "ok"),
            ("whsec", "base64url", "40", "ours"),
            ("old-", "printable", "40", "ok"),
            ("ol", "printable", "40", "too_wide"),
            ("a b", "hex", "40", "prefix"),
            ("“", "hex", "40", "prefix"),
            ("old_", "runes", "40", "alphabet"),
            ("old_", "hex", "15", "length"),
            ("old_", "hex", "40-20", "length"),
            ("old_", "hex", "", "length"),
            ("old_", "hex", "-1", "length"),
            ("old_", "hex", "16-509", "length"),
            ("old_", "hex", "16-508", "ok"),
        ] {
            assert_eq!(
                code(prefix, alphabet, length),
                expected,
                "{prefix} {alphabet} {length}"
            );
        }
        assert_eq!(
            ImportFormat::parse("old_", "hex", "32", "md5").unwrap_err().code,
            "algorithm"
        );
    }

    #[test]
    fn what_fits_is_neither_ours_nor_shorter_nor_longer() {
        let format = ImportFormat::parse("old_", "lower_hex", "32-40", "sha256").unwrap();
        let text = |n: usize| format!("old_{}", "a1".repeat(n / 2));
        assert!(format.fits(&text(32)) && format.fits(&text(40)));
        for other in [
            text(30),
            text(42),
            text(32).replace('a', "A"),
            text(32).replace("old_", "odd_"),
            String::new(),
        ] {
            assert!(!format.fits(&other), "{other}");
        }
    }

    #[test]
    fn rows_are_dropped_when_empty_or_marked_and_a_form_without_them_says_nothing() {
        let values = |pairs: &[(&str, &str)]| {
            FormValues::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
        };
        assert_eq!(parse_formats(&values(&[("name", "x")])).unwrap(), None);
        let row = |prefix: &'static str, length: &'static str| {
            [
                ("format_prefix", prefix),
                ("format_alphabet", "hex"),
                ("format_length", length),
                ("format_algorithm", "sha256"),
            ]
        };
        let all = [
            &[("formats", "1")][..],
            &row("a_", "32"),
            &row("", ""),
            &row("b_", "40"),
            &[("format_remove", "0")],
        ];
        let parsed = parse_formats(&values(&all.concat())).unwrap().unwrap();
        assert_eq!(
            parsed.iter().map(|f| f.prefix.as_str()).collect::<Vec<_>>(),
            ["b_"]
        );
        let twice = [&[("formats", "1")][..], &row("a_", "32"), &row("a_", "40")].concat();
        assert_eq!(parse_formats(&values(&twice)).unwrap_err().code, "twice");
    }

    #[test]
    fn r77_a_key_of_a_declared_format_is_hidden_wherever_it_stands() {
        let formats = [
            ImportFormat::parse("sk_live_", "base62", "24", "sha256").unwrap(),
            ImportFormat::parse("", "hex", "32", "sha256").unwrap(),
        ];
        let key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
        assert_eq!(
            hidden(&format!("?a={key}&b=sk_live_no {key}"), &formats),
            "?a=imported_key&b=sk_live_no imported_key"
        );
        let longer = format!("{key}99");
        assert_eq!(
            hidden(&longer, &formats),
            "imported_key",
            "nor the end of a longer one"
        );
        let hex = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            hidden(hex, &formats),
            hex,
            "without a mark it is a word like others"
        );
    }
}
