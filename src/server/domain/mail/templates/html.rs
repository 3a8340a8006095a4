//! Letters as HTML. Styles are inline, because many programs drop all others; no colour is set for text or background,
//! so that each program's light or dark one stays readable. Nothing is loaded from anywhere.

use super::{Part, Words};

const BODY: &str = "margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:15px;line-height:1.5";
const BUTTON: &str = "display:inline-block;padding:10px 18px;border-radius:6px;background-color:#0b6478;color:#ffffff;font-weight:600;text-decoration:none";
const QUIET: &str = "font-size:13px;word-break:break-all";
const FOOT: &str = "margin:32px 0 0;padding-top:16px;border-top:1px solid #8a9499;font-size:13px";

/// Text stays text (R42): in elements and in quoted attributes alike.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

pub fn laid_out(words: &Words, origin: &str) -> String {
    let title = escaped(&words.title);
    let action = words.action.as_ref().map(|(label, link)| {
        let link = escaped(link);
        format!(
            "<p style=\"margin:24px 0\"><a href=\"{link}\" style=\"{BUTTON}\">{}</a></p>\n\
             <p style=\"{QUIET}\">If the button does nothing, copy this address: {link}</p>\n",
            escaped(label)
        )
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <title>{subject}</title>\n</head>\n<body style=\"{BODY}\">\n<div style=\"max-width:560px;margin:0 auto\">\n\
         <h1 style=\"margin:0 0 16px;font-size:20px;line-height:1.25;font-weight:600\">{title}</h1>\n\
         {before}{action}{after}<p style=\"{FOOT}\">{reason}<br>Keywright, {origin}</p>\n</div>\n</body>\n</html>\n",
        subject = escaped(&words.subject),
        before = parts(&words.before),
        action = action.unwrap_or_default(),
        after = parts(&words.after),
        reason = escaped(&words.reason),
        origin = escaped(origin),
    )
}

fn parts(parts: &[Part]) -> String {
    parts.iter().map(part).collect()
}

fn part(part: &Part) -> String {
    let lines = match part {
        Part::Sentences(text) => return format!("<p style=\"margin:0 0 16px\">{}</p>\n", escaped(text)),
        Part::Items(items) => {
            let items: String = items
                .iter()
                .map(|item| format!("<li>{}</li>\n", escaped(item)))
                .collect();
            return format!("<ul style=\"margin:0 0 16px;padding-left:20px\">\n{items}</ul>\n");
        }
        Part::Facts(facts) => facts
            .iter()
            .map(|(label, value)| format!("{}: <strong>{}</strong>", escaped(label), escaped(value))),
    };
    let lines: Vec<String> = lines.collect();
    format!("<p style=\"margin:0 0 16px\">{}</p>\n", lines.join("<br>\n"))
}
