//! Every page of the application with something to show on it, and how it is to answer whoever is signed in as an owner who
//! administers the installation. The benchmark opens each; a test sees to it that none is missing.

/// What the id in the address of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    Account,
    /// One that is used every day.
    Key,
    RotatingKey,
    /// One that waits for whoever collects it.
    PendingKey,
    Incident,
    ClosedIncident,
    Review,
    /// A change that waits.
    Approval,
    Project,
    Template,
    Token,
    /// One who owns many keys.
    Member,
    SuspendedMember,
    Invitation,
}

/// Pages whose object must be in a certain state, before those that take any.
pub const NOUNS: &[(&str, Noun)] = &[
    ("/settings/api-keys/{id}/rotate/", Noun::RotatingKey),
    ("/settings/api-keys/{id}/handover", Noun::PendingKey),
    ("/settings/api-keys/{id}", Noun::Key),
    ("/settings/incidents/{id}/reopen", Noun::ClosedIncident),
    ("/settings/incidents/{id}", Noun::Incident),
    ("/settings/reviews/{id}", Noun::Review),
    ("/settings/approvals/{id}", Noun::Approval),
    ("/settings/projects/{id}", Noun::Project),
    ("/settings/templates/{id}", Noun::Template),
    ("/settings/service-tokens/{id}", Noun::Token),
    ("/settings/members/{id}/resume", Noun::SuspendedMember),
    ("/settings/members/{id}", Noun::Member),
    ("/settings/invitations/{id}", Noun::Invitation),
    ("/instance/accounts/{id}", Noun::Account),
];

/// Pages that answer otherwise than with 200, and why.
pub const OTHERWISE: &[(&str, u16, &str)] = &[
    ("/setup", 404, "over once the installation is set up"),
    ("/styleguide", 404, "for development alone"),
    ("/sign-in/second-factor", 303, "nobody owes a code"),
    ("/invitation", 410, "without a link"),
    ("/reset-password", 410, "without a link"),
    ("/confirm-email", 410, "without a link"),
    ("/claim", 410, "without a link"),
];

/// Pages with a question in the address, where that makes more work. Each finds a whole page in either organisation: what is
/// compared is finding, not drawing.
pub const ASKED: &[&str] = &[
    "/settings/api-keys?sort=last_used",
    "/settings/api-keys?sort=expires",
    "/settings/api-keys?page=2",
    "/settings/api-keys?environment=live&status=any_address",
    "/settings/api-keys?status=of_person&sort=name",
    "/settings/api-keys?q=p",
    "/settings/api-keys/unused?days=30",
    "/settings/approvals?state=waiting",
    "/settings/audit-log?action=key.created",
    "/settings/reviews/new?environment=live",
];

/// What belongs into a page's address; `None` where there is an id that nobody has said anything about.
#[must_use]
pub fn noun_of(pattern: &str) -> Option<Option<Noun>> {
    if !pattern.contains('{') {
        return Some(None);
    }
    let found = NOUNS.iter().find(|(begins, _)| pattern.starts_with(begins));
    found.map(|(_, noun)| Some(*noun))
}

/// The status that a page answers with.
#[must_use]
pub fn status_of(pattern: &str) -> u16 {
    let found = OTHERWISE.iter().find(|(page, ..)| *page == pattern);
    found.map_or(200, |(_, status, _)| *status)
}
