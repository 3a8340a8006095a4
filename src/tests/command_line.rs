//! The command line as scripts use it: the real binary, real folders.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_keywright");

pub fn run(folder: &Path, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command
        .args(words)
        .env("KEYWRIGHT_DATA", folder.join("data"))
        .env_remove("KEYWRIGHT_JSON");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

pub fn refusal(output: &Output) -> (i32, String) {
    let last = String::from_utf8_lossy(&output.stderr)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    let error: Value = serde_json::from_str(&last).unwrap_or_else(|_| panic!("{output:?}"));
    (
        output.status.code().unwrap(),
        error["code"].as_str().unwrap().to_owned(),
    )
}

pub const SET_UP: [&str; 11] = [
    "setup",
    "--email",
    "ada@acme.example",
    "--organisation",
    "Acme",
    "--project",
    "Image API",
    "--prefix",
    "acme",
    "--password-stdin",
    "--json",
];
pub const PASSWORD: &str = "a phrase that only tests know\nand a second line\n";

fn issue(folder: &Path, name: &str) -> Output {
    run(
        folder,
        &[
            "keys",
            "issue",
            "--project",
            "image-api",
            "--environment",
            "live",
            "--name",
            name,
            "--scope",
            "images:read",
            "--json",
        ],
        "",
    )
}

#[test]
fn an_installation_is_set_up_used_and_checked_by_script() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert_eq!(refusal(&issue(root, "early")), (1, "no_database".into()));
    let made = run(root, &SET_UP, PASSWORD);
    assert!(made.status.success(), "{made:?}");
    let made = json(&made);
    for field in ["organisationId", "projectId", "accountId"] {
        assert!(made[field].as_str().unwrap().len() > 12, "{field}");
    }
    assert!(made["serviceToken"].as_str().unwrap().starts_with("kwt_"));
    assert_eq!(
        refusal(&run(root, &SET_UP, PASSWORD)),
        (1, "already_set_up".into())
    );
    let key = json(&issue(root, "script"));
    let id = key["keyId"].as_str().unwrap();
    assert!(key["secret"].as_str().unwrap().starts_with("acme_live_"));
    assert_eq!(refusal(&issue(root, "SCRIPT")), (1, "invalid".into()));
    let listed = json(&run(root, &["keys", "list", "--json"], ""));
    assert_eq!(
        (listed["total"].as_i64(), listed["keys"][0]["status"].as_str()),
        (Some(1), Some("active"))
    );
    assert!(
        run(
            root,
            &["keys", "revoke", id, "--reason", "superseded", "--json"],
            ""
        )
        .status
        .success()
    );
    assert_eq!(
        refusal(&run(
            root,
            &["keys", "revoke", id, "--reason", "superseded", "--json"],
            ""
        )),
        (1, "key_already_revoked".into())
    );
    let audit = run(root, &["audit", "verify", "--json"], "");
    assert!(
        audit.status.success() && json(&audit)["ok"] == true && json(&audit)["events"].as_i64().unwrap() >= 5
    );
    let doctor = run(root, &["doctor", "--json"], "");
    assert!(doctor.status.success());
    assert!(
        String::from_utf8_lossy(&doctor.stdout).contains("master_key_volume"),
        "both lie on one volume here"
    );
    let accounts = json(&run(root, &["accounts", "list", "--json"], ""));
    assert_eq!(accounts["accounts"][0]["email"], "ada@acme.example");
    assert!(
        run(
            root,
            &[
                "accounts",
                "reset-password",
                "ada@acme.example",
                "--password-stdin",
                "--json"
            ],
            "another phrase for tests"
        )
        .status
        .success()
    );
    assert!(
        run(root, &["accounts", "unlock", "ada@acme.example", "--json"], "")
            .status
            .success()
    );
    let weak = run(
        root,
        &[
            "accounts",
            "reset-password",
            "ada@acme.example",
            "--password-stdin",
            "--json",
        ],
        "Acme-2026-Acme-2026",
    );
    assert_eq!(
        refusal(&weak),
        (1, "invalid".into()),
        "the same rules as in the browser"
    );
    let set_email = |old: &str, new: &str| run(root, &["accounts", "set-email", old, new, "--json"], "");
    let nobody = set_email("nobody@acme.example", "ben@acme.example");
    assert_eq!(refusal(&nobody), (1, "not_found".into()));
    assert!(
        set_email("ada@acme.example", "countess@acme.example")
            .status
            .success()
    );
    let accounts = json(&run(root, &["accounts", "list", "--json"], ""));
    assert_eq!(accounts["accounts"][0]["email"], "countess@acme.example");
    let act = |act: &str| run(root, &["accounts", act, "countess@acme.example", "--json"], "");
    assert_eq!(
        json(&act("appoint"))["changed"],
        false,
        "whoever set it up administers it"
    );
    assert_eq!(refusal(&act("withdraw")), (1, "conflict".into()), "one stays");
    let token = json(&run(
        root,
        &[
            "tokens",
            "create",
            "--project",
            "image-api",
            "--name",
            "edge",
            "--json",
        ],
        "",
    ));
    assert!(
        run(
            root,
            &["tokens", "revoke", token["tokenId"].as_str().unwrap(), "--json"],
            ""
        )
        .status
        .success()
    );
    assert_eq!(
        json(&run(root, &["tokens", "list", "--json"], ""))["tokens"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn wrong_usage_is_two_and_says_so_in_json() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["keys", "issue", "--json"][..],
        &["nonsense", "--json"],
        &["keys", "revoke", "x", "--reason", "because", "--json"],
    ] {
        assert_eq!(
            refusal(&run(folder.path(), words, "")),
            (2, "usage".into()),
            "{words:?}"
        );
    }
    assert_eq!(run(folder.path(), &["--help"], "").status.code(), Some(0));
}

#[test]
fn r82_files_are_private_and_open_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(run(root, &SET_UP, PASSWORD).status.success());
    let mode = |path: &str| {
        std::fs::metadata(root.join("data").join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        [
            mode("db"),
            mode("keys"),
            mode("db/keywright.db"),
            mode("keys/master.key")
        ],
        [0o700, 0o700, 0o600, 0o600]
    );
    let key = root.join("data/keys/master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refusal(&issue(root, "x")), (1, "master_key".into()));
}

#[test]
fn r81_a_wrong_or_missing_master_key_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(run(root, &SET_UP, PASSWORD).status.success());
    let key = root.join("data/keys/master.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert_eq!(
        refusal(&run(root, &["serve", "--listen", "127.0.0.1:0", "--json"], "")),
        (1, "master_key".into())
    );
    assert!(!key.exists(), "no new one is made in its place");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        refusal(&run(root, &["serve", "--listen", "127.0.0.1:0", "--json"], "")),
        (1, "master_key".into())
    );
    std::fs::write(&key, right).unwrap();
    assert!(run(root, &["doctor", "--json"], "").status.success());
}

#[test]
fn r06_a_password_cost_below_the_floor_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(
        folder.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--password-memory-kib",
            "8192",
            "--json",
        ],
        "",
    );
    assert_eq!(refusal(&refused), (1, "invalid".into()));
}

#[test]
fn a_second_server_on_one_folder_is_refused_and_an_external_revocation_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let made = json(&run(root, &SET_UP, PASSWORD));
    let key = json(&issue(root, "served"));
    let port = {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (listen, origin) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
    let serve = ["serve", "--listen", &listen, "--public-origin", &origin];
    let mut server = Command::new(BINARY)
        .args(serve)
        .env("KEYWRIGHT_DATA", root.join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(server.stdout.as_mut().unwrap()),
        &mut line,
    )
    .unwrap();
    assert_eq!(line.trim(), format!("Keywright is at {origin}"));
    assert_eq!(
        refusal(&run(root, &["serve", "--listen", "127.0.0.1:0", "--json"], "")),
        (1, "in_use".into())
    );
    let verify = || {
        http_verify(
            &listen,
            made["serviceToken"].as_str().unwrap(),
            key["secret"].as_str().unwrap(),
        )
    };
    assert!(verify().contains("\"VALID\""));
    assert!(
        run(
            root,
            &[
                "keys",
                "revoke",
                key["keyId"].as_str().unwrap(),
                "--reason",
                "superseded"
            ],
            ""
        )
        .status
        .success()
    );
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !verify().contains("\"REVOKED\"") {
        assert!(
            std::time::Instant::now() < until,
            "still accepted five seconds after the revocation"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(
        Command::new("kill")
            .args(["-TERM", &server.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert!(server.wait().unwrap().success(), "stops of its own accord");
}

fn http_verify(address: &str, token: &str, secret: &str) -> String {
    let body = format!("{{\"key\":\"{secret}\"}}");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /v1/keys/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    answer
}

const SMTP: [(&str, &str); 2] = [
    ("KEYWRIGHT_SMTP_HOST", "smtp.example.com"),
    ("KEYWRIGHT_SMTP_PASSWORD", "canary"),
];

/// What a command says of half-made settings of mail.
fn with_smtp(folder: &Path, words: &[&str]) -> Output {
    Command::new(BINARY)
        .args(words)
        .env("KEYWRIGHT_DATA", folder.join("data"))
        .envs(SMTP)
        .output()
        .unwrap()
}

#[test]
fn serve_refuses_half_made_settings_of_mail_and_doctor_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let served = with_smtp(folder.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]);
    assert_eq!(refusal(&served), (1, "invalid".into()));
    let said = String::from_utf8_lossy(&served.stderr);
    assert!(
        said.contains("KEYWRIGHT_SMTP_USER") && !said.contains("canary"),
        "{said}"
    );
    assert!(!folder.path().join("data").exists(), "nothing was made before");
    let doctor = with_smtp(folder.path(), &["doctor", "--json"]);
    assert!(!doctor.status.success());
    let found = json(&doctor)["findings"].as_array().unwrap().clone();
    assert!(
        found
            .iter()
            .any(|finding| finding["check"] == "mail" && finding["weight"] == "broken")
    );
    let help = with_smtp(folder.path(), &["serve", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(
        help.contains("smtp.example.com") && !help.contains("canary"),
        "{help}"
    );
}
