//! Every page of the application in an organisation with ten thousand keys, against the same page where there are a hundred.

mod furnish;
mod routes;

use std::collections::HashMap;
use std::process::ExitCode;

use keywright::server::http::router::page_paths;
use keywright::server::store::db::DatabaseUrl;
use tempfile::TempDir;

use crate::many_keys::Browser;
use crate::ratio::median;
use crate::subject::Subject;
use furnish::Furnished;
use routes::{ASKED, Noun, noun_of, status_of};

const FEW: usize = 100;
const MANY: usize = 10_000;
/// Openings of a page, in turns with the same page of the other organisation.
const TURNS: usize = 31;
/// The most that a page may take, as a multiple of what it takes with a hundred keys. PostgreSQL visits each row that it counts
/// and has fewer milliseconds of drawing beside it.
const MOST: f64 = 2.0;
const MOST_ON_POSTGRES: f64 = 3.5;

/// Work that grows with the keys by its nature: the beginning of its address, its own bound, and the reason.
const BY_NATURE: &[(&str, f64, &str)] = &[(
    furnish::PREVIEW_SENT,
    25.0,
    "every key is held against the rules; less than in proportion",
)];

/// Opens each page often, prints what it takes, and fails if any takes more than it may.
pub async fn measure() -> ExitCode {
    let mut too_slow = over(None).await;
    if let Some(server) = postgres() {
        too_slow += over(Some(server)).await;
    } else {
        println!("PostgreSQL: not measured; scripts/postgres.sh starts one");
    }
    match too_slow {
        0 => ExitCode::SUCCESS,
        n => {
            println!("{n} pages take more than they may, or answer otherwise than they should");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is told by the environment where PostgreSQL is"
)]
fn postgres() -> Option<String> {
    std::env::var("KEYWRIGHT_TEST_POSTGRES_URL").ok()
}

/// Measures on one database; how many pages are too slow.
async fn over(server: Option<String>) -> usize {
    let most = if server.is_some() { MOST_ON_POSTGRES } else { MOST };
    let folder = tempfile::tempdir().expect("a folder");
    let name = if server.is_some() { "PostgreSQL" } else { "SQLite" };
    let (few, many) = (
        house(server.as_deref(), &folder, FEW).await,
        house(server.as_deref(), &folder, MANY).await,
    );
    let (a, b) = (
        Browser::sign_in(&few.subject).await,
        Browser::sign_in(&many.subject).await,
    );
    println!("{name}: milliseconds with {FEW} keys, with {MANY}, and the ratio; medians of {TURNS}");
    let mut too_slow = 0;
    for page in pages() {
        let (path_a, path_b) = (page.address(&few.ids), page.address(&many.ids));
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for turn in 0..=TURNS {
            let (status, one) = page.open(&a, &path_a, &few).await;
            let (same, other) = page.open(&b, &path_b, &many).await;
            if (status, same) != (page.status, page.status) {
                println!("{path_b} answers {status} and {same}, not {}", page.status);
                too_slow += 1;
                break;
            }
            // The first fills what is remembered.
            if turn > 0 {
                short.push(one);
                long.push(other);
            }
        }
        if !short.is_empty() {
            too_slow += usize::from(!page.print((median(&short), median(&long)), most));
        }
    }
    too_slow
}

async fn house(server: Option<&str>, folder: &TempDir, keys: usize) -> Furnished {
    let url = match server {
        None => DatabaseUrl::Sqlite(folder.path().join(format!("{keys}.db"))),
        Some(server) => DatabaseUrl::Postgres(furnish::new_database(server, keys).await),
    };
    furnish::furnish(Subject::on(url, 1, 5_000).await, keys).await
}

/// What is typed into a form.
type Form = fn(&Furnished) -> String;

/// One page, or a form of one that is sent.
struct Page {
    pattern: String,
    noun: Option<Noun>,
    status: u16,
    /// What is sent, if anything is.
    form: Option<Form>,
}

/// Whatever the application has a route for, then pages with a question, then forms that show rather than do.
fn pages() -> Vec<Page> {
    let page = |pattern: String| {
        let noun = noun_of(&pattern);
        let noun = noun.unwrap_or_else(|| panic!("say in routes.rs what the id in {pattern} is"));
        Page {
            noun,
            status: status_of(&pattern),
            pattern,
            form: None,
        }
    };
    let asked = ASKED.iter().map(|address| (*address).to_owned());
    let mut pages: Vec<Page> = page_paths().into_iter().chain(asked).map(page).collect();
    let forms: [(&str, Form); 2] = [
        (furnish::PREVIEW, |_| furnish::preview_form()),
        (furnish::BULK, furnish::bulk_form),
    ];
    pages.extend(forms.map(|(pattern, form)| Page {
        pattern: pattern.to_owned(),
        noun: None,
        status: 200,
        form: Some(form),
    }));
    pages
}

impl Page {
    fn address(&self, ids: &HashMap<Noun, String>) -> String {
        match self.noun {
            Some(noun) => self.pattern.replace("{id}", &ids[&noun]),
            None => self.pattern.clone(),
        }
    }

    async fn open(&self, browser: &Browser<'_>, path: &str, house: &Furnished) -> (u16, f64) {
        match self.form {
            Some(form) => browser.send(path, &form(house)).await,
            None => browser.get(path).await,
        }
    }

    /// Tells what it takes; `false` when that is too much.
    fn print(&self, (short, long): (f64, f64), most: f64) -> bool {
        let sent = if self.form.is_some() { "POST " } else { "" };
        let page = format!("{sent}{}", self.pattern);
        let own = BY_NATURE.iter().find(|(begins, ..)| page.starts_with(begins));
        let most = own.map_or(most, |(_, own, _)| most.max(*own));
        let ratio = long / short;
        let word = if ratio <= most { "" } else { "  TOO SLOW" };
        let why = own.map_or(String::new(), |(_, most, why)| {
            format!("  (at most {most:.1}: {why})")
        });
        println!(
            "{page:<52} {:>7.2} {:>7.2} {ratio:>6.2}{word}{why}",
            short / 1e3,
            long / 1e3
        );
        ratio <= most
    }
}
