//! Importing, exporting and finding keys of another maker on the command line: the real binary, real folders.

use crate::command_line::{PASSWORD, SET_UP, json, refusal, run};

/// `n` digests of keys that begin with `old_`, as a file.
fn old_keys(n: usize) -> String {
    use sha2::{Digest, Sha256};
    let digest = |n: usize| {
        let bytes = Sha256::digest(format!("old_{n:032}"));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let rows = (0..n).map(|n| format!("{},Old {n},live,team:data\n", digest(n)));
    format!("digest,name,environment,owner\n{}", rows.collect::<String>())
}

#[test]
fn keys_are_imported_from_a_file_or_from_standard_input_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    json(&run(root, &SET_UP, PASSWORD));
    let import = |words: &[&str], input: &str| {
        let all = [&["keys", "import", "--project", "image-api", "--json"], words].concat();
        run(root, &all, input)
    };
    assert_eq!(
        refusal(&import(&["-"], &old_keys(1))),
        (1, "invalid".into()),
        "nothing is declared"
    );
    let formats = "INSERT INTO import_formats SELECT 'abcdefghijkl', id, 0, 'old_', 'base62', 32, 32, 'sha256' FROM projects";
    let database = root.join("data/db/keywright.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::{ConnectOptions, Executor};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        options.connect().await.unwrap().execute(formats).await.unwrap();
    });
    let wrong = old_keys(1_200).replace("Old 700,live", "Old 700,stage");
    let refused = import(&["-"], &wrong);
    assert_eq!(refused.status.code(), Some(1));
    let told = json(&refused);
    assert_eq!(
        (
            told["rows"].as_u64(),
            told["bad"].as_u64(),
            told["imported"].as_u64()
        ),
        (Some(1_200), Some(1), Some(0))
    );
    assert_eq!(
        (
            told["mistakes"][0]["line"].as_u64(),
            told["mistakes"][0]["column"].as_str()
        ),
        (Some(702), Some("environment"))
    );
    let file = root.join("old.csv");
    std::fs::write(&file, old_keys(1_200)).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(json(&import(&[file, "--dry-run"], ""))["imported"], 0);
    assert_eq!(json(&import(&[file], ""))["imported"], 1_200);
    assert_eq!(import(&["-"], &old_keys(3)).status.code(), Some(1), "twice");
    assert_eq!(refusal(&import(&["nowhere.csv"], "")), (1, "io".into()));
    let exported = json(&run(root, &["keys", "export", "--json"], ""));
    let keys = exported["keys"].as_array().unwrap();
    assert!(
        keys.len() == 1_200 && keys[0]["key"] == "imported · old_…",
        "{}",
        keys[0]
    );
    let csv = run(root, &["keys", "export", "--project", "image-api"], "");
    assert_eq!(String::from_utf8(csv.stdout).unwrap().lines().count(), 1_201);
    assert!(run(root, &["audit", "verify", "--json"], "").status.success());
}

#[test]
fn keys_of_a_named_format_are_found_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let key = format!("old_{:032}", 7);
    std::fs::write(root.join("app.env"), format!("TOKEN={key}\nOTHER=old_short\n")).unwrap();
    std::fs::write(root.join(format!("{key}.txt")), &key).unwrap();
    let root_text = root.to_str().unwrap();
    let scan = |words: &[&str]| run(root, &[&["scan", root_text, "--json"], words].concat(), "");
    assert_eq!(scan(&[]).status.code(), Some(0), "it is none of ours");
    let found = scan(&["--format", "old_:base62:32"]);
    assert_eq!(found.status.code(), Some(1));
    let told = json(&found);
    assert_eq!(told["findings"].as_array().unwrap().len(), 2);
    assert!(
        told["findings"][0]["keyId"].is_null() && told["findings"][0]["line"] == 1,
        "{told}"
    );
    assert!(
        !String::from_utf8_lossy(&found.stdout).contains(&key),
        "not even in a path"
    );
    let sarif = run(
        root,
        &["scan", root_text, "--sarif", "--format", "old_:base62:32"],
        "",
    );
    assert!(String::from_utf8_lossy(&sarif.stdout).contains("\"ruleId\":\"imported-key\""));
    for wrong in [
        "old_:base62",
        "o:base62:32",
        "old_:runes:32",
        "old_:base62:3",
        "acme_live_:base62:50",
    ] {
        assert_eq!(scan(&["--format", wrong]).status.code(), Some(2), "{wrong}");
    }
}
