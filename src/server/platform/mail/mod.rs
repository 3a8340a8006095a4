//! Handing a mail to a server.

mod smtp;

use std::fmt;
use std::pin::Pin;

pub use smtp::{MailSettingsError, SmtpMailer, SmtpSettings};

use crate::model::id::MailId;
use crate::model::mail::{MailServer, masked_address};
use crate::model::time::Timestamp;
use crate::server::platform::redaction::redacted;

/// Longest text of an error that is kept, in characters.
const SAID_MAX: usize = 300;

/// A mail, ready to go.
#[derive(Clone)]
pub struct OutgoingMail {
    /// The same at every try, so that a server which took the mail and could not say so may recognise it.
    pub id: MailId,
    pub at: Timestamp,
    pub to_email: String,
    pub to_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What trying again would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the address or the mail itself is refused for good.
    Refused,
    /// Perhaps something: the server does not take this mail now.
    NotNow,
    /// Nothing before the server, or its settings, are mended; it is the same for every mail.
    Unusable,
}

/// What went wrong instead. Holds neither the mail, nor a link, nor an address.
#[derive(Debug, Clone)]
pub struct MailError {
    fault: Fault,
    said: String,
}

impl MailError {
    /// Servers quote what they refuse: links and addresses are taken out of what they said.
    #[must_use]
    pub fn new(fault: Fault, said: &str) -> Self {
        let words = said.split(|c: char| c.is_whitespace() || c.is_control());
        let words: Vec<String> = words
            .filter(|word| !word.is_empty())
            .map(without_secret)
            .collect();
        let said = redacted(&words.join(" ")).into_owned();
        let mut cut: String = said.chars().take(SAID_MAX).collect();
        if cut.len() < said.len() {
            cut.pop();
            cut.push('…');
        }
        Self { fault, said: cut }
    }

    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }
}

fn without_secret(word: &str) -> String {
    if word.contains("://") || word.contains("token=") {
        return "[link]".to_owned();
    }
    if word.contains('@') {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        return if bare.contains('@') {
            word.replace(bare, &masked_address(bare))
        } else {
            "…".to_owned()
        };
    }
    word.to_owned()
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

/// The answer of a mailer, later.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Takes mails to a server.
pub trait Mailer: Send + Sync {
    /// Which server, for the administrators' page.
    fn server(&self) -> MailServer;

    /// `Ok` when the server has taken the mail.
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> Sending<'a>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_holds_no_link_and_no_address() {
        let said = "550 5.1.1 <Ada.Lovelace@acme.example>: blocked\r\nhttps://keys.example.com/invitation?token=kwi_x (URL)";
        let error = MailError::new(Fault::Refused, said);
        assert_eq!(
            error.to_string(),
            "550 5.1.1 <A…@acme.example>: blocked [link] (URL)"
        );
    }

    #[test]
    fn an_error_is_one_line_of_at_most_three_hundred_characters() {
        let error = MailError::new(Fault::NotNow, &"é\n".repeat(400));
        assert_eq!(error.to_string().chars().count(), SAID_MAX);
        assert!(error.to_string().ends_with('…') && !error.to_string().contains('\n'));
    }
}
