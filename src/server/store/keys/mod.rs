//! Keys: the row whose security columns are under a MAC (`secured`), lists of what may be shown (`list`), what
//! somebody who leaves holds (`held`), what rotates (`rotation`), is to
//! (`reminders`) or waits for whoever collects its new secret (`openings`), what nobody uses (`unused`, `idle`), keys that
//! others made (`import`), and all of them for a file (`export`).
//! What of a key is worth a look (`concern`) is said once, for lists and counts.

/// The declared prefix of the text that is current, for a key that somebody else made and nobody has rotated since.
macro_rules! import_prefix {
    () => {
        "(SELECT f.prefix FROM key_secrets s JOIN import_digests d ON d.hash = s.hash JOIN import_formats f ON f.id = d.format_id
            WHERE s.key_id = k.id AND s.slot = 'current') AS import_prefix"
    };
}

pub(in crate::server::store) use import_prefix;

mod against;
mod candidates;
mod concern;
mod export;
mod held;
mod idle;
mod import;
mod list;
mod narrow;
mod openings;
mod reminders;
mod rotation;
mod secured;
mod unused;

pub use candidates::{Candidate, list_candidates, list_matching};
pub(in crate::server::store) use concern::traits;
pub use export::list_after;
pub use held::{count_held, list_held, list_held_ids};
pub use idle::{Use, set_all_in_use, set_in_use};
pub use import::{
    find_imported, insert_imported, list_imported, list_member_addresses, list_names, list_of_import,
};
pub use list::{
    DetailRow, ListedKey, Reviewable, count_by_country, count_reviewable, count_up_to_one, counts,
    find_detail, list, list_reviewable,
};
pub(in crate::server::store) use list::{badge, from_keys};
pub(in crate::server::store) use openings::overdue;
pub use openings::{
    NewOpening, Opened, RotatableKey, WaitingKey, end_opening, find_opened, list_rotatable, list_waiting,
    open,
};
pub use reminders::{Remindable, list_remindable, set_reminded};
pub use rotation::{
    SecretHour, count_due, count_running, delete_uses_before, list_due, list_running, list_uses,
};
pub use secured::{
    NewKey, SecretRow, SecuredKey, Verifiable, delete_nonces_before, find_nonce, find_org, find_secured,
    find_stored, find_verifiable, insert, insert_nonce, replace_secrets, replace_stored, save_secured,
    set_descriptive, set_stored,
};
pub(in crate::server::store) use unused::told;
pub use unused::{
    IdleKey, count_unused, find_rule, find_told, list_idle, list_ruled, list_told, list_unused, set_enabled,
    set_rule, set_told,
};

use crate::model::id::KeyId;
use crate::model::import_format::imported_hint;
use crate::model::key::Environment;
use crate::model::key_text::display_hint;

/// The batches for the test that prepares every statement.
pub fn batches() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    import::batches().into_iter().chain(idle::batches())
}

/// What is shown of a key's text.
pub(in crate::server::store) fn hint(
    prefix: &str,
    environment: Environment,
    id: &KeyId,
    import_prefix: Option<&str>,
) -> String {
    match import_prefix {
        Some(declared) => imported_hint(declared),
        None => display_hint(prefix, environment, id.random_part()),
    }
}

/// Every statement of the files.
pub const STATEMENTS: &[(&str, &str)] = &{
    let files = [
        list::STATEMENTS,
        candidates::STATEMENTS,
        secured::STATEMENTS,
        held::STATEMENTS,
        rotation::STATEMENTS,
        import::STATEMENTS,
        export::STATEMENTS,
        reminders::STATEMENTS,
        openings::STATEMENTS,
        unused::STATEMENTS,
        idle::STATEMENTS,
    ];
    let mut all = [("", "");
        list::STATEMENTS.len()
            + candidates::STATEMENTS.len()
            + secured::STATEMENTS.len()
            + held::STATEMENTS.len()
            + rotation::STATEMENTS.len()
            + import::STATEMENTS.len()
            + export::STATEMENTS.len()
            + reminders::STATEMENTS.len()
            + openings::STATEMENTS.len()
            + unused::STATEMENTS.len()
            + idle::STATEMENTS.len()];
    let (mut at, mut file) = (0, 0);
    while file < files.len() {
        let mut n = 0;
        while n < files[file].len() {
            all[at] = files[file][n];
            (at, n) = (at + 1, n + 1);
        }
        file += 1;
    }
    all
};
