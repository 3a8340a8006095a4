//! What of a key that passes is worth a look, in SQL. An index on exactly these expressions (`api_keys_facts`) answers how
//! many there are.

macro_rules! concern {
    (no_end) => {
        "k.expires_at_ms IS NULL"
    };
    // The stored rules begin with the addresses that are allowed, if any are; a test holds this against the model.
    (any_address) => {
        "COALESCE(substr(k.restrictions, 1, 23), '') <> '{\"addresses\":{\"allow\":['"
    };
    // Scopes are stored in order, and no other scope begins with the sign for all.
    (all_scopes) => {
        "substr(k.scopes, 1, 1) = '*'"
    };
    (of_person) => {
        "k.owner_account_id IS NOT NULL"
    };
    (not_confirmed) => {
        "k.stored_at_ms IS NULL"
    };
}

pub(in crate::server::store) use concern;
