//! Letters about keys.

use super::{NAME_MAX, Part, Words};
use crate::model::calendar::counted;
use crate::model::key::Environment;
use crate::model::text::shown;

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
