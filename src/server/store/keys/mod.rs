//! Keys: the row whose security columns are under a MAC (`secured`), and lists of what may be shown (`list`).

mod list;
mod secured;

pub use list::{DetailRow, counts, find_detail, list};
pub use secured::{
    NewKey, SecretRow, SecuredKey, Verifiable, delete_nonces_before, find_nonce, find_secured,
    find_verifiable, insert, insert_nonce, save_secured, set_descriptive, set_stored,
};

/// Every statement of both files.
pub const STATEMENTS: &[(&str, &str)] = &{
    let mut all = [("", ""); list::STATEMENTS.len() + secured::STATEMENTS.len()];
    let mut at = 0;
    while at < list::STATEMENTS.len() {
        all[at] = list::STATEMENTS[at];
        at += 1;
    }
    while at < all.len() {
        all[at] = secured::STATEMENTS[at - list::STATEMENTS.len()];
        at += 1;
    }
    all
};
