//! Letters about keys that may have leaked.

use super::{Part, Words};

pub fn opened(
    (organisation, key, by): (&str, &str, Option<&str>),
    (since, frozen): (&str, bool),
    link: &str,
    origin: &str,
) -> Words {
    let who = by.unwrap_or("Keywright");
    let state = match frozen {
        true => "The key is frozen: every request with it is refused until its secret is replaced.",
        false => "The key has not been frozen: whoever has it can still use it.",
    };
    Words {
        subject: format!("{key} of {organisation} may have leaked"),
        title: format!("{key} may have leaked"),
        before: vec![
            Part::Sentences(format!(
                "{who} opened an incident: the API key {key} of {organisation} may have been in other hands since {since}."
            )),
            Part::Sentences(state.to_owned()),
        ],
        action: Some(("Look at the incident", link.to_owned())),
        after: vec![Part::Sentences(
            "The page shows from where and for what the key was used, and what is to be done.".to_owned(),
        )],
        reason: format!(
            "You get this because you look after {organisation} at {origin}, or the key is yours."
        ),
    }
}

pub fn item(
    (organisation, key, by): (&str, &str, Option<&str>),
    item: &str,
    link: &str,
    origin: &str,
) -> Words {
    let who = by.unwrap_or("Keywright");
    Words {
        subject: format!("Something to do about {key}"),
        title: format!("Something to do about {key}"),
        before: vec![
            Part::Sentences(format!(
                "The API key {key} of {organisation} may have leaked. {who} asks you to take care of this:"
            )),
            Part::Items(vec![item.to_owned()]),
        ],
        action: Some(("Look at the incident", link.to_owned())),
        after: vec![Part::Sentences(
            "Tick it there when it is done, with a note if there is something to say.".to_owned(),
        )],
        reason: format!("You get this because you are a member of {organisation} at {origin}."),
    }
}
