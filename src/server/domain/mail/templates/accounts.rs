//! Letters about somebody's own account.

use super::{Part, Words};
use crate::model::notice::{Happening, SecurityEvent};

fn sentences(text: impl Into<String>) -> Part {
    Part::Sentences(text.into())
}

fn account_at(origin: &str) -> String {
    format!("You get this because you have an account at {origin}.")
}

pub fn password_reset(by: Option<&str>, link: &str, until: &str, origin: &str) -> Words {
    let (begun, otherwise) = match by {
        Some(by) => (
            format!("{by}, who administers Keywright for you, lets you choose a new password."),
            format!(
                "If you did not ask {by} for it, ask why before you use the link. Your password stays as it is until you do."
            ),
        ),
        None => (
            "Somebody asked for a new password for your account, on the sign-in page.".to_owned(),
            "If it was not you, do nothing: your password stays as it is. Nobody can change it without this link."
                .to_owned(),
        ),
    };
    Words {
        subject: "Choose a new password for Keywright".to_owned(),
        title: "Choose a new password".to_owned(),
        before: vec![sentences(begun)],
        action: Some(("Choose a new password", link.to_owned())),
        after: vec![
            sentences(format!(
                "The link works once, until {until}. Signing in still asks for your second factor if you have one."
            )),
            sentences(otherwise),
        ],
        reason: account_at(origin),
    }
}

pub fn email_change_old(new_email: &str, link: &str, until: &str, origin: &str) -> Words {
    Words {
        subject: "Is this your new e-mail address?".to_owned(),
        title: "Confirm the change of your e-mail address".to_owned(),
        before: vec![sentences(format!(
            "The address of your account is to become {new_email}. It changes when both addresses have confirmed it."
        ))],
        action: Some(("Confirm the change", link.to_owned())),
        after: vec![
            sentences(format!("The link works once, until {until}.")),
            sentences(format!(
                "If it was not you, do not confirm: somebody is using your account. Change your password at {origin}/sign-in and sign out your other sessions."
            )),
        ],
        reason: account_at(origin),
    }
}

pub fn email_change_new(link: &str, until: &str, origin: &str) -> Words {
    Words {
        subject: "Confirm your e-mail address for Keywright".to_owned(),
        title: "Confirm your e-mail address".to_owned(),
        before: vec![sentences(format!(
            "An account at {origin} is to use this address. It changes when both the old and this address have confirmed it."
        ))],
        action: Some(("Confirm this address", link.to_owned())),
        after: vec![
            sentences(format!("The link works once, until {until}.")),
            sentences("If you know nothing of it, do nothing: the address is not used without you."),
        ],
        reason: format!("You get this because somebody at {origin} entered this address as their own."),
    }
}

/// What happened, as a subject.
const fn subject(event: &SecurityEvent) -> &'static str {
    match event {
        SecurityEvent::NewPlace => "New sign-in to your Keywright account",
        SecurityEvent::FactorEnrolled => "Two-factor was switched on",
        SecurityEvent::FactorReplaced => "Your authenticator app was replaced",
        SecurityEvent::FactorRemoved => "Two-factor was switched off",
        SecurityEvent::FactorReset => "Your second factor was reset",
        SecurityEvent::RecoveryCodeUsed { .. } => "A recovery code was used",
        SecurityEvent::RecoveryCodesRenewed => "New recovery codes were made",
        SecurityEvent::FactorRefused => "Somebody knew your password, but not the second factor",
        SecurityEvent::PasswordChanged
        | SecurityEvent::PasswordReset
        | SecurityEvent::PasswordSetByOperator => "Your password was changed",
        SecurityEvent::EmailChanged => "Your e-mail address was changed",
    }
}

/// What to do if it was not them.
const fn otherwise(event: &SecurityEvent) -> &'static str {
    match event {
        SecurityEvent::FactorRefused => {
            "If it was you, nothing needs doing. If it was not, change your password at once, and everywhere else you use it: somebody knows it."
        }
        SecurityEvent::PasswordChanged
        | SecurityEvent::PasswordReset
        | SecurityEvent::PasswordSetByOperator => {
            "If it was you, nothing needs doing. If it was not, somebody else has your account: choose a new password with “Forgot your password?” on the sign-in page, or ask an administrator for a link, at once."
        }
        // A link for a new password would go to the new address, and a code would be asked for that they do not have.
        SecurityEvent::EmailChanged | SecurityEvent::FactorEnrolled | SecurityEvent::FactorReplaced => {
            "If it was you, nothing needs doing. If it was not, somebody else has your account, and you may not get in any more: ask an administrator at once to end its sessions and to undo this."
        }
        SecurityEvent::FactorReset => {
            "If you asked for it, set up a new second factor now. If you did not, change your password and ask your administrator who did it and why."
        }
        SecurityEvent::NewPlace
        | SecurityEvent::FactorRemoved
        | SecurityEvent::RecoveryCodeUsed { .. }
        | SecurityEvent::RecoveryCodesRenewed => {
            "If it was you, nothing needs doing. If it was not, change your password at once, sign out your other sessions, and tell your administrator: somebody else has your account."
        }
    }
}

pub fn security(happening: &Happening, link: &str, at: &str, origin: &str) -> Words {
    let mut facts = vec![("When", at.to_owned())];
    if !happening.device.is_empty() {
        facts.push(("With", crate::model::text::shown(&happening.device, 100)));
    }
    if let Some(ip) = &happening.ip {
        facts.push(("From", ip.clone()));
    }
    let event = &happening.event;
    let title = subject(event);
    let sentence = event.sentence();
    // The heading often says it all, and what to do follows.
    let adds = !sentence.starts_with(title) || sentence.contains(';');
    let mut before: Vec<Part> = adds.then(|| sentences(sentence)).into_iter().collect();
    before.extend([Part::Facts(facts), sentences(otherwise(event))]);
    Words {
        subject: title.to_owned(),
        title: title.to_owned(),
        before,
        action: Some(("Look at your sessions", link.to_owned())),
        after: Vec::new(),
        reason: account_at(origin),
    }
}

pub fn test(origin: &str) -> Words {
    Words {
        subject: "Test mail from Keywright".to_owned(),
        title: "Mail works".to_owned(),
        before: vec![sentences(format!(
            "An administrator of {origin} sent this to see whether mail arrives. It does."
        ))],
        after: vec![sentences("Nothing needs doing.")],
        reason: format!("You get this because an administrator of {origin} entered your address."),
        ..Words::default()
    }
}
