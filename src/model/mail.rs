//! Mail as the installation's administrators see it: where it goes, what waits, what is stuck.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::MailId;
use super::time::Timestamp;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailEncryption {
    /// Begins in the clear and is encrypted before anything is said; a server that cannot is not used.
    StartTls,
    /// Encrypted from the first byte.
    Tls,
    None,
}

impl MailEncryption {
    /// The port that goes with it (RFC 6409, RFC 8314, RFC 5321).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::StartTls => "STARTTLS",
            Self::Tls => "TLS",
            Self::None => "None",
        }
    }
}

/// Not one of the three words.
#[derive(Debug, thiserror::Error)]
#[error("it is starttls, tls or none")]
pub struct InvalidMailEncryption;

impl FromStr for MailEncryption {
    type Err = InvalidMailEncryption;
    fn from_str(text: &str) -> Result<Self, InvalidMailEncryption> {
        match text {
            "starttls" => Ok(Self::StartTls),
            "tls" => Ok(Self::Tls),
            "none" => Ok(Self::None),
            _ => Err(InvalidMailEncryption),
        }
    }
}

/// The server that takes the mail. Never its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    /// `host:port`
    pub address: String,
    pub encryption: MailEncryption,
    /// Whether Keywright signs in there.
    pub signs_in: bool,
    /// The sender, as recipients see it.
    pub from: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    Waiting,
    /// Nobody tries it any more until an administrator says so.
    Stuck,
}

impl MailState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Stuck => "stuck",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Stuck => "Stuck",
        }
    }
}

/// A mail that has not gone yet. Tells neither the address nor what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingMail {
    pub id: MailId,
    /// What it is about, in words.
    pub about: String,
    /// [`masked_address`]; none when the mail does not open with this master key.
    pub to: Option<String>,
    pub state: MailState,
    pub tries: i64,
    pub created_at: Timestamp,
    pub next_try_at: Timestamp,
    /// What the mail server said last; empty before the first try.
    pub last_error: String,
    /// Its link has run out: sending it would help nobody.
    pub is_over: bool,
}

/// All that the page of mail shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailOverview {
    pub now: Timestamp,
    pub server: Option<MailServer>,
    /// Stuck ones first, then by age; at most [`SHOWN_MAX`].
    pub mails: Vec<WaitingMail>,
    pub waiting: i64,
    pub stuck: i64,
    /// Where a test mail goes unless another address is typed.
    pub own_address: String,
}

/// Mails that the page lists.
pub const SHOWN_MAX: i64 = 100;

/// `a…@example.com`: enough to recognise an address one knows.
#[must_use]
pub fn masked_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}…@{domain}")
        }
        None => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_tells_its_first_letter_and_its_domain() {
        assert_eq!(masked_address("ada@example.com"), "a…@example.com");
        assert_eq!(masked_address("é@example.com"), "é…@example.com");
        assert_eq!(masked_address("nobody"), "…");
    }
}
