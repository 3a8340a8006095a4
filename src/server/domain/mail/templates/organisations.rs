//! Letters about belonging to an organisation.

use super::{NAME_MAX, Part, Words};
use crate::model::calendar::counted;
use crate::model::org::Role;
use crate::model::text::shown;

/// Keys that are named; of more, the number.
const KEYS_MAX: usize = 50;

const fn with_article(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Developer => "a developer",
        Role::Auditor => "an auditor",
    }
}

pub fn invitation(
    (organisation, inviter, role): (&str, &str, Role),
    link: &str,
    until: &str,
    origin: &str,
) -> Words {
    let role = with_article(role);
    Words {
        subject: format!("{inviter} invites you to {organisation} on Keywright"),
        title: format!("Join {organisation}"),
        before: vec![Part::Sentences(format!(
            "{inviter} invites you to {organisation} as {role}. Keywright is where {organisation} issues, restricts and revokes its API keys."
        ))],
        action: Some(("Look at the invitation", link.to_owned())),
        after: vec![
            Part::Sentences(format!(
                "The link works once, until {until}. It is for you alone: do not pass it on."
            )),
            Part::Sentences(format!(
                "If you do not know {inviter} or {organisation}, do nothing. Nobody can join in your name without the link."
            )),
        ],
        reason: format!("You get this because somebody at {origin} entered your address to invite you."),
    }
}

pub fn membership_ended(organisation: &str, suspended: bool, origin: &str) -> Words {
    let (title, sentence) = if suspended {
        (
            format!("Your access to {organisation} is suspended"),
            format!(
                "An administrator of {organisation} has suspended your access. You see nothing of it until they let you in again; keys that you own there are refused meanwhile."
            ),
        )
    } else {
        (
            format!("Your access to {organisation} has ended"),
            format!(
                "You are no longer a member of {organisation}. Your account stays, with its other organisations."
            ),
        )
    };
    Words {
        subject: title.clone(),
        title,
        before: vec![Part::Sentences(sentence)],
        after: vec![Part::Sentences(format!(
            "If this surprises you, ask an administrator of {organisation}."
        ))],
        reason: format!("You get this because you were a member of {organisation} at {origin}."),
        ..Words::default()
    }
}

pub fn keys_transferred(
    organisation: &str,
    (keys, to_collect): (&[String], &[String]),
    origin: &str,
) -> Words {
    let in_all = keys.len() + to_collect.len();
    let count = i64::try_from(in_all).unwrap_or(i64::MAX);
    let (are, them) = if count == 1 { ("is", "it") } else { ("are", "them") };
    let name = |name: &String| shown(name.trim(), NAME_MAX);
    let waiting = |key: &String| format!("{}: its new secret waits for you", name(key));
    let mut items: Vec<String> = to_collect
        .iter()
        .map(waiting)
        .chain(keys.iter().map(name))
        .take(KEYS_MAX)
        .collect();
    if let Some(more) = in_all.checked_sub(KEYS_MAX).filter(|more| *more > 0) {
        items.push(format!("and {more} more"));
    }
    let title = format!("{} of {organisation} {are} now yours", counted(count, "key"));
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences(format!(
                "The former owner has left {organisation}, and an administrator made you the owner of {them}:"
            )),
            Part::Items(items),
        ],
        action: Some(match to_collect.is_empty() {
            true => ("Look at the keys", format!("{origin}/settings/api-keys")),
            false => ("Collect the new secrets", format!("{origin}/settings/rotation")),
        }),
        after: vec![Part::Sentences(match to_collect.is_empty() {
            true => format!(
                "Nothing changes for the services that use {them}. Whoever left may know the secrets, so a rotation is due at once: give each another secret, and let the old one go on until nothing uses it any more."
            ),
            false => "Whoever left may know the secrets. A new one is made when you collect it, and shown once, to you alone; from then on the old one goes on only for as long as the page of the key says. Until then nothing changes for the services that use it."
                .to_owned(),
        })],
        reason: format!("You get this because you are a member of {organisation} at {origin}."),
    }
}

pub fn two_factor_required(
    organisation: &str,
    link: &str,
    (day, due_at): (&str, &str),
    origin: &str,
) -> Words {
    Words {
        subject: format!("{organisation} asks for a second factor from {day}"),
        title: format!("{organisation} asks for a second factor"),
        before: vec![Part::Sentences(format!(
            "From {due_at} on, {organisation} lets in only members who use two-factor authentication. You have not set it up yet. It takes two minutes and an authenticator app on your phone."
        ))],
        action: Some(("Set up two-factor", link.to_owned())),
        after: vec![Part::Sentences(
            "After that day you can still sign in, but you reach nothing of the organisation before it is set up. Your keys go on working."
                .to_owned(),
        )],
        reason: format!("You get this because you are a member of {organisation} at {origin}."),
    }
}
