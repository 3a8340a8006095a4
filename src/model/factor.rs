//! Second factors: what is known of them, and what people type.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::time::Timestamp;

/// Digits of a code from an authenticator app.
const CODE_LENGTH: usize = 6;
/// Characters of a recovery code: 24 of 32 make 120 bits (R23).
pub const RECOVERY_LENGTH: usize = 24;
/// Recovery codes of one set.
pub const RECOVERY_CODES: usize = 10;
/// Crockford's alphabet: no I, L, O or U.
pub const RECOVERY_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An account's second factors, for the page that manages them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoFactor {
    /// Since when an authenticator app is asked for; none while it is not.
    pub totp_since: Option<Timestamp>,
    pub totp_used_at: Option<Timestamp>,
    pub recovery_codes_left: i64,
    pub now: Timestamp,
}

/// What somebody typed to prove their second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Six digits of an authenticator app.
    Code(String),
    /// A recovery code, without its hyphens and in its canonical letters.
    Recovery(String),
}

/// Reads a code or a recovery code. Spaces and hyphens are how people copy them; anything else is a mistake to point
/// out, not a guess to count (R19).
pub fn parse_proof(field: &'static str, raw: &str) -> Result<Proof, FieldError> {
    let bare: String = raw
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(100)
        .collect();
    if bare.len() == CODE_LENGTH && bare.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Proof::Code(bare));
    }
    let canonical: String = bare.chars().map(crockford).collect();
    let is_recovery =
        canonical.len() == RECOVERY_LENGTH && canonical.bytes().all(|b| RECOVERY_ALPHABET.contains(&b));
    if is_recovery {
        return Ok(Proof::Recovery(canonical));
    }
    Err(FieldError::new(field, "syntax", what_is_wrong(&bare)))
}

/// A code of an authenticator app alone.
pub fn parse_code(field: &'static str, raw: &str) -> Result<String, FieldError> {
    match parse_proof(field, raw)? {
        Proof::Code(code) => Ok(code),
        Proof::Recovery(_) => {
            let message = "This is a recovery code. Enter the six digits that your app shows.";
            Err(FieldError::new(field, "kind", message))
        }
    }
}

/// Letters that people read for digits are read as those digits.
fn crockford(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    }
}

fn what_is_wrong(bare: &str) -> String {
    let count = bare.chars().count();
    if bare.is_empty() {
        "Enter the six digits that your app shows.".to_owned()
    } else if bare.chars().all(char::is_numeric) && !bare.is_ascii() {
        "These digits are of another script or width. Type them as 0 to 9.".to_owned()
    } else if bare.bytes().all(|b| b.is_ascii_digit()) {
        format!("A code has six digits; this has {count}.")
    } else {
        format!(
            "A code has six digits, and a recovery code {RECOVERY_LENGTH} letters and digits; this has {count} characters."
        )
    }
}

/// A recovery code as it is shown: groups of six.
#[must_use]
pub fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..code.len())
        .step_by(6)
        .filter_map(|at| code.get(at..(at + 6).min(code.len())))
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r19_six_digits_with_spaces_are_a_code_and_nothing_else_is() {
        for text in ["123456", "123 456", " 12 34 56 ", "123-456"] {
            assert_eq!(parse_code("code", text), Ok("123456".to_owned()), "{text}");
        }
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "١٢٣٤٥٦",
            "123456\0",
            "+12345",
        ] {
            assert!(parse_code("code", text).is_err(), "{text:?}");
        }
        assert!(
            parse_code("code", "12345")
                .unwrap_err()
                .message
                .contains("this has 5")
        );
    }

    #[test]
    fn r23_a_recovery_code_is_read_however_it_was_written_down() {
        let code = "0123456789ABCDEFGHJKMNPQ";
        assert_eq!(grouped(code), "012345-6789AB-CDEFGH-JKMNPQ");
        for text in [
            "012345-6789AB-CDEFGH-JKMNPQ",
            "o12345 6789ab cdefgh jkmnpq",
            "Oi2345-6789ab-cdefgh-jkmnpq",
        ] {
            assert_eq!(parse_proof("code", text), Ok(Proof::Recovery(code.to_owned())));
        }
        assert!(parse_proof("code", "012345-6789AB-CDEFGH-JKMNPU").is_err());
    }
}
