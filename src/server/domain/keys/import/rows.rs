//! A file of keys, row by row: CSV with a heading, or one JSON object a line. UTF-8 and nothing else.
//!
//! However long the file is, one row is in memory.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value};

use crate::model::import::{COLUMNS, Mistake};
use crate::model::text::shown;

/// Longest row. What is longer is no list of keys.
const ROW_MAX_BYTES: usize = 64 * 1_024;
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// One row as it was written, by column.
#[derive(Default)]
pub struct Row {
    /// Of the file, from 1.
    pub line: u64,
    cells: [String; COLUMNS.len()],
}

impl Row {
    /// What stands in a column; empty when the file has no such column.
    pub fn cell(&self, column: &str) -> &str {
        let at = COLUMNS.iter().position(|(name, _)| *name == column);
        at.map_or("", |at| self.cells[at].trim())
    }
}

/// Why there is no row: this one is wrong, or the file cannot be read on.
pub enum Broken {
    Row(Mistake),
    File(Mistake),
}

/// The rows of a file.
pub enum Rows<R: Read> {
    Csv(CsvRows<R>),
    Json(JsonRows<R>),
}

fn mistake(line: u64, column: &str, message: impl Into<String>) -> Mistake {
    Mistake {
        line,
        column: column.to_owned(),
        code: "unreadable".to_owned(),
        message: message.into(),
    }
}

fn not_utf8(line: u64, column: &str) -> Mistake {
    let message = "This is not UTF-8. Save the file as “CSV UTF-8” and send it again.";
    mistake(line, column, message)
}

fn unreadable(line: u64, error: &io::Error) -> Broken {
    let message = match error.kind() {
        io::ErrorKind::FileTooLarge => format!(
            "The row is longer than {} KiB. Is a quotation mark missing?",
            ROW_MAX_BYTES / 1_024
        ),
        _ => format!("The file could not be read: {error}."),
    };
    Broken::File(mistake(line, "", message))
}

impl<R: Read> Rows<R> {
    /// Looks at the beginning of the file. Errors: it cannot be read, or its heading is wrong.
    pub fn of(source: R) -> Result<Self, Broken> {
        let mut source = BufReader::new(source);
        let beginning = source.fill_buf().map_err(|error| unreadable(1, &error))?;
        if beginning.starts_with(&[0xFF, 0xFE]) || beginning.starts_with(&[0xFE, 0xFF]) {
            return Err(Broken::File(not_utf8(1, "")));
        }
        if beginning.starts_with(&MARK) {
            source.consume(MARK.len());
        }
        let beginning = source.fill_buf().map_err(|error| unreadable(1, &error))?;
        let first = beginning.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Err(Broken::File(mistake(1, "", "The file is empty."))),
            Some(b'{') => Ok(Self::Json(JsonRows { source, line: 0 })),
            Some(_) => {
                let (delimiter, ending) = dialect_of(beginning);
                CsvRows::of(source, delimiter, ending).map(Self::Csv)
            }
        }
    }

    /// The next row; `None` at the end.
    pub fn next(&mut self) -> Option<Result<Row, Broken>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
        }
    }
}

/// Spreadsheets write commas, semicolons or tabs, depending on where they are: whichever the heading has most of.
/// And how many lines the reader is behind: it takes the second half of a CR LF for the beginning of the next row.
fn dialect_of(beginning: &[u8]) -> (u8, u64) {
    let heading = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| heading.iter().filter(|byte| **byte == delimiter).count();
    let delimiter =
        [b';', b'\t'].into_iter().fold(
            b',',
            |most, other| if count(other) > count(most) { other } else { most },
        );
    (delimiter, u64::from(heading.ends_with(b"\r")))
}

/// Refuses to go on when one row takes too much.
struct Bounded<R> {
    inner: R,
    since_row: Arc<AtomicUsize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.since_row.load(Ordering::Relaxed);
        if before > ROW_MAX_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.inner.read(buffer)?;
        self.since_row.fetch_add(read, Ordering::Relaxed);
        Ok(read)
    }
}

pub struct CsvRows<R: Read> {
    reader: csv::Reader<Bounded<BufReader<R>>>,
    since_row: Arc<AtomicUsize>,
    record: ByteRecord,
    /// Which column stands where.
    columns: Vec<usize>,
    lines_behind: u64,
}

impl<R: Read> CsvRows<R> {
    fn of(source: BufReader<R>, delimiter: u8, lines_behind: u64) -> Result<Self, Broken> {
        let since_row = Arc::new(AtomicUsize::new(0));
        let bounded = Bounded {
            inner: source,
            since_row: Arc::clone(&since_row),
        };
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(8 * 1_024)
            .from_reader(bounded);
        let mut record = ByteRecord::new();
        reader
            .read_byte_record(&mut record)
            .map_err(|error| csv_error(&error, 1))?;
        let columns = heading(&record).map_err(Broken::File)?;
        Ok(Self {
            reader,
            since_row,
            record,
            columns,
            lines_behind,
        })
    }

    fn next(&mut self) -> Option<Result<Row, Broken>> {
        self.since_row.store(0, Ordering::Relaxed);
        let line = self.reader.position().line() + self.lines_behind;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => Some(self.row().map_err(Broken::Row)),
            Err(error) => Some(Err(csv_error(&error, line))),
        }
    }

    fn row(&self) -> Result<Row, Mistake> {
        let line = self.record.position().map_or(0, csv::Position::line) + self.lines_behind;
        let (has, asked) = (self.record.len(), self.columns.len());
        if has != asked {
            let message = format!("The row has {has} cells, the heading has {asked}.");
            return Err(mistake(line, "", message));
        }
        let mut row = Row {
            line,
            ..Row::default()
        };
        for (cell, at) in self.record.iter().zip(&self.columns) {
            let text = std::str::from_utf8(cell).map_err(|_| not_utf8(line, COLUMNS[*at].0))?;
            text.clone_into(&mut row.cells[*at]);
        }
        Ok(row)
    }
}

fn csv_error(error: &csv::Error, line: u64) -> Broken {
    match error.kind() {
        csv::ErrorKind::Io(error) => unreadable(line, error),
        _ => Broken::File(mistake(line, "", "The file is no CSV from here on.")),
    }
}

const NEEDED: [&str; 3] = ["digest", "name", "environment"];

/// Which columns the heading names, in its order.
fn heading(record: &ByteRecord) -> Result<Vec<usize>, Mistake> {
    let mut columns = Vec::new();
    for cell in record {
        let name = std::str::from_utf8(cell).map_err(|_| not_utf8(1, ""))?.trim();
        let at = column_named(name).ok_or_else(|| unknown_column(1, name))?;
        if columns.contains(&at) {
            return Err(mistake(
                1,
                COLUMNS[at].0,
                "This column stands in the heading twice.",
            ));
        }
        columns.push(at);
    }
    let is_there = |name: &str| columns.iter().any(|at| COLUMNS[*at].0 == name);
    match NEEDED.iter().find(|name| !is_there(name)) {
        Some(name) => {
            let message = format!(
                "The heading names no column “{name}”. The first line names the columns, for example: digest,name,environment,scopes"
            );
            Err(mistake(1, name, message))
        }
        None => Ok(columns),
    }
}

fn column_named(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))
}

fn unknown_column(line: u64, name: &str) -> Mistake {
    let all: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "There is no column “{}”. There are: {}.",
        shown(name, 40),
        all.join(", ")
    );
    mistake(line, "", message)
}

pub struct JsonRows<R: Read> {
    source: BufReader<R>,
    line: u64,
}

impl<R: Read> JsonRows<R> {
    fn next(&mut self) -> Option<Result<Row, Broken>> {
        loop {
            self.line += 1;
            let mut bytes = Vec::new();
            let most = u64::try_from(ROW_MAX_BYTES + 1).unwrap_or(u64::MAX);
            let read = self.source.by_ref().take(most).read_until(b'\n', &mut bytes);
            match read {
                Ok(0) => return None,
                Err(error) => return Some(Err(unreadable(self.line, &error))),
                Ok(_) if bytes.len() > ROW_MAX_BYTES => {
                    return Some(Err(unreadable(self.line, &io::ErrorKind::FileTooLarge.into())));
                }
                Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some(self.row(&bytes).map_err(Broken::Row)),
            }
        }
    }

    fn row(&self, bytes: &[u8]) -> Result<Row, Mistake> {
        let line = self.line;
        let text = std::str::from_utf8(bytes).map_err(|_| not_utf8(line, ""))?;
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| mistake(line, "", "The line is no JSON object."))?;
        let mut row = Row {
            line,
            ..Row::default()
        };
        for (name, value) in object {
            let at = column_named(&name).ok_or_else(|| unknown_column(line, &name))?;
            row.cells[at] = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Array(all) if all.iter().all(Value::is_string) => {
                    let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
                    all.join(" ")
                }
                _ => return Err(mistake(line, COLUMNS[at].0, "Write a text, or a list of texts.")),
            };
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<(u64, String, String)>, Vec<Mistake>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut rows = match Rows::of(bytes) {
            Ok(rows) => rows,
            Err(Broken::File(mistake) | Broken::Row(mistake)) => return (good, vec![mistake]),
        };
        while let Some(row) = rows.next() {
            match row {
                Ok(row) => good.push((
                    row.line,
                    row.cell("name").to_owned(),
                    row.cell("scopes").to_owned(),
                )),
                Err(Broken::Row(mistake)) => bad.push(mistake),
                Err(Broken::File(mistake)) => {
                    bad.push(mistake);
                    break;
                }
            }
        }
        (good, bad)
    }

    fn row(line: u64, name: &str, scopes: &str) -> (u64, String, String) {
        (line, name.to_owned(), scopes.to_owned())
    }

    #[test]
    fn csv_is_read_however_a_spreadsheet_wrote_it() {
        let expected = vec![row(2, "a", "x y"), row(3, "b, \"c\"", "")];
        for text in [
            "digest,name,environment,scopes\nd,a,live,x y\nd,\"b, \"\"c\"\"\",live,\n",
            "\u{feff}Digest;NAME;environment;scopes\r\nd;a;live;x y\r\nd;\"b, \"\"c\"\"\";live;",
            "digest\tname\tenvironment\tscopes\nd\ta\tlive\tx y\nd\t\"b, \"\"c\"\"\"\tlive\t\n",
        ] {
            assert_eq!(read(text.as_bytes()), (expected.clone(), vec![]), "{text}");
        }
    }

    #[test]
    fn json_lines_are_read_with_lists_and_blanks() {
        let text =
            "{\"digest\":\"d\",\"name\":\"a\",\"scopes\":[\"x\",\"y\"],\"purpose\":null}\n\n{\"name\":\"b\"}";
        assert_eq!(
            read(text.as_bytes()),
            (vec![row(1, "a", "x y"), row(3, "b", "")], vec![])
        );
        let (good, bad) = read(b"{\"name\":\"a\"}\n[1]\n{\"nome\":1}\n{\"name\":{}}\n{\"name\":\"b\"}");
        assert_eq!(good.len(), 2);
        assert_eq!(bad.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let one = |bytes: &[u8]| {
            let (_, bad) = read(bytes);
            (bad[0].line, bad[0].column.clone(), bad[0].message.clone())
        };
        let (line, column, message) = one(b"digest,name,environment\nd,a,live\nd,\xE4,live\n");
        assert_eq!((line, column.as_str()), (3, "name"));
        assert!(message.contains("not UTF-8"));
        assert!(one(b"\xFF\xFEd\0i\0").2.contains("not UTF-8"));
        assert!(one(b"").2.contains("empty") && one(b" \n ").2.contains("empty"));
        assert!(one(b"digest,name\n").2.contains("no column “environment”"));
        assert!(one(b"digest,name,environment,name\n").2.contains("twice"));
        assert!(one(b"digest,name,environment,secret\n").2.contains("secret"));
        assert!(one(b"digest,name,environment\nd,a\n").2.contains("2 cells"));
        let endless = [b"digest,name,environment\nd,\"".as_slice(), &vec![b'x'; 200_000]].concat();
        assert!(one(&endless).2.contains("longer than 64 KiB"));
        let endless = [b"{\"name\":\"".as_slice(), &vec![b'x'; 200_000]].concat();
        assert!(one(&endless).2.contains("longer than 64 KiB"));
    }
}
