//! The report as SARIF 2.1.0 (OASIS), which code hosts show beside the lines.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};

use super::report::path_text;
use super::sighting::Credential;
use super::{Finding, Report};
use crate::model::import_format::{ImportFormat, hidden};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Unreserved characters of a path (RFC 3986 §2.3) and the slash stay.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// One run, with a notification for each trouble. The fingerprint is the public id, so that a key that moves stays one
/// alert.
#[must_use]
pub fn document(report: &Report) -> Value {
    let notification = |detail: &String| json!({ "level": "error", "message": { "text": hidden(&super::sighting::without_secrets(detail), &report.formats) } });
    let notifications: Vec<Value> = report
        .troubles
        .iter()
        .map(|trouble| notification(&trouble.detail))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Keywright",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": [
                    rule("keywright-key", "API key", "An API key issued by Keywright. Revoke or rotate it."),
                    rule("keywright-token", "Token", "A token of Keywright itself. Revoke it."),
                    rule("imported-key", "Imported key", "A key of a format that was named. Revoke or rotate it."),
                ],
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": report.findings.iter().map(|finding| result(finding, &report.formats)).collect::<Vec<_>>(),
        }],
    })
}

fn rule(id: &str, short: &str, full: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": short },
        "fullDescription": { "text": full },
        "defaultConfiguration": { "level": "error" },
        "properties": { "security-severity": "9.0", "tags": ["security", "secret"] },
    })
}

fn result(finding: &Finding, formats: &[ImportFormat]) -> Value {
    let spot = &finding.spot;
    let (rule, rule_index) = match spot.credential {
        Credential::Key { .. } => ("keywright-key", 0),
        Credential::Token { .. } => ("keywright-token", 1),
        Credential::Imported { .. } => ("imported-key", 2),
    };
    let id = spot.credential.id();
    let since = finding
        .commit
        .as_ref()
        .map_or_else(String::new, |commit| format!(", since commit {commit}"));
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": rule_index,
        "level": "error",
        "message": { "text": format!("{id} ({}) stands here in clear{since}.", spot.credential.words()) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.path, formats) },
            "region": { "startLine": spot.line, "startColumn": spot.column, "endColumn": spot.column + spot.length },
        }}],
    });
    if let Some(id) = spot.credential.known_id() {
        result["partialFingerprints"] = json!({ "keyId/v1": id });
    }
    if let Some(commit) = &finding.commit {
        result["properties"] = json!({ "commit": commit });
    }
    result
}

/// Relative paths stay relative: code hosts read them from the top of the repository.
fn uri(path: &Path, formats: &[ImportFormat]) -> String {
    let bytes = path.as_os_str().as_bytes();
    let text = path_text(path, formats);
    let told = match text == path.to_string_lossy() {
        true => percent_encode(bytes, IN_PATHS),
        false => percent_encode(text.as_bytes(), IN_PATHS),
    };
    let scheme = if path.is_absolute() { "file://" } else { "" };
    format!("{scheme}{told}")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::model::key_text::compose;

    #[test]
    fn addresses_keep_bytes_and_hide_secrets() {
        let path = |bytes: &[u8]| uri(Path::new(OsStr::from_bytes(bytes)), &[]);
        assert_eq!(path(b"src/a b\xFF.rs"), "src/a%20b%FF.rs");
        assert_eq!(path(b"/srv/x"), "file:///srv/x");
        let key = compose("acme_live", "0123456789AB", "vutsrqponmlkjihgfedcba9876543210");
        assert_eq!(path(format!("{key}.env").as_bytes()), "key_0123456789AB.env");
    }
}
