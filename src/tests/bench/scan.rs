//! Looking for keys in a gigabyte of source text, against reading the same files with `std::fs::read`, one after the other:
//! the least that a program can do with them. Both read from the system's memory of files; the disk is not measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use keywright::model::key_text::compose;
use keywright::server::scan::tree;

use crate::ratio::Ratio;

const FILES: usize = 4_096;
const FILE_BYTES: usize = 256 * 1024;
const TURNS: usize = 5;
/// Every so many files, one holds a key.
const KEY_EVERY: usize = 64;

pub fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let (paths, bytes) = write_tree(folder.path());
    let megabytes = bytes as f64 / 1e6;
    let mut ratio = Ratio::default();
    for turn in 0..=TURNS {
        let read = megabytes / seconds(|| read_all(&paths));
        let scanned = megabytes / seconds(|| scan_all(folder.path(), bytes));
        // The first turn fills the system's memory.
        if turn > 0 {
            println!("{megabytes:.0} MB: scan {scanned:>6.0} MB/s, read {read:>6.0} MB/s");
            ratio.add(scanned, read);
        }
    }
    ratio.print("scan ÷ std::fs::read", "at least 0.40");
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn read_all(paths: &[PathBuf]) {
    for path in paths {
        std::hint::black_box(fs::read(path).expect("a file"));
    }
}

fn scan_all(folder: &Path, bytes: u64) {
    let report = tree::scan(&[folder.to_owned()], false, &Arc::default());
    assert!(report.troubles.is_empty());
    assert_eq!(report.scanned_bytes, bytes);
    assert_eq!(report.findings.len(), FILES / KEY_EVERY);
}

/// Our own source over and over, each file from another beginning.
fn write_tree(folder: &Path) -> (Vec<PathBuf>, u64) {
    let mut source = Vec::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in ignore::Walk::new(own).map_while(Result::ok) {
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            source.extend(fs::read(entry.path()).expect("our own source"));
        }
    }
    // The vector of the contract is a key.
    let text = String::from_utf8_lossy(&source).replace("0123456789AB", "");
    let source = text.as_bytes();
    let (mut paths, mut bytes) = (Vec::new(), 0);
    for n in 0..FILES {
        let begin = n * 7_919 % (source.len() - FILE_BYTES);
        let mut content = source[begin..begin + FILE_BYTES].to_vec();
        if n % KEY_EVERY == 0 {
            let key = compose("acme_live", &format!("{n:012}"), &"x".repeat(32));
            content.extend(format!("\nKEY={key}\n").bytes());
        }
        let path = folder.join(format!("{}", n % 64)).join(format!("{n}.rs"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, &content).expect("space for a gigabyte");
        bytes += content.len() as u64;
        paths.push(path);
    }
    (paths, bytes)
}
