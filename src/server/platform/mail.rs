//! Handing a mail to a server.

use std::fmt;
use std::pin::Pin;

/// A mail, ready to go.
#[derive(Clone)]
pub struct OutgoingMail {
    pub to_email: String,
    pub to_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What the server said instead of taking it. Never holds the mail.
#[derive(Debug, Clone)]
pub struct MailError {
    /// Trying again does not help: the address or the mail itself is refused.
    pub permanent: bool,
    pub message: String,
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The answer of a mailer, later.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Takes mails to a server.
pub trait Mailer: Send + Sync {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> Sending<'a>;
}
