//! What git holds, asked of the program `git` (2.32 or newer) in the current folder.
//!
//! Arguments are fixed words and object ids, never a shell's and never somebody's text. git is told not to fetch, not to
//! start a monitor, not to replace objects. Its variables go through to it: a hook's `GIT_INDEX_FILE` says what is about
//! to be committed.
//!
//! 2026-11: the program, not a library. See docs/decisions.md.

mod blobs;
mod history;
mod staged;

use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

pub use history::scan as scan_history;
pub use staged::scan as scan_staged;

use super::Trouble;

const SAID_MAX_BYTES: u64 = 4_096;

#[derive(Debug, thiserror::Error)]
enum GitError {
    #[error("the program git cannot be run: {0}")]
    Missing(io::Error),
    #[error("the current folder is in no git repository")]
    NotARepository,
    #[error("git {what} failed: {said}")]
    Failed { what: &'static str, said: String },
    #[error("git {what} was not understood")]
    Strange { what: &'static str },
    #[error("git {what} broke off: {error}")]
    BrokeOff { what: &'static str, error: io::Error },
}

impl From<GitError> for Trouble {
    fn from(error: GitError) -> Self {
        let code = match error {
            GitError::NotARepository => "not_a_repository",
            _ => "git",
        };
        Self::new(code, error.to_string())
    }
}

/// A git at work. What it says on standard error is kept aside, so that it cannot block on it.
struct Running {
    what: &'static str,
    child: Child,
    said: Option<JoinHandle<String>>,
}

impl Running {
    fn start(what: &'static str, arguments: &[&str], input: Stdio) -> Result<Self, GitError> {
        let mut child = Command::new("git")
            .args(["--no-pager", "-c", "core.fsmonitor=false", what])
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::Missing)?;
        let said = child.stderr.take().map(|mut pipe| {
            std::thread::spawn(move || {
                let mut said = Vec::new();
                let _ = pipe.by_ref().take(SAID_MAX_BYTES).read_to_end(&mut said);
                let _ = io::copy(&mut pipe, &mut io::sink());
                String::from_utf8_lossy(&said).trim().replace('\n', "; ")
            })
        });
        Ok(Self { what, child, said })
    }

    fn output(&mut self) -> Result<ChildStdout, GitError> {
        self.child.stdout.take().ok_or(self.strange())
    }

    fn strange(&self) -> GitError {
        GitError::Strange { what: self.what }
    }

    fn broke_off(&self, error: io::Error) -> GitError {
        GitError::BrokeOff {
            what: self.what,
            error,
        }
    }

    /// Waits for the end. Errors: another status than 0.
    fn finish(mut self) -> Result<(), GitError> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|error| self.broke_off(error))?;
        let said = self.said.take().and_then(|thread| thread.join().ok());
        match said.unwrap_or_default() {
            _ if status.success() => Ok(()),
            said if said.contains("not a git repository") => Err(GitError::NotARepository),
            said => Err(GitError::Failed {
                what: self.what,
                said: if said.is_empty() { status.to_string() } else { said },
            }),
        }
    }
}

/// Everything that a git without input says on standard output.
fn answer(what: &'static str, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    let mut git = Running::start(what, arguments, Stdio::null())?;
    let mut out = Vec::new();
    let read = git.output()?.read_to_end(&mut out);
    read.map_err(|error| git.broke_off(error))?;
    git.finish().map(|()| out)
}

/// The same as one trimmed line.
fn answer_line(what: &'static str, arguments: &[&str]) -> Result<String, GitError> {
    Ok(String::from_utf8_lossy(&answer(what, arguments)?)
        .trim()
        .to_owned())
}

/// One line of `--raw -z`, without the path: `:100644 100644 OLD NEW M`. The id of what is new, if that is a file's or
/// a link's content.
fn new_blob(raw: &[u8]) -> Option<&str> {
    let raw = std::str::from_utf8(raw.strip_prefix(b":")?).ok()?;
    let mut words = raw.split(' ');
    let (mode, id) = (words.nth(1)?, words.nth(1)?);
    let is_blob = mode.starts_with("100") || mode == "120000";
    (is_blob && !id.bytes().all(|digit| digit == b'0')).then_some(id)
}

/// git's paths are bytes, as the system's are.
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()))
}
