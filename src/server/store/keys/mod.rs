//! Keys: the row whose security columns are under a MAC (`secured`), lists of what may be shown (`list`), what
//! somebody who leaves holds (`held`), what rotates (`rotation`) or is to (`reminders`), and what nobody uses (`unused`).

mod held;
mod list;
mod reminders;
mod rotation;
mod secured;
mod unused;

pub use held::{count_held, list_held, list_held_ids};
pub use list::{Candidate, DetailRow, ListedKey, counts, find_detail, list, list_candidates, list_matching};
pub use reminders::{Remindable, list_remindable, set_reminded};
pub use rotation::{SecretHour, delete_uses_before, list_due, list_running, list_uses};
pub use secured::{
    NewKey, SecretRow, SecuredKey, Verifiable, delete_nonces_before, find_nonce, find_secured, find_stored,
    find_verifiable, insert, insert_nonce, replace_secrets, replace_stored, save_secured, set_descriptive,
    set_stored,
};
pub use unused::{IdleKey, find_rule, list_idle, list_ruled, list_unused, set_enabled, set_rule, set_told};

/// Every statement of the six files.
pub const STATEMENTS: &[(&str, &str)] = &{
    let files = [
        list::STATEMENTS,
        secured::STATEMENTS,
        held::STATEMENTS,
        rotation::STATEMENTS,
        reminders::STATEMENTS,
        unused::STATEMENTS,
    ];
    let mut all = [("", "");
        list::STATEMENTS.len()
            + secured::STATEMENTS.len()
            + held::STATEMENTS.len()
            + rotation::STATEMENTS.len()
            + reminders::STATEMENTS.len()
            + unused::STATEMENTS.len()];
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
