//! A tree of files with keys in it, and with what looks like keys.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use keywright::model::key_text::{ALPHABET, compose};

/// A finding as it must be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plant {
    pub path: String,
    pub line: u64,
    pub column: u64,
    pub key_id: String,
}

/// The same characters in every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    pub fn base62(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(ALPHABET[self.below(62)]))
            .collect()
    }

    pub fn compose(&mut self, head: &str) -> String {
        compose(head, &self.base62(12), &self.base62(32))
    }
}

pub struct Garden {
    pub plants: BTreeSet<Plant>,
    pub secrets: Vec<String>,
    pub look_alikes: Vec<String>,
    pub files: u64,
    pub bytes: u64,
}

const HEADS: [&str; 10] = [
    "acme_live",
    "acme_test",
    "ab_live",
    "sixteenletters99_test",
    "live_test",
    "7up_live",
    "kwt",
    "kws",
    "kwi",
    "kwc",
];

impl Garden {
    /// Two hundred keys and tokens, and two hundred texts that are none, ten of each in a file.
    pub fn plant(folder: &Path) -> Self {
        let mut chance = Chance::new(200);
        let mut garden = Self {
            plants: BTreeSet::new(),
            secrets: Vec::new(),
            look_alikes: Vec::new(),
            files: 0,
            bytes: 0,
        };
        for file in 0..20 {
            let secrets: Vec<String> = HEADS.iter().map(|head| chance.compose(head)).collect();
            let look_alikes: Vec<String> = (0..10).map(|kind| look_alike(&mut chance, kind)).collect();
            let (name, bytes) = written(file, &secrets, &look_alikes, &mut chance);
            let path = folder.join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &bytes.written).unwrap();
            garden.files += 1;
            garden.bytes += bytes.written.len() as u64;
            for secret in &secrets {
                garden.plants.insert(bytes.place(&name, secret));
            }
            garden.secrets.extend(secrets);
            garden.look_alikes.extend(look_alikes);
        }
        garden
    }
}

/// What a file holds, as bytes and as the text that an editor shows.
struct Written {
    written: Vec<u8>,
    shown: String,
}

impl Written {
    fn place(&self, path: &str, secret: &str) -> Plant {
        let before = &self.shown[..self.shown.find(secret).unwrap()];
        let line = before.split('\n').next_back().unwrap();
        let (head, body) = secret.rsplit_once('_').unwrap();
        let kind = match head {
            "kwt" => "tok",
            "kws" | "kwi" | "kwc" => head,
            _ => "key",
        };
        Plant {
            path: path.to_owned(),
            line: before.split('\n').count() as u64,
            column: line.chars().count() as u64 + 1,
            key_id: format!("{kind}_{}", &body[..12]),
        }
    }
}

fn written(
    file: usize,
    secrets: &[String],
    look_alikes: &[String],
    chance: &mut Chance,
) -> (String, Written) {
    let pairs = secrets.iter().zip(look_alikes);
    let lines =
        |form: &dyn Fn(&str, &str) -> String| pairs.clone().map(|(a, b)| form(a, b)).collect::<String>();
    let (ending, shown) = match file % 8 {
        0 => ("env", lines(&|a, b| format!("A_KEY={a}\r\nexport B={b}\r\n"))),
        1 => (
            "json",
            lines(&|a, b| format!("{{\"ключ\":\"{a}\",\n  \"b\":\"{b}\"}}\n")),
        ),
        2 => ("yaml", lines(&|a, b| format!("- key: x{a}_old\n  not: 'y{b}'\n"))),
        3 => (
            "txt",
            lines(&|a, b| format!("{a}\n{b}\nüö𝄞 {b} {a}\n").replacen(&format!(" {a}"), "", 1)),
        ),
        4 | 5 => ("utf16.txt", lines(&|a, b| format!("{a}\r\n\u{1D11E} ü={b}\n\n"))),
        6 => ("min.js", minified(secrets, look_alikes, chance)),
        _ => ("bin", lines(&|a, b| format!("\0\u{1}\n\0{a}\0\0{b}\n\0"))),
    };
    let units = || {
        "\u{feff}"
            .encode_utf16()
            .chain(shown.encode_utf16())
            .collect::<Vec<u16>>()
    };
    let written = match file % 8 {
        4 => units().into_iter().flat_map(u16::to_le_bytes).collect(),
        5 => units().into_iter().flat_map(u16::to_be_bytes).collect(),
        7 => shown
            .replace('\u{1}', "*")
            .into_bytes()
            .into_iter()
            .map(|byte| if byte == b'*' { 0xFF } else { byte })
            .collect(),
        _ => shown.clone().into_bytes(),
    };
    (
        format!("folder{}/file{file}.{ending}", file % 3),
        Written { written, shown },
    )
}

/// One line of two megabytes, with each key across a border of the pieces that are read.
fn minified(secrets: &[String], look_alikes: &[String], chance: &mut Chance) -> String {
    const PIECE_BYTES: usize = 256 * 1024;
    let mut line = String::new();
    for (n, (secret, look_alike)) in secrets.iter().zip(look_alikes).enumerate() {
        let border = PIECE_BYTES + n * (PIECE_BYTES - 72) + 73;
        while line.len() + 400 < border {
            line.push_str("var a_test_b=kwt_c,_live_=0;");
        }
        line.push_str(&format!("\"{look_alike}\","));
        let behind = chance.below(secret.len());
        line.push_str(&";".repeat(border - behind - line.len()));
        line.push_str(&format!("{secret};"));
    }
    line
}

fn look_alike(chance: &mut Chance, kind: usize) -> String {
    let key = chance.compose("acme_live");
    match kind {
        // A checksum that begins as those do, and is wrong.
        0 => format!("{}{}", &key[..key.len() - 6], wrong_checksum(&key)),
        1 => other_character(&key, 12 + chance.below(40)),
        2 => key[..key.len() - 1].to_owned(),
        3 => format!("{key}0"),
        4 => key.replace("_live_", "_prod_"),
        5 => key.replace("_live_", "_test_"),
        6 => format!("acme_live_{}", chance.base62(50)),
        7 => other_character(&chance.compose("kwt"), 20),
        8 => chance.compose("kwx"),
        _ => chance.compose("a_live").replace("a_live", "A_live"),
    }
}

fn wrong_checksum(key: &str) -> String {
    let sum = &key[key.len() - 6..];
    if sum == "0aaaaa" { "0aaaab" } else { "0aaaaa" }.to_owned()
}

fn other_character(text: &str, at: usize) -> String {
    let other = if &text[at..=at] == "x" { "y" } else { "x" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}
