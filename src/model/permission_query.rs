//! The question a service asks of a key's scopes: `images:read AND (images:write OR admin)`.
//!
//! Concrete scopes, upper-case operators, AND binds tighter than OR. At most 64 scopes and 16 nested parentheses, so
//! that neither parsing nor answering can be made expensive.

use super::scope::{ScopeSet, is_concrete};

/// Longest query, in characters.
pub const LENGTH_MAX: usize = 1_000;
const TERMS_MAX: usize = 64;
const DEPTH_MAX: usize = 16;

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PermissionQuery {
    Scope(String),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Where and why a query is no query. The column counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct QuerySyntaxError {
    pub column: usize,
    pub reason: &'static str,
}

impl PermissionQuery {
    pub fn parse(text: &str) -> Result<Self, QuerySyntaxError> {
        let length = text.chars().count();
        if length > LENGTH_MAX {
            return Err(QuerySyntaxError {
                column: LENGTH_MAX + 1,
                reason: "the query is longer than 1000 characters",
            });
        }
        let mut parser = Parser {
            words: words(text)?,
            at: 0,
            terms: 0,
            depth: 0,
            end: length + 1,
        };
        let query = parser.any()?;
        match parser.peek() {
            None => Ok(query),
            Some((_, column)) => Err(QuerySyntaxError {
                column,
                reason: "expected AND, OR or the end",
            }),
        }
    }

    #[must_use]
    pub fn is_met_by(&self, scopes: &ScopeSet) -> bool {
        match self {
            Self::Scope(wanted) => scopes.allows(wanted),
            Self::All(parts) => parts.iter().all(|part| part.is_met_by(scopes)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met_by(scopes)),
        }
    }

    /// The scopes by which the query is met; none when it is not. Of alternatives only the narrowest counts, by the depth
    /// of its scopes: without the others the query would be met as well.
    #[must_use]
    pub fn needs(&self, scopes: &ScopeSet) -> Vec<&str> {
        self.met_by(scopes).unwrap_or_default()
    }

    fn met_by(&self, scopes: &ScopeSet) -> Option<Vec<&str>> {
        match self {
            Self::Scope(wanted) => scopes.allows(wanted).then(|| vec![wanted.as_str()]),
            Self::All(parts) => {
                let all: Option<Vec<_>> = parts.iter().map(|part| part.met_by(scopes)).collect();
                all.map(|all| all.concat())
            }
            Self::Any(parts) => {
                let depth = |scope: &&str| scope.split(':').count();
                let met = parts.iter().filter_map(|part| part.met_by(scopes));
                // The first of equals: `min_by_key` keeps it.
                met.min_by_key(|needed| std::cmp::Reverse(needed.iter().map(depth).min()))
            }
        }
    }

    /// The scopes the query names that the key does not hold, in their order, each once: what would have to be
    /// granted, or chosen from, for the query to be met.
    #[must_use]
    pub fn missing_from(&self, scopes: &ScopeSet) -> Vec<String> {
        let mut missing = Vec::new();
        self.collect_missing(scopes, &mut missing);
        missing
    }

    fn collect_missing(&self, scopes: &ScopeSet, missing: &mut Vec<String>) {
        match self {
            Self::Scope(wanted) => {
                if !scopes.allows(wanted) && !missing.contains(wanted) {
                    missing.push(wanted.clone());
                }
            }
            Self::All(parts) | Self::Any(parts) => {
                for part in parts.iter().filter(|part| !part.is_met_by(scopes)) {
                    part.collect_missing(scopes, missing);
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'a> {
    Open,
    Close,
    And,
    Or,
    Scope(&'a str),
}

fn words(text: &str) -> Result<Vec<(Word<'_>, usize)>, QuerySyntaxError> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().enumerate().peekable();
    while let Some((index, (start, c))) = chars.next() {
        let column = index + 1;
        match c {
            ' ' | '\t' => {}
            '(' => out.push((Word::Open, column)),
            ')' => out.push((Word::Close, column)),
            _ => {
                let mut end = start + c.len_utf8();
                while let Some(&(_, (at, next))) = chars.peek() {
                    if matches!(next, ' ' | '\t' | '(' | ')') {
                        break;
                    }
                    end = at + next.len_utf8();
                    chars.next();
                }
                out.push((word(&text[start..end], column)?, column));
            }
        }
    }
    Ok(out)
}

fn word(text: &str, column: usize) -> Result<Word<'_>, QuerySyntaxError> {
    match text {
        "AND" => Ok(Word::And),
        "OR" => Ok(Word::Or),
        _ if text.contains('*') => Err(QuerySyntaxError {
            column,
            reason: "a query names concrete scopes, without a wildcard",
        }),
        _ if is_concrete(text) => Ok(Word::Scope(text)),
        _ if text.eq_ignore_ascii_case("and") || text.eq_ignore_ascii_case("or") => Err(QuerySyntaxError {
            column,
            reason: "operators are written in upper case: AND, OR",
        }),
        _ => Err(QuerySyntaxError {
            column,
            reason: "expected a scope such as images:read",
        }),
    }
}

struct Parser<'a> {
    words: Vec<(Word<'a>, usize)>,
    at: usize,
    terms: usize,
    depth: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<(Word<'a>, usize)> {
        self.words.get(self.at).copied()
    }

    fn any(&mut self) -> Result<PermissionQuery, QuerySyntaxError> {
        let mut parts = vec![self.all()?];
        while matches!(self.peek(), Some((Word::Or, _))) {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            PermissionQuery::Any(parts)
        })
    }

    fn all(&mut self) -> Result<PermissionQuery, QuerySyntaxError> {
        let mut parts = vec![self.term()?];
        while matches!(self.peek(), Some((Word::And, _))) {
            self.at += 1;
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            PermissionQuery::All(parts)
        })
    }

    fn term(&mut self) -> Result<PermissionQuery, QuerySyntaxError> {
        let Some((word, column)) = self.peek() else {
            return Err(QuerySyntaxError {
                column: self.end,
                reason: "expected a scope or ( but the query ends",
            });
        };
        self.at += 1;
        match word {
            // A scope may itself be called and/or in lower case; a lone one where an operator belongs is caught by
            // the caller, which then finds a scope where it expects AND, OR or the end.
            Word::Scope(name) => {
                self.terms += 1;
                if self.terms > TERMS_MAX {
                    return Err(QuerySyntaxError {
                        column,
                        reason: "at most 64 scopes fit in one query",
                    });
                }
                Ok(PermissionQuery::Scope(name.to_owned()))
            }
            Word::Open => self.group(column),
            Word::Close => Err(QuerySyntaxError {
                column,
                reason: "expected a scope or ( before )",
            }),
            Word::And | Word::Or => Err(QuerySyntaxError {
                column,
                reason: "expected a scope or ( before the operator",
            }),
        }
    }

    fn group(&mut self, column: usize) -> Result<PermissionQuery, QuerySyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(QuerySyntaxError {
                column,
                reason: "parentheses are nested deeper than 16",
            });
        }
        let inner = self.any()?;
        self.depth -= 1;
        match self.peek() {
            Some((Word::Close, _)) => {
                self.at += 1;
                Ok(inner)
            }
            Some((_, column)) => Err(QuerySyntaxError {
                column,
                reason: "expected AND, OR or )",
            }),
            None => Err(QuerySyntaxError {
                column,
                reason: "this ( is never closed",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(query: &str, scopes: &str) -> bool {
        PermissionQuery::parse(query)
            .unwrap()
            .is_met_by(&ScopeSet::from_stored(scopes).unwrap())
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(met("a OR b AND c", "a"));
        assert!(!met("(a OR b) AND c", "a"));
        assert!(met("images:read AND (images:write OR admin)", "images:*"));
    }

    #[test]
    fn every_mistake_names_its_column() {
        let cases = [
            ("", 1, "expected a scope or ( but the query ends"),
            ("a AND", 6, "expected a scope or ( but the query ends"),
            ("a and b", 3, "expected AND, OR or the end"),
            ("a And b", 3, "operators are written in upper case: AND, OR"),
            ("a b", 3, "expected AND, OR or the end"),
            ("(a", 1, "this ( is never closed"),
            ("(a b)", 4, "expected AND, OR or )"),
            ("a)", 2, "expected AND, OR or the end"),
            ("é AND a", 1, "expected a scope such as images:read"),
            (
                "a AND images:*",
                7,
                "a query names concrete scopes, without a wildcard",
            ),
            ("a OR AND b", 6, "expected a scope or ( before the operator"),
            ("()", 2, "expected a scope or ( before )"),
            ("a\nAND b", 1, "expected a scope such as images:read"),
        ];
        for (text, column, reason) in cases {
            assert_eq!(
                PermissionQuery::parse(text).unwrap_err(),
                QuerySyntaxError { column, reason },
                "{text:?}"
            );
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let many = |n: usize| vec!["a"; n].join(" OR ");
        assert!(PermissionQuery::parse(&many(64)).is_ok());
        assert!(PermissionQuery::parse(&many(65)).is_err());
        let deep = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(PermissionQuery::parse(&deep(16)).is_ok());
        assert!(PermissionQuery::parse(&deep(17)).is_err());
        assert!(PermissionQuery::parse(&"a".repeat(1_001)).is_err());
    }

    #[test]
    fn what_is_missing_is_named_in_order() {
        let query = PermissionQuery::parse("a AND (b OR c) AND d").unwrap();
        let scopes = ScopeSet::from_stored("a c").unwrap();
        assert_eq!(query.missing_from(&scopes), ["d"]);
    }

    #[test]
    fn of_alternatives_the_narrowest_that_is_met_is_needed() {
        let needs = |query: &str, held: &[&str]| {
            let scopes = ScopeSet::parse("scopes", held.iter().copied()).unwrap();
            let query = PermissionQuery::parse(query).unwrap();
            query.needs(&scopes).join(" ")
        };
        assert_eq!(
            needs("admin OR images:read", &["admin", "images:read"]),
            "images:read"
        );
        assert_eq!(needs("admin OR images:read", &["admin"]), "admin");
        assert_eq!(needs("a:x OR a:y", &["a:*"]), "a:x", "the first of equals");
        assert_eq!(needs("a:x AND (a:y OR b)", &["*"]), "a:x a:y");
        assert_eq!(needs("a:x AND b", &["a:x"]), "", "what is refused needs nothing");
        let held = ScopeSet::parse("scopes", ["*", "a:*", "a:b:*", "a:x"]).unwrap();
        for (wanted, by) in [("a:x", "a:x"), ("a:y", "a:*"), ("a:b:c", "a:b:*"), ("z", "*")] {
            assert_eq!(held.narrowest_over(wanted).unwrap().as_str(), by);
        }
    }
}
