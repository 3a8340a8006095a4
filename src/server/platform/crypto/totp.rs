//! Codes of authenticator apps (RFC 6238): SHA-1, six digits, thirty seconds, which is what every app can do.
//!
//! A code is checked against the server's clock, one step early or late. That a step is taken once only is the
//! database's to guarantee.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Algorithm, Builder, Secret as TotpSecret, Totp};

use super::secret::{Secret, SecretText};
use crate::model::time::{SECOND_MS, Timestamp};
use crate::server::platform::rng::Rng;

/// 160 bits, as RFC 4226 recommends (R21).
pub const SECRET_BYTES: usize = 20;
const STEP_S: u64 = 30;
/// Steps that a code may be early or late (R17).
const SKEW: u16 = 1;
/// Steps within which a wrong clock is told from a wrong code.
const DRIFT: u16 = 60;

#[must_use]
pub fn random_secret(rng: &dyn Rng) -> Secret<Vec<u8>> {
    let mut bytes = vec![0; SECRET_BYTES];
    rng.fill(&mut bytes);
    Secret::new(bytes)
}

fn totp(secret: &[u8], skew: u16) -> Totp {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP_S)
        .with_skew(skew)
        .with_secret(TotpSecret::from(secret))
        .build_noncompliant()
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.ms() / SECOND_MS).unwrap_or_default()
}

/// The step whose code this is, if it is of now, the step before or the step after.
#[must_use]
pub fn matching_step(secret: &[u8], code: &str, at: Timestamp) -> Option<i64> {
    let step = totp(secret, SKEW).check(code, seconds(at))?;
    i64::try_from(step).ok()
}

/// Minutes by which the clocks differ when the code is right but of another time; positive when it is of the future.
/// Only for a secret that guards nothing yet: it would help to guess.
#[must_use]
pub fn drift_minutes(secret: &[u8], code: &str, at: Timestamp) -> Option<i64> {
    let step = totp(secret, DRIFT).check(code, seconds(at))?;
    let here = seconds(at) / STEP_S;
    Some((i64::try_from(step).ok()? - i64::try_from(here).ok()?) / 2)
}

/// The secret as apps take it by hand.
#[must_use]
pub fn base32(secret: &[u8]) -> SecretText {
    Secret::new(TotpSecret::from(secret).to_base32())
}

/// What the QR code says.
#[must_use]
pub fn uri(secret: &[u8], issuer: &str, account: &str) -> SecretText {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, account) = (encode(issuer), encode(account));
    Secret::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_S}",
        base32(secret).expose()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * SECOND_MS)
    }

    /// Appendix B of RFC 6238; its eight digits end in our six.
    #[test]
    fn r16_the_vectors_of_rfc_6238_hold() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(
                matching_step(RFC_SECRET, &code[2..], at(seconds)),
                Some(seconds / 30),
                "{seconds}"
            );
        }
    }

    #[test]
    fn r17_one_step_early_or_late_is_accepted_and_two_are_not() {
        let code = totp(RFC_SECRET, 0).generate(30_000).to_string();
        for (seconds, accepted) in [
            (29_969, false),
            (29_970, true),
            (29_999, true),
            (30_000, true),
            (30_029, true),
            (30_030, true),
            (30_059, true),
            (30_060, false),
        ] {
            let step = matching_step(RFC_SECRET, &code, at(seconds));
            assert_eq!(step, accepted.then_some(1_000), "{seconds}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much() {
        let code = totp(RFC_SECRET, 0).generate(30_000).to_string();
        assert_eq!(drift_minutes(RFC_SECRET, &code, at(30_600)), Some(-10));
        assert_eq!(drift_minutes(RFC_SECRET, &code, at(29_400)), Some(10));
        assert_eq!(drift_minutes(RFC_SECRET, &code, at(40_000)), None);
    }

    #[test]
    fn the_uri_names_issuer_and_account_and_escapes_both() {
        let uri = uri(RFC_SECRET, "Keys & Co", "ada@acme.example");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Keys%20%26%20Co:ada%40acme%2Eexample?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Keys%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
