//! What a mail server sees of us, and what we make of what it says.

use keywright::model::id::MailId;
use keywright::model::mail::MailEncryption;
use keywright::model::time::Timestamp;
use keywright::server::platform::mail::{Fault, Mailer, OutgoingMail, SmtpMailer, SmtpSettings};
use serde_json::Value;

use crate::kit::{Authority, MailHost};

fn mail_to(address: &str) -> OutgoingMail {
    OutgoingMail {
        id: MailId::from_random("0123456789AB").unwrap(),
        at: Timestamp::from_ms(1_795_255_200_000),
        to_email: address.to_owned(),
        to_name: "Zoë Łukasz".to_owned(),
        subject: "Grüße, eine Einladung".to_owned(),
        text: "Ein Wort.\n\n.\n-- \nEnde\n".to_owned(),
        html: "<p>Ein Wört.</p>".to_owned(),
    }
}

async fn send(settings: SmtpSettings, mail: &OutgoingMail) -> Result<(), (Fault, String)> {
    let mailer = SmtpMailer::new(settings).unwrap();
    let sent = mailer.send(mail).await;
    sent.map_err(|error| (error.fault(), error.to_string()))
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_mail_arrives_whole_under_its_own_id() {
    let host = MailHost::start(&[]);
    let mail = mail_to("ada@acme.example");
    send(host.settings(), &mail).await.unwrap();
    let mails = host.mails();
    let [arrived] = mails.as_slice() else {
        panic!("{mails:?}")
    };
    assert_eq!(arrived["from"], "keys@acme.example");
    assert_eq!(arrived["to"][0], "ada@acme.example");
    assert_eq!(arrived["hello"], "keys.acme.example");
    assert_eq!(arrived["subject"], mail.subject.as_str());
    assert_eq!(arrived["text"].as_str().unwrap().trim_end(), mail.text.trim_end());
    assert_eq!(arrived["html"].as_str().unwrap().trim_end(), mail.html);
    let id = format!("<{}@acme.example>", mail.id);
    assert_eq!(header(arrived, "message-id"), [id.as_str()]);
    assert_eq!(header(arrived, "date"), ["Sat, 21 Nov 2026 10:00:00 +0000"]);
    assert_eq!(header(arrived, "auto-submitted"), ["auto-generated"]);
    assert_eq!(header(arrived, "from"), ["Keywright <keys@acme.example>"]);
}

#[tokio::test]
async fn starttls_is_insisted_on_and_the_certificate_is_looked_at() {
    let authority = Authority::vouching_for("localhost");
    let host = authority.host("starttls", &[]);
    let settings = |authorities: Option<&[u8]>| SmtpSettings {
        host: "localhost".to_owned(),
        encryption: MailEncryption::StartTls,
        authorities: authorities.map(<[u8]>::to_vec),
        ..host.settings()
    };
    let mail = mail_to("ada@acme.example");
    send(settings(Some(&authority.pem)), &mail).await.unwrap();
    assert_eq!(host.mails()[0]["secure"], true);

    let (fault, said) = send(settings(None), &mail).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable, "an authority nobody knows");
    assert!(said.contains("certificate"), "{said}");
    let other = Authority::vouching_for("other.example");
    let stranger = other.host("starttls", &[]);
    let misnamed = SmtpSettings {
        port: stranger.port,
        ..settings(Some(&other.pem))
    };
    let (fault, said) = send(misnamed, &mail).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable, "a certificate for another name");
    assert!(said.contains("certificate"), "{said}");
    let plain = MailHost::start(&[]);
    let unable = SmtpSettings {
        port: plain.port,
        ..settings(Some(&authority.pem))
    };
    let (fault, said) = send(unable, &mail).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable);
    assert!(said.contains("STARTTLS is not supported"), "{said}");
    assert_eq!(host.mails().len(), 1);
    assert!(
        stranger.mails().is_empty() && plain.mails().is_empty(),
        "nothing went in the clear"
    );
}

#[tokio::test]
async fn tls_from_the_first_byte_works_too() {
    let authority = Authority::vouching_for("127.0.0.1");
    let host = authority.host("tls", &[]);
    let settings = SmtpSettings {
        encryption: MailEncryption::Tls,
        authorities: Some(authority.pem.clone()),
        ..host.settings()
    };
    send(settings, &mail_to("ada@acme.example")).await.unwrap();
    assert_eq!(host.mails()[0]["secure"], true);
}

#[tokio::test]
async fn a_wrong_password_is_our_fault_and_is_not_quoted() {
    let authority = Authority::vouching_for("localhost");
    let host = authority.host("starttls", &["--user", "keywright", "--password", "open sesame"]);
    let settings = |password: Option<&str>| SmtpSettings {
        host: "localhost".to_owned(),
        encryption: MailEncryption::StartTls,
        authorities: Some(authority.pem.clone()),
        sign_in: password.map(|password| ("keywright".to_owned(), password.into())),
        ..host.settings()
    };
    let mail = mail_to("ada@acme.example");
    send(settings(Some("open sesame")), &mail).await.unwrap();
    assert_eq!(host.mails()[0]["user"], "keywright");
    let (fault, said) = send(settings(Some("canary-password")), &mail).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable, "{said}");
    assert!(
        said.contains("refused user or password") && !said.contains("canary"),
        "{said}"
    );
    let (fault, said) = send(settings(None), &mail).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable, "{said}");
    assert!(said.contains("530"), "{said}");
    assert_eq!(host.mails().len(), 1);
}

#[tokio::test]
async fn what_a_server_refuses_is_told_apart_and_told_without_address_or_link() {
    let host = MailHost::start(&[]);
    let refusal = async |address: &str| {
        let mut mail = mail_to(address);
        mail.text = "Look:\nhttps://keys.example.com/invitation?token=kwi_canary\n".to_owned();
        send(host.settings(), &mail).await.unwrap_err()
    };
    let (fault, said) = refusal("refused@acme.example").await;
    assert_eq!(fault, Fault::Refused);
    assert!(
        said.ends_with("said: 550 5.1.1 <r…@acme.example>: nobody lives here"),
        "{said}"
    );
    let (fault, said) = refusal("later@acme.example").await;
    assert_eq!(fault, Fault::NotNow);
    assert!(said.contains("451 4.7.1"), "{said}");
    let (fault, said) = refusal("quoting@acme.example").await;
    assert_eq!(fault, Fault::Refused);
    assert!(
        said.contains("554 5.7.1 blocked: Look: [link]") && !said.contains("canary"),
        "{said}"
    );
    let (fault, said) = refusal("no address").await;
    assert_eq!(
        (fault, said.contains("no address")),
        (Fault::Refused, false),
        "{said}"
    );
    assert!(host.mails().is_empty());
    let port = host.port;
    drop(host);
    let nobody = crate::kit::smtp_settings(port);
    let (fault, said) = send(nobody, &mail_to("ada@acme.example")).await.unwrap_err();
    assert_eq!(fault, Fault::Unusable);
    assert!(said.contains(&format!("127.0.0.1:{port}: ")), "{said}");
}

#[tokio::test]
async fn nothing_that_people_type_becomes_a_header() {
    let host = MailHost::start(&[]);
    for attack in [
        "Ada\r\nBcc: everybody@evil.example",
        "Ada\nBcc: everybody@evil.example",
        "Ada\rBcc: everybody@evil.example",
        "Ada\u{2028}Bcc: everybody@evil.example",
        "Ada\r\n\r\n<h1>another body</h1>",
        "Ada\0\u{b}\u{c}\u{85}Bcc: everybody@evil.example",
        "\"Ada\" <everybody@evil.example>, x",
        "=?utf-8?q?Ada=0D=0ABcc:_everybody=40evil.example?=",
    ] {
        let mut mail = mail_to("ada@acme.example");
        (mail.to_name, mail.subject) = (attack.to_owned(), attack.to_owned());
        send(host.settings(), &mail).await.unwrap();
        let arrived = host.mails().pop().unwrap();
        assert!(header(&arrived, "bcc").is_empty(), "{attack:?}");
        let subject = arrived["subject"].as_str().unwrap();
        let is_encoded = attack.starts_with("=?");
        assert!(
            is_encoded || !subject.chars().any(char::is_control),
            "{subject:?}"
        );
        assert_eq!(arrived["to"].as_array().unwrap().len(), 1, "{attack:?}");
        let names: Vec<&str> = [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "auto-submitted",
            "mime-version",
            "content-type",
        ]
        .into();
        for found in arrived["headers"].as_array().unwrap() {
            assert!(names.contains(&found[0].as_str().unwrap()), "{attack:?}: {found}");
        }
        assert!(
            !arrived["text"].as_str().unwrap().contains("another body"),
            "{attack:?}"
        );
    }
    let before = host.mails().len();
    for address in [
        "ada@acme.example\r\nRCPT TO:<x@evil.example>",
        "<ada@acme.example> SIZE=1",
        "a@b.example>\r\nDATA",
    ] {
        let (fault, _) = send(host.settings(), &mail_to(address)).await.unwrap_err();
        assert_eq!(fault, Fault::Refused, "{address:?}");
    }
    assert_eq!(host.mails().len(), before);
}
