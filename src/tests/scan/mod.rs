//! `keywright scan` as scripts and hooks use it: the real binary, real folders, a real git.

mod garden;
mod git;
mod others;
mod troubles;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use garden::{Chance, Garden, Plant};

const BINARY: &str = env!("CARGO_BIN_EXE_keywright");

/// Runs `keywright scan` in `folder`.
fn scan(folder: &Path, words: &[&str]) -> Output {
    Command::new(BINARY)
        .arg("scan")
        .args(words)
        .current_dir(folder)
        .env_remove("KEYWRIGHT_JSON")
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Path, line, column and id of every finding of an answer with `--json`.
fn found(output: &Output) -> BTreeSet<Plant> {
    let answer = json(output);
    let findings = answer["findings"].as_array().unwrap();
    let found: BTreeSet<Plant> = findings.iter().map(plant).collect();
    assert_eq!(found.len(), findings.len(), "none is told twice");
    found
}

fn plant(finding: &Value) -> Plant {
    Plant {
        path: finding["path"].as_str().unwrap().to_owned(),
        line: finding["line"].as_u64().unwrap(),
        column: finding["column"].as_u64().unwrap(),
        key_id: finding["keyId"].as_str().unwrap().to_owned(),
    }
}

fn ids(output: &Output) -> Vec<String> {
    found(output).into_iter().map(|plant| plant.key_id).collect()
}

/// Neither stream of any of these holds one of the secrets, or the part of one that is secret.
fn assert_silent(outputs: &[Output], secrets: &[String]) {
    for output in outputs {
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let said = String::from_utf8_lossy(&said);
        for secret in secrets {
            let hidden = &secret[secret.len() - 38..secret.len() - 6];
            assert!(!said.contains(hidden), "a secret was printed");
        }
    }
}

#[test]
fn two_hundred_planted_keys_are_found_and_two_hundred_look_alikes_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::plant(folder.path());
    assert_eq!((garden.plants.len(), garden.look_alikes.len()), (200, 200));
    let told = scan(folder.path(), &[".", "--json"]);
    let found = found(&told);
    let missed: Vec<_> = garden.plants.difference(&found).collect();
    let invented: Vec<_> = found.difference(&garden.plants).collect();
    assert!(
        missed.is_empty() && invented.is_empty(),
        "missed {missed:#?}\ninvented {invented:#?}"
    );
    assert_eq!(status(&told), 1);
    let answer = json(&told);
    assert_eq!(answer["scannedFiles"], garden.files);
    assert_eq!(answer["scannedBytes"], garden.bytes);
    let others = [
        scan(folder.path(), &["."]),
        scan(folder.path(), &[".", "--sarif"]),
        told,
    ];
    assert_silent(&others, &garden.secrets);
    assert_silent(&others, &garden.look_alikes);
}

#[test]
fn people_read_one_line_per_finding() {
    let folder = tempfile::tempdir().unwrap();
    let key = Chance::new(1).compose("acme_live");
    std::fs::write(folder.path().join("a.env"), format!("\n KEY={key}\n")).unwrap();
    let told = scan(folder.path(), &["a.env"]);
    let kid = &key[10..22];
    assert_eq!(
        String::from_utf8(told.stdout.clone()).unwrap(),
        format!("a.env:2:6: key_{kid} (live key, prefix acme)\n1 finding in 1 file.\n")
    );
    assert_eq!(status(&told), 1);
}

#[test]
fn a_clean_folder_is_zero_and_an_empty_file_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let told = scan(folder.path(), &[".", "--json"]);
    assert_eq!(status(&told), 0);
    assert_eq!(
        json(&told),
        serde_json::json!({ "findings": [], "scannedFiles": 1, "scannedBytes": 0 })
    );
}

#[test]
fn sarif_names_the_place_in_words_that_code_hosts_know() {
    let folder = tempfile::tempdir().unwrap();
    let key = Chance::new(2).compose("acme_live");
    std::fs::create_dir(folder.path().join("a b")).unwrap();
    std::fs::write(folder.path().join("a b/c.json"), format!("{{\n\"k\":\"{key}\"}}")).unwrap();
    let told = scan(folder.path(), &[".", "--sarif"]);
    let answer = json(&told);
    assert_eq!(answer["version"], "2.1.0");
    let run = &answer["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let result = &run["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/c.json");
    let region = serde_json::json!({ "startLine": 2, "startColumn": 6, "endColumn": 6 + key.len() });
    assert_eq!(place["region"], region);
    assert_eq!(
        run["tool"]["driver"]["rules"][0]["id"],
        result["ruleId"].as_str().unwrap()
    );
    assert_silent(&[told], &[key]);
}
