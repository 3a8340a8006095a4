//! What is to be done about a leaked key, and by whom.

use serde::{Deserialize, Serialize};

use super::{Incident, IncidentStatus};
use crate::model::key::{KeyDetail, KeyStatus};
use crate::model::org::MemberName;
use crate::model::time::Timestamp;

/// Longest text and note of an item, in characters.
pub const ITEM_TEXT_MAX: usize = 200;
pub const ITEM_NOTE_MAX: usize = 1_000;
/// Items that may be added to one incident.
pub const OWN_ITEMS_MAX: i64 = 50;

macro_rules! kinds {
    ($($variant:ident = $name:literal, $text:literal;)*) => {
        /// What every incident asks for; and what somebody added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ItemKind { $($variant,)* Own }

        impl ItemKind {
            /// Those that every incident begins with, in their order.
            pub const STANDARD: &[Self] = &[$(Self::$variant),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Own => "own" }
            }

            /// Its words; an own item has its own.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Own => "" }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($name => Some(Self::$variant),)* "own" => Some(Self::Own), _ => None }
            }
        }
    };
}

kinds! {
    Freeze = "freeze", "Stop the leaked secret: freeze or revoke the key";
    FindCause = "find_cause", "Find out how it leaked";
    RemoveCopies = "remove_copies", "Remove it from where it leaked, its history and copies included";
    Replace = "replace", "Replace the secret and deploy the new one";
    CheckUse = "check_use", "Check what was done with it since";
    TellAffected = "tell_affected", "Tell those who are affected";
    RotateOthers = "rotate_others", "Rotate other secrets that were kept in the same place";
    Lessons = "lessons", "Write down what was learnt";
}

/// What settles an item without anybody ticking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Revoked,
    Replaced,
    Frozen,
}

impl Fact {
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Revoked => "The key is revoked.",
            Self::Replaced => "The secret was replaced; the leaked one is refused.",
            Self::Frozen => "The key is frozen.",
        }
    }

    /// What is true of the key that settles an item of this kind.
    #[must_use]
    pub fn of(kind: ItemKind, incident: &Incident, key: &KeyDetail) -> Option<Self> {
        let is_stop = match kind {
            ItemKind::Freeze => true,
            ItemKind::Replace => false,
            _ => return None,
        };
        // Another secret by hand counts as well, once the leaked one has ended.
        let by_hand = key.secret_since > incident.opened_at && key.rotation.is_none();
        let is_open = incident.status == IncidentStatus::Open;
        match key.status {
            KeyStatus::Revoked => Some(Self::Revoked),
            _ if incident.replaced_at.is_some() || (is_open && by_hand) => Some(Self::Replaced),
            KeyStatus::Disabled if is_stop && is_open => Some(Self::Frozen),
            _ if is_stop && !is_open && incident.frozen_at.is_some() => Some(Self::Frozen),
            _ => None,
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    pub number: i64,
    pub kind: ItemKind,
    pub text: String,
    pub assignee: Option<MemberName>,
    pub done_at: Option<Timestamp>,
    pub done_by: Option<String>,
    pub note: String,
    pub fact: Option<Fact>,
    /// Whether whoever looks may tick it and write its note.
    pub may_tick: bool,
}

impl ChecklistItem {
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done_at.is_some() || self.fact.is_some()
    }
}
