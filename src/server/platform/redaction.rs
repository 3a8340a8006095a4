//! What of logs and addresses must not be seen: keys and tokens of ours, and keys of every format that this process has
//! heard of.
//!
//! Formats are learnt when they are read for something else, and at the start; none is forgotten. While there is none,
//! which one flag says, nothing here costs more than before.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::import_format::{ImportFormat, hidden};
use crate::model::key_text;

static ANY: AtomicBool = AtomicBool::new(false);
static KNOWN: RwLock<Option<Arc<[ImportFormat]>>> = RwLock::new(None);

/// Formats are as many as somebody declares; those that are hidden are not looked for without a bound.
const KNOWN_MAX: usize = 1_000;

fn known() -> Option<Arc<[ImportFormat]>> {
    match ANY.load(Ordering::Relaxed) {
        true => KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone(),
        false => None,
    }
}

/// Hides keys of these formats from now on: those with a prefix by which they can be told from other words.
pub fn learn<'a>(formats: impl IntoIterator<Item = &'a ImportFormat>) {
    let former = known().unwrap_or_default();
    let is_news = |format: &ImportFormat| {
        format.has_mark()
            && !former
                .iter()
                .any(|own| own.is_same(format) && own.covers_lengths_of(format))
    };
    let news: Vec<ImportFormat> = formats
        .into_iter()
        .filter(|format| is_news(format))
        .cloned()
        .collect();
    if news.is_empty() {
        return;
    }
    let mut kept = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    // Somebody may have learnt more meanwhile.
    let mut all: Vec<ImportFormat> = kept.iter().flat_map(|own| own.iter().cloned()).collect();
    for format in news {
        match all.iter_mut().find(|own| own.is_same(&format)) {
            // One that is wide enough for both: two would leave the end of a longer key.
            Some(own) => (own.min, own.max) = (own.min.min(format.min), own.max.max(format.max)),
            None => all.push(format),
        }
    }
    all.truncate(KNOWN_MAX);
    *kept = Some(all.into());
    ANY.store(true, Ordering::Relaxed);
}

/// Without keys and tokens.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    both(text, key_text::redacted)
}

/// The same for a part of an address, where a key may hide behind percent-encoding.
#[must_use]
pub fn redacted_address(text: &str) -> Cow<'_, str> {
    let Some(formats) = known() else {
        return key_text::redacted_address(text);
    };
    let mut plain = text.to_owned();
    for _ in 0..3 {
        if let Cow::Owned(without) = hidden(&plain, &formats) {
            return Cow::Owned(key_text::redacted_address(&without).into_owned());
        }
        let decoded = key_text::percent_decoded(&plain);
        if decoded == plain {
            break;
        }
        plain = decoded;
    }
    key_text::redacted_address(text)
}

/// Imported ones first: a rule for ours would show the beginning of a key that looks alike.
fn both<'a>(text: &'a str, ours: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    let others = known().map(|formats| hidden(text, &formats));
    match others {
        Some(Cow::Owned(without)) => Cow::Owned(ours(&without).into_owned()),
        _ => match ours(text) {
            Cow::Owned(without) => Cow::Owned(without),
            Cow::Borrowed(_) => Cow::Borrowed(text),
        },
    }
}
