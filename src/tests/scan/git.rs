//! What is staged, and what once was committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::garden::Chance;
use super::{assert_silent, found, ids, json, scan, status};

fn git(folder: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@acme.example",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(words)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    folder
}

fn commit(folder: &Path, message: &str) -> String {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", message]);
    git(folder, &["rev-parse", "HEAD"])
}

fn id_of(key: &str) -> String {
    format!("key_{}", &key.rsplit_once('_').unwrap().1[..12])
}

#[test]
fn staged_is_what_is_staged_and_not_what_lies_in_the_folder() {
    let (folder, mut chance) = (repository(), Chance::new(3));
    let root = folder.path();
    let [staged, unstaged, later] = [(); 3].map(|()| chance.compose("acme_live"));
    // Before the first commit, too.
    fs::write(root.join("a b.env"), format!("x\n K={staged}")).unwrap();
    git(root, &["add", "--all"]);
    fs::write(root.join("a b.env"), "clean").unwrap();
    fs::write(root.join("new.env"), &unstaged).unwrap();
    fs::create_dir(root.join("sub")).unwrap();
    for place in [root.to_owned(), root.join("sub")] {
        let told = scan(&place, &["--staged", "--json"]);
        assert_eq!(status(&told), 1);
        let finding = found(&told).pop_first().unwrap();
        assert_eq!(
            (finding.path.as_str(), finding.line, finding.column),
            ("a b.env", 2, 4)
        );
        assert_eq!(finding.key_id, id_of(&staged));
        assert_eq!(json(&told)["scannedFiles"], 1);
        assert_silent(&[told], &[staged.clone(), unstaged.clone()]);
    }
    git(root, &["commit", "-q", "-m", "first"]);
    let told = scan(root, &["--staged", "--json"]);
    assert_eq!(
        (status(&told), ids(&told)),
        (0, Vec::new()),
        "what is committed is staged no more"
    );
    fs::write(root.join("later.env"), &later).unwrap();
    git(root, &["add", "later.env"]);
    git(root, &["rm", "-q", "--cached", "a b.env"]);
    assert_eq!(ids(&scan(root, &["--staged", "--json"])), [id_of(&later)]);
}

#[test]
fn a_key_that_was_committed_and_removed_is_still_in_the_history() {
    let (folder, mut chance) = (repository(), Chance::new(4));
    let root = folder.path();
    let [removed, merged, tagged] = [(); 3].map(|()| chance.compose("acme_test"));
    assert_eq!(
        status(&scan(root, &["--git-history", "--json"])),
        0,
        "an empty history holds nothing"
    );
    fs::write(root.join("readme"), "clean").unwrap();
    commit(root, "first");
    fs::create_dir(root.join("ein ü")).unwrap();
    fs::write(root.join("ein ü/a.env"), format!("\n\n{removed}")).unwrap();
    let brought = commit(root, "a key");
    fs::write(root.join("copy"), format!("\n\n{removed}")).unwrap();
    commit(root, "the same content again");
    git(root, &["rm", "-rq", "ein ü", "copy"]);
    commit(root, "removed");
    git(root, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    commit(root, "side");
    git(
        root,
        &["merge", "-q", "--no-commit", "--no-ff", "-s", "ours", "main"],
    );
    fs::write(root.join("merge.env"), &merged).unwrap();
    let merge = commit(root, "a merge that brings what neither side had");
    let loose = root.join("loose");
    fs::write(&loose, &tagged).unwrap();
    let blob = git(root, &["hash-object", "-w", "loose"]);
    git(root, &["tag", "of-a-blob", &blob]);
    let told = scan(root, &["--git-history", "--json"]);
    assert_eq!(status(&told), 1, "{told:?}");
    let answer = json(&told);
    let findings = answer["findings"].as_array().unwrap();
    let place = |key: &str| {
        let of = |finding: &&serde_json::Value| finding["keyId"] == id_of(key).as_str();
        let finding = findings.iter().find(of).unwrap();
        (
            finding["path"].as_str().unwrap().to_owned(),
            finding["line"].as_u64(),
            finding["commit"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(findings.len(), 3, "each content once");
    assert_eq!(
        place(&removed),
        ("ein ü/a.env".into(), Some(3), Some(brought.clone()))
    );
    assert_eq!(place(&merged), ("merge.env".into(), Some(1), Some(merge)));
    assert_eq!(place(&tagged), (blob, Some(1), None));
    let (prose, sarif) = (
        scan(root, &["--git-history"]),
        scan(root, &["--git-history", "--sarif"]),
    );
    for output in [&prose, &sarif] {
        assert!(String::from_utf8_lossy(&output.stdout).contains(&brought));
    }
    assert_silent(&[told, prose, sarif], &[removed, merged, tagged]);
}

#[test]
fn the_printed_hook_refuses_the_commit() {
    let (folder, mut chance) = (repository(), Chance::new(5));
    let root = folder.path();
    let hook = root.join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, scan(root, &["--hook"]).stdout).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let binary = Path::new(super::BINARY).parent().unwrap().to_str().unwrap();
    let commit = |path: &str| {
        let script = format!("PATH=\"{path}\" exec git -c user.name=Ada -c user.email=a@b commit -q -m x");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(root).output().unwrap()
    };
    let key = chance.compose("acme_live");
    fs::write(root.join("a.env"), &key).unwrap();
    git(root, &["add", "a.env"]);
    let refused = commit(&format!("{binary}:$PATH"));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&id_of(&key)));
    assert_silent(&[refused], &[key]);
    fs::write(root.join("a.env"), "clean").unwrap();
    git(root, &["add", "a.env"]);
    assert!(
        !commit("/usr/bin:/bin").status.success(),
        "without keywright nobody looked"
    );
    assert!(commit(&format!("{binary}:$PATH")).status.success());
}

#[test]
fn a_folder_without_a_repository_and_a_broken_one_are_trouble() {
    let folder = tempfile::tempdir().unwrap();
    for way in ["--staged", "--git-history"] {
        let told = scan(folder.path(), &[way, "--json"]);
        assert_eq!(super::troubles::refusal(&told), (2, "not_a_repository".into()));
        assert_eq!(json(&told)["scannedFiles"], 0);
    }
    let (folder, mut chance) = (repository(), Chance::new(6));
    let root = folder.path();
    let key = chance.compose("acme_live");
    fs::write(root.join("a"), "clean").unwrap();
    commit(root, "first");
    fs::write(root.join("b"), &key).unwrap();
    commit(root, "second");
    let remove = |name: &str| {
        let blob = git(root, &["rev-parse", &format!("HEAD:{name}")]);
        fs::remove_file(root.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    };
    remove("a");
    let told = scan(root, &["--git-history", "--json"]);
    assert_eq!(
        (status(&told), ids(&told)),
        (1, vec![id_of(&key)]),
        "what is there is looked at"
    );
    assert_eq!(super::troubles::refusal(&told).1, "git");
    remove("b");
    assert_eq!(
        super::troubles::refusal(&scan(root, &["--git-history", "--json"])),
        (2, "git".into())
    );
    fs::write(root.join(".git/index"), "no index").unwrap();
    assert_eq!(
        super::troubles::refusal(&scan(root, &["--staged", "--json"])),
        (2, "git".into())
    );
}

#[test]
fn a_shallow_clone_cannot_say_that_there_is_nothing() {
    let (folder, clone) = (repository(), tempfile::tempdir().unwrap());
    commit(folder.path(), "first");
    commit(folder.path(), "second");
    let address = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "-q", "--depth", "1", &address, "."]);
    let told = scan(clone.path(), &["--git-history", "--json"]);
    assert_eq!(super::troubles::refusal(&told), (2, "shallow".into()));
}
