//! What makes a password acceptable, and what makes one weak: one text for the form's meter and for the use case
//! (R01–R05). No rule of composition: length, and what anybody would try first.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::error::FieldError;
use super::text::folded;

/// Fewest characters for an account without a second factor, in code points (R01).
pub const MIN_ALONE: u32 = 15;
/// Fewest for an account with one.
pub const MIN_WITH_FACTOR: u32 = 12;
/// Longest password, in bytes; a longer one is refused, never cut (R02).
pub const MAX_BYTES: usize = 1_024;

/// Parts of names shorter than this stand in too many passwords by chance.
const WORD_MIN: usize = 3;
/// What everybody tries at a product's door, beside its own name.
const EVERYBODY: [&str; 2] = ["keywright", "password"];

/// Fewest characters a new password may have.
#[must_use]
pub const fn min_length(has_factor: bool) -> u32 {
    if has_factor { MIN_WITH_FACTOR } else { MIN_ALONE }
}

/// What is wrong with the length of a new password, if anything. It counts code points of the form that is hashed (NFC).
pub fn check_length(field: &str, password: &str, has_factor: bool) -> Result<(), FieldError> {
    if password.len() > MAX_BYTES {
        let message = format!("The password is longer than {MAX_BYTES} bytes. Choose a shorter one.");
        return Err(FieldError::new(field, "too_long", message));
    }
    let (length, min) = (password.nfc().count(), min_length(has_factor));
    if length < min as usize {
        let message = format!(
            "The password has {length} characters; it needs at least {min}. Four or five unrelated words do well."
        );
        return Err(FieldError::new(field, "too_short", message));
    }
    Ok(())
}

/// Words that somebody who knows the person would try: the product, their organisations, name and address, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextWords(Vec<String>);

impl ContextWords {
    /// Collects them. An address gives its local part and the labels of its domain, without the last.
    #[must_use]
    pub fn of<'a>(organisations: impl IntoIterator<Item = &'a str>, name: &'a str, email: &'a str) -> Self {
        let (local, domain) = email.split_once('@').unwrap_or((email, ""));
        let domain = domain.rsplit_once('.').map_or(domain, |(labels, _)| labels);
        let mut words: Vec<String> = EVERYBODY.map(str::to_owned).to_vec();
        for text in organisations.into_iter().chain([name, local, domain]) {
            let text = folded(text);
            let parts = text.split(|c: char| !c.is_alphanumeric());
            words.extend(parts.map(str::to_owned));
        }
        words.retain(|word| word.chars().count() >= WORD_MIN);
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// For whoever is not told whose account it is.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self::of([], "", "")
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// What makes a password easier to guess than its length says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Nothing but context words, digits and punctuation.
    OnlyContext,
    /// The same again and again.
    Repeats,
    /// So many different characters, which is few.
    FewCharacters(usize),
    /// Neighbours of the alphabet, the digits or the keyboard, like this.
    Sequence(String),
    /// A word that somebody who knows the person would try.
    Contains(String),
}

impl Weakness {
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::OnlyContext => "Only names that anybody would try, with digits around them.".to_owned(),
            Self::Repeats => "It repeats itself: what comes again adds little.".to_owned(),
            Self::FewCharacters(1) => "It has only one different character.".to_owned(),
            Self::FewCharacters(n) => format!("It has only {n} different characters."),
            Self::Sequence(run) => format!("“{run}” is a sequence: those are tried first."),
            Self::Contains(word) => format!("“{word}” is easy to guess for who knows you."),
        }
    }
}

/// Shortest run of neighbours, or of one character, that is told of.
const RUN_MIN: usize = 4;
/// Fewer different characters than this are few.
const DIFFERENT_MIN: usize = 6;
const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// What is weak about a password in its normal form (NFC), the worst first; an estimate for the meter, not a rule.
#[must_use]
pub fn weaknesses(password: &str, context: &ContextWords) -> Vec<Weakness> {
    let chars: Vec<char> = password.chars().flat_map(char::to_lowercase).collect();
    if chars.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if is_only_context(&chars, context) {
        found.push(Weakness::OnlyContext);
    }
    let same = longest_run(&chars, |a, b| a == b);
    if same.len() >= RUN_MIN || period(&chars).is_some() {
        found.push(Weakness::Repeats);
    }
    let mut different = chars.clone();
    different.sort_unstable();
    different.dedup();
    if chars.len() > DIFFERENT_MIN && different.len() < DIFFERENT_MIN {
        found.push(Weakness::FewCharacters(different.len()));
    }
    let up = longest_run(&chars, follows);
    let down = longest_run(&chars, |a, b| follows(b, a));
    let run = if up.len() >= down.len() { up } else { down };
    if run.len() >= RUN_MIN {
        found.push(Weakness::Sequence(run.iter().collect()));
    }
    let text: String = chars.iter().collect();
    if let Some(word) = context.iter().find(|word| text.contains(word)) {
        found.push(Weakness::Contains(word.to_owned()));
    }
    found
}

/// The longest stretch in which each character and the next are `neighbours`.
fn longest_run(chars: &[char], neighbours: impl Fn(char, char) -> bool) -> &[char] {
    let (mut best, mut start) = (&chars[..0], 0);
    for at in 0..chars.len() {
        if at > 0 && !neighbours(chars[at - 1], chars[at]) {
            start = at;
        }
        if at + 1 - start > best.len() {
            best = &chars[start..=at];
        }
    }
    best
}

fn follows(a: char, b: char) -> bool {
    let in_alphabet = a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() && a as u32 + 1 == b as u32;
    let on_keyboard = |row: &&str| row.chars().zip(row.chars().skip(1)).any(|two| two == (a, b));
    in_alphabet || ROWS.iter().any(on_keyboard)
}

/// The length of the shortest part that, repeated, makes up the whole; `None` when nothing shorter does.
#[must_use]
pub fn period(chars: &[char]) -> Option<usize> {
    // Knuth, Morris and Pratt: how much of the beginning each place ends.
    let mut border = vec![0; chars.len()];
    for at in 1..chars.len() {
        let mut length = border[at - 1];
        while length > 0 && chars[at] != chars[length] {
            length = border[length - 1];
        }
        border[at] = length + usize::from(chars[at] == chars[length]);
    }
    let unit = chars.len() - border.last().copied().unwrap_or(0);
    (unit < chars.len() && chars.len().is_multiple_of(unit)).then_some(unit)
}

/// Whether a folded password is made of context words, digits and punctuation alone; letters written as digits count.
#[must_use]
pub fn is_only_context(chars: &[char], context: &ContextWords) -> bool {
    let words: Vec<Vec<char>> = context.iter().map(|word| word.chars().collect()).collect();
    // For each place whether it can be reached, and whether by way of a word.
    let mut reached = vec![(false, false); chars.len() + 1];
    reached[0].0 = true;
    for at in 0..chars.len() {
        let (plain, worded) = reached[at];
        if !plain && !worded {
            continue;
        }
        if !chars[at].is_alphabetic() {
            reached[at + 1].0 |= plain;
            reached[at + 1].1 |= worded;
        }
        for word in &words {
            let end = at + word.len();
            let reads = |part: &[char]| {
                part.iter()
                    .zip(word)
                    .all(|(typed, meant)| reads_as(*typed, *meant))
            };
            if chars.get(at..end).is_some_and(reads) {
                reached[end].1 = true;
            }
        }
    }
    reached[chars.len()].1
}

/// Whether a character stands for a letter, itself or by its looks.
fn reads_as(typed: char, meant: char) -> bool {
    typed == meant
        || match typed {
            '0' => meant == 'o',
            '1' | '!' | '|' => meant == 'i' || meant == 'l',
            '3' => meant == 'e',
            '4' | '@' => meant == 'a',
            '5' | '$' => meant == 's',
            '7' | '+' => meant == 't',
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str, has_factor: bool) -> Result<(), FieldError> {
        check_length("password", password, has_factor)
    }

    fn acme() -> ContextWords {
        ContextWords::of(["Acme & Söhne"], "Ada Lovelace", "a.byron@mail.poets.example")
    }

    #[test]
    fn r01_fifteen_code_points_alone_and_twelve_with_a_second_factor() {
        for (length, alone, with_factor) in [
            (11, false, false),
            (12, false, true),
            (14, false, true),
            (15, true, true),
        ] {
            assert_eq!(check(&"x".repeat(length), false).is_ok(), alone, "{length}");
            assert_eq!(check(&"x".repeat(length), true).is_ok(), with_factor, "{length}");
        }
        assert!(check(&"🦀".repeat(12), true).is_ok() && check(&"🦀".repeat(15), false).is_ok());
    }

    #[test]
    fn r02_one_thousand_and_twenty_four_bytes_fit_and_one_more_does_not() {
        assert!(check(&"x".repeat(1_024), false).is_ok());
        assert_eq!(check(&"x".repeat(1_025), false).unwrap_err().code, "too_long");
    }

    #[test]
    fn r03_no_rule_of_composition_refuses_a_long_password() {
        assert!(check("aaaa bbbb cccc dddd", false).is_ok());
    }

    #[test]
    fn r05_composed_and_decomposed_spelling_have_one_length() {
        let decomposed = "e\u{301}".repeat(12);
        assert!(check(&decomposed, true).is_ok() && check(&decomposed, false).is_err());
    }

    #[test]
    fn r04_context_is_the_product_the_organisation_the_name_and_the_address() {
        let words = acme();
        let all: Vec<&str> = words.iter().collect();
        for word in [
            "keywright",
            "acme",
            "söhne",
            "ada",
            "lovelace",
            "byron",
            "mail",
            "poets",
        ] {
            assert!(all.contains(&word), "{word} is not in {all:?}");
        }
        assert!(!all.contains(&"a") && !all.contains(&"example"));
    }

    #[test]
    fn r04_context_words_with_digits_and_punctuation_are_nothing_else() {
        let only = |text: &str| is_only_context(&text.to_lowercase().chars().collect::<Vec<_>>(), &acme());
        for guess in [
            "Acme2026!!",
            "acme-acme-1",
            "Keywright 4.12.2026",
            "4cme_l0velace_99",
            "2026acme",
            "Ada.Lovelace",
        ] {
            assert!(only(guess), "{guess}");
        }
        for fine in [
            "acme is a fine company",
            "20262026202620",
            "acmex2026",
            "correct horse",
            "",
        ] {
            assert!(!only(fine), "{fine}");
        }
    }

    #[test]
    fn the_meter_says_why() {
        let why = |text: &str| weaknesses(text, &acme());
        assert_eq!(
            why("aaaaaaaaaaaaaaa")[..2],
            [Weakness::Repeats, Weakness::FewCharacters(1)]
        );
        assert_eq!(why("tulip tulip tulip ")[0], Weakness::Repeats);
        assert!(why("my 654321 house").contains(&Weakness::Sequence("654321".to_owned())));
        assert!(why("garden QWERTY door").contains(&Weakness::Sequence("qwerty".to_owned())));
        assert!(why("the lovelace garden").contains(&Weakness::Contains("lovelace".to_owned())));
        assert_eq!(why("four unrelated words here"), []);
        assert_eq!(why(""), []);
    }

    #[test]
    fn a_period_divides_the_whole() {
        let period_of = |text: &str| period(&text.chars().collect::<Vec<_>>());
        assert_eq!(period_of("abcabcabc"), Some(3));
        assert_eq!(period_of("aaaa"), Some(1));
        assert_eq!(period_of("abcab"), None);
        assert_eq!(period_of("a"), None);
        assert_eq!(period_of(""), None);
    }
}
