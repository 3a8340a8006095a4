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

/// The same as one number, for counts: no end 1, not confirmed 2, all scopes 4, any address 8. The index
/// `api_keys_concerns` has just this expression.
macro_rules! traits {
    () => {
        "(CASE WHEN k.expires_at_ms IS NULL THEN 1 ELSE 0 END + CASE WHEN k.stored_at_ms IS NULL THEN 2 ELSE 0 END
            + CASE WHEN substr(k.scopes, 1, 1) = '*' THEN 4 ELSE 0 END
            + CASE WHEN substr(k.restrictions, 1, 23) = '{\"addresses\":{\"allow\":[' THEN 0 ELSE 8 END)"
    };
}

pub(super) use concern;
pub(in crate::server::store) use traits;
