//! Letters about requests that a second person decides.

use super::{NAME_MAX, Part, Words, when};
use crate::model::approval::{ApprovalKind, ApprovalState};
use crate::model::calendar::counted;
use crate::model::text::shown;
use crate::server::domain::mail::WaitingRequest;

/// Requests that are named; of more, the number.
const NAMED: usize = 50;

pub fn waiting(
    organisation: &str,
    requests: &[WaitingRequest],
    link: &str,
    zone: &str,
    origin: &str,
) -> Words {
    let count = i64::try_from(requests.len()).unwrap_or(i64::MAX);
    let wait = if count == 1 { "waits" } else { "wait" };
    let title = format!("{} {wait} for your approval", counted(count, "request"));
    let told = |request: &WaitingRequest| {
        let (key, by) = (
            shown(request.key.trim(), NAME_MAX),
            shown(request.by.trim(), NAME_MAX),
        );
        let what = match request.kind {
            ApprovalKind::Create => "new key",
            ApprovalKind::Edit => "change of",
        };
        format!(
            "{what} {key}, asked for by {by}; lapses on {}",
            when::day(request.lapses_at, zone)
        )
    };
    let mut items: Vec<String> = requests.iter().take(NAMED).map(told).collect();
    if requests.len() > NAMED {
        items.push(format!("and {} more", requests.len() - NAMED));
    }
    Words {
        subject: format!("{title} in {organisation}"),
        title,
        before: vec![
            Part::Sentences(format!(
                "The policy of {organisation} asks that a second person approves these:"
            )),
            Part::Items(items),
        ],
        action: Some(("Decide", link.to_owned())),
        after: vec![Part::Sentences(
            "What nobody decides in time lapses, and has to be asked for again.".to_owned(),
        )],
        reason: format!(
            "You get this because you approve requests of {organisation} at {origin}. It comes once a day while something waits."
        ),
    }
}

pub fn result(
    (organisation, key): (&str, &str),
    (kind, state): (ApprovalKind, ApprovalState),
    (by, comment): (Option<&str>, &str),
    link: &str,
    origin: &str,
) -> Words {
    let by = by.unwrap_or("Nobody");
    let what = match kind {
        ApprovalKind::Create => format!("the new key {key}"),
        ApprovalKind::Edit => format!("the change of {key}"),
    };
    let (title, said, action) = match (state, kind) {
        (ApprovalState::Approved, ApprovalKind::Create) => (
            format!("Approved: {key}"),
            format!(
                "{by} has approved {what} in {organisation}. Its secret is made when you collect it, and shown to you once."
            ),
            "Collect the secret",
        ),
        (ApprovalState::Approved, ApprovalKind::Edit) => (
            format!("Approved: {key}"),
            format!("{by} has approved {what} in {organisation}. It holds from now on."),
            "Look at the request",
        ),
        (ApprovalState::Declined, _) => (
            format!("Declined: {key}"),
            format!("{by} has declined {what} in {organisation}. Nothing was changed."),
            "Look at the request",
        ),
        _ => (
            format!("Lapsed: {key}"),
            format!(
                "Nobody decided about {what} in {organisation} in time. Nothing was changed; ask again if it is still needed."
            ),
            "Look at the request",
        ),
    };
    let comment = (!comment.is_empty()).then(|| Part::Facts(vec![("Comment", comment.to_owned())]));
    Words {
        subject: title.clone(),
        title,
        before: std::iter::once(Part::Sentences(said)).chain(comment).collect(),
        action: Some((action, link.to_owned())),
        after: Vec::new(),
        reason: format!("You get this because you asked for it in {organisation} at {origin}."),
    }
}
