//! The contents of blobs, one after the other, from `git cat-file --batch`.

use std::io::{self, BufRead, BufReader, Read};
use std::process::Stdio;

use super::{GitError, Running};
use crate::server::scan::window::{Scanner, Spot};
use crate::server::scan::{Report, Trouble};

/// A header is an object id, a type and a length.
const HEADER_MAX_BYTES: u64 = 256;

/// Asks for the blobs that `ids` names, one a line, and shows what is in each: its position in the list, its id, its
/// spots. What is missing becomes trouble in the report; so a broken repository is still looked at as far as it goes.
pub fn scan(
    ids: Stdio,
    report: &mut Report,
    mut see: impl FnMut(&mut Report, usize, &str, Vec<Spot>),
) -> Result<(), GitError> {
    let mut git = Running::start("cat-file", &["--batch", "--buffer"], ids)?;
    let mut out = BufReader::with_capacity(128 * 1024, git.output()?);
    let mut scanner = Scanner::new(&report.formats);
    let mut position = 0;
    while let Some(header) = header(&mut out).map_err(|error| git.broke_off(error))? {
        let mut words = header.split(' ');
        let id = words.next().unwrap_or_default();
        match (words.next(), words.next().map(str::parse::<u64>)) {
            (Some("missing"), None) => {
                let id = id.trim_start_matches('?');
                let detail = format!("git has no object {id}: a partial clone lacks some, a broken one too");
                report.troubles.push(Trouble::new("git", detail));
            }
            (Some(kind), Some(Ok(size))) => {
                let mut spots = Vec::new();
                let mut content = out.by_ref().take(size);
                let bytes = scanner.scan(&mut content, |spot| spots.push(spot));
                let whole = bytes.is_ok_and(|bytes| bytes == size) && line_feed(&mut out);
                if !whole {
                    drop(out);
                    return git.finish().and(Err(GitError::Strange { what: "cat-file" }));
                }
                if kind == "blob" {
                    report.scanned_files += 1;
                    report.scanned_bytes += size;
                    see(report, position, id, spots);
                }
            }
            _ => return Err(git.strange()),
        }
        position += 1;
    }
    git.finish()
}

/// The next header line; `None` at the end.
fn header(out: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    out.by_ref().take(HEADER_MAX_BYTES).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
}

fn line_feed(out: &mut impl BufRead) -> bool {
    let mut byte = [0];
    out.read_exact(&mut byte).is_ok() && byte == *b"\n"
}
