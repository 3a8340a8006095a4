//! Restrictions and templates on the command line.

use crate::command_line::{PASSWORD, SET_UP, json, refusal, run};

#[test]
fn a_key_is_restricted_on_the_command_line_as_in_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(run(root, &SET_UP, PASSWORD).status.success());
    let base = ["keys", "issue", "--project", "image-api", "--json", "--name"];
    let issue = |name: &str, more: &[&str]| {
        let words: Vec<&str> = base
            .iter()
            .copied()
            .chain([name])
            .chain(more.iter().copied())
            .collect();
        run(root, &words, "")
    };
    let rules = [
        "--environment",
        "live",
        "--allow-ip",
        "10.0.0.0/8",
        "--deny-ip",
        "10.9.0.0/16",
        "--allow-resource",
        "gpt-4.1*",
        "--deny-resource",
        "*-nano",
        "--not-before",
        "2030-01-01",
        "--expires",
        "none",
        "--rotation-days",
        "30",
        "--hours",
        "mon-fri 08:00-18:00 Europe/Berlin",
    ];
    let made = issue("Restricted", &rules);
    assert!(made.status.success(), "{made:?}");
    for (name, more) in [
        ("host bits", ["--allow-ip", "10.0.0.5/8"]),
        ("everything", ["--allow-resource", "*"]),
        ("no day", ["--not-before", "tomorrow"]),
        ("no hours", ["--hours", "Europe/Berlin"]),
        ("no zone", ["--hours", "mon 08:00-09:00 Mars/Phobos"]),
        ("no interval", ["--rotation-days", "0"]),
    ] {
        let words: Vec<&str> = ["--environment", "test"].into_iter().chain(more).collect();
        assert_eq!(refusal(&issue(name, &words)), (1, "invalid".into()), "{name}");
    }
    assert_eq!(refusal(&issue("nowhere", &[])), (1, "invalid".into()));
    assert!(issue("By template", &["--template", "ci"]).status.success());
    assert_eq!(
        refusal(&issue("Strange", &["--template", "nothing"])),
        (1, "not_found".into())
    );
    let both = [
        "--template",
        "Read-only",
        "--environment",
        "live",
        "--allow-ip",
        "10.1.0.0/16",
    ];
    assert!(issue("Template and more", &both).status.success());
    let listed = json(&run(root, &["keys", "list", "--json"], ""));
    let scopes = |name: &str| {
        let keys = listed["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["name"] == name).unwrap();
        (key["environment"].clone(), key["scopes"].clone())
    };
    assert_eq!(listed["total"], 3);
    assert_eq!(
        scopes("By template"),
        ("test".into(), serde_json::json!(["read", "write"]))
    );
    assert_eq!(
        scopes("Template and more"),
        ("live".into(), serde_json::json!(["read"]))
    );
}
