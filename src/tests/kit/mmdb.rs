//! A country database for tests, written by the public description of its format (MaxMind DB 2.0): a binary tree over the
//! bits of addresses, then what the leaves say, then what the file says of itself.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use keywright::server::platform::countries::CountryDatabase;
use tempfile::TempDir;

/// Where the addresses of tests are. The network that is `-` has a record without a country, as satellites have.
pub const NETWORKS: &[(&str, &str)] = &[
    ("198.51.100.0/24", "DE"),
    ("203.0.113.0/25", "FR"),
    ("203.0.113.128/25", "US"),
    ("192.0.2.0/24", "-"),
    ("2001:db8::/32", "JP"),
];

const BUILT_S: u64 = 1_793_000_000;
const SEPARATOR: usize = 16;

#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    /// Where in the data.
    Leaf(usize),
}

/// What stands in data and metadata.
pub enum Value {
    Text(&'static str),
    Owned(String),
    Number16(u16),
    Number32(u32),
    Number64(u64),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
}

fn head(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (short, more) = match size {
        0..29 => (u8::try_from(size).unwrap(), None),
        _ => (29, Some(u8::try_from(size - 29).unwrap())),
    };
    match kind {
        0..8 => out.push(kind << 5 | short),
        _ => out.extend([short, kind - 7]),
    }
    out.extend(more);
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        let mut number = |kind, bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            head(out, kind, bytes.len() - zeros);
            out.extend(&bytes[zeros..]);
        };
        match self {
            Self::Text(text) => text_of(out, text),
            Self::Owned(text) => text_of(out, text),
            Self::Number16(n) => number(5, &n.to_be_bytes()),
            Self::Number32(n) => number(6, &n.to_be_bytes()),
            Self::Number64(n) => number(9, &n.to_be_bytes()),
            Self::List(values) => {
                head(out, 11, values.len());
                values.iter().for_each(|value| value.write(out));
            }
            Self::Map(entries) => {
                head(out, 7, entries.len());
                for (key, value) in entries {
                    text_of(out, key);
                    value.write(out);
                }
            }
        }
    }
}

fn text_of(out: &mut Vec<u8>, text: &str) {
    head(out, 2, text.len());
    out.extend(text.as_bytes());
}

/// As GeoLite2-Country and DB-IP Country Lite say it.
fn country(code: &str) -> Value {
    match code {
        "-" => Value::Map(vec![(
            "registered_country",
            Value::Map(vec![("iso_code", Value::Text("US"))]),
        )]),
        code => Value::Map(vec![
            ("continent", Value::Map(vec![("code", Value::Text("EU"))])),
            (
                "country",
                Value::Map(vec![
                    ("iso_code", Value::Owned(code.to_owned())),
                    (
                        "names",
                        Value::Map(vec![("en", Value::Text("its name, which nobody reads"))]),
                    ),
                ]),
            ),
        ]),
    }
}

/// A database of the usual shape.
pub fn countries(networks: &[(&str, &str)]) -> Vec<u8> {
    let records = networks
        .iter()
        .map(|(network, code)| (network.parse().unwrap(), country(code)));
    database("Test-Country", 6, records.collect())
}

/// Any database. IPv4 stands under `::/96` of the tree of IPv6, as in the real ones.
pub fn database(kind: &'static str, ip_version: u16, records: Vec<(IpNet, Value)>) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Record::Nothing; 2]], Vec::new());
    for (network, value) in records {
        let (bits, depth) = path(network, ip_version);
        let leaf = Record::Leaf(data.len());
        value.write(&mut data);
        let mut at = 0;
        for n in 0..depth {
            let side = usize::from(bits >> (127 - n) & 1 == 1);
            if n == depth - 1 {
                nodes[at][side] = leaf;
            } else if let Record::Node(next) = nodes[at][side] {
                at = next;
            } else {
                nodes.push([Record::Nothing; 2]);
                nodes[at][side] = Record::Node(nodes.len() - 1);
                at = nodes.len() - 1;
            }
        }
    }
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            Record::Nothing => nodes.len(),
            Record::Node(at) => *at,
            Record::Leaf(offset) => nodes.len() + SEPARATOR + offset,
        };
        out.extend(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    out.extend([0; SEPARATOR]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    Value::Map(vec![
        ("binary_format_major_version", Value::Number16(2)),
        ("binary_format_minor_version", Value::Number16(0)),
        ("build_epoch", Value::Number64(BUILT_S)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(vec![("en", Value::Text("For tests"))])),
        ("ip_version", Value::Number16(ip_version)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::Number32(u32::try_from(nodes.len()).unwrap())),
        ("record_size", Value::Number16(24)),
    ])
    .write(&mut out);
    out
}

/// The bits of a network from the left, and how many of them count.
fn path(network: IpNet, ip_version: u16) -> (u128, u32) {
    let depth = u32::from(network.prefix_len());
    match network.network() {
        IpAddr::V4(v4) if ip_version == 4 => (u128::from(v4.to_bits()) << 96, depth),
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), depth + 96),
        IpAddr::V6(v6) => (v6.to_bits(), depth),
    }
}

/// A file that can be opened, replaced and taken away.
pub struct CountryFile {
    folder: TempDir,
}

impl CountryFile {
    pub fn new(bytes: &[u8]) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        file.replace(bytes);
        file
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("countries.mmdb")
    }

    /// Another file in its place, as updaters do it.
    pub fn replace(&self, bytes: &[u8]) {
        let new = self.folder.path().join("new.mmdb");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, self.path()).unwrap();
    }

    pub fn open(&self) -> CountryDatabase {
        CountryDatabase::open(Some(&self.path())).unwrap()
    }
}

/// [`NETWORKS`], in memory.
pub fn test_countries() -> CountryDatabase {
    CountryFile::new(&countries(NETWORKS)).open()
}
