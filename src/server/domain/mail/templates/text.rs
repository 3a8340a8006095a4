//! Letters as plain text.

use super::{Part, Words};

pub fn laid_out(words: &Words, origin: &str) -> String {
    let mut out = format!("{}\n\n", words.title);
    parts(&mut out, &words.before);
    if let Some((label, link)) = &words.action {
        out.push_str(&format!("{label}:\n{link}\n\n"));
    }
    parts(&mut out, &words.after);
    // Two hyphens and a space: what follows is no part of the letter (RFC 3676 §4.3).
    out.push_str(&format!("-- \n{}\nKeywright, {origin}\n", words.reason));
    out
}

fn parts(out: &mut String, parts: &[Part]) {
    for part in parts {
        match part {
            Part::Sentences(text) => out.push_str(&format!("{text}\n")),
            Part::Items(items) => out.extend(items.iter().map(|item| format!("- {item}\n"))),
            Part::Facts(facts) => {
                out.extend(facts.iter().map(|(label, value)| format!("{label}: {value}\n")));
            }
        }
        out.push('\n');
    }
}
