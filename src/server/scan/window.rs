//! Reads bytes of any length in pieces of bounded memory, and says in which line and column a credential stands.
//!
//! Pieces overlap by as much as a credential takes, so that none is lost at a border. A line ends with a line feed. A
//! column is counted in characters from 1: every byte that does not continue a UTF-8 character begins one, in binary
//! files too. A byte order mark is no character.

use std::io::{self, Read};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::sighting::{self, BEFORE, Credential};
use super::utf16::Units;
use crate::model::import_format::ImportFormat;

const PIECE_BYTES: usize = 256 * 1024;
const UTF8_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// A credential and its place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// Characters of the whole text; it stands on one line.
    pub length: u64,
    pub credential: Credential,
}

/// Scans one file after another with the same memory.
pub struct Scanner {
    bytes: Window,
    /// The same file read as UTF-16, if it says that it is. It is read as bytes all the same: other files begin so too.
    wide: Option<Wide>,
    piece_bytes: usize,
    formats: Arc<[ImportFormat]>,
}

impl Scanner {
    /// Looks for what is ours, and for keys of these formats.
    #[must_use]
    pub fn new(formats: &Arc<[ImportFormat]>) -> Self {
        Self::with_pieces_of(PIECE_BYTES, formats)
    }

    fn with_pieces_of(piece_bytes: usize, formats: &Arc<[ImportFormat]>) -> Self {
        Self {
            bytes: Window::new(piece_bytes, formats),
            wide: None,
            piece_bytes,
            formats: Arc::clone(formats),
        }
    }

    /// Reads `source` to its end and shows what it holds, from front to back. Gives the number of bytes. Errors: those
    /// of reading; what was seen before is shown.
    pub fn scan(&mut self, mut source: impl Read, mut see: impl FnMut(Spot)) -> io::Result<u64> {
        self.bytes.empty();
        self.wide = None;
        let mut total = 0;
        loop {
            let room = &mut self.bytes.buffer[self.bytes.filled..];
            let taken = fill(&mut source, room)?;
            let last = taken < room.len();
            let fresh = &room[..taken];
            if total == 0 {
                self.wide = Wide::of(fresh, self.piece_bytes, &self.formats);
                if fresh.starts_with(&UTF8_MARK) {
                    self.bytes.place.at = UTF8_MARK.len();
                }
            }
            if let Some(wide) = &mut self.wide {
                wide.take(fresh, last, &mut see);
            }
            self.bytes.take(taken, last, &mut see);
            total += taken as u64;
            if last {
                return Ok(total);
            }
        }
    }
}

/// Reads until `room` is full or the source has ended; less than full means ended.
fn fill(source: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match source.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(taken) => filled += taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Up to which byte of the window lines and characters are counted.
struct Place {
    at: usize,
    line: u64,
    column: u64,
}

impl Place {
    const BEGINNING: Self = Self {
        at: 0,
        line: 1,
        column: 1,
    };

    fn go_to(&mut self, bytes: &[u8], to: usize) {
        if to <= self.at {
            return;
        }
        let passed = &bytes[self.at..to];
        match memchr::memrchr(b'\n', passed) {
            Some(last) => {
                self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
                self.column = 1 + characters(&passed[last + 1..]);
            }
            None => self.column += characters(passed),
        }
        self.at = to;
    }
}

fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
}

struct Window {
    /// Holds secrets now and then.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    /// Anchors before this one are decided.
    undecided: usize,
    place: Place,
    formats: Arc<[ImportFormat]>,
    /// Bytes that decide from the beginning of an anchor on.
    after: usize,
}

impl Window {
    fn new(piece_bytes: usize, formats: &Arc<[ImportFormat]>) -> Self {
        let after = sighting::after(formats);
        Self {
            buffer: Zeroizing::new(vec![0; piece_bytes + BEFORE + after]),
            formats: Arc::clone(formats),
            after,
            filled: 0,
            undecided: 0,
            place: Place::BEGINNING,
        }
    }

    fn empty(&mut self) {
        (self.filled, self.undecided) = (0, 0);
        self.place = Place::BEGINNING;
    }

    /// Looks at the next `fresh` bytes of the buffer, and makes room for more.
    fn take(&mut self, fresh: usize, last: bool, see: &mut impl FnMut(Spot)) {
        self.filled += fresh;
        let bytes = &self.buffer[..self.filled];
        // Behind this, too little is known yet.
        let limit = match last {
            true => self.filled,
            false => self.filled.saturating_sub(self.after - 1).max(self.undecided),
        };
        let place = &mut self.place;
        sighting::each_of(bytes, self.undecided..limit, &self.formats, |sighting| {
            place.go_to(bytes, sighting.range.start);
            see(Spot {
                line: place.line,
                column: place.column,
                length: sighting.range.len() as u64,
                credential: sighting.credential,
            });
        });
        if last {
            return;
        }
        let kept = limit.saturating_sub(BEFORE);
        self.place.go_to(bytes, kept);
        self.buffer.copy_within(kept..self.filled, 0);
        self.filled -= kept;
        self.undecided = limit - kept;
        self.place.at -= kept;
    }
}

/// The same bytes read as UTF-16.
struct Wide {
    units: Units,
    window: Window,
}

impl Wide {
    fn of(beginning: &[u8], piece_bytes: usize, formats: &Arc<[ImportFormat]>) -> Option<Self> {
        let (units, window) = (Units::of(beginning)?, Window::new(piece_bytes, formats));
        Some(Self { units, window })
    }

    fn take(&mut self, fresh: &[u8], last: bool, see: &mut impl FnMut(Spot)) {
        let room = &mut self.window.buffer[self.window.filled..];
        let units = self.units.narrow(fresh, room);
        self.window.take(units, last, see);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key_text::compose;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

    fn places(scanner: &mut Scanner, bytes: &[u8]) -> Vec<(u64, u64, String)> {
        let mut places = Vec::new();
        let total = scanner.scan(bytes, |spot| {
            places.push((spot.line, spot.column, spot.credential.id()));
        });
        assert_eq!(total.unwrap(), bytes.len() as u64);
        places
    }

    fn three_keys() -> (String, Vec<(u64, u64, String)>) {
        let key = |head: &str, n: usize| compose(head, &format!("{n:012}"), SECRET);
        let (first, second, third) = (key("acme_live", 1), key("kwt", 2), key("z9_test", 3));
        let text = format!("{first}\n\nüß𝄞 x{second};{}\n  {third}", "é".repeat(90));
        let id = |kind: &str, n: usize| format!("{kind}_{n:012}");
        (
            text,
            vec![(1, 1, id("key", 1)), (3, 6, id("tok", 2)), (4, 3, id("key", 3))],
        )
    }

    #[test]
    fn no_border_between_pieces_hides_a_key_or_moves_it() {
        let (text, mut expected) = three_keys();
        let old: Arc<[ImportFormat]> = [ImportFormat::parse("old_", "hex", "100", "sha256").unwrap()].into();
        let text = format!("{text}\n\n old_{}", "a1".repeat(50));
        expected.push((6, 2, "imported_key".to_owned()));
        for piece_bytes in 1..300 {
            let mut scanner = Scanner::with_pieces_of(piece_bytes, &old);
            assert_eq!(
                places(&mut scanner, text.as_bytes()),
                expected,
                "pieces of {piece_bytes}"
            );
            let wide: Vec<u8> = "\u{feff}"
                .encode_utf16()
                .chain(text.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect();
            assert_eq!(
                places(&mut scanner, &wide),
                expected,
                "UTF-16, pieces of {piece_bytes}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_character() {
        let (text, expected) = three_keys();
        let mut scanner = Scanner::new(&Arc::default());
        assert_eq!(
            places(&mut scanner, format!("\u{feff}{text}").as_bytes()),
            expected
        );
        let big: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(places(&mut scanner, &big), expected);
        // Not UTF-16 at all, although it begins so.
        let sound = [&[0xFF, 0xFE, 0x00][..], b"\n", text.as_bytes()].concat();
        assert_eq!(places(&mut scanner, &sound).len(), 3);
    }

    #[test]
    fn an_empty_source_and_a_cut_mark_hold_nothing() {
        for bytes in [&b""[..], b"\xFF", b"\xFF\xFE", b"\xFF\xFE\x41", b"\xEF\xBB"] {
            assert_eq!(places(&mut Scanner::new(&Arc::default()), bytes), []);
        }
    }
}
