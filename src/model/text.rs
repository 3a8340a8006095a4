//! Limits and canonical forms of what people type.

use unicode_normalization::UnicodeNormalization;

use super::error::FieldError;

/// Longest name of anything, in characters (R70).
pub const NAME_MAX: usize = 200;
/// Longest purpose, description or note, in characters.
pub const NOTE_MAX: usize = 1_000;
/// Longest slug, in characters.
pub const SLUG_MAX: usize = 40;

/// Trims, composes (NFC) and folds case: two names that read alike have one folded form.
#[must_use]
pub fn folded(text: &str) -> String {
    text.trim()
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect()
}

/// A slug of a name: NFKD, lower case, `[a-z0-9-]`, at most 40 characters, no hyphen at either end.
/// Empty when nothing of the name can be written that way.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.nfkd().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !unicode_normalization::char::is_combining_mark(c) && !out.is_empty() && !out.ends_with('-')
        {
            out.push('-');
        }
        if out.len() == SLUG_MAX {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// Characters that move or hide text: controls, line breaks, direction overrides, zero-width marks.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line of text between `min` and `max` characters after trimming, NFC.
///
/// Errors name the field and say what is wrong with its content.
pub fn line(
    field: &'static str,
    label: &str,
    raw: &str,
    min: usize,
    max: usize,
) -> Result<String, FieldError> {
    let text: String = raw.trim().nfc().collect();
    let length = text.chars().count();
    if length < min {
        return Err(FieldError::new(field, "required", format!("{label} is missing.")));
    }
    if length > max {
        let message = format!("{label} has {length} characters; at most {max} fit.");
        return Err(FieldError::new(field, "too_long", message));
    }
    if text.chars().any(is_unprintable) {
        let message =
            format!("{label} contains a line break or an invisible character. Type it again by hand.");
        return Err(FieldError::new(field, "unprintable", message));
    }
    Ok(text)
}

/// Text of several lines, at most `max` characters after trimming, NFC, its lines ended by `\n` alone.
///
/// Errors name the field and say what is wrong with its content.
pub fn lines(field: &'static str, label: &str, raw: &str, max: usize) -> Result<String, FieldError> {
    let text: String = raw.replace("\r\n", "\n").trim().nfc().collect();
    let length = text.chars().count();
    if length > max {
        let message = format!("{label} has {length} characters; at most {max} fit.");
        return Err(FieldError::new(field, "too_long", message));
    }
    if text.chars().any(|c| is_unprintable(c) && c != '\n' && c != '\t') {
        let message = format!("{label} contains an invisible character. Type it again by hand.");
        return Err(FieldError::new(field, "unprintable", message));
    }
    Ok(text)
}

/// Makes text from outside safe to show on one line: unprintable characters become `�`, the rest is cut at `max`.
#[must_use]
pub fn shown(raw: &str, max: usize) -> String {
    raw.chars()
        .take(max)
        .map(|c| if is_unprintable(c) { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_keeps_letters_and_joins_the_rest() {
        assert_eq!(slug("Image API"), "image-api");
        assert_eq!(slug("  Größe & Übermaß! "), "gro-e-uberma");
        assert_eq!(slug("ﬁne Ⅳ"), "fine-iv");
        assert_eq!(slug("日本"), "");
        assert!(slug(&"ab ".repeat(40)).len() <= SLUG_MAX);
    }

    #[test]
    fn names_that_read_alike_fold_alike() {
        assert_eq!(folded(" Café "), folded("CAFE\u{301}"));
    }

    #[test]
    fn a_line_refuses_what_would_break_a_line() {
        for bad in ["a\nb", "a\u{202e}b", "a\u{200b}b", "a\u{1b}[31m"] {
            assert_eq!(line("name", "Name", bad, 1, 200).unwrap_err().code, "unprintable");
        }
        assert_eq!(line("name", "Name", "  ", 1, 200).unwrap_err().code, "required");
        assert_eq!(
            line("name", "Name", &"x".repeat(201), 1, 200).unwrap_err().code,
            "too_long"
        );
    }

    #[test]
    fn lines_may_break_and_nothing_else_hides() {
        assert_eq!(
            lines("cause", "The cause", " one\r\n\ttwo \n", 200).unwrap(),
            "one\n\ttwo"
        );
        assert_eq!(lines("cause", "The cause", "", 200).unwrap(), "");
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{1b}[31m", "a\rb"] {
            assert_eq!(
                lines("cause", "The cause", bad, 200).unwrap_err().code,
                "unprintable"
            );
        }
        assert_eq!(
            lines("cause", "The cause", &"x".repeat(201), 200)
                .unwrap_err()
                .code,
            "too_long"
        );
    }
}
