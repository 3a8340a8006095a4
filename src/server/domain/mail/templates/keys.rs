//! Letters about keys.

use super::{NAME_MAX, Part, Words};
use crate::model::calendar::counted;
use crate::model::key::Environment;
use crate::model::text::shown;
use crate::server::domain::mail::LeakEnd;

/// Keys that are named; of more, the number.
const KEYS_MAX: usize = 50;

/// Names as items, the rest as a number.
fn named_keys(keys: &[String]) -> Part {
    let mut items: Vec<String> = keys
        .iter()
        .take(KEYS_MAX)
        .map(|name| shown(name.trim(), NAME_MAX))
        .collect();
    if let Some(more) = keys.len().checked_sub(KEYS_MAX).filter(|more| *more > 0) {
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
            format!("A key of yours does not keep the new policy of {organisation}"),
            "it",
        ),
        _ => (
            format!("{count} keys of yours do not keep the new policy of {organisation}"),
            "they",
        ),
    };
    Words {
        subject: title.clone(),
        title,
        before: vec![
            Part::Sentences(format!(
                "{organisation} has changed its policy for {environment} keys. It holds from {day} on. {} of yours would break it:",
                counted(count, "key")
            )),
            named_keys(keys),
        ],
        action: Some(("Look at the keys", format!("{origin}/settings/api-keys"))),
        after: vec![Part::Sentences(format!(
            "Nothing is switched off: {they} go on as before. The page of each key says what is asked of it, and from that day on it can be edited or rotated only if it keeps the policy afterwards."
        ))],
        reason: format!("You get this because you own keys of {organisation} at {origin}."),
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
            "The policy leaves it to you: the key goes on, and whoever has found it can use it.",
            "Rotate it without an overlap, or revoke it, now. Then look at what it was used for since it leaked.",
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
