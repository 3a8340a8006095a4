//! Keys: the row whose security columns are under a MAC (`secured`), lists of what may be shown (`list`), what
//! somebody who leaves holds (`held`), and what rotates (`rotation`).

mod held;
mod list;
mod rotation;
mod secured;

pub use held::{count_held, list_held, list_held_ids};
pub use list::{DetailRow, Reviewable, count_reviewable, counts, find_detail, list, list_reviewable};
pub(in crate::server::store) use list::{badge, from_keys};
pub use rotation::{SecretHour, delete_uses_before, list_due, list_running, list_uses};
pub use secured::{
    NewKey, SecretRow, SecuredKey, Verifiable, delete_nonces_before, find_nonce, find_secured, find_stored,
    find_verifiable, insert, insert_nonce, replace_secrets, replace_stored, save_secured, set_descriptive,
    set_stored,
};

/// Every statement of the four files.
pub const STATEMENTS: &[(&str, &str)] = &{
    let files = [
        list::STATEMENTS,
        secured::STATEMENTS,
        held::STATEMENTS,
        rotation::STATEMENTS,
    ];
    let mut all = [("", "");
        list::STATEMENTS.len()
            + secured::STATEMENTS.len()
            + held::STATEMENTS.len()
            + rotation::STATEMENTS.len()];
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
