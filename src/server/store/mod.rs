//! SQL and nothing else: one text for SQLite and PostgreSQL, one file per noun.
//!
//! Only domain calls this room. Every tenant query takes an `OrgScope` and has `org_id` in its WHERE. A missing row
//! is `Ok(None)`. Rows (`…Row`) do not leave. Statements are constants in a `statements!` block, so that one test
//! prepares them all on both databases.
//!
//! 2026-11: rejected `sqlx::Any` (no BOOLEAN on SQLite), a generic `DB` parameter (unreadable bounds), twin modules
//! (they drift) and `query!` (one driver per crate).

pub mod accounts;
pub mod approvals;
pub mod audit;
mod batch;
pub mod changes;
pub mod checks;
pub mod claims;
pub mod db;
pub mod departures;
pub mod email_changes;
pub mod error;
pub mod exports;
pub mod factors;
pub mod import_formats;
pub mod import_uploads;
pub mod incidents;
pub mod instance;
pub mod invitations;
pub mod key_uses;
pub mod keys;
pub mod leaks;
pub mod links;
pub mod mails;
pub mod members;
pub mod migrate;
pub mod notices;
pub mod orgs;
pub mod places;
pub mod policies;
pub mod projects;
pub mod resources;
pub mod review_items;
pub mod reviews;
pub mod row;
pub mod sessions;
pub mod templates;
pub mod throttles;
pub mod tightenings;
pub mod tokens;
pub mod turns;
pub mod usage;
pub mod waiting;

/// Declares SQL constants and lists them for the test that prepares each.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        /// Every statement of this file, by name.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

/// Every statement of the room: file, name, text.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static str)> {
    let files = [
        ("accounts", accounts::STATEMENTS),
        ("approvals", approvals::STATEMENTS),
        ("audit", audit::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("checks", checks::STATEMENTS),
        ("claims", claims::STATEMENTS),
        ("departures", departures::STATEMENTS),
        ("email_changes", email_changes::STATEMENTS),
        ("exports", exports::STATEMENTS),
        ("factors", factors::STATEMENTS),
        ("import_formats", import_formats::STATEMENTS),
        ("import_uploads", import_uploads::STATEMENTS),
        ("incidents", incidents::STATEMENTS),
        ("instance", instance::STATEMENTS),
        ("invitations", invitations::STATEMENTS),
        ("key_uses", key_uses::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("leaks", leaks::STATEMENTS),
        ("links", links::STATEMENTS),
        ("mails", mails::STATEMENTS),
        ("members", members::STATEMENTS),
        ("notices", notices::STATEMENTS),
        ("orgs", orgs::STATEMENTS),
        ("places", places::STATEMENTS),
        ("policies", policies::STATEMENTS),
        ("projects", projects::STATEMENTS),
        ("resources", resources::STATEMENTS),
        ("review_items", review_items::STATEMENTS),
        ("reviews", reviews::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("templates", templates::STATEMENTS),
        ("throttles", throttles::STATEMENTS),
        ("tightenings", tightenings::STATEMENTS),
        ("tokens", tokens::STATEMENTS),
        ("usage", usage::STATEMENTS),
        ("waiting", waiting::STATEMENTS),
    ];
    files
        .into_iter()
        .flat_map(|(file, all)| all.iter().map(move |(name, sql)| (file, *name, *sql)))
        .collect()
}

/// Every statement over many rows: file, name, text for SQLite, text for PostgreSQL.
#[must_use]
pub fn all_batches() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let named = |file: &'static str| move |(name, sqlite, postgres)| (file, name, sqlite, postgres);
    let usage = usage::batches().into_iter().map(named("usage"));
    let keys = keys::batches().map(named("keys"));
    let uses = key_uses::batches().into_iter().map(named("key_uses"));
    let items = review_items::batches().into_iter().map(named("review_items"));
    let audit = audit::batches().into_iter().map(named("audit"));
    usage.chain(keys).chain(uses).chain(items).chain(audit).collect()
}
