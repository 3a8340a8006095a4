//! What the papers say is what the code does.

use std::collections::BTreeSet;
use std::path::Path;

use keywright::server::http::openapi;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn source_files(folder: &str) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            out.extend(source_files(&name));
        } else if name.ends_with(".rs") {
            out.push(name);
        }
    }
    out
}

#[test]
fn every_setting_is_in_the_configuration_reference() {
    let reference = read("docs/configuration.md");
    let mut names = BTreeSet::new();
    for file in source_files("src/server/cli")
        .into_iter()
        .chain(source_files("src/server/config"))
    {
        for (_, rest) in read(&file)
            .match_indices("env = \"")
            .map(|(at, mark)| (at, read(&file)[at + mark.len()..].to_owned()))
        {
            names.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(names.len() > 15, "{names:?}");
    for name in names.iter().filter(|name| *name != "KEYWRIGHT_DEVELOPMENT") {
        assert!(
            reference.contains(name.as_str()),
            "{name} is not in docs/configuration.md"
        );
    }
}

#[test]
fn every_numbered_check_has_its_row() {
    let reference = read("docs/security-checks.md");
    for file in source_files("src") {
        for word in read(&file)
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| word.len() > 4)
        {
            let mut parts = word.split('_');
            while let Some(number) = parts.next().filter(|part| {
                part.len() == 3 && part.starts_with('r') && part[1..].bytes().all(|b| b.is_ascii_digit())
            }) {
                assert!(
                    reference.contains(&format!("| {} |", number.to_uppercase())),
                    "{number} of {word} in {file} has no row"
                );
            }
        }
    }
}

/// `keywright openapi > docs/openapi.json` makes it fresh.
#[test]
fn the_published_description_is_the_one_the_handlers_give() {
    let fresh = serde_json::to_string_pretty(&openapi::document()).unwrap();
    assert_eq!(
        read("docs/openapi.json").trim(),
        fresh,
        "run: keywright openapi > docs/openapi.json"
    );
}

#[test]
fn the_wasm_glue_and_its_command_line_are_one_version() {
    let manifest = read("Cargo.toml");
    let pinned = manifest
        .split("wasm-bindgen = { version = \"=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let locked = read("Cargo.lock");
    assert!(
        locked.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{pinned}\"")),
        "{pinned}"
    );
}
