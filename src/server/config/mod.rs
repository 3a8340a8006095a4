//! Settings: each has a name, a unit, a default, and an environment variable `KEYWRIGHT_<OPTION>`. Nothing else reads
//! the environment.

mod mail;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use ipnet::IpNet;
pub use mail::{MailOptions, MailOptionsError};

use super::platform::crypto::password::PasswordCost;
use super::platform::crypto::report_keys::ReportKeys;
use super::platform::telemetry::LogFormat;
use super::store::db::DatabaseUrl;

/// Where an installation keeps its things; the same for every command.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Folder for the database and the master key
    #[arg(
        long,
        env = "KEYWRIGHT_DATA",
        value_name = "DIR",
        default_value = "keywright-data"
    )]
    pub data: PathBuf,
    /// Database: sqlite:FILE or postgres://…; default: DIR/db/keywright.db
    #[arg(long, env = "KEYWRIGHT_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<DatabaseUrl>,
    /// The master key, apart from the database if you can; default: DIR/keys/master.key
    #[arg(long, env = "KEYWRIGHT_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// A file that says which country an address is in (MMDB, such as GeoLite2-Country.mmdb); rules by country need it
    #[arg(long, env = "KEYWRIGHT_COUNTRY_DATABASE", value_name = "FILE")]
    pub country_database: Option<PathBuf>,
    /// How log lines look
    #[arg(long, env = "KEYWRIGHT_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What is logged, for example info or keywright=debug,info
    #[arg(
        long,
        env = "KEYWRIGHT_LOG",
        value_name = "FILTER",
        default_value = "warn,keywright=info"
    )]
    pub log: String,
}

impl Place {
    #[must_use]
    pub fn database_url(&self) -> DatabaseUrl {
        self.database
            .clone()
            .unwrap_or_else(|| DatabaseUrl::Sqlite(self.data.join("db").join("keywright.db")))
    }

    /// The folder of an SQLite database; none with PostgreSQL.
    #[must_use]
    pub fn sqlite_folder(&self) -> Option<PathBuf> {
        match self.database_url() {
            DatabaseUrl::Sqlite(path) => Some(folder_of(&path)),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    #[must_use]
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file
            .clone()
            .unwrap_or_else(|| self.data.join("keys").join("master.key"))
    }
}

/// Settings of `serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// Address and port to listen on
    #[arg(
        long,
        env = "KEYWRIGHT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: SocketAddr,
    /// The address people type: https://…, or http:// on loopback. Links are built from it, never from a request
    #[arg(
        long,
        env = "KEYWRIGHT_PUBLIC_ORIGIN",
        value_name = "ORIGIN",
        default_value = "http://127.0.0.1:3000"
    )]
    pub public_origin: PublicOrigin,
    /// Proxies whose X-Forwarded-For is believed: addresses or ranges, separated by commas. Default: none
    #[arg(long, env = "KEYWRIGHT_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Also write the set-up token to this file (0600), for installations nobody watches start
    #[arg(long, env = "KEYWRIGHT_SETUP_TOKEN_FILE", value_name = "FILE")]
    pub setup_token_file: Option<PathBuf>,
    /// Most connections at once
    #[arg(long, env = "KEYWRIGHT_MAX_CONNECTIONS", default_value_t = 4_096)]
    pub max_connections: usize,
    /// How long a verified key is remembered at most, in milliseconds
    #[arg(long, env = "KEYWRIGHT_KEY_CACHE_TTL_MS", default_value_t = 5_000, value_parser = clap::value_parser!(i64).range(0..=3_600_000))]
    pub key_cache_ttl_ms: i64,
    /// How many keys are remembered at most
    #[arg(long, env = "KEYWRIGHT_KEY_CACHE_SIZE", default_value_t = 1_000_000)]
    pub key_cache_size: usize,
    /// How often usage is written, in milliseconds
    #[arg(long, env = "KEYWRIGHT_USAGE_FLUSH_MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub usage_flush_ms: u64,
    /// How long, in seconds, signing in or confirming is proof enough for sensitive acts; 600 at most
    #[arg(long, env = "KEYWRIGHT_PROOF_LIFETIME_S", default_value_t = 600, value_parser = clap::value_parser!(i64).range(1..=600))]
    pub proof_lifetime_s: i64,
    /// Public keys (JSON) that reports of leaked keys must be signed with; without it unsigned reports are taken
    #[arg(long, env = "KEYWRIGHT_LEAK_KEYS_FILE", value_name = "FILE")]
    pub leak_keys_file: Option<PathBuf>,
    #[command(flatten)]
    pub password: PasswordOptions,
    #[command(flatten)]
    pub mail: MailOptions,
    /// Serve /styleguide, for working on Keywright itself
    #[arg(long, env = "KEYWRIGHT_DEVELOPMENT", hide = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub development: bool,
}

/// The cost of a password hash; below the floor nothing starts.
#[derive(Args, Clone, Debug)]
pub struct PasswordOptions {
    /// Memory of one password hash, in KiB
    #[arg(long, env = "KEYWRIGHT_PASSWORD_MEMORY_KIB", default_value_t = PasswordCost::default().memory_kib)]
    pub password_memory_kib: u32,
    /// Passes of one password hash
    #[arg(long, env = "KEYWRIGHT_PASSWORD_PASSES", default_value_t = PasswordCost::default().passes)]
    pub password_passes: u32,
}

impl PasswordOptions {
    #[must_use]
    pub fn cost(&self) -> PasswordCost {
        PasswordCost {
            memory_kib: self.password_memory_kib,
            passes: self.password_passes,
            lanes: 1,
        }
    }
}

/// What every request needs to know of the site.
#[derive(Clone, Debug)]
pub struct Site {
    pub public_origin: PublicOrigin,
    pub trusted_proxies: Vec<IpNet>,
    pub development: bool,
    /// How long a proof of identity is fresh enough for sensitive acts; ten minutes at most (R26).
    pub proof_lifetime_ms: i64,
    /// What reports of leaked keys must be signed with; none are asked for a signature while there are no keys.
    pub report_keys: ReportKeys,
}

/// Scheme, host and port that people type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin {
    text: String,
    /// `host` or `host:port`, as the Host header has it.
    authority: String,
    https: bool,
}

/// Why an origin cannot be served.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidOrigin {
    #[error("the public origin looks like https://keys.example.com, without a path")]
    Syntax,
    #[error(
        "plain http is only for loopback addresses (127.0.0.1, [::1], localhost); use https in front of Keywright"
    )]
    PlainHttp,
}

impl PublicOrigin {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Host without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        host_of(&self.authority)
    }
}

/// The host of `host`, `host:port` or `[v6]:port`.
#[must_use]
pub fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') =>
        {
            host
        }
        _ => authority,
    }
}

/// Whether a host is this machine by name or address.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

impl FromStr for PublicOrigin {
    type Err = InvalidOrigin;
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let (https, authority) = match text.split_once("://") {
            Some(("https", authority)) => (true, authority.trim_end_matches(":443").to_owned()),
            Some(("http", authority)) => (false, authority.trim_end_matches(":80").to_owned()),
            _ => return Err(InvalidOrigin::Syntax),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if authority.is_empty() || !authority.chars().all(plain) {
            return Err(InvalidOrigin::Syntax);
        }
        if !https && !is_loopback(host_of(&authority)) {
            return Err(InvalidOrigin::PlainHttp);
        }
        let scheme = if https { "https" } else { "http" };
        Ok(Self {
            text: format!("{scheme}://{authority}"),
            authority,
            https,
        })
    }
}

/// Reads an address or a range.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text} is neither an address nor a range such as 10.0.0.0/8"))
}

/// The longest path that is one folder up from a file, for messages.
#[must_use]
pub fn folder_of(path: &Path) -> PathBuf {
    path.parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r29_plain_http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:3000",
            "http://localhost:3000",
            "http://[::1]:3000",
            "https://keys.example.com",
            "https://Keys.example.com/",
        ] {
            assert!(good.parse::<PublicOrigin>().is_ok(), "{good}");
        }
        assert_eq!(
            "http://keys.example.com".parse::<PublicOrigin>(),
            Err(InvalidOrigin::PlainHttp)
        );
        for bad in [
            "keys.example.com",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://u@h",
            "http://127.0.0.1.evil.org",
        ] {
            assert!(bad.parse::<PublicOrigin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_port_is_no_part_of_an_origin() {
        assert_eq!(
            "https://a.org:443".parse::<PublicOrigin>().unwrap().as_str(),
            "https://a.org"
        );
        assert_eq!(
            "http://localhost:3000".parse::<PublicOrigin>().unwrap().host(),
            "localhost"
        );
        assert_eq!(
            "http://[::1]:3000".parse::<PublicOrigin>().unwrap().host(),
            "[::1]"
        );
    }
}
