//! The import law: who may use whom, read from every `crate::` path.

use std::fs;
use std::path::{Path, PathBuf};

/// Room of a file → rooms it may name. The longest matching room counts.
const LAW: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("app.rs", &["app", "model", "rpc", "ui"]),
    ("ui", &["model", "rpc", "ui"]),
    ("rpc", &["model", "server::rpc_edge", "server::domain"]),
    ("server/platform", &["model", "server::platform"]),
    ("server/store", &["model", "server::platform", "server::store"]),
    (
        "server/domain",
        &[
            "model",
            "server::ctx",
            "server::domain",
            "server::platform",
            "server::store",
        ],
    ),
    (
        "server/http",
        &[
            "model",
            "server::config",
            "server::ctx",
            "server::domain",
            "server::http",
            "server::platform",
        ],
    ),
    ("server/http/leptos.rs", &["app", "model", "rpc", "server", "ui"]),
    (
        "server/http/router.rs",
        &[
            "app",
            "model",
            "server::config",
            "server::ctx",
            "server::domain",
            "server::http",
        ],
    ),
    (
        "server/jobs",
        &["model", "server::ctx", "server::domain", "server::jobs"],
    ),
    (
        "server/cli",
        &[
            "model",
            "server::boot",
            "server::cli",
            "server::config",
            "server::ctx",
            "server::domain",
            "server::http::openapi",
            "server::platform",
            "server::scan",
        ],
    ),
    // A leaf: it looks at files without an installation.
    ("server/scan", &["model", "server::scan"]),
    (
        "server/config",
        &["model", "server::platform", "server::store::db"],
    ),
    ("server/ctx.rs", &["server"]),
    ("server/boot.rs", &["model", "server"]),
    ("server/rpc_edge.rs", &["model", "server"]),
    ("lib.rs", &[]),
    ("main.rs", &[]),
    ("server/mod.rs", &[]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out)
            } else {
                out.push(path)
            }
        }
    }
    let mut paths = Vec::new();
    walk(&source(), &mut paths);
    let named = |path: PathBuf| {
        let name = path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        (name, text)
    };
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(named)
        .collect()
}

/// The house itself: everything but its tests.
fn house() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("tests/"))
        .collect()
}

fn rooms_for(file: &str) -> &'static [&'static str] {
    let fits = |room: &&(&str, &[&str])| file == room.0 || file.starts_with(&format!("{}/", room.0));
    LAW.iter()
        .filter(fits)
        .max_by_key(|room| room.0.len())
        .unwrap_or_else(|| panic!("{file} lies in no room of the law"))
        .1
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every `crate::a::b` path, and `crate::{a, b}` taken apart one level.
fn paths_in(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(rest.len());
        let head = rest[..end].trim_end_matches(':').to_owned();
        if rest[end..].starts_with('{') && rest[..end].ends_with("::") {
            let inside = &rest[end + 1..rest[end..].find('}').map_or(rest.len(), |close| end + close)];
            let parts = inside
                .split(',')
                .map(|part| part.split_whitespace().next().unwrap_or_default());
            found.extend(
                parts
                    .filter(|part| !part.is_empty())
                    .map(|part| format!("{head}::{part}")),
            );
        } else {
            found.push(head);
        }
    }
    found
}

#[test]
fn every_room_uses_only_what_the_law_allows() {
    let mut broken = Vec::new();
    for (file, text) in house() {
        let allowed = rooms_for(&file);
        for path in paths_in(&text) {
            let fits = |room: &&str| path == **room || path.starts_with(&format!("{room}::"));
            // Macros of a room are exported at the root of the crate's rooms.
            if !allowed.iter().any(fits) {
                broken.push(format!("{file} uses crate::{path}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn foreign_crates_stay_out_of_rooms_that_must_not_know_them() {
    let forbidden: [(&str, &[&str]); 5] = [
        ("model/", &["sqlx", "leptos", "tokio", "axum", "cfg("]),
        ("server/store/", &["axum", "leptos"]),
        ("server/domain/", &["axum", "leptos", "sqlx"]),
        (
            "server/scan/",
            &["axum", "hyper", "leptos", "lettre", "sqlx", "std::net", "tokio"],
        ),
        ("ui/", &["sqlx", "tokio"]),
    ];
    for (file, text) in house() {
        let code = without_comments(&text).replace("cfg(test)", "");
        for (room, words) in &forbidden {
            for word in words.iter().filter(|_| file.starts_with(room)) {
                let named =
                    code.contains(&format!("{word}::")) || (word.ends_with('(') && code.contains(word));
                assert!(!named, "{file} names {word}");
            }
        }
    }
}

#[test]
fn the_target_is_looked_at_in_three_places_only() {
    for (file, text) in house() {
        let allowed = ["lib.rs", "main.rs", "ui/target.rs"].contains(&file.as_str());
        assert!(
            allowed || !without_comments(&text).contains("cfg(feature"),
            "{file} looks at the target"
        );
    }
}

#[test]
fn files_stay_below_five_hundred_lines_and_folders_have_names() {
    for (file, text) in files() {
        assert!(
            text.lines().count() <= 500,
            "{file} has {} lines",
            text.lines().count()
        );
        for word in ["utils", "helpers", "common", "misc"] {
            assert!(!file.split('/').any(|part| part == word), "{file}");
        }
    }
}

#[test]
fn sql_stands_in_the_store_only() {
    let statements = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"];
    for (file, text) in house()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("server/store/"))
    {
        for statement in statements {
            let found = without_comments(&text)
                .lines()
                .any(|line| line.contains(&format!("\"{statement}")));
            assert!(!found, "{file} holds SQL: {statement}");
        }
    }
}

#[test]
fn acts_of_an_organisation_begin_with_its_log() {
    // Each touches rows that no act of an organisation does, or takes the log before it touches others.
    let otherwise = [
        "accounts/",
        "audit.rs",
        "demo/",
        "incidents/reading.rs",
        "instance.rs",
        "keys/handover.rs",
        "keys/import/upload.rs",
        "keys/unused/",
        "mail/",
        "members/account_acts.rs",
        "orgs.rs",
        "retention.rs",
        "usage/write.rs",
    ];
    for (file, text) in house() {
        let Some(file) = file.strip_prefix("server/domain/") else {
            continue;
        };
        let is_known = otherwise.iter().any(|known| file.starts_with(known));
        let begins = without_comments(&text).contains("begin_write");
        assert!(is_known || !begins, "{file} begins an act without audit::begin");
    }
}

#[test]
fn r42_no_code_inserts_markup_as_text() {
    for (file, text) in house() {
        assert!(!without_comments(&text).contains("inner_html"), "{file}");
        let titles = file == "ui/components/title.rs" || !text.contains("leptos_meta::Title");
        assert!(titles, "{file} writes a title that nobody escapes");
    }
}

#[test]
fn r51_membership_is_asked_through_one_view() {
    // The one file that manages those who are suspended or removed, too.
    let managing = "server/store/members.rs";
    for (file, text) in house()
        .into_iter()
        .filter(|(name, _)| name.starts_with("server/store/") && name != managing)
        // Opens no door: tells people of their own memberships, whatever became of those.
        .filter(|(name, _)| name != "server/store/exports.rs")
    {
        let code = without_comments(&text);
        assert!(
            !code.contains("JOIN members") && !code.contains("FROM members"),
            "{file} asks the table behind the view"
        );
    }
}

#[test]
fn r57_secrets_cannot_be_compared_or_printed() {
    let (_, secret) = house()
        .into_iter()
        .find(|(name, _)| name == "server/platform/crypto/secret.rs")
        .unwrap();
    let code = without_comments(&secret);
    assert!(
        !code.contains("derive("),
        "a derive would give a secret Debug or PartialEq"
    );
    for forbidden in ["impl Debug", "impl Display", "Serialize", "PartialEq"] {
        assert!(!code.contains(forbidden), "{forbidden}");
    }
}
