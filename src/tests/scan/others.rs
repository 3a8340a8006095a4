//! Rules for other scanners find what we find.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

use keywright::model::key_text::EXAMPLE_KEY;
use regex::Regex;

use super::garden::Garden;
use super::{scan, status};

/// Every planted secret amid the text of a source file.
fn source(garden: &Garden) -> String {
    let forms = [
        "K={}\n",
        "{\"k\":\"{}\"}\n",
        "- x{}_old\r\n",
        "{}\n",
        "url?key={}&b=1 ",
        "\t'{}'",
    ];
    let filled = garden.secrets.iter().zip(forms.iter().cycle());
    filled.map(|(secret, form)| form.replace("{}", secret)).collect()
}

fn printed(words: &[&str]) -> String {
    let told = scan(std::path::Path::new("/"), words);
    assert_eq!(status(&told), 0);
    String::from_utf8(told.stdout).unwrap()
}

/// Bits per character, as the scanners count them.
fn entropy(text: &str) -> f64 {
    let share = |c: char| text.matches(c).count() as f64 / text.len() as f64;
    text.chars()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|c| -share(c) * share(c).log2())
        .sum()
}

fn assert_all_found(garden: &Garden, rules: &[(String, Vec<String>)]) {
    let source = source(garden);
    let mut found = BTreeSet::new();
    for (expression, words) in rules {
        for captures in Regex::new(expression).unwrap().captures_iter(&source) {
            let secret = &captures[1];
            assert!(
                words.iter().any(|word| secret.contains(word.as_str())),
                "a keyword leads there"
            );
            assert!(entropy(secret) > 3.5);
            found.insert(secret.to_owned());
        }
    }
    // A prefix may seem longer than it is: nothing but the checksum says where it begins.
    let missed = garden
        .secrets
        .iter()
        .filter(|secret| !found.iter().any(|found| found.ends_with(*secret)));
    assert_eq!(missed.count(), 0);
    assert_eq!(found.len(), 200);
}

#[test]
fn the_rules_for_gitleaks_find_every_planted_secret() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::plant(folder.path());
    let printed: toml::Table = printed(&["--rules", "gitleaks"]).parse().unwrap();
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let rules: Vec<_> = printed["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            assert_eq!(rule["secretGroup"].as_integer(), Some(1));
            assert_eq!(rule["entropy"].as_float(), Some(3.5));
            let words = rule["keywords"].as_array().unwrap();
            (text(&rule["regex"]), words.iter().map(text).collect())
        })
        .collect();
    assert_eq!(rules.len(), 2);
    assert_all_found(&garden, &rules);
}

#[test]
fn the_rules_for_trufflehog_find_every_planted_secret() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::plant(folder.path());
    let printed = printed(&["--rules", "trufflehog"]);
    let within = |line: &str| line.split('\'').nth(1).unwrap().to_owned();
    let detectors: Vec<_> = printed
        .split("  - name: ")
        .skip(1)
        .map(|detector| {
            let expression = detector
                .lines()
                .find(|line| line.starts_with("      ") && line.contains(": '"))
                .unwrap();
            let words = detector
                .lines()
                .filter(|line| line.starts_with("      - '"))
                .map(within);
            (within(expression), words.collect())
        })
        .collect();
    assert_eq!(detectors.len(), 2);
    assert!(!printed.contains("verify"), "no secret is sent anywhere");
    assert_all_found(&garden, &detectors);
}

/// What the program itself finds with the rules, of those alone: each secret in the whole.
fn found_by_gitleaks(folder: &std::path::Path) -> Option<Vec<String>> {
    if Command::new("gitleaks").arg("version").output().is_err() {
        // Past the test's own output, which nobody sees when the test passes.
        let said = "SKIPPED: the rules for gitleaks were not tried with gitleaks, which is not there (scripts/tools.sh gates)\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return None;
    }
    let (config, report) = (folder.join("rules.toml"), folder.join("report.json"));
    std::fs::write(&config, printed(&["--rules", "gitleaks"])).unwrap();
    let mut command = Command::new("gitleaks");
    command.args([
        "dir",
        "--no-banner",
        "--exit-code",
        "3",
        "--report-format",
        "json",
    ]);
    command
        .arg("--config")
        .arg(&config)
        .arg("--report-path")
        .arg(&report)
        .arg(folder.join("source"));
    let ran = command.output().unwrap();
    assert_eq!(
        ran.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let report: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let ours = |finding: &&serde_json::Value| finding["RuleID"].as_str().unwrap().starts_with("keywright-");
    let secret = |finding: &serde_json::Value| finding["Secret"].as_str().unwrap().to_owned();
    Some(report.iter().filter(ours).map(secret).collect())
}

#[test]
fn gitleaks_itself_finds_every_planted_secret_and_no_text_of_another_form() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::plant(&folder.path().join("garden"));
    let source_folder = folder.path().join("source");
    std::fs::create_dir(&source_folder).unwrap();
    // Those whose form is another; of the rest nothing but the checksum tells that they are none.
    let others: Vec<&String> = garden
        .look_alikes
        .iter()
        .enumerate()
        .filter(|(n, _)| matches!(n % 10, 2 | 3 | 4 | 8))
        .map(|(_, text)| text)
        .collect();
    let lines: String = others.iter().map(|text| format!("NOT_ONE='{text}'\n")).collect();
    std::fs::write(source_folder.join("planted.env"), source(&garden)).unwrap();
    std::fs::write(source_folder.join("others.env"), lines).unwrap();
    std::fs::write(
        source_folder.join("example.md"),
        format!("The key `{EXAMPLE_KEY}` is nobody's.\n"),
    )
    .unwrap();
    let Some(found) = found_by_gitleaks(folder.path()) else {
        return;
    };
    for secret in &garden.secrets {
        assert!(
            found.iter().any(|found| found.ends_with(secret)),
            "missed one that begins {}",
            &secret[..9]
        );
    }
    for text in others {
        assert!(!found.iter().any(|found| found.contains(text.as_str())), "{text}");
    }
    assert!(
        !found.iter().any(|found| found == EXAMPLE_KEY),
        "the example is nobody's"
    );
    assert_eq!(found.len(), garden.secrets.len());
}
