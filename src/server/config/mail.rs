//! Settings of mail: either none, or all that sending needs.

use std::fmt;
use std::fs;
use std::num::NonZeroU16;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::is_loopback;
use crate::model::mail::MailEncryption;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::platform::mail::{MailSettingsError, SmtpMailer, SmtpSettings};

/// A password among the settings; shows itself to nobody.
#[derive(Clone)]
pub struct Password(SecretText);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl FromStr for Password {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// A setting whose empty text is none: compose files leave variables so.
#[derive(Clone, Copy, Debug)]
pub struct Maybe<T>(Option<T>);

impl<T: FromStr> FromStr for Maybe<T> {
    type Err = T::Err;
    fn from_str(text: &str) -> Result<Self, T::Err> {
        Ok(Self(match text.trim() {
            "" => None,
            text => Some(text.parse()?),
        }))
    }
}

/// The mail server. Without `--smtp-host` nothing is sent, and links are shown to administrators instead.
#[derive(Args, Clone, Debug, Default)]
pub struct MailOptions {
    /// The mail server, by name or address. Without it nothing is mailed
    #[arg(long, env = "KEYWRIGHT_SMTP_HOST", value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Its port; default: 587 with starttls, 465 with tls, 25 with none
    #[arg(long, env = "KEYWRIGHT_SMTP_PORT", value_name = "PORT")]
    pub smtp_port: Option<Maybe<NonZeroU16>>,
    /// How the connection is encrypted: starttls, tls or none. Default: starttls
    #[arg(long, env = "KEYWRIGHT_SMTP_TLS", value_name = "TLS")]
    pub smtp_tls: Option<Maybe<MailEncryption>>,
    /// Allow --smtp-tls none to a server that is not on this machine: links and the password travel readably
    #[arg(long, env = "KEYWRIGHT_SMTP_ALLOW_PLAINTEXT", value_parser = clap::builder::BoolishValueParser::new())]
    pub smtp_allow_plaintext: bool,
    /// Certificates (PEM) that vouch for the server besides the well-known authorities
    #[arg(long, env = "KEYWRIGHT_SMTP_CA_FILE", value_name = "FILE")]
    pub smtp_ca_file: Option<PathBuf>,
    /// User to sign in with
    #[arg(long, env = "KEYWRIGHT_SMTP_USER", value_name = "USER")]
    pub smtp_user: Option<String>,
    /// File that holds the password, readable by Keywright's account alone
    #[arg(long, env = "KEYWRIGHT_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// The password itself; prefer the file
    #[arg(
        long,
        env = "KEYWRIGHT_SMTP_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    pub smtp_password: Option<Password>,
    /// The sender: keys@example.com, or Keywright <keys@example.com>
    #[arg(long, env = "KEYWRIGHT_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
}

/// Why these settings send no mail. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MailOptionsError {
    #[error("{0} is set, but no mail server: set KEYWRIGHT_SMTP_HOST too, or unset it")]
    NoHost(&'static str),
    #[error("a mail server is set, but no sender: set KEYWRIGHT_MAIL_FROM, for example to keys@example.com")]
    NoSender,
    #[error("KEYWRIGHT_SMTP_USER is set without a password: set KEYWRIGHT_SMTP_PASSWORD_FILE too")]
    NoPassword,
    #[error("a password for the mail server is set without KEYWRIGHT_SMTP_USER")]
    NoUser,
    #[error("both KEYWRIGHT_SMTP_PASSWORD and KEYWRIGHT_SMTP_PASSWORD_FILE are set; keep the file")]
    TwoPasswords,
    #[error(
        "mail to {0} would travel readably, with the links in it: set KEYWRIGHT_SMTP_TLS to starttls or tls, or, if that network is yours alone, KEYWRIGHT_SMTP_ALLOW_PLAINTEXT to true"
    )]
    Readable(String),
    #[error("KEYWRIGHT_SMTP_CA_FILE is set, but KEYWRIGHT_SMTP_TLS is none")]
    CertificatesForNothing,
    #[error("the password file {0} can be read by other accounts; run: chmod 600 {0}")]
    TooOpen(String),
    #[error("the password file {0} is empty")]
    Empty(String),
    #[error("{path} could not be read: {source}")]
    Io { path: String, source: std::io::Error },
    #[error(transparent)]
    Settings(#[from] MailSettingsError),
}

fn read(path: &Path) -> Result<Vec<u8>, MailOptionsError> {
    fs::read(path).map_err(|source| MailOptionsError::Io {
        path: path.display().to_string(),
        source,
    })
}

/// The same of text.
fn given<T: AsRef<str>>(text: &Option<T>) -> Option<&str> {
    text.as_ref()
        .map(|text| text.as_ref().trim())
        .filter(|text| !text.is_empty())
}

fn given_file(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !path.as_os_str().is_empty())
}

impl MailOptions {
    /// The mailer that the settings describe; `None` when they name no server. `own_host` is how it introduces itself.
    pub fn mailer(&self, own_host: &str) -> Result<Option<SmtpMailer>, MailOptionsError> {
        let Some(host) = given(&self.smtp_host) else {
            return match self.first_given() {
                Some(name) => Err(MailOptionsError::NoHost(name)),
                None => Ok(None),
            };
        };
        let encryption = self
            .smtp_tls
            .and_then(|tls| tls.0)
            .unwrap_or(MailEncryption::StartTls);
        if encryption == MailEncryption::None {
            if !is_loopback(host) && !self.smtp_allow_plaintext {
                return Err(MailOptionsError::Readable(host.to_owned()));
            }
            if given_file(&self.smtp_ca_file).is_some() {
                return Err(MailOptionsError::CertificatesForNothing);
            }
        }
        let port = self.smtp_port.and_then(|port| port.0);
        let settings = SmtpSettings {
            host: host.to_owned(),
            port: port.map_or(encryption.default_port(), NonZeroU16::get),
            encryption,
            sign_in: self.sign_in()?,
            authorities: given_file(&self.smtp_ca_file).map(read).transpose()?,
            from: given(&self.mail_from)
                .ok_or(MailOptionsError::NoSender)?
                .to_owned(),
            own_host: own_host.to_owned(),
        };
        Ok(Some(SmtpMailer::new(settings)?))
    }

    fn first_given(&self) -> Option<&'static str> {
        let set = [
            (
                "KEYWRIGHT_SMTP_PORT",
                self.smtp_port.is_some_and(|port| port.0.is_some()),
            ),
            (
                "KEYWRIGHT_SMTP_TLS",
                self.smtp_tls.is_some_and(|tls| tls.0.is_some()),
            ),
            ("KEYWRIGHT_SMTP_ALLOW_PLAINTEXT", self.smtp_allow_plaintext),
            ("KEYWRIGHT_SMTP_CA_FILE", given_file(&self.smtp_ca_file).is_some()),
            ("KEYWRIGHT_SMTP_USER", given(&self.smtp_user).is_some()),
            (
                "KEYWRIGHT_SMTP_PASSWORD_FILE",
                given_file(&self.smtp_password_file).is_some(),
            ),
            ("KEYWRIGHT_SMTP_PASSWORD", self.password().is_some()),
            ("KEYWRIGHT_MAIL_FROM", given(&self.mail_from).is_some()),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    fn password(&self) -> Option<&SecretText> {
        let password = self.smtp_password.as_ref().map(|password| &password.0);
        password.filter(|password| !password.expose().is_empty())
    }

    fn sign_in(&self) -> Result<Option<(String, SecretText)>, MailOptionsError> {
        let password = match (given_file(&self.smtp_password_file), self.password()) {
            (Some(_), Some(_)) => return Err(MailOptionsError::TwoPasswords),
            (Some(path), None) => Some(password_of(path)?),
            (None, password) => password.cloned(),
        };
        match (given(&self.smtp_user), password) {
            (Some(user), Some(password)) => Ok(Some((user.to_owned(), password))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(MailOptionsError::NoPassword),
            (None, Some(_)) => Err(MailOptionsError::NoUser),
        }
    }
}

/// The first line of a file that nobody else may read.
fn password_of(path: &Path) -> Result<SecretText, MailOptionsError> {
    let shown = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|source| MailOptionsError::Io {
        path: shown.clone(),
        source,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(MailOptionsError::TooOpen(shown));
    }
    let bytes = zeroize::Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    match text.lines().next().map(str::trim_end) {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(MailOptionsError::Empty(shown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        mail: MailOptions,
    }

    fn mailer(words: &str) -> Result<Option<SmtpMailer>, String> {
        let command = Command::try_parse_from(["keywright"].into_iter().chain(words.split_whitespace()));
        let options = command.map_err(|error| error.to_string())?.mail;
        options
            .mailer("keys.example.com")
            .map_err(|error| error.to_string())
    }

    fn refusal(words: &str) -> String {
        mailer(words).err().unwrap_or_else(|| panic!("{words} was taken"))
    }

    #[test]
    fn nothing_set_is_no_mail_and_a_half_is_refused() {
        assert!(mailer("").unwrap().is_none());
        assert!(
            mailer("--smtp-host= --smtp-port= --smtp-tls= --smtp-user= --mail-from=")
                .unwrap()
                .is_none()
        );
        assert!(refusal("--mail-from a@b.example").contains("KEYWRIGHT_SMTP_HOST"));
        assert!(refusal("--smtp-host mx.example").contains("KEYWRIGHT_MAIL_FROM"));
        let both = "--smtp-host mx.example --mail-from a@b.example";
        assert!(refusal(&format!("{both} --smtp-user u")).contains("KEYWRIGHT_SMTP_PASSWORD_FILE"));
        assert!(refusal(&format!("{both} --smtp-password p")).contains("KEYWRIGHT_SMTP_USER"));
        assert!(refusal("--smtp-host mx.example --mail-from nobody").contains("no address"));
        assert!(refusal(&format!("{both} --smtp-tls ssl")).contains("starttls, tls or none"));
        assert!(refusal(&format!("{both} --smtp-port 0")).contains("port"));
        assert!(
            refusal("--smtp-host smtp://mx.example --mail-from a@b.example").contains("name of a server")
        );
    }

    #[test]
    fn mail_is_encrypted_unless_it_stays_here_or_somebody_says_otherwise() {
        let to =
            |host: &str, more: &str| mailer(&format!("--smtp-host {host} --mail-from a@b.example {more}"));
        let encrypted = to("mx.example", "").unwrap().unwrap();
        assert_eq!(
            crate::server::platform::mail::Mailer::server(&encrypted).address,
            "mx.example:587"
        );
        assert!(to("localhost", "--smtp-tls none").is_ok());
        assert!(to("127.0.0.1", "--smtp-tls none").is_ok());
        assert!(to("mx.example", "--smtp-tls none").is_err());
        assert!(to("localhost.example", "--smtp-tls none").is_err());
        assert!(to("mx.example", "--smtp-tls none --smtp-allow-plaintext").is_ok());
    }

    #[test]
    fn a_password_file_is_closed_to_others() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let words = format!(
            "--smtp-host mx.example --mail-from a@b.example --smtp-user u --smtp-password-file {path}"
        );
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refusal(&words).contains("chmod 600"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(refusal(&words).contains("empty"));
        fs::write(file.path(), "secret\n").unwrap();
        assert!(mailer(&words).is_ok());
        assert!(refusal(&format!("{words} --smtp-password p")).contains("keep the file"));
    }

    #[test]
    fn settings_do_not_show_the_password() {
        let words = ["keywright", "--smtp-password", "canary"];
        let options = Command::try_parse_from(words).unwrap().mail;
        assert!(!format!("{options:?}").contains("canary"));
    }

    #[test]
    fn a_file_of_certificates_holds_some() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "not a certificate").unwrap();
        let path = file.path().display();
        let words = format!("--smtp-host mx.example --mail-from a@b.example --smtp-ca-file {path}");
        assert!(refusal(&words).contains("KEYWRIGHT_SMTP_CA_FILE"));
        assert!(refusal(&format!("{words}.missing")).contains("could not be read"));
        assert!(refusal(&format!("{words} --smtp-tls none --smtp-allow-plaintext")).contains("is none"));
    }
}
