//! Embeds the site: reads `$KEYWRIGHT_SITE/site.json`, which scripts/assets.mjs writes, and emits a table of
//! `include_bytes!`. Without it (clippy, rustdoc, a first check) the table is empty and pages come without styles.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "cargo speaks to build scripts by environment, and they fail by panicking"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The browser's half embeds nothing; a new site must not rebuild it.
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return;
    }
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed=KEYWRIGHT_SITE");
    let folder = env::var_os("KEYWRIGHT_SITE").map(PathBuf::from);
    let table = folder
        .as_deref()
        .and_then(table_of)
        .unwrap_or_else(|| "&[]".to_owned());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the output folder")).join("site.rs");
    fs::write(out, table).expect("the output folder can be written");
}

fn table_of(folder: &Path) -> Option<String> {
    let manifest = folder.join("site.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).ok()?).expect("site.json is JSON");
    let assets = manifest["assets"].as_array().expect("site.json lists assets");
    let rows: Vec<String> = assets.iter().map(|asset| row_of(folder, asset)).collect();
    Some(format!("&[{}]", rows.join(",\n")))
}

fn row_of(folder: &Path, asset: &serde_json::Value) -> String {
    let text = |field: &str| {
        asset[field]
            .as_str()
            .unwrap_or_else(|| panic!("site.json: {field}"))
            .to_owned()
    };
    let bytes = |file: &str| format!("include_bytes!({:?})", folder.join(file).display().to_string());
    let optional = |field: &str| {
        asset[field]
            .as_str()
            .map_or("None".to_owned(), |file| format!("Some({})", bytes(file)))
    };
    format!(
        "Asset {{ logical: {:?}, path: {:?}, media_type: {:?}, raw: {}, br: {}, gzip: {} }}",
        text("logical"),
        text("path"),
        text("type"),
        bytes(&text("file")),
        optional("br"),
        optional("gz"),
    )
}
