//! Decides whether bytes are a key or token of ours. Pure.
//!
//! A credential is 50 base62 characters after an underscore, and a right checksum. Text that goes on with another
//! base62 character is none. Anything may stand before: the checksum covers the prefix, so it also says where the
//! prefix begins. The one key that documentation shows is left out. Of several beginnings with a right checksum (one in four thousand million) the longest counts.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{Span, packed};

use crate::model::import_format::{Alphabet, HIDDEN, ImportFormat};
use crate::model::key::Environment;
use crate::model::key_text::{self, BODY_LENGTH, EXAMPLE_KEY, KID_LENGTH, SECRET_LENGTH};

/// What stands before the 50 characters. `kwc`, the claim link, has a form before it has a use case.
const ANCHORS: [&str; 8] = ["_live_", "_test_", "kwt_", "kws_", "kwi_", "kwr_", "kwe_", "kwc_"];
/// A prefix has 2 to 16 characters.
const PREFIX_LENGTHS: Range<usize> = 2..17;

/// Bytes before an anchor that a credential may begin with.
pub const BEFORE: usize = 16;
/// Bytes from the beginning of an anchor that decide: anchor, body, and the one behind them.
pub const AFTER: usize = 6 + BODY_LENGTH + 1;

/// A credential, without anything that must not be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    Key {
        kid: String,
        prefix: String,
        environment: &'static str,
    },
    Token {
        kid: String,
        head: &'static str,
    },
    /// A key that somebody else made, of a format that was named: it has no public id.
    Imported {
        prefix: String,
    },
}

impl Credential {
    /// The public id: `key_…`, `tok_…` for service tokens, head and id for tokens that are known by no id of their own.
    /// None for a key that somebody else made.
    #[must_use]
    pub fn known_id(&self) -> Option<String> {
        match self {
            Self::Imported { .. } => None,
            own => Some(own.id()),
        }
    }

    /// What it is called: its public id, where it has one.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Imported { .. } => HIDDEN.to_owned(),
            Self::Key { kid, .. } => format!("key_{kid}"),
            Self::Token { kid, head: "kwt" } => format!("tok_{kid}"),
            Self::Token { kid, head } => format!("{head}_{kid}"),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Key {
                prefix, environment, ..
            } => format!("{environment} key, prefix {prefix}"),
            Self::Imported { prefix } => format!("key of another maker, prefix {prefix}"),
            Self::Token { head, .. } => match *head {
                "kwt" => "service token",
                "kws" => "set-up link",
                "kwi" => "invitation",
                "kwr" => "link for a new password",
                "kwe" => "link for a new address",
                _ => "claim link",
            }
            .to_owned(),
        }
    }
}

/// A credential and the bytes it takes.
pub struct Sighting {
    pub range: Range<usize>,
    pub credential: Credential,
}

/// Shows every credential whose anchor begins within `anchors`, from front to back. What is behind `anchors` is looked
/// at too: a caller with more to come keeps [`AFTER`] bytes between the two ends.
pub fn each(bytes: &[u8], anchors: Range<usize>, mut see: impl FnMut(Sighting)) {
    let mut from = anchors.start;
    while let Some((at, anchor)) = next_anchor(bytes, from).filter(|(at, _)| *at < anchors.end) {
        if let Some(sighting) = sighting_at(bytes, at, anchor) {
            see(sighting);
        }
        // Not behind it: in `x_live_test_` both words are anchors.
        from = at + 1;
    }
}

/// The same and, in between, keys of formats that were named. They have no checksum: prefix, characters and length
/// decide.
pub fn each_of(bytes: &[u8], anchors: Range<usize>, formats: &[ImportFormat], mut see: impl FnMut(Sighting)) {
    if formats.is_empty() {
        return each(bytes, anchors, see);
    }
    let mut all = Vec::new();
    each(bytes, anchors.clone(), |sighting| all.push(sighting));
    for format in formats {
        let prefix = format.prefix.as_bytes();
        let begins = memchr::memmem::find_iter(&bytes[anchors.start..], prefix).map(|at| anchors.start + at);
        all.extend(
            begins
                .take_while(|at| *at < anchors.end)
                .filter_map(|at| imported(bytes, at, format)),
        );
    }
    all.sort_by_key(|sighting| sighting.range.start);
    all.into_iter().for_each(&mut see);
}

fn imported(bytes: &[u8], at: usize, format: &ImportFormat) -> Option<Sighting> {
    let body = at + format.prefix.len();
    let run = bytes[body..].iter().take(format.max + 1);
    let run = run.take_while(|byte| format.alphabet.has(**byte)).count();
    // Among any ASCII there is no saying where a key ends: then what fits is one.
    let goes_on = run > format.max && format.alphabet != Alphabet::Printable;
    (run >= format.min && !goes_on).then(|| Sighting {
        range: at..body + run.min(format.max),
        credential: Credential::Imported {
            prefix: format.prefix.clone(),
        },
    })
}

/// Bytes from the beginning of an anchor that decide, with these formats.
#[must_use]
pub fn after(formats: &[ImportFormat]) -> usize {
    let longest = formats.iter().map(|format| format.prefix.len() + format.max + 1);
    longest.max().unwrap_or(0).max(AFTER)
}

/// Replaces every credential in `text` by its public id, and leaves look-alikes: a path with one must still lead there.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    each(text.as_bytes(), 0..text.len(), |sighting| {
        if sighting.range.start >= from {
            out.push_str(&text[from..sighting.range.start]);
            out.push_str(&sighting.credential.id());
            from = sighting.range.end;
        }
    });
    out.push_str(&text[from..]);
    out
}

fn next_anchor(bytes: &[u8], from: usize) -> Option<(usize, &'static str)> {
    // All eight at once, many bytes per step. `None` on processors without such steps.
    static ALL_AT_ONCE: LazyLock<Option<packed::Searcher>> = LazyLock::new(|| packed::Searcher::new(ANCHORS));
    match ALL_AT_ONCE.as_ref() {
        Some(searcher) => searcher
            .find_in(bytes, Span::from(from..bytes.len()))
            .map(|found| (found.start(), ANCHORS[found.pattern().as_usize()])),
        None => next_anchor_by_underscores(bytes, from),
    }
}

fn next_anchor_by_underscores(bytes: &[u8], from: usize) -> Option<(usize, &'static str)> {
    let anchored = |underscore: usize| {
        let begins = |anchor: &&str| match anchor.starts_with('_') {
            true => Some(underscore),
            false => underscore.checked_sub(anchor.len() - 1).filter(|at| *at >= from),
        };
        let stands = |anchor: &'static str| {
            let at = begins(&anchor)?;
            bytes[at..].starts_with(anchor.as_bytes()).then_some((at, anchor))
        };
        ANCHORS.into_iter().find_map(stands)
    };
    memchr::memchr_iter(b'_', &bytes[from..]).find_map(|offset| anchored(from + offset))
}

fn sighting_at(bytes: &[u8], at: usize, anchor: &'static str) -> Option<Sighting> {
    let body = at + anchor.len();
    let end = body + BODY_LENGTH;
    let whole = bytes.get(body..end)?.iter().all(u8::is_ascii_alphanumeric);
    if !whole || bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    match anchor.strip_prefix('_') {
        Some(_) => key(bytes, at, end),
        None => token(bytes, at..end, anchor.trim_end_matches('_')),
    }
}

fn key(bytes: &[u8], at: usize, end: usize) -> Option<Sighting> {
    let may_be_prefix = |byte: &&u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let run = bytes[..at].iter().rev().take(BEFORE).take_while(may_be_prefix);
    let longest = run.count();
    PREFIX_LENGTHS
        .rev()
        .filter(|length| *length <= longest)
        .find_map(|length| {
            let range = at - length..end;
            let text = std::str::from_utf8(&bytes[range.clone()]).ok()?;
            let parsed = key_text::parse_key(text)?;
            let credential = Credential::Key {
                kid: parsed.kid.to_owned(),
                prefix: parsed.prefix.to_owned(),
                environment: Environment::as_str(parsed.environment),
            };
            Some(Sighting { range, credential })
        })
        // The whole text and nothing less: a key with another secret, or under another prefix, is somebody's.
        .filter(|sighting| bytes[sighting.range.clone()] != *EXAMPLE_KEY.as_bytes())
}

fn token(bytes: &[u8], range: Range<usize>, head: &'static str) -> Option<Sighting> {
    let text = std::str::from_utf8(&bytes[range.clone()]).ok()?;
    let (kid, rest) = text[head.len() + 1..].split_at(KID_LENGTH);
    let composed = zeroize::Zeroizing::new(key_text::compose(head, kid, &rest[..SECRET_LENGTH]));
    let credential = Credential::Token {
        kid: kid.to_owned(),
        head,
    };
    (composed.as_str() == text).then_some(Sighting { range, credential })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: &str = "0123456789AB";
    const SECRET: &str = "vutsrqponmlkjihgfedcba9876543210";

    fn seen(text: &str) -> Vec<(Range<usize>, String)> {
        let mut seen = Vec::new();
        each(text.as_bytes(), 0..text.len(), |sighting| {
            seen.push((sighting.range, sighting.credential.id()));
        });
        seen
    }

    fn key(head: &str) -> String {
        key_text::compose(head, KID, SECRET)
    }

    #[test]
    fn a_key_is_found_whatever_stands_around_it() {
        let key = key("acme_live");
        for (before, after) in [
            ("", ""),
            ("KEY=", "\n"),
            ("\"", "\""),
            ("x", "_old"),
            ("é", "é"),
            ("0123456789abcdef", "%20"),
            ("a_test_", "."),
            ("ACME", "-"),
        ] {
            let text = format!("{before}{key}{after}");
            let place = before.len()..before.len() + key.len();
            assert_eq!(seen(&text), [(place, format!("key_{KID}"))], "{text}");
        }
    }

    #[test]
    fn a_key_that_goes_on_or_breaks_off_or_is_mistyped_is_none() {
        let key = key("acme_live");
        let cut = &key[..key.len() - 1];
        let worn = key.replace("_live_", "_stage_");
        let swapped = key.replace("_live_", "_test_");
        for text in [
            format!("{key}0"),
            cut.to_owned(),
            key.replacen('a', "b", 1),
            worn,
            swapped,
        ] {
            assert_eq!(seen(&text), [], "{text}");
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_no_find_and_hides_nothing_that_is_like_it() {
        for (before, after) in [("", ""), ("\"", "\""), ("x", "_old"), ("KEY=", "\n")] {
            assert_eq!(
                seen(&format!("{before}{EXAMPLE_KEY}{after}")),
                [],
                "{before}{after}"
            );
        }
        let other_secret = key("acme_live");
        let other_kid = key_text::compose("acme_live", "BA9876543210", "0123456789abcdefghijklmnopqrstuv");
        for head in ["acme_test", "acmf_live", "xacme_live"] {
            let other = key_text::compose(head, KID, "0123456789abcdefghijklmnopqrstuv");
            assert_eq!(seen(&other).len(), 1, "{head}");
        }
        assert_eq!(
            seen(&format!("{EXAMPLE_KEY} {other_secret} {EXAMPLE_KEY},{other_kid}")).len(),
            2
        );
    }

    #[test]
    fn words_of_environments_may_be_prefixes() {
        let key = key("live_test");
        assert_eq!(
            seen(&format!("my_{key}")),
            [(3..3 + key.len(), format!("key_{KID}"))]
        );
    }

    #[test]
    fn prefixes_have_two_to_sixteen_characters_and_none_is_reserved() {
        for prefix in ["ab", "abcdefghijklmno9"] {
            assert_eq!(seen(&key(&format!("{prefix}_test"))).len(), 1, "{prefix}");
        }
        for prefix in ["a", "abcdefghijklmno90", "sk", "whsec"] {
            assert_eq!(seen(&key(&format!("{prefix}_test"))).len(), 0, "{prefix}");
        }
    }

    #[test]
    fn every_kind_of_token_is_found_and_named_by_its_id() {
        for (head, id) in [
            ("kwt", "tok"),
            ("kws", "kws"),
            ("kwi", "kwi"),
            ("kwr", "kwr"),
            ("kwe", "kwe"),
            ("kwc", "kwc"),
        ] {
            let token = key(head);
            assert_eq!(
                seen(&format!("x{token} ")),
                [(1..1 + token.len(), format!("{id}_{KID}"))]
            );
        }
    }

    #[test]
    fn both_ways_of_searching_see_the_same() {
        let text = format!(
            "_live__test_kwt_ _live {} kwkwc_ {}",
            key("acme_live"),
            key("kwi")
        );
        for from in 0..text.len() {
            assert_eq!(
                next_anchor(text.as_bytes(), from),
                next_anchor_by_underscores(text.as_bytes(), from),
                "from {from}"
            );
        }
    }

    #[test]
    fn keys_of_named_formats_are_found_beside_ours_in_their_order() {
        let formats = [
            ImportFormat::parse("old_", "lower_hex", "20-24", "sha256").unwrap(),
            ImportFormat::parse("any:", "printable", "16", "sha256").unwrap(),
        ];
        let (hex, own) = ("0123456789abcdef0123", key("acme_live"));
        let text = format!(
            "any:0123456789abcdef, {own} xold_{hex} old_{hex}99999 old_{} any:012",
            &hex[..19]
        );
        let mut seen = Vec::new();
        each_of(text.as_bytes(), 0..text.len(), &formats, |sighting| {
            let place = text[sighting.range].to_owned();
            seen.push((place, sighting.credential.known_id()));
        });
        let expected = [
            ("any:0123456789abcdef".to_owned(), None),
            (own, Some(format!("key_{KID}"))),
            (format!("old_{hex}"), None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_text_without_secrets_tells_their_ids() {
        let text = format!("a/{}.txt b{}", key("acme_live"), key("kwt"));
        assert_eq!(without_secrets(&text), "a/key_0123456789AB.txt btok_0123456789AB");
    }
}
