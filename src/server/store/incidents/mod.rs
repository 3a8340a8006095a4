//! Incidents: the row and its checklist (`record`), how the key was used (`uses`), and other keys from the same
//! addresses (`siblings`).

mod checklist;
mod record;
mod siblings;
mod uses;

pub use checklist::{
    ItemRow, count_items, find_item, insert_item, list_items, remove_item, set_item, set_item_done,
};
pub use record::{
    IncidentRow, NewIncident, close, count_open, count_opened_by, find, find_open_of, hold, insert,
    is_frozen, list, reopen, set_findings, set_frozen, set_replaced, set_since,
};
pub use siblings::{SiblingRow, list_counted, list_siblings};
pub use uses::{
    RawUse, Reading, StoredUse, add_use, delete_uses, event_bound_after, event_bound_before, first_minute,
    known_values, last_hour_before, list_cells, list_countries_seen, list_first_seen, list_raw, list_to_read,
    list_uses, set_read,
};

/// Every statement of the four files.
pub const STATEMENTS: &[(&str, &str)] = &{
    let files = [
        checklist::STATEMENTS,
        record::STATEMENTS,
        siblings::STATEMENTS,
        uses::STATEMENTS,
    ];
    let mut all = [("", "");
        checklist::STATEMENTS.len()
            + record::STATEMENTS.len()
            + siblings::STATEMENTS.len()
            + uses::STATEMENTS.len()];
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
