//! The report of an incident as a file: JSON with everything, Markdown for people, CSV of how the key was used.
//!
//! No secret is anywhere near: of the key its id, name and rules are told.

use std::fmt::Write;

use serde_json::{Value, json};

use super::view;
use crate::model::actor::Actor;
use crate::model::calendar::{counted, grouped};
use crate::model::country::CountryCode;
use crate::model::error::FieldError;
use crate::model::id::IncidentId;
use crate::model::incident::{ChecklistItem, IncidentPage, UseGroup, Uses};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::spreadsheet::quoted;

/// What the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Markdown,
    Csv,
}

impl Format {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        match text {
            "json" => Ok(Self::Json),
            "markdown" => Ok(Self::Markdown),
            "csv" => Ok(Self::Csv),
            _ => Err(FieldError::new(
                "format",
                "choice",
                "Choose JSON, Markdown or CSV.",
            )),
        }
    }

    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Csv => "csv",
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// The report. That it was taken away is recorded.
pub async fn export(
    ctx: &Context,
    actor: &Actor,
    id: &IncidentId,
    format: &str,
) -> Result<(Format, String), DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let page = view::page(ctx, actor, id, None).await?;
    let format = Format::parse(format)?;
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&as_json(&page)).unwrap_or_default(),
        Format::Markdown => as_markdown(&page),
        Format::Csv => as_csv(&page),
    };
    let mut tx = audit::begin(ctx, actor).await?;
    let detail = json!({ "format": format.extension() });
    let entry = Entry::new("incident.exported", "incident", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, page.now).await?;
    tx.commit().await?;
    Ok((format, text))
}

fn told(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

fn groups(name: &str, uses: &Uses) -> Value {
    let row = |group: &UseGroup| {
        let mut row = json!({
            name: group.value,
            "firstSeen": group.first_at.rfc3339(), "lastSeen": group.last_at.rfc3339(),
            "requestsBefore": group.before, "requestsAfter": group.after, "refusedAfter": group.refused,
            "new": group.is_new,
        });
        if let Some(keys) = group.keys {
            row["keysFromThisAddress"] = json!(keys);
        }
        row
    };
    json!({ "rows": uses.rows.iter().map(row).collect::<Vec<_>>(), "more": uses.more })
}

fn as_json(page: &IncidentPage) -> Value {
    let IncidentPage {
        incident,
        key,
        timeline,
        ..
    } = page;
    let item = |item: &ChecklistItem| {
        json!({
            "number": item.number, "text": item.text,
            "owner": item.assignee.as_ref().map(|member| &member.name),
            "done": item.is_done(), "doneAt": told(item.done_at), "doneBy": item.done_by,
            "settledBy": item.fact.map(|fact| fact.in_words()), "note": item.note,
        })
    };
    let siblings = page.siblings.rows.iter().map(|sibling| {
        let addresses = sibling.addresses.iter().map(|address| {
            json!({ "address": address.ip, "keysFromThisAddress": address.keys, "requests": address.requests })
        });
        json!({
            "keyId": sibling.key_id, "name": sibling.name, "status": sibling.status.as_str(),
            "lastUsed": sibling.last_at.rfc3339(), "addresses": addresses.collect::<Vec<_>>(),
        })
    });
    json!({
        "format": "keywright-incident-1",
        "exportedAt": page.now.rfc3339(),
        "organisation": page.organisation,
        "incident": {
            "id": incident.id, "status": incident.status.as_str(),
            "suspectedSince": incident.suspected_since.rfc3339(),
            "openedAt": incident.opened_at.rfc3339(), "openedBy": incident.opened_by,
            "frozenAt": told(incident.frozen_at), "replacedAt": told(incident.replaced_at),
            "closedAt": told(incident.closed_at), "closedBy": incident.closed_by,
            "noticed": incident.noticed, "cause": incident.cause,
            "impact": incident.impact, "lessons": incident.lessons,
        },
        "key": {
            "id": key.summary.id, "name": key.summary.name, "environment": key.summary.environment.as_str(),
            "project": key.summary.project_name, "owner": key.summary.owner.shown(),
            "status": key.status.as_str(), "scopes": key.summary.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
            "restrictions": key.restrictions.in_words(), "createdAt": key.summary.created_at.rfc3339(),
            "revokedAt": told(key.revoked_at),
        },
        "use": {
            "from": timeline.horizon.rfc3339(), "until": timeline.until.rfc3339(), "readFrom": timeline.read_from.rfc3339(),
            "requestsBefore": timeline.before, "requestsAfter": timeline.after, "refusedAfter": timeline.refused,
            "addresses": groups("address", &timeline.addresses),
            "countries": groups("country", &timeline.countries),
            "endpoints": groups("endpoint", &timeline.endpoints),
            "clients": groups("client", &timeline.agents),
        },
        "otherKeys": {
            "rows": siblings.collect::<Vec<_>>(), "more": page.siblings.more, "crowdedAddresses": page.siblings.crowded,
        },
        "checklist": page.checklist.iter().map(item).collect::<Vec<_>>(),
    })
}

/// Text as Markdown that says nothing but itself: what would be markup is escaped, line breaks stay.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("  \n"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!' | '|'
            | '~' | '.' | ':' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn section(out: &mut String, title: &str, text: &str) {
    let text = if text.is_empty() {
        "Not told.".to_owned()
    } else {
        plain(text)
    };
    let _ = write!(out, "\n## {title}\n\n{text}\n");
}

fn use_table(out: &mut String, title: &str, uses: &Uses) {
    if uses.rows.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "\n### {title}\n\n| | new | first seen | last seen | before | after | refused |\n|---|---|---|---|---|---|---|\n"
    );
    for group in &uses.rows {
        let value = if group.value.is_empty() {
            "Not told".to_owned()
        } else {
            plain(&group.value)
        };
        let new = if group.is_new { "yes" } else { "" };
        let (first, last) = (group.first_at.rfc3339(), group.last_at.rfc3339());
        let (before, after) = (grouped(group.before), grouped(group.after));
        let refused = grouped(group.refused);
        let _ = writeln!(
            out,
            "| {value} | {new} | {first} | {last} | {before} | {after} | {refused} |"
        );
    }
    if uses.more > 0 {
        let _ = writeln!(out, "\nAnd {} more.", grouped(uses.more));
    }
}

/// The same groups with the names of the countries beside their codes.
fn named(uses: &Uses) -> Uses {
    let mut uses = uses.clone();
    for row in &mut uses.rows {
        if let Some(code) = CountryCode::from_letters(&row.value) {
            row.value = code.in_words();
        }
    }
    uses
}

fn as_markdown(page: &IncidentPage) -> String {
    let IncidentPage {
        incident,
        key,
        timeline,
        ..
    } = page;
    let mut out = format!("# Incident report: {}\n\n", plain(&key.summary.name));
    let closed = incident.closed_at.zip(incident.closed_by.as_ref());
    let facts = [
        ("Organisation", Some(plain(&page.organisation))),
        ("Incident", Some(plain(incident.id.as_str()))),
        (
            "Key",
            Some(format!(
                "{}, {}",
                plain(&key.summary.hint),
                plain(key.summary.id.as_str())
            )),
        ),
        ("Suspected since", Some(incident.suspected_since.exact_in_words())),
        (
            "Opened",
            Some(format!(
                "{} by {}",
                incident.opened_at.exact_in_words(),
                plain(&incident.opened_by)
            )),
        ),
        ("Frozen", incident.frozen_at.map(Timestamp::exact_in_words)),
        ("Replaced", incident.replaced_at.map(Timestamp::exact_in_words)),
        ("Revoked", key.revoked_at.map(Timestamp::exact_in_words)),
        (
            "Closed",
            closed.map(|(at, by)| format!("{} by {}", at.exact_in_words(), plain(by))),
        ),
        ("Report of", Some(page.now.exact_in_words())),
    ];
    for (label, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(out, "- **{label}:** {value}");
        }
    }
    section(&mut out, "How it was noticed", &incident.noticed);
    section(&mut out, "Cause", &incident.cause);
    section(&mut out, "Impact", &incident.impact);
    section(&mut out, "What was learnt", &incident.lessons);
    let _ = write!(
        out,
        "\n## Use of the key\n\n{} before the suspected moment, from {} on; {} after it, {} of them refused.\n",
        counted(timeline.before, "request"),
        timeline.horizon.exact_in_words(),
        counted(timeline.after, "request"),
        grouped(timeline.refused),
    );
    use_table(&mut out, "By address", &timeline.addresses);
    use_table(&mut out, "By country", &named(&timeline.countries));
    use_table(&mut out, "By endpoint", &timeline.endpoints);
    use_table(&mut out, "By client", &timeline.agents);
    if !page.siblings.rows.is_empty() {
        out.push_str("\n## Other keys used from the same addresses\n\n");
        for sibling in &page.siblings.rows {
            let addresses: Vec<&str> = sibling
                .addresses
                .iter()
                .map(|address| address.ip.as_str())
                .collect();
            let (name, id) = (plain(&sibling.name), plain(sibling.key_id.as_str()));
            let _ = writeln!(
                out,
                "- {name} ({id}), {}: {}",
                sibling.status.label(),
                plain(&addresses.join(", "))
            );
        }
    }
    out.push_str("\n## Checklist\n\n");
    for item in &page.checklist {
        let tick = if item.is_done() { "x" } else { " " };
        let _ = write!(out, "- [{tick}] {}", plain(&item.text));
        if let Some(member) = &item.assignee {
            let _ = write!(out, " ({})", plain(&member.name));
        }
        if let Some(fact) = item.fact {
            let _ = write!(out, " – {}", fact.in_words());
        }
        if let Some((at, by)) = item.done_at.zip(item.done_by.as_ref()) {
            let _ = write!(out, " – done {} by {}", at.exact_in_words(), plain(by));
        }
        if !item.note.is_empty() {
            let _ = write!(out, "  \n  {}", plain(&item.note).replace('\n', "\n  "));
        }
        out.push('\n');
    }
    out
}

fn as_csv(page: &IncidentPage) -> String {
    let mut out = String::from(
        "kind,value,new,first_seen,last_seen,requests_before,requests_after,refused_after,keys_from_this_address\r\n",
    );
    let timeline = &page.timeline;
    let kinds = [
        ("address", &timeline.addresses),
        ("country", &timeline.countries),
        ("endpoint", &timeline.endpoints),
        ("client", &timeline.agents),
    ];
    for (kind, uses) in kinds {
        for group in &uses.rows {
            let keys = group.keys.map(|keys| keys.to_string()).unwrap_or_default();
            let (first, last) = (group.first_at.rfc3339(), group.last_at.rfc3339());
            let _ = write!(
                out,
                "{kind},{},{},{first},{last},{},{},{},{keys}\r\n",
                quoted(&group.value),
                group.is_new,
                group.before,
                group.after,
                group.refused,
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_clients_wrote_is_neither_markup_nor_formula() {
        assert_eq!(quoted("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(quoted("curl \"8\""), "\"curl \"\"8\"\"\"");
        for text in ["+1", "-1", "@x", "\tx"] {
            assert!(quoted(text).starts_with("\"'"), "{text}");
        }
        let hostile = plain("[x](javascript:alert(1)) <img src=x> | a\n# b");
        assert!(
            !hostile.contains("](") && !hostile.contains('<') && !hostile.contains("\n#"),
            "{hostile}"
        );
        assert!(!hostile.contains(" | "), "{hostile}");
    }
}
