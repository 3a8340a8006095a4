//! The words of every letter, and their two forms: plain text, and HTML that says the same.
//!
//! A letter is written as [`Words`] once; `text` and `html` lay them out. What comes from people is cut and cleaned on
//! the way in ([`named`]) and escaped on the way out (R42), and nothing is loaded from anywhere.

mod accounts;
mod approvals;
mod html;
mod incidents;
mod keys;
mod organisations;
mod reviews;
mod text;
mod when;

use super::{Letter, Recipient};
use crate::model::text::{NOTE_MAX, shown};

/// Names longer than this are cut: a letter is no place for them.
const NAME_MAX: usize = 100;

/// A letter as it is sent.
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What a letter says, in order.
#[derive(Default)]
pub(super) struct Words {
    pub subject: String,
    /// The heading; the subject says it to whoever has not opened the mail.
    pub title: String,
    pub before: Vec<Part>,
    /// A label and where it leads; the address is written out as well.
    pub action: Option<(&'static str, String)>,
    pub after: Vec<Part>,
    /// Why this person gets it.
    pub reason: String,
}

pub(super) enum Part {
    Sentences(String),
    Items(Vec<String>),
    /// Labels and values.
    Facts(Vec<(&'static str, String)>),
}

/// Something that people have typed, as part of a sentence.
fn named(raw: &str) -> String {
    shown(raw.trim(), NAME_MAX)
}

/// The same for what somebody wrote as a whole sentence or more.
fn named_long(raw: &str) -> String {
    let lines: Vec<&str> = raw
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    shown(&lines.join(" "), NOTE_MAX)
}

/// Writes a letter. `origin` is where Keywright is.
#[must_use]
pub fn compose(to: &Recipient, letter: &Letter, origin: &str) -> Written {
    let words = words(to, letter, origin);
    Written {
        text: text::laid_out(&words, origin),
        html: html::laid_out(&words, origin),
        subject: words.subject,
    }
}

fn words(to: &Recipient, letter: &Letter, origin: &str) -> Words {
    let zone = to.time_zone.as_str();
    match letter {
        Letter::Invitation {
            organisation,
            inviter,
            role,
            link,
            expires_at,
        } => organisations::invitation(
            (&named(organisation), &named(inviter), *role),
            link,
            &when::told(*expires_at, zone),
            origin,
        ),
        Letter::PasswordReset { by, link, expires_at } => accounts::password_reset(
            by.as_deref().map(named).as_deref(),
            link,
            &when::told(*expires_at, zone),
            origin,
        ),
        Letter::EmailChangeOld {
            new_email,
            link,
            expires_at,
        } => accounts::email_change_old(
            &shown(new_email, 254),
            link,
            &when::told(*expires_at, zone),
            origin,
        ),
        Letter::EmailChangeNew { link, expires_at } => {
            accounts::email_change_new(link, &when::told(*expires_at, zone), origin)
        }
        Letter::Security { happening, link } => {
            accounts::security(happening, link, &when::told(happening.at, zone), origin)
        }
        Letter::MembershipEnded {
            organisation,
            suspended,
        } => organisations::membership_ended(&named(organisation), *suspended, origin),
        Letter::KeysTransferred {
            organisation,
            keys,
            to_collect,
        } => organisations::keys_transferred(&named(organisation), (keys, to_collect), origin),
        Letter::TwoFactorRequired {
            organisation,
            due_at,
            link,
        } => organisations::two_factor_required(
            &named(organisation),
            link,
            (&when::day(*due_at, zone), &when::told(*due_at, zone)),
            origin,
        ),
        Letter::PolicyBreaks {
            organisation,
            environment,
            from,
            keys,
        } => keys::policy_breaks(
            &named(organisation),
            *environment,
            keys,
            &when::day(*from, zone),
            origin,
        ),
        Letter::IncidentOpened {
            organisation,
            key,
            by,
            suspected_since,
            frozen,
            link,
        } => incidents::opened(
            (
                &named(organisation),
                &named(key),
                by.as_deref().map(named).as_deref(),
            ),
            (&when::told(*suspected_since, zone), *frozen),
            link,
            origin,
        ),
        Letter::IncidentItem {
            organisation,
            key,
            item,
            by,
            link,
        } => incidents::item(
            (
                &named(organisation),
                &named(key),
                by.as_deref().map(named).as_deref(),
            ),
            &shown(item.trim(), 200),
            link,
            origin,
        ),
        Letter::KeyLeaked {
            organisation,
            key,
            key_id,
            end,
            source,
            url,
        } => keys::key_leaked(
            (&named(organisation), &named(key), key_id),
            *end,
            (&named(source), &shown(url.trim(), 300)),
            origin,
        ),
        Letter::KeysUnused {
            organisation,
            keys,
            days,
            from,
        } => keys::unused(
            &named(organisation),
            keys,
            *days,
            from.map(|from| when::day(from, zone)).as_deref(),
            origin,
        ),
        Letter::RotationDue { organisation, keys } => {
            keys::rotation_due(&named(organisation), keys, zone, origin)
        }
        Letter::RotationsOpened { organisation, keys } => {
            keys::rotations_opened(&named(organisation), keys, origin)
        }
        Letter::ReviewDue {
            organisation,
            review,
            open,
            deadline,
            link,
        } => reviews::due(
            (&named(organisation), &named(review)),
            *open,
            link,
            (&when::day(*deadline, zone), &when::told(*deadline, zone)),
            origin,
        ),
        Letter::ReviewFinished {
            organisation,
            review,
            progress,
            link,
        } => reviews::finished((&named(organisation), &named(review)), *progress, link, origin),
        Letter::ApprovalsWaiting {
            organisation,
            requests,
            link,
        } => approvals::waiting(&named(organisation), requests, link, zone, origin),
        Letter::ApprovalResult {
            organisation,
            key,
            what,
            state,
            by,
            comment,
            link,
        } => approvals::result(
            (&named(organisation), &named(key)),
            (*what, *state),
            (by.as_deref().map(named).as_deref(), &named_long(comment)),
            link,
            origin,
        ),
        Letter::Test => accounts::test(origin),
    }
}

/// What a kind of letter is about, for the page of what waits.
#[must_use]
pub fn about(kind: &str) -> &str {
    match kind {
        "invitation" => "Invitation",
        "password_reset" => "New password",
        "email_change_old" => "Change of address, to the old one",
        "email_change_new" => "Change of address, to the new one",
        "security" => "Security notice",
        "membership_ended" => "Membership ended",
        "keys_transferred" => "Keys transferred",
        "two_factor_required" => "Two-factor required",
        "policy_breaks" => "Policy that keys break",
        "incident_opened" => "Incident opened",
        "incident_item" => "Incident: something to do",
        "key_leaked" => "Secret found in public",
        "keys_unused" => "Unused keys",
        "rotation_due" => "Rotations that are due",
        "rotations_opened" => "New secrets to be collected",
        "review_due" => "Access review to be done",
        "review_finished" => "Access review finished",
        "approvals_waiting" => "Requests that wait for approval",
        "approval_result" => "Result of a request",
        "test" => "Test mail",
        other => other,
    }
}

#[cfg(test)]
mod tests;
