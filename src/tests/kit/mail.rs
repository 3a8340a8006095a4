//! A mail server that keeps what it is handed.

use std::sync::Mutex;

use keywright::model::mail::{MailEncryption, MailServer};
use keywright::server::platform::mail::{MailError, Mailer, OutgoingMail, Sending};

/// Keeps every mail in memory; refuses them while it is told to.
#[derive(Default)]
pub struct MemoryMailer {
    taken: Mutex<Vec<OutgoingMail>>,
    refusal: Mutex<Option<MailError>>,
}

impl MemoryMailer {
    /// What was sent so far, oldest first.
    pub fn taken(&self) -> Vec<OutgoingMail> {
        self.taken.lock().unwrap().clone()
    }

    /// From now on every mail is answered like this; `None` takes them again.
    pub fn refuse(&self, error: Option<MailError>) {
        *self.refusal.lock().unwrap() = error;
    }
}

impl Mailer for MemoryMailer {
    fn server(&self) -> MailServer {
        MailServer {
            address: "memory:25".to_owned(),
            encryption: MailEncryption::None,
            signs_in: false,
            from: "keys@keywright.example".to_owned(),
        }
    }

    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> Sending<'a> {
        Box::pin(async move {
            if let Some(error) = self.refusal.lock().unwrap().clone() {
                return Err(error);
            }
            self.taken.lock().unwrap().push(mail.clone());
            Ok(())
        })
    }
}
