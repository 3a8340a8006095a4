//! Rules for other scanners find what we find.

use std::collections::BTreeSet;

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
