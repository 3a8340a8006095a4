//! Passwords that anybody would try (R04): whole-password comparison with the dictionaries of `zxcvbn`, which lie in
//! the binary, and with words that belong to the person. Words *within* a password are nobody's business.
//!
//! 2026-11: rejected zxcvbn's score as a rule. It refuses long passwords of plain words (R03), and reads substrings,
//! which SP 800-63B-4 §3.1.1.2 tells not to.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::Match;
use zxcvbn::matching::patterns::MatchPattern;

use crate::model::password::{ContextWords, is_only_context, period};

/// Longest word of the dictionaries, in characters.
const WORD_MAX: usize = 23;
/// Nothing longer is on a list, however often it repeats itself.
const LISTED_MAX: usize = 100;
/// Passwords shorter than this are refused for their length anyway: they may be told a likely reason besides.
const SHORT: usize = 12;

/// `zxcvbn` tries every way to read look-alikes as letters; a text with more ways than this is no word of a dictionary,
/// and would cost more than an answer is worth.
const WAYS_MAX: usize = 200;
/// Look-alikes of one letter each, as `zxcvbn` knows them.
const LOOK_ALIKES: [&str; 12] = [
    "4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "$5", "+7", "%", "2",
];

/// Words of the dictionaries that `zxcvbn` finds cheaper to guess in two parts, and so does not report as one.
const IN_PARTS: [&str; 20] = [
    "012345678910",
    "1234567887654321",
    "123456782000",
    "12345678987654321",
    "123456789000",
    "1234567890987654321",
    "1234567890qwerty",
    "1234567890zzz",
    "1234567892000",
    "abc123456789",
    "asdfgh123456",
    "christopher1",
    "danieljackson",
    "michaeljackson",
    "morganstanley",
    "qwertyuiop10",
    "qwertyuiop12",
    "qwertyuiop12345",
    "zxcvbn123456",
    "zxcvbnm123456789",
];

/// Why a password is among the first that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// On a list of common passwords, words or names; also reversed, or with digits for letters.
    Common,
    /// Such a word, or one character, again and again.
    Repeated,
    /// One run along the alphabet, the digits or the keyboard.
    Run,
    /// Only names of the product, the organisation or the person, with digits and punctuation.
    Context,
}

impl Listed {
    /// The reason, for the person who typed it; `It` is the password.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Common => {
                "It is one of the most common passwords, or a single word, name or date: those are tried first."
            }
            Self::Repeated => "It is one of the most common passwords, repeated: that is tried first.",
            Self::Run => "It is one run along the alphabet or the keyboard: those are tried first.",
            Self::Context => {
                "It is made of words that anybody would try here – the product, the organisation, your name or address – \
                 with digits or punctuation."
            }
        }
    }
}

/// Whether a password is one that anybody would try. Case, composition and look-alikes of letters make no difference.
#[must_use]
pub fn find(password: &str, context: &ContextWords) -> Option<Listed> {
    let folded: Zeroizing<String> =
        Zeroizing::new(password.nfkc().flat_map(char::to_lowercase).nfc().collect());
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(folded.chars().collect());
    if chars.is_empty() || chars.len() > LISTED_MAX {
        return None;
    }
    if let Some(listed) = reading(&chars) {
        return Some(listed);
    }
    if period(&chars).is_some_and(|unit| unit == 1 || reading(&chars[..unit]).is_some()) {
        return Some(Listed::Repeated);
    }
    is_only_context(&chars, context).then_some(Listed::Context)
}

/// What the dictionaries say of a folded text as a whole.
fn reading(chars: &[char]) -> Option<Listed> {
    if chars.len() > WORD_MAX || ways_to_read(chars) > WAYS_MAX {
        return None;
    }
    let text: Zeroizing<String> = Zeroizing::new(chars.iter().collect());
    let backwards: Zeroizing<String> = Zeroizing::new(chars.iter().rev().collect());
    if IN_PARTS.contains(&text.as_str()) || IN_PARTS.contains(&backwards.as_str()) {
        return Some(Listed::Common);
    }
    let entropy = zxcvbn::zxcvbn(&text, &[]);
    match entropy.sequence() {
        [only] => match only.pattern {
            MatchPattern::Dictionary(_) | MatchPattern::Date(_) | MatchPattern::Regex(_) => {
                Some(Listed::Common)
            }
            MatchPattern::Sequence(_) | MatchPattern::Spatial(_) => Some(Listed::Run),
            MatchPattern::Repeat(_) | MatchPattern::BruteForce => None,
        },
        // Many words of the lists are such: `password0`.
        [one, other] if chars.len() < SHORT && (is_ornament(one) || is_ornament(other)) => {
            Some(Listed::Common)
        }
        _ => None,
    }
}

/// One or two characters at the end of something else.
fn is_ornament(part: &Match) -> bool {
    part.j - part.i < 2
}

fn ways_to_read(chars: &[char]) -> usize {
    let present = |marks: &str| marks.chars().filter(|mark| chars.contains(mark)).count().max(1);
    // A mark that stands for two letters doubles them.
    let shared = "1|7".chars().filter(|mark| chars.contains(mark)).count();
    LOOK_ALIKES.iter().map(|marks| present(marks)).product::<usize>() << shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> ContextWords {
        ContextWords::of_nobody()
    }

    /// Fifty words sampled evenly from the lists, most of them long enough to pass for their length.
    const SAMPLED: [&str; 50] = [
        "123qweasdzxc",
        "1234567890qwerty",
        "ghhh47hj7649",
        "finalfantasy",
        "newproject2004",
        "hd764nw5d7e1vb1",
        "123456789abc",
        "fktrcfylhjdbx",
        "vanyarespekt",
        "123123qweqwe",
        "q1w2e3r4t5y6u7",
        "playstation3",
        "12qw34er56ty",
        "boy4u2ownnyc",
        "123321qweewq",
        "nhfdvfnjkju123",
        "playstation2",
        "sanfrancisco",
        "michaeljackson",
        "corperfmonsy",
        "qwertyuiop10",
        "rfnthbyf1988",
        "specialinsta",
        "123456789qwer",
        "mortalkombat",
        "fktrcfylhjdf",
        "representatives",
        "experimentation",
        "interchangeable",
        "charlottesville",
        "transcriptional",
        "superintendents",
        "philanthropists",
        "nord-pas-de-calais",
        "collectivization",
        "marginalization",
        "pietermaritzburg",
        "reclassification",
        "123456",
        "password",
        "qwerty",
        "computer",
        "dragon",
        "defender",
        "bonjour",
        "pacers",
        "02071975",
        "anduril",
        "wmegrfux",
        "geekboy",
    ];

    #[test]
    fn r04_sampled_words_of_the_lists_are_found() {
        for word in SAMPLED {
            assert!(find(word, &nobody()).is_some(), "{word}");
            assert!(
                find(&word.to_uppercase(), &nobody()).is_some(),
                "{word} in capitals"
            );
            let reversed: String = word.chars().rev().collect();
            assert!(
                word.len() < 12 || find(&reversed, &nobody()).is_some(),
                "{word} reversed"
            );
        }
    }

    #[test]
    fn r04_look_alikes_and_repetition_hide_nothing() {
        for (password, expected) in [
            ("R3pr3s3nt@tives", Listed::Common),
            ("ｐｌａｙｓｔａｔｉｏｎ３", Listed::Common),
            ("dragondragondragon", Listed::Repeated),
            ("Dr4g0nDr4g0nDr4g0n", Listed::Repeated),
            ("1111111111111111", Listed::Repeated),
            ("abcdefghijklmnop", Listed::Run),
            ("Keywright2026!!!", Listed::Context),
            ("P@ssw0rd 2026 !", Listed::Context),
        ] {
            assert_eq!(find(password, &nobody()), Some(expected), "{password}");
        }
    }

    #[test]
    fn r04_only_the_whole_password_is_compared() {
        for fine in [
            "aaaa bbbb cccc dddd",
            "four unrelated words here",
            "baseball and football",
            "dragon eats the moon",
            "a phrase that only tests know",
            "4@8({[<369 1!|70$5+%2",
            "correct horse battery staple",
        ] {
            assert_eq!(find(fine, &nobody()), None, "{fine}");
        }
        assert_eq!(
            find(&"x".repeat(1_024), &nobody()),
            None,
            "nothing that long is on a list"
        );
        assert_eq!(find("", &nobody()), None);
    }
}
