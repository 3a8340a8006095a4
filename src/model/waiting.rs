//! What waits for whoever looks: the counts beside the sidebar's items.

/// More than this is told as "99+": whoever has so much to do needs no number, and counting on would cost every page.
pub const COUNTED_MAX: i64 = 99;

/// How much of each waits for somebody. Another kind of work is one more field here, one more line in
/// [`Waiting::beside`], and one more number in the statement of `store::waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Keys that they look after and that will be disabled because nobody uses them. After a change of the rule it may be an
    /// hour behind.
    pub keys: i64,
    /// Overdue rotations of keys that they look after, and new secrets that they are to collect.
    pub rotations: i64,
    /// Requests that they may decide, and approved keys whose secret is theirs to collect.
    pub approvals: i64,
    /// Undecided keys of access reviews whose turn is theirs.
    pub reviews: i64,
    /// Open incidents of the organisation.
    pub incidents: i64,
}

impl Waiting {
    /// The number beside the item of the sidebar that leads there; none where nothing waits.
    #[must_use]
    pub fn beside(self, address: &str) -> Option<i64> {
        let number = match address {
            "/settings/api-keys" => self.keys,
            "/settings/rotation" => self.rotations,
            "/settings/approvals" => self.approvals,
            "/settings/reviews" => self.reviews,
            "/settings/incidents" => self.incidents,
            _ => 0,
        };
        (number > 0).then_some(number)
    }
}

/// The number as it is drawn.
#[must_use]
pub fn shown(number: i64) -> String {
    match number > COUNTED_MAX {
        true => format!("{COUNTED_MAX}+"),
        false => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_stands_only_where_something_waits() {
        let waiting = Waiting {
            rotations: 3,
            ..Waiting::default()
        };
        assert_eq!(waiting.beside("/settings/rotation"), Some(3));
        assert_eq!(waiting.beside("/settings/reviews"), None);
        assert_eq!(waiting.beside("/settings/api-keys"), None);
        assert_eq!((shown(99), shown(100)), ("99".to_owned(), "99+".to_owned()));
    }
}
