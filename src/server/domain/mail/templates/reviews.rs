//! Letters about access reviews.

use super::{Part, Words};
use crate::model::calendar::counted;
use crate::model::review::Progress;

pub fn due(
    (organisation, review): (&str, &str),
    open: i64,
    link: &str,
    (day, until): (&str, &str),
    origin: &str,
) -> Words {
    let wait = if open == 1 { "waits" } else { "wait" };
    let keys = counted(open, "key");
    Words {
        subject: format!("{keys} {wait} for your review until {day}"),
        title: format!("{keys} {wait} for your review"),
        before: vec![Part::Sentences(format!(
            "{organisation} reviews who may do what: {review}. For each of your keys, say until {until} whether it is kept, tightened to what it needs, or revoked."
        ))],
        action: Some(("Review the keys", link.to_owned())),
        after: vec![Part::Sentences(
            "Each key comes with what is known of it: when it was used last, and what of its access nothing needed for 90 days."
                .to_owned(),
        )],
        reason: format!("You get this because you review keys of {organisation} at {origin}."),
    }
}

pub fn finished((organisation, review): (&str, &str), done: Progress, link: &str, origin: &str) -> Words {
    let rest = (done.all - done.decided() - done.disabled).max(0);
    let facts = [
        ("Kept", done.kept),
        ("Tightened", done.tightened),
        ("Revoked", done.revoked),
        ("Disabled, because nobody decided", done.disabled),
        ("Without a decision", rest),
    ];
    Words {
        subject: format!("Access review finished: {review}"),
        title: format!("{review} is finished"),
        before: vec![
            Part::Sentences(format!(
                "The access review of {organisation} has ended. It looked at {}.",
                counted(done.all, "key")
            )),
            Part::Facts(facts.map(|(label, count)| (label, count.to_string())).into()),
        ],
        action: Some(("Look at the result", link.to_owned())),
        after: vec![Part::Sentences(
            "There it can be exported too, as a table and as a signed document for auditors.".to_owned(),
        )],
        reason: format!("You get this because you own {organisation} at {origin}, or began the review."),
    }
}
