//! Every letter in both forms.

use super::*;
use crate::model::approval::{ApprovalKind, ApprovalState};
use crate::model::notice::{Happening, SecurityEvent};
use crate::model::org::Role;
use crate::model::review::Progress;
use crate::model::time::Timestamp;
use crate::server::domain::mail::{DueKey, LeakEnd, WaitingRequest};

const ORIGIN: &str = "https://keys.example.com";
const LINK: &str = "https://keys.example.com/invitation?token=kwi_0123456789AB&x=1";

fn ada() -> Recipient {
    Recipient {
        email: "ada@acme.example".to_owned(),
        name: "Ada Lovelace".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    }
}

fn leaked(name: &str, end: LeakEnd) -> Letter {
    Letter::KeyLeaked {
        organisation: name.to_owned(),
        key: name.to_owned(),
        key_id: "key_0123456789AB".to_owned(),
        end,
        source: name.to_owned(),
        url: "https://github.com/acme/app/blob/main/.env".to_owned(),
    }
}

/// One of each, with `name` wherever people may type one.
fn every(name: &str) -> Vec<Letter> {
    let (named, link) = (|| name.to_owned(), || LINK.to_owned());
    let expires_at = Timestamp::from_ms(1_803_043_800_000);
    let events = [
        SecurityEvent::NewPlace,
        SecurityEvent::FactorEnrolled,
        SecurityEvent::FactorRemoved,
        SecurityEvent::FactorReset,
        SecurityEvent::RecoveryCodeUsed { left: 3 },
        SecurityEvent::RecoveryCodesRenewed,
        SecurityEvent::FactorRefused,
        SecurityEvent::PasswordChanged,
        SecurityEvent::PasswordReset,
        SecurityEvent::EmailChanged,
    ];
    let security = events.map(|event| Letter::Security {
        happening: Happening {
            event,
            at: expires_at,
            ip: Some("203.0.113.7".to_owned()),
            device: named(),
        },
        link: link(),
    });
    let mut letters = vec![
        Letter::Invitation {
            organisation: named(),
            inviter: named(),
            role: Role::Admin,
            link: link(),
            expires_at,
        },
        Letter::PasswordReset {
            by: Some(named()),
            link: link(),
            expires_at,
        },
        Letter::PasswordReset {
            by: None,
            link: link(),
            expires_at,
        },
        Letter::EmailChangeOld {
            new_email: named(),
            link: link(),
            expires_at,
        },
        Letter::EmailChangeNew {
            link: link(),
            expires_at,
        },
        Letter::MembershipEnded {
            organisation: named(),
            suspended: true,
        },
        Letter::MembershipEnded {
            organisation: named(),
            suspended: false,
        },
        Letter::KeysTransferred {
            organisation: named(),
            keys: vec![named(), named()],
            to_collect: Vec::new(),
        },
        Letter::KeysTransferred {
            organisation: named(),
            keys: vec![named()],
            to_collect: vec![named()],
        },
        Letter::RotationsOpened {
            organisation: named(),
            keys: vec![named(), named()],
        },
        Letter::TwoFactorRequired {
            organisation: named(),
            due_at: expires_at,
            link: link(),
        },
        Letter::IncidentOpened {
            organisation: named(),
            key: named(),
            by: Some(named()),
            suspected_since: expires_at,
            frozen: true,
            link: link(),
        },
        Letter::IncidentOpened {
            organisation: named(),
            key: named(),
            by: None,
            suspected_since: expires_at,
            frozen: false,
            link: link(),
        },
        Letter::IncidentItem {
            organisation: named(),
            key: named(),
            item: named(),
            by: Some(named()),
            link: link(),
        },
        leaked(name, LeakEnd::Revoked),
        leaked(name, LeakEnd::GoesOn),
        leaked(name, LeakEnd::Replaced),
        Letter::KeysUnused {
            organisation: named(),
            keys: vec![named(), named()],
            days: 90,
            from: Some(expires_at),
        },
        Letter::KeysUnused {
            organisation: named(),
            keys: vec![named()],
            days: 90,
            from: None,
        },
        Letter::RotationDue {
            organisation: named(),
            keys: [true, false]
                .map(|is_overdue| DueKey {
                    name: named(),
                    due_at: expires_at,
                    is_overdue,
                })
                .to_vec(),
        },
        Letter::ApprovalsWaiting {
            organisation: named(),
            requests: ApprovalKind::ALL
                .iter()
                .map(|kind| WaitingRequest {
                    kind: *kind,
                    key: named(),
                    by: named(),
                    lapses_at: expires_at,
                })
                .collect(),
            link: LINK.to_owned(),
        },
        Letter::ApprovalResult {
            organisation: named(),
            key: named(),
            what: ApprovalKind::Create,
            state: ApprovalState::Approved,
            by: Some(named()),
            comment: named(),
            link: LINK.to_owned(),
        },
        Letter::ApprovalResult {
            organisation: named(),
            key: named(),
            what: ApprovalKind::Edit,
            state: ApprovalState::Lapsed,
            by: None,
            comment: String::new(),
            link: LINK.to_owned(),
        },
        Letter::ReviewDue {
            organisation: named(),
            review: named(),
            open: 3,
            deadline: expires_at,
            link: link(),
        },
        Letter::ReviewFinished {
            organisation: named(),
            review: named(),
            progress: Progress {
                all: 10,
                kept: 4,
                tightened: 1,
                revoked: 2,
                disabled: 2,
                open: 0,
            },
            link: link(),
        },
        Letter::Test,
    ];
    letters.extend(security);
    letters
}

#[test]
fn an_invitation_reads_so() {
    let letter = &every("Acme")[0];
    let written = compose(&ada(), letter, ORIGIN);
    assert_eq!(written.subject, "Acme invites you to Acme on Keywright");
    let expected = "Join Acme\n\n\
        Acme invites you to Acme as an admin. Keywright is where Acme issues, restricts and revokes its API keys.\n\n\
        Look at the invitation:\nhttps://keys.example.com/invitation?token=kwi_0123456789AB&x=1\n\n\
        The link works once, until 19 February 2027, 14:30 CET (13:30 UTC). It is for you alone: do not pass it on.\n\n\
        If you do not know Acme or Acme, do nothing. Nobody can join in your name without the link.\n\n\
        -- \nYou get this because somebody at https://keys.example.com entered your address to invite you.\n\
        Keywright, https://keys.example.com\n";
    assert_eq!(written.text, expected);
}

#[test]
fn both_forms_say_the_same() {
    for letter in every("Acme") {
        let kind = letter.kind();
        let words = words(&ada(), &letter, ORIGIN);
        let (text, html) = (text::laid_out(&words, ORIGIN), html::laid_out(&words, ORIGIN));
        let readable = html.replace("&amp;", "&").replace("&#39;", "'");
        for part in words.before.iter().chain(&words.after) {
            let said: Vec<String> = match part {
                Part::Sentences(text) => vec![text.clone()],
                Part::Items(items) => items.clone(),
                Part::Facts(facts) => facts.iter().map(|(_, value)| value.clone()).collect(),
            };
            for said in said {
                assert!(
                    !said.is_empty() && text.contains(&said) && readable.contains(&said),
                    "{kind}: {said}"
                );
            }
        }
        assert!(!words.subject.is_empty() && !words.reason.is_empty(), "{kind}");
        assert!(text.lines().all(|line| line.len() < 990), "{kind}");
    }
}

#[test]
fn a_letter_has_one_button_and_its_address_in_words() {
    for letter in every("Acme") {
        let (kind, written) = (letter.kind(), compose(&ada(), &letter, ORIGIN));
        let buttons = written.html.matches("<a href=").count();
        let expected = usize::from(!matches!(letter, Letter::Test | Letter::MembershipEnded { .. }));
        assert_eq!(buttons, expected, "{kind}");
        if !matches!(
            letter,
            Letter::Test
                | Letter::MembershipEnded { .. }
                | Letter::KeysTransferred { .. }
                | Letter::KeyLeaked { .. }
                | Letter::KeysUnused { .. }
                | Letter::RotationDue { .. }
                | Letter::RotationsOpened { .. }
        ) {
            assert_eq!(written.text.matches(LINK).count(), 1, "{kind}");
            let escaped = LINK.replace('&', "&amp;");
            assert_eq!(written.html.matches(&escaped).count(), 2, "{kind}");
        }
    }
}

#[test]
fn r42_what_people_typed_is_text_in_every_letter() {
    for name in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><script>alert(1)</script>",
        "<a href=https://evil.example>click</a>",
        "&lt;b&gt;",
        "<!--",
    ] {
        for letter in every(name) {
            let html = compose(&ada(), &letter, ORIGIN).html;
            assert!(
                !html.contains(name) || name.starts_with("&lt;"),
                "{}: {name}",
                letter.kind()
            );
            for mark in [
                "<script",
                "<img",
                "<svg",
                "<a href=https",
                "<!--",
                "onmouseover='",
            ] {
                assert!(!html.contains(mark), "{}: {mark}", letter.kind());
            }
        }
    }
    let html = compose(&ada(), &every("&lt;b&gt;")[0], ORIGIN).html;
    assert!(html.contains("&amp;lt;b&amp;gt;"));
}

#[test]
fn nothing_is_loaded_and_nobody_is_tracked() {
    for letter in every("Acme") {
        let html = compose(&ada(), &letter, ORIGIN).html;
        for mark in ["<img", "<link", "<script", "url(", "src=", "@import"] {
            assert!(!html.contains(mark), "{}: {mark}", letter.kind());
        }
    }
}

#[test]
fn a_name_begins_no_line_and_no_header_of_its_own() {
    let name = "Acme\r\nBcc: everybody@example.com\n\nDear all,\u{202e}";
    for letter in every(name) {
        let written = compose(&ada(), &letter, ORIGIN);
        assert!(
            !written.subject.chars().any(char::is_control),
            "{}",
            letter.kind()
        );
        assert!(
            !written.text.contains("\nBcc") && !written.text.contains("\nDear"),
            "{}",
            letter.kind()
        );
        assert!(!written.text.contains('\u{202e}') && !written.html.contains('\u{202e}'));
    }
    let long = compose(&ada(), &every(&"x".repeat(5_000))[0], ORIGIN);
    assert!(long.subject.chars().count() < 300);
}

#[test]
fn every_notice_of_safety_says_what_to_do_if_it_was_not_them() {
    for letter in every("Firefox on Linux") {
        if let Letter::Security { .. } = &letter {
            let text = compose(&ada(), &letter, ORIGIN).text;
            assert!(
                text.contains("If it was not,") || text.contains("If you did not,"),
                "{text}"
            );
            assert!(
                text.contains("When: 19 February 2027, 14:30 CET (13:30 UTC)"),
                "{text}"
            );
            assert!(
                text.contains("With: Firefox on Linux\nFrom: 203.0.113.7"),
                "{text}"
            );
        }
    }
}

#[test]
fn many_keys_are_counted_and_the_first_are_named() {
    let keys: Vec<String> = (0..60).map(|n| format!("key number {n}")).collect();
    let letter = Letter::KeysTransferred {
        organisation: "Acme".to_owned(),
        keys,
        to_collect: Vec::new(),
    };
    let written = compose(&ada(), &letter, ORIGIN);
    assert_eq!(written.subject, "60 keys of Acme are now yours");
    assert!(
        written.text.contains("- key number 49\n- and 10 more\n") && !written.text.contains("key number 50")
    );
    let one = Letter::KeysTransferred {
        organisation: "Acme".to_owned(),
        keys: vec!["CI".to_owned()],
        to_collect: Vec::new(),
    };
    assert_eq!(
        compose(&ada(), &one, ORIGIN).subject,
        "1 key of Acme is now yours"
    );
}
