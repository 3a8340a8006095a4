//! SMTP, by lettre on rustls and ring.
//!
//! One connection for each mail: mails are few, and a connection that was kept may be dead when it is needed. The
//! steps are taken one by one rather than by lettre's transport, because a server that refuses the password refuses
//! every mail for now, and one that refuses a recipient refuses one mail for good, with the same digits.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self};
use lettre::{Address, Message};

use super::{Fault, MailError, Mailer, OutgoingMail, Sending};
use crate::model::mail::{MailEncryption, MailServer};
use crate::server::platform::crypto::secret::SecretText;

/// Until the server has let us in.
const CONNECT_MAX: Duration = Duration::from_secs(15);
/// Until it has taken the mail. Longer: servers look into mail before they answer, and giving up too early sends it
/// twice.
const SEND_MAX: Duration = Duration::from_secs(30);
/// The goodbye; the mail is taken already.
const QUIT_MAX: Duration = Duration::from_secs(1);
/// Refusals that are about who we are, not about the mail (RFC 4954 §6).
const SIGN_IN_CODES: [u16; 4] = [530, 534, 535, 538];
/// The server is closing down (RFC 5321 §4.2.1).
const CLOSING_CODE: u16 = 421;

/// Where mail goes and how.
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub encryption: MailEncryption,
    /// User and password.
    pub sign_in: Option<(String, SecretText)>,
    /// Certificates, in PEM, of authorities that vouch for the server besides the well-known ones.
    pub authorities: Option<Vec<u8>>,
    /// `keys@example.com` or `Keywright <keys@example.com>`.
    pub from: String,
    /// How we introduce ourselves: the host of the public origin.
    pub own_host: String,
}

/// Why there can be no such mailer.
#[derive(Debug, thiserror::Error)]
pub enum MailSettingsError {
    #[error(
        "the sender of mail (KEYWRIGHT_MAIL_FROM) is no address; it looks like keys@example.com or Keywright <keys@example.com>"
    )]
    From,
    #[error("the file of certificates (KEYWRIGHT_SMTP_CA_FILE) holds no certificate in PEM")]
    Authorities,
    #[error("mail cannot be encrypted for {0}: it is no name of a server")]
    Host(String),
}

/// Hands each mail to one SMTP server.
pub struct SmtpMailer {
    server: MailServer,
    target: (String, u16),
    tls: Option<TlsParameters>,
    from: Mailbox,
    own_name: ClientId,
    sign_in: Option<(String, SecretText)>,
}

fn client_id(host: &str) -> ClientId {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

fn tls_parameters(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, MailSettingsError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        // To lettre a file without any certificate is a good one with none.
        const MARK: &[u8] = b"BEGIN CERTIFICATE";
        if !pem.windows(MARK.len()).any(|window| window == MARK) {
            return Err(MailSettingsError::Authorities);
        }
        let certificates = Certificate::from_pem(pem).map_err(|_| MailSettingsError::Authorities)?;
        builder = builder.add_root_certificate(certificates);
    }
    // The only other failure is a certificate that is none.
    builder.build_rustls().map_err(|_| MailSettingsError::Authorities)
}

impl SmtpMailer {
    pub fn new(settings: SmtpSettings) -> Result<Self, MailSettingsError> {
        let from: Mailbox = settings.from.parse().map_err(|_| MailSettingsError::From)?;
        let host = settings.host.trim_matches(['[', ']']).to_owned();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(MailSettingsError::Host(settings.host));
        }
        let tls = match settings.encryption {
            MailEncryption::None => None,
            _ => Some(tls_parameters(&host, settings.authorities.as_deref())?),
        };
        Ok(Self {
            server: MailServer {
                address: format!("{}:{}", settings.host, settings.port),
                encryption: settings.encryption,
                signs_in: settings.sign_in.is_some(),
                from: from.to_string(),
            },
            target: (host, settings.port),
            tls,
            from,
            own_name: client_id(&settings.own_host),
            sign_in: settings.sign_in,
        })
    }

    /// The mail as it travels. Names and subject are one line each, whatever they hold.
    fn written(&self, mail: &OutgoingMail) -> Result<Message, MailError> {
        let refused = |said: &str| MailError::new(Fault::Refused, said);
        let address: Address = mail
            .to_email
            .parse()
            .map_err(|_| refused("the recipient’s address is not one that mail can be sent to"))?;
        let name = Some(one_line(&mail.to_name)).filter(|name| !name.is_empty());
        let sent_at = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at.ms()).unwrap_or_default());
        let id = format!("<{}@{}>", mail.id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(&mail.subject))
            .date(sent_at)
            .message_id(Some(id))
            // RFC 3834: nobody's absence shall answer it.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                mail.text.clone(),
                mail.html.clone(),
            ))
            .map_err(|_| refused("the mail could not be written"))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let (host, port) = &self.target;
        let unusable = |error: smtp::Error| self.said(Fault::Unusable, &error);
        let at_once = match self.server.encryption {
            MailEncryption::Tls => self.tls.clone(),
            MailEncryption::StartTls | MailEncryption::None => None,
        };
        let target = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(target, Some(CONNECT_MAX), &self.own_name, at_once, None)
                .await
                .map_err(unusable)?;
        if let (MailEncryption::StartTls, Some(tls)) = (self.server.encryption, &self.tls) {
            connection
                .starttls(tls.clone(), &self.own_name)
                .await
                .map_err(unusable)?;
        }
        if let Some((user, password)) = &self.sign_in {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            connection
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                .map_err(unusable)?;
        }
        Ok(connection)
    }

    async fn deliver(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        let message = self.written(mail)?;
        let silent = |what: &str, limit: Duration| {
            let address = &self.server.address;
            let said = format!("{address} did not {what} within {} seconds", limit.as_secs());
            MailError::new(Fault::Unusable, &said)
        };
        let connected = tokio::time::timeout(CONNECT_MAX, self.connect()).await;
        let mut connection = connected.map_err(|_| silent("let us in", CONNECT_MAX))??;
        let bytes = message.formatted();
        let sent = tokio::time::timeout(SEND_MAX, connection.send(message.envelope(), &bytes)).await;
        sent.map_err(|_| silent("take the mail", SEND_MAX))?
            .map_err(|error| self.said(fault_of(&error), &error))?;
        let _ = tokio::time::timeout(QUIT_MAX, connection.quit()).await;
        Ok(())
    }

    /// What the server, or the way to it, said; without our password, should it be quoted.
    fn said(&self, fault: Fault, error: &smtp::Error) -> MailError {
        let source = std::error::Error::source(error).map(ToString::to_string);
        let said = match (error.status(), source) {
            (Some(code), Some(text)) => format!("{} said: {code} {text}", self.server.address),
            (Some(code), None) => format!("{} said: {code}", self.server.address),
            (None, Some(text)) => format!("{}: {text}", self.server.address),
            (None, None) => format!("{}: {error}", self.server.address),
        };
        if self.quotes_password(&said) {
            return MailError::new(
                fault,
                &format!("{} refused user or password", self.server.address),
            );
        }
        MailError::new(fault, &said)
    }

    fn quotes_password(&self, said: &str) -> bool {
        let Some((user, password)) = &self.sign_in else {
            return false;
        };
        let password = password.expose();
        // As it is, and in the two encodings in which it is sent.
        let login = BASE64.encode(password);
        let plain = BASE64.encode(format!("\0{user}\0{password}"));
        [password, &login, &plain]
            .iter()
            .any(|text| said.contains(text.as_str()))
    }
}

impl Mailer for SmtpMailer {
    fn server(&self) -> MailServer {
        self.server.clone()
    }

    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> Sending<'a> {
        Box::pin(self.deliver(mail))
    }
}

/// What a failure says of the mail, once the server had let us in.
fn fault_of(error: &smtp::Error) -> Fault {
    let code = error.status().map(u16::from);
    match code {
        Some(code) if code == CLOSING_CODE || SIGN_IN_CODES.contains(&code) => Fault::Unusable,
        Some(500..) => Fault::Refused,
        Some(_) => Fault::NotNow,
        // lettre itself does not send it: the server cannot take such an address.
        None if error.is_client() => Fault::Refused,
        None => Fault::Unusable,
    }
}

/// Line breaks would begin another header; they and their like become spaces.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
