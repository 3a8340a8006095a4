//! What is passed over, what cannot be read, and what is said of it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use super::garden::Chance;
use super::{assert_silent, found, json, scan, status};

/// Status, and the code of the error that stands last on standard error.
pub fn refusal(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let error: serde_json::Value = serde_json::from_str(said.lines().last().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{output:?}"));
    assert!(error["detail"].as_str().unwrap().len() > 10);
    (status(output), error["code"].as_str().unwrap().to_owned())
}

fn paths(output: &Output) -> Vec<String> {
    found(output).into_iter().map(|plant| plant.path).collect()
}

/// Writes files with the same key in each.
fn plant(root: &Path, names: &[&str]) -> String {
    let key = Chance::new(7).compose("acme_live");
    for name in names {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), &key).unwrap();
    }
    key
}

#[test]
fn gitignore_is_respected_until_told_otherwise_and_git_folders_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("inner");
    plant(
        &root,
        &[
            "a",
            ".env",
            "out/b",
            "sub/c",
            "sub/d.log",
            ".git/config",
            "sub/.git/x",
            ".ignore",
        ],
    );
    fs::write(root.join(".gitignore"), "/out\n*.log\n").unwrap();
    // Above the top of the repository it says nothing.
    fs::write(folder.path().join(".gitignore"), "*\n").unwrap();
    let told = scan(&root, &[".", "--json"]);
    assert_eq!(
        paths(&told),
        [".env", ".ignore", "a", "sub/c", "sub/d.log"],
        "a repository within asks its own files alone"
    );
    let told = scan(&root.join("sub"), &[".", "--json"]);
    assert_eq!(paths(&told), ["c", "d.log"], "and from within it is the same");
    fs::remove_dir_all(root.join("sub/.git")).unwrap();
    let told = scan(&root.join("sub"), &[".", "--json"]);
    assert_eq!(paths(&told), ["c"], "a folder of a repository asks those above");
    let told = scan(&root, &[".", "--json"]);
    assert_eq!(paths(&told), [".env", ".ignore", "a", "sub/c"]);
    let told = scan(&root, &[".", "--no-ignore", "--json"]);
    assert_eq!(
        paths(&told),
        [".env", ".ignore", "a", "out/b", "sub/c", "sub/d.log"]
    );
    let told = scan(&root, &["out/b", "sub/d.log", "--json"]);
    assert_eq!(paths(&told), ["out/b", "sub/d.log"], "who names a file means it");
    fs::remove_dir_all(root.join(".git")).unwrap();
    let told = scan(&root, &[".", "--json"]);
    assert_eq!(
        paths(&told),
        [".env", ".ignore", "a", "sub/c"],
        "without a repository, too"
    );
}

#[test]
fn links_and_pipes_are_passed_over_and_named_links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("inner"), folder.path().join("outside"));
    plant(&root, &["a"]);
    plant(&outside, &["b"]);
    symlink(&outside, root.join("link")).unwrap();
    symlink(outside.join("b"), root.join("file-link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("..", root.join("loop")).unwrap();
    let pipe = root.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let told = scan(&root, &[".", "--json"]);
    assert_eq!((paths(&told), told.stderr.len()), (vec!["a".to_owned()], 0));
    assert_eq!(
        paths(&scan(&root, &["link", "file-link", "--json"])),
        ["file-link", "link/b"]
    );
    assert_eq!(
        refusal(&scan(&root, &["pipe", "--json"])),
        (2, "unreadable".into())
    );
}

#[test]
fn what_cannot_be_read_is_told_and_what_was_found_outweighs_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("clean"), "clean").unwrap();
    // Its first page is nobody's: reading fails, for the system's administrator too.
    let unreadable = "/proc/self/mem";
    for words in [[unreadable, "clean", "--json"], ["clean", "missing", "--json"]] {
        let told = scan(root, &words);
        assert_eq!(refusal(&told), (2, "unreadable".into()));
        assert_eq!(json(&told)["scannedFiles"], 1, "the rest is looked at");
    }
    let key = plant(root, &["a"]);
    let told = scan(root, &["a", "missing", unreadable, "--json"]);
    assert_eq!(refusal(&told), (1, "unreadable".into()));
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(said.contains("missing: ") && said.contains(unreadable), "{said}");
    let told = scan(root, &["a", "missing", unreadable]);
    assert_eq!(
        String::from_utf8_lossy(&told.stderr).lines().count(),
        2,
        "a line for each"
    );
    let told = scan(root, &["a", "missing", "--sarif"]);
    let invocation = &json(&told)["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_silent(&[told], &[key]);
}

#[test]
fn names_may_be_any_bytes_and_may_hold_a_secret_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let key = plant(root, &["-", "a\nb", "\u{1b}[2Jc"]);
    fs::write(root.join(OsStr::from_bytes(b"\xFFd")), &key).unwrap();
    fs::write(root.join(format!("x{key}.env")), &key).unwrap();
    let kid = &key[10..22];
    let told = scan(root, &[".", "--json"]);
    let expected = ["\u{1b}[2Jc", "-", "a\nb", &format!("xkey_{kid}.env"), "\u{fffd}d"];
    assert_eq!(paths(&told), expected);
    let outputs = [
        told,
        scan(root, &["."]),
        scan(root, &[".", "--sarif"]),
        scan(root, &[&format!("{key}/missing"), "--json"]),
    ];
    assert!(
        !outputs[1].stdout.contains(&0x1b),
        "no control characters reach the terminal"
    );
    assert_silent(&outputs, &[key]);
    let told = scan(root, &["--json", "--", "-"]);
    assert_eq!(paths(&told), ["-"], "a hyphen is a file, not standard input");
}

#[test]
fn one_way_of_looking_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["--json"][..],
        &[".", "--staged", "--json"],
        &["--staged", "--git-history", "--json"],
        &["--rules", "nobody", "--json"],
    ] {
        assert_eq!(
            refusal(&scan(folder.path(), words)),
            (2, "usage".into()),
            "{words:?}"
        );
    }
}
