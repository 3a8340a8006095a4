//! What others need to find our keys: rules for two well-known scanners, and a hook for git.
//!
//! Their expressions are RE2's, which cannot look ahead and cannot compute a checksum. They ask for what can be asked:
//! a checksum of 32 bits in six characters of base62 begins with 0 to 4, which nine look-alikes of ten do not.

use crate::model::key_text::EXAMPLE_KEY;

/// Seen by tests and by people who write a rule of their own.
pub const KEY: &str = concat!(
    "([a-z0-9]{2,16}_(?:live|test)_[0-9A-Za-z]{44}[0-4][0-9A-Za-z]{5})",
    "(?:[^0-9A-Za-z]|$)"
);
pub const TOKEN: &str = "(kw[tsirec]_[0-9A-Za-z]{44}[0-4][0-9A-Za-z]{5})(?:[^0-9A-Za-z]|$)";

const KEY_WORDS: [&str; 2] = ["_live_", "_test_"];
const TOKEN_WORDS: [&str; 6] = ["kwt_", "kws_", "kwi_", "kwr_", "kwe_", "kwc_"];

/// Bits per character. Sixty random characters have above 4.5; `xxxx…` has none.
const ENTROPY: &str = "3.5";

/// A configuration for gitleaks 8: its own rules and ours.
#[must_use]
pub fn gitleaks() -> String {
    let example = format!(
        "\n[[rules.allowlists]]\ndescription = \"The example key of Keywright's documentation\"\nregexes = ['''^{EXAMPLE_KEY}$''']\n"
    );
    let rule = |id: &str, what: &str, regex: &str, words: &[&str]| {
        format!(
            "[[rules]]\nid = \"{id}\"\ndescription = \"{what}\"\nregex = '''{regex}'''\nsecretGroup = 1\n\
             entropy = {ENTROPY}\nkeywords = [{}]\ntags = [\"keywright\"]\n",
            quoted(words, '"').join(", ")
        )
    };
    [
        "# Keywright's keys and tokens, for gitleaks 8. Only `keywright scan` also checks their checksum.\n\
         title = \"Keywright\"\n\n[extend]\nuseDefault = true\n"
            .to_owned(),
        rule("keywright-key", "API key issued by Keywright", KEY, &KEY_WORDS) + &example,
        rule("keywright-token", "Token of Keywright", TOKEN, &TOKEN_WORDS),
    ]
    .join("\n")
}

/// A configuration for TruffleHog 3, `--config`. Without a way to verify: that would send the secret somewhere.
#[must_use]
pub fn trufflehog() -> String {
    let detector = |name: &str, group: &str, regex: &str, words: &[&str]| {
        format!(
            "  - name: {name}\n    keywords:\n      - {}\n    regex:\n      {group}: '{regex}'\n    entropy: {ENTROPY}\n",
            quoted(words, '\'').join("\n      - ")
        )
    };
    [
        "# Keywright's keys and tokens, for TruffleHog 3. Only `keywright scan` also checks their checksum.\n\
         detectors:\n"
            .to_owned(),
        detector("KeywrightKey", "key", KEY, &KEY_WORDS),
        detector("KeywrightToken", "token", TOKEN, &TOKEN_WORDS),
    ]
    .concat()
}

fn quoted(words: &[&str], quote: char) -> Vec<String> {
    words.iter().map(|word| format!("{quote}{word}{quote}")).collect()
}

/// A pre-commit hook. It refuses the commit when the scan cannot be made, too.
pub const HOOK: &str = r#"#!/bin/sh
# Refuses a commit that would bring an API key or a token of Keywright into the repository.
# keywright scan --hook > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit

if ! command -v keywright >/dev/null 2>&1; then
    echo 'pre-commit: keywright is not installed, so nobody looked for keys.' >&2
    exit 1
fi

keywright scan --staged >&2
status=$?
case $status in
    0) ;;
    1) echo 'pre-commit: take the secrets out, stage again, and revoke or rotate those that others have seen.' >&2 ;;
    *) echo 'pre-commit: the scan could not be made.' >&2 ;;
esac
exit "$status"
"#;
