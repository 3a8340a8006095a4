//! A real SMTP server on loopback (end2end/mail.mjs), and an authority that vouches for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use keywright::model::mail::MailEncryption;
use keywright::server::platform::mail::{SmtpMailer, SmtpSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

/// A server of its own process; it ends when this is dropped.
pub struct MailHost {
    pub port: u16,
    http: u16,
    stdin: Option<ChildStdin>,
    child: Child,
}

impl Drop for MailHost {
    /// Waits until it has ended, so that its port is free.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

impl MailHost {
    pub fn start(words: &[&str]) -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("end2end/mail.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ports: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("end2end/mail.mjs did not start; scripts/tools.sh gates installs what it needs")
        });
        let port = |name: &str| u16::try_from(ports[name].as_u64().unwrap()).unwrap();
        Self {
            port: port("smtp"),
            http: port("http"),
            stdin: child.stdin.take(),
            child,
        }
    }

    /// How one reaches it without encryption.
    pub fn settings(&self) -> SmtpSettings {
        settings(self.port)
    }

    pub fn mailer(&self) -> Arc<SmtpMailer> {
        Arc::new(SmtpMailer::new(self.settings()).unwrap())
    }

    /// What it took, oldest first.
    pub fn mails(&self) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        stream.write_all(b"GET /mails HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

/// Settings for a server without encryption at this port.
pub fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        encryption: MailEncryption::None,
        sign_in: None,
        authorities: None,
        from: "Keywright <keys@acme.example>".to_owned(),
        own_host: "keys.acme.example".to_owned(),
    }
}

/// An authority of its own with one certificate for a name, as files.
pub struct Authority {
    pub pem: Vec<u8>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub fn vouching_for(name: &str) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cert.pem"), server.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self {
            pem: authority.pem().into_bytes(),
            folder,
        }
    }

    /// A server that shows the certificate.
    pub fn host(&self, tls: &str, more: &[&str]) -> MailHost {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let (cert, key) = (path("cert.pem"), path("key.pem"));
        let words = ["--tls", tls, "--cert", &cert, "--key", &key];
        MailHost::start(&[&words, more].concat())
    }
}
