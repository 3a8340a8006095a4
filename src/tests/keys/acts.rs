//! The ways in which a key comes to what restricts it, one like the other, so that a rule is held against all of them.

use keywright::model::error::FieldError;
use keywright::model::form::FormValues;
use keywright::model::id::KeyId;
use keywright::model::key_text::parse_key;
use keywright::model::rotation::Overlap;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::edit::{self, KeyEdit};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::rotation;

use super::import::{declare, format, import, old_key, sha256};
use super::nonce;
use crate::kit::{Answer, Browser, TestApp};

/// One more way is one more variant: the compiler asks for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// By the form.
    Create,
    /// By the form, of a key that had no rule.
    Edit,
    /// A key with the rule is given another secret, and the old one goes on for a while.
    Rotate,
    /// A file with a row for it, and another that has no rule.
    Import,
}

/// The secrets that must hold to the rule now.
#[derive(Debug)]
pub struct Keys {
    pub secrets: Vec<String>,
}

/// How a mistake is told: beside which field, in which words, and under which code.
#[derive(Debug)]
pub struct Refused {
    pub field: String,
    pub code: String,
    pub text: String,
}

impl Act {
    pub const ALL: [Self; 4] = [Self::Create, Self::Edit, Self::Rotate, Self::Import];

    /// Whether rules are given with it. A rotation keeps those that are there.
    pub fn takes_rules(self) -> bool {
        self != Self::Rotate
    }

    /// Whether it needs a key that is made before, and stays as it is when the act is refused.
    pub fn prepares(self) -> bool {
        self == Self::Edit
    }

    /// Does it with these fields of a form; `n` tells one attempt from the next.
    pub async fn attempt(
        self,
        app: &TestApp,
        browser: &mut Browser,
        n: usize,
        fields: &[(&str, &str)],
    ) -> Result<Keys, Refused> {
        let name = format!("{self:?} {n}");
        match self {
            Self::Create => {
                let shown = create(browser, app, &name, fields).await;
                match by_form(&shown) {
                    Some(secret) => Ok(one(secret)),
                    None => Err(refused_by(&shown, &uncreated(app, &name, fields).await)),
                }
            }
            Self::Edit => {
                let plain = app.issue(&name, &["images:read"]).await;
                let answer = edited(browser, plain.id.as_str(), &name, fields).await;
                if answer.status == 303 {
                    return Ok(one(plain.secret));
                }
                assert_eq!(app.verify(&plain.secret).await, "VALID", "as it was");
                Err(refused_by(
                    &answer,
                    &unedited(app, &plain.id, &name, fields).await,
                ))
            }
            Self::Rotate => {
                let old = by_form(&create(browser, app, &name, fields).await).expect("a key to rotate");
                let id: KeyId = format!("key_{}", parse_key(&old).unwrap().kid).parse().unwrap();
                let overlap = Overlap::parse("24h", "", false).unwrap();
                let made = rotation::start(&app.ctx, &app.operator(), &id, overlap, None).await;
                let new = made.unwrap().secret.expose().clone();
                Ok(Keys {
                    secrets: vec![new, old],
                })
            }
            Self::Import => imported(app, &name, n, fields).await,
        }
    }
}

fn one(secret: String) -> Keys {
    Keys {
        secrets: vec![secret],
    }
}

/// The project takes `old_…` from now on.
pub async fn take_imports(app: &TestApp) {
    let formats = vec![format("old_", "32", "sha256")];
    declare(app, &app.project, formats).await.unwrap();
}

/// A file of two rows, the second of which has these columns.
async fn imported(app: &TestApp, name: &str, n: usize, fields: &[(&str, &str)]) -> Result<Keys, Refused> {
    let (plain, ruled) = (old_key(2 * n), old_key(2 * n + 1));
    let mut columns: Vec<(&str, Vec<&str>)> = Vec::new();
    for (column, value) in fields {
        match columns.iter_mut().find(|(known, _)| known == column) {
            Some((_, values)) => values.push(value),
            None => columns.push((column, vec![value])),
        }
    }
    let (mut heading, mut empty, mut cells) = (String::new(), String::new(), String::new());
    for (column, values) in &columns {
        heading.push_str(&format!(",{column}"));
        empty.push(',');
        cells.push_str(&format!(",\"{}\"", values.join(" ").replace('\n', " ")));
    }
    let start = |key: &str, name: String| format!("{},{name},live,team:tests,images:read", sha256(key));
    let file = format!(
        "digest,name,environment,owner,scopes{heading}\n{}{empty}\n{}{cells}\n",
        start(&plain, format!("{name} plain")),
        start(&ruled, name.to_owned()),
    );
    let summary = import(app, &file).await.unwrap();
    if summary.is_fine() {
        assert_eq!(app.verify(&plain).await, "VALID", "the other row has no rule");
        return Ok(one(ruled));
    }
    let [mistake] = &summary.mistakes[..] else {
        panic!("{:?}", summary.mistakes);
    };
    assert_eq!((mistake.line, summary.good), (3, 1), "the other row is right");
    assert_eq!(
        app.verify(&plain).await,
        "NOT_FOUND",
        "and is not imported without this one"
    );
    Err(Refused {
        field: mistake.column.clone(),
        code: mistake.code.clone(),
        text: mistake.message.clone(),
    })
}

fn by_form(shown: &Answer) -> Option<String> {
    (shown.status == 200).then(|| shown.between("id=\"secret\">", "<").to_owned())
}

/// What the use case behind the create form says of the same fields: pages tell no codes.
async fn uncreated(app: &TestApp, name: &str, rule: &[(&str, &str)]) -> Vec<FieldError> {
    let values = typed(&new_key(app, name, rule));
    let owner = issue::owner_of(&values);
    let draft = KeyDraft::of_form(&values, Some(&app.project), &owner, values.all("scopes"));
    mistakes(
        issue::issue(&app.ctx, &app.owner_of(app.org), &draft, None)
            .await
            .map(drop),
    )
}

/// The same of the form for editing.
async fn unedited(app: &TestApp, id: &KeyId, name: &str, rule: &[(&str, &str)]) -> Vec<FieldError> {
    let values = typed(&edit_of(name, rule));
    let edit = KeyEdit::of_form(&values, values.all("scopes"));
    mistakes(edit::save(&app.ctx, &app.owner_of(app.org), id, &edit).await)
}

fn typed(fields: &[(&str, &str)]) -> FormValues {
    let pairs = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    FormValues::from_pairs(pairs)
}

fn mistakes(done: Result<(), DomainError>) -> Vec<FieldError> {
    match done {
        Err(DomainError::Invalid(errors)) => errors,
        other => panic!("the form was refused, and its use case says {other:?}"),
    }
}

/// The first mistake of the page, and its code by what the use case says.
fn refused_by(shown: &Answer, said: &[FieldError]) -> Refused {
    assert_eq!(shown.status, 422, "{}", shown.body);
    let mut ids = shown
        .body
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'));
    let error = ids.find_map(|(id, behind)| Some((id.strip_suffix("-error")?, behind)));
    let (field, behind) = error.expect("a mistake beside its field");
    let text = behind
        .split_once("<span>")
        .map(|(_, text)| text.split("</span>").next().unwrap_or_default());
    let code = said
        .iter()
        .find(|error| error.field == field)
        .map(|error| error.code.clone());
    Refused {
        field: field.to_owned(),
        code: code.unwrap_or_else(|| panic!("{field} is none of {said:?}")),
        text: text.unwrap_or_default().to_owned(),
    }
}

pub async fn create(browser: &mut Browser, app: &TestApp, name: &str, rule: &[(&str, &str)]) -> Answer {
    let mark = nonce(browser, "/settings/api-keys/new").await;
    let mut fields = new_key(app, name, rule);
    fields.push(("nonce", mark.as_str()));
    browser.post("/settings/api-keys/new", &fields).await
}

/// The form for a new key, filled in plainly and with a rule.
fn new_key<'a>(app: &'a TestApp, name: &'a str, rule: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("scopes", "images:read"),
        ("expiry", "90"),
    ];
    fields.extend(rule);
    fields
}

pub async fn edited(browser: &mut Browser, id: &str, name: &str, rule: &[(&str, &str)]) -> Answer {
    let at = format!("/settings/api-keys/{id}/edit");
    browser.post(&at, &edit_of(name, rule)).await
}

/// The form for editing, filled in plainly and with a rule.
fn edit_of<'a>(name: &'a str, rule: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("access", "1"), ("name", name), ("scopes", "images:read")];
    fields.extend(rule);
    fields
}
