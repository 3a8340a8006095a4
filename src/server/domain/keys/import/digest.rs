//! A digest as files have it: hexadecimal or base64, of SHA-256 or SHA-512.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::model::error::FieldError;
use crate::model::import_format::{DigestAlgorithm, ImportFormat};
use crate::server::platform::crypto::master_key::hex;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

/// The format that a row means: by its columns, or the only one there is.
pub(super) fn format_of<'a>(
    formats: &'a [ImportFormat],
    algorithm: &str,
    prefix: &str,
) -> Result<&'a ImportFormat, FieldError> {
    let spelled = algorithm.to_ascii_lowercase().replace('-', "");
    let asked = match spelled.as_str() {
        "" => None,
        text => match DigestAlgorithm::parse(text) {
            Some(algorithm) => Some(algorithm),
            None => {
                let message = "Write sha256 or sha512.";
                return Err(FieldError::new("algorithm", "choice", message));
            }
        },
    };
    let mut fitting: Vec<&ImportFormat> = formats
        .iter()
        .filter(|format| asked.is_none_or(|asked| asked == format.algorithm))
        .collect();
    if fitting.is_empty() {
        let message = "The project declares no format with this algorithm.";
        return Err(FieldError::new("algorithm", "undeclared", message));
    }
    if asked.is_none()
        && fitting
            .iter()
            .any(|format| format.algorithm != fitting[0].algorithm)
    {
        let message = "The project declares formats of both algorithms: write sha256 or sha512 in each row.";
        return Err(FieldError::new("algorithm", "required", message));
    }
    if !prefix.is_empty() {
        fitting.retain(|format| format.prefix == prefix);
    }
    match fitting.as_slice() {
        [] => {
            let message = "The project declares no format with this prefix.";
            Err(FieldError::new("format", "undeclared", message))
        }
        [only] => Ok(only),
        // The same prefix with another alphabet: the hint is the same either way.
        [first, rest @ ..] if rest.iter().all(|format| format.prefix == first.prefix) => Ok(first),
        several => {
            let prefixes: Vec<&str> = several.iter().map(|format| format.prefix.as_str()).collect();
            let message = format!(
                "Several formats have this algorithm. Write the prefix of the one that is meant: {}.",
                prefixes.join(", ")
            );
            Err(FieldError::new("format", "required", message))
        }
    }
}

/// The digest in hexadecimal, whichever way it was written.
pub(super) fn parse(text: &str, algorithm: DigestAlgorithm) -> Result<String, FieldError> {
    let is_hex = text.len() == 2 * algorithm.bytes() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return Ok(text.to_ascii_lowercase());
    }
    let wrong = |code: &str, message: String| Err(FieldError::new("digest", code, message));
    if text.is_empty() {
        return wrong("required", "The digest is missing.".to_owned());
    }
    let looks_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = match BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)) {
        Ok(bytes) if bytes.len() == algorithm.bytes() => return Ok(hex(&bytes)),
        Ok(_) | Err(_) if looks_hex => text.len() / 2,
        Ok(bytes) => bytes.len(),
        Err(_) => {
            let message = "The digest is neither hexadecimal nor base64.".to_owned();
            return wrong("encoding", message);
        }
    };
    let message = format!(
        "The digest has {bytes} bytes; {} has {}.",
        algorithm.label(),
        algorithm.bytes()
    );
    wrong("length", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(prefix: &str, algorithm: &str) -> ImportFormat {
        ImportFormat::parse(prefix, "hex", "32", algorithm).unwrap()
    }

    #[test]
    fn a_digest_is_the_same_however_it_is_written() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 7 + 3).collect();
        let text = hex(&bytes);
        let padded = BASE64.encode(&bytes);
        for written in [
            text.clone(),
            text.to_uppercase(),
            padded.trim_end_matches('=').to_owned(),
            padded.replace('+', "-").replace('/', "_"),
            padded,
        ] {
            assert_eq!(
                parse(&written, DigestAlgorithm::Sha256).unwrap(),
                text,
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_digest_is_refused_with_its_length() {
        for (text, code) in [
            ("", "required"),
            ("xyz!", "encoding"),
            ("abcd", "length"),
            ("AAAA", "length"),
        ] {
            assert_eq!(
                parse(text, DigestAlgorithm::Sha256).unwrap_err().code,
                code,
                "{text}"
            );
        }
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let refused = parse(sha1, DigestAlgorithm::Sha256).unwrap_err();
        assert!(refused.message.contains("20 bytes"), "{}", refused.message);
        assert!(
            parse(&"a".repeat(64), DigestAlgorithm::Sha512)
                .unwrap_err()
                .message
                .contains("32 bytes")
        );
    }

    #[test]
    fn the_format_is_the_one_that_is_meant() {
        let two = [format("a_", "sha256"), format("b_", "sha256")];
        assert_eq!(format_of(&two, "SHA-256", "b_").unwrap().prefix, "b_");
        assert_eq!(format_of(&two, "", "").unwrap_err().code, "required");
        assert_eq!(format_of(&two, "", "c_").unwrap_err().code, "undeclared");
        assert_eq!(format_of(&two, "md5", "").unwrap_err().code, "choice");
        assert_eq!(format_of(&two, "sha512", "").unwrap_err().code, "undeclared");
        let both = [format("a_", "sha256"), format("a_", "sha512")];
        assert_eq!(format_of(&both, "", "").unwrap_err().field, "algorithm");
        assert_eq!(
            format_of(&both, "sha512", "").unwrap().algorithm,
            DigestAlgorithm::Sha512
        );
        assert_eq!(format_of(&both[..1], "", "").unwrap().prefix, "a_");
    }
}
