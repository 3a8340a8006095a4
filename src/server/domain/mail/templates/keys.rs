//! Letters about keys.

use super::{NAME_MAX, Part, Words, when};
use crate::model::calendar::counted;
use crate::model::key::Environment;
use crate::model::text::shown;
use crate::server::domain::mail::{DueKey, LeakEnd};

/// Keys that are named; of more, the number.
const KEYS_MAX: usize = 50;

/// Names as items, the rest as a number.
fn named_keys(keys: &[String]) -> Part {
    listed(keys.iter().map(|name| shown(name.trim(), NAME_MAX)).collect())
}

fn listed(mut items: Vec<String>) -> Part {
    if let Some(more) = items.len().checked_sub(KEYS_MAX).filter(|more| *more > 0) {
        items.truncate(KEYS_MAX);
        items.push(format!("and {more} more"));
    }
    Part::Items(items)
}

pub fn policy_breaks(
    organisation: &str,
    environment: Environment,
    keys: &[String],
    day: &str,
    origin: &str,
) -> Words {
    let environment = environment.as_str();
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let (title, they) = match count {
        1 => (
            format!("A key that you look after does not keep the new policy of {organisation}"),
            "it",
        ),
        _ => (
            format!("{count} keys that you look after do not keep the new policy of {organisation}"),
            "they",
        ),
    };
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences(format!(
                "{organisation} has changed its policy for {environment} keys. It holds from {day} on. {} that you look after would break it:",
                counted(count, "key")
            )),
            named_keys(keys),
        ],
        action: Some(("Look at the keys", format!("{origin}/settings/api-keys"))),
        after: vec![Part::Sentences(format!(
            "Nothing is switched off: {they} go on as before. The page of each key says what is asked of it, and from that day on it can be edited or rotated only if it keeps the policy afterwards."
        ))],
        reason: format!(
            "You get this because you own these keys of {organisation}, or look after them as an admin, at {origin}."
        ),
    }
}

pub fn key_leaked(
    (organisation, key, key_id): (&str, &str, &str),
    end: LeakEnd,
    (source, url): (&str, &str),
    origin: &str,
) -> Words {
    let (title, what, next) = match end {
        LeakEnd::Revoked => (
            format!("The key {key} was found in public and is revoked"),
            "It was revoked at once and is refused everywhere from now on.",
            "Whatever used it needs a new key. Look at what the key was used for since it leaked.",
        ),
        LeakEnd::GoesOn => (
            format!("The key {key} was found in public"),
            "The policy leaves it to you: the key goes on, and whoever has found it can use it. An incident is open.",
            "Go to the incident from the key's page: freeze the key, replace its secret or revoke it, now. Then look at what it was used for since it leaked.",
        ),
        LeakEnd::Replaced => (
            format!("An old secret of the key {key} was found in public"),
            "That secret had been replaced and is refused already, so nothing was done.",
            "Look whether the new secret lies in the same place.",
        ),
    };
    let mut facts = vec![("Key", key.to_owned()), ("Id", key_id.to_owned())];
    if !source.is_empty() {
        facts.push(("Source", source.to_owned()));
    }
    if !url.is_empty() {
        facts.push(("Found at", url.to_owned()));
    }
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences(format!(
                "Somebody who holds a secret of this key of {organisation} has reported that it is public. {what}"
            )),
            Part::Facts(facts),
        ],
        action: Some(("Look at the key", format!("{origin}/settings/api-keys/{key_id}"))),
        after: vec![
            Part::Sentences(next.to_owned()),
            Part::Sentences(
                "Where it was found is what the reporter says; nobody has looked there. Be careful with addresses you do not know."
                    .to_owned(),
            ),
        ],
        reason: format!(
            "You get this because you own the key, or are an admin of {organisation}, at {origin}. There is one such letter a key and day."
        ),
    }
}

/// Keys that nobody uses: `from` is the day from which on they are disabled; without it they are.
pub fn unused(organisation: &str, keys: &[String], days: i64, from: Option<&str>, origin: &str) -> Words {
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let (which, days) = (counted(count, "key"), counted(days, "day"));
    let are = if count == 1 { "is" } else { "are" };
    let (title, what, next) = match from {
        Some(from) => (
            format!("{which} of {organisation} will be disabled"),
            format!(
                "The policy of {organisation} disables keys that nobody has used for {days}. From {from} on that concerns:"
            ),
            "A key that is used until then stays as it is. One that is needed and rarely used is better enabled again afterwards than forgotten; one that is not is better revoked now.",
        ),
        None => (
            format!("{which} of {organisation} {are} disabled"),
            format!(
                "Nobody has used them for {days}, and you were told a week ago. They are refused from now on:"
            ),
            "If something needs one of them after all, enable it again on its page. If not, revoke it.",
        ),
    };
    Words {
        subject: title.clone(),
        title,
        before: vec![Part::Sentences(what), named_keys(keys)],
        action: Some((
            "Look at unused keys",
            format!("{origin}/settings/api-keys/unused"),
        )),
        after: vec![Part::Sentences(next.to_owned())],
        reason: format!(
            "You get this because you own these keys of {organisation}, or look after them as an admin, at {origin}."
        ),
    }
}

pub fn rotation_due(organisation: &str, keys: &[DueKey], zone: &str, origin: &str) -> Words {
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let overdue = i64::try_from(keys.iter().filter(|key| key.is_overdue).count()).unwrap_or(i64::MAX);
    let which = counted(count, "key");
    let title = match (overdue, overdue == count) {
        (0, _) => format!("{which} of {organisation} should get a new secret soon"),
        (_, true) => format!("The rotation of {which} of {organisation} is overdue"),
        _ => format!("{which} of {organisation} should get a new secret, {overdue} of them overdue"),
    };
    let told: Vec<String> = keys
        .iter()
        .map(|key| {
            let (name, day) = (shown(key.name.trim(), NAME_MAX), when::day(key.due_at, zone));
            match key.is_overdue {
                true => format!("{name}: overdue since {day}"),
                false => format!("{name}: due on {day}"),
            }
        })
        .collect();
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences("A secret that stays the same for long is known to more and more. It is time for:".to_owned()),
            listed(told),
        ],
        action: Some(("Look at what is due", format!("{origin}/settings/rotation"))),
        after: vec![Part::Sentences(
            "A rotation gives a key another secret while the old one goes on for as long as you choose, so nothing need stop."
                .to_owned(),
        )],
        reason: format!(
            "You get this because you own these keys of {organisation}, or look after them as an admin, at {origin}. It comes 14, 7 and 1 days before, and once a week afterwards."
        ),
    }
}

pub fn rotations_opened(organisation: &str, keys: &[String], origin: &str) -> Words {
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let title = match count {
        1 => format!("A new secret for a key of {organisation} waits for you"),
        _ => format!("New secrets for {count} keys of {organisation} wait for you"),
    };
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences(format!(
                "An administrator of {organisation} has opened the rotation of keys that you look after. Collect the new secret of:"
            )),
            named_keys(keys),
        ],
        action: Some(("Collect them", format!("{origin}/settings/rotation"))),
        after: vec![
            Part::Sentences(
                "Each is made in the moment when you collect it, and shown once, to you alone. Until then nothing changes; from then on the old secret goes on only for as long as its page says. So collect one when you have time to put it in place."
                    .to_owned(),
            ),
            Part::Sentences("No administrator needs to know it: give it to nobody who asks.".to_owned()),
        ],
        reason: format!(
            "You get this because you own these keys of {organisation}, or look after them as an admin, at {origin}."
        ),
    }
}
