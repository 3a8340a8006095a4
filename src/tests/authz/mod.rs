//! The whole matrix: every route, for every kind of caller, with an own, a foreign and a random id (R48–R50).
//!
//! `authz_matrix.toml` says who may. What a caller may not is refused before anything is looked at; what is another
//! organisation's answers like what does not exist.

mod callers;
mod objects;

use std::collections::BTreeSet;
use std::io::Write;

use keywright::model::org::Role;
use keywright::server::http::router::surface;
use serde::Deserialize;

use self::callers::{Caller, Callers, Kind};
use self::objects::{Object, Which};
use crate::kit::{Answer, TestApp, on_both_databases};

const MATRIX: &str = include_str!("authz_matrix.toml");

#[derive(Deserialize)]
struct Matrix {
    route: Vec<Route>,
}

/// One line of the matrix.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    /// Method and pattern, as the router knows them.
    at: String,
    /// `anyone`, `account`, `instance`, `service`, or roles.
    who: Vec<String>,
    /// What the id in the address or body is.
    #[serde(default)]
    object: Option<Object>,
    /// Closed while a second factor is owed (R24).
    #[serde(default)]
    of_org: bool,
    /// Asks for a fresh proof of who one is (R26).
    #[serde(default)]
    fresh: bool,
    /// What is sent, with `{id}` for the id; for functions the arguments.
    #[serde(default)]
    body: String,
}

impl Route {
    fn method(&self) -> &str {
        self.at.split(' ').next().unwrap()
    }

    fn pattern(&self) -> &str {
        self.at.split(' ').nth(1).unwrap()
    }

    fn is_for(&self, who: &str) -> bool {
        self.who.iter().any(|one| one == who)
    }

    /// Whether this kind of caller gets in with an object of their own.
    fn lets_in(&self, kind: Kind) -> bool {
        match kind {
            _ if self.is_for("anyone") => true,
            Kind::Anonymous | Kind::Disabled | Kind::ServiceToken | Kind::Half => false,
            Kind::Owing => self.is_for("account") && !self.of_org,
            _ if self.is_for("account") => true,
            Kind::InstanceAdmin => self.is_for("instance"),
            Kind::Outsider | Kind::Suspended | Kind::Removed => false,
            Kind::Stale => self.is_for(Role::Owner.as_str()),
            Kind::Member(role) | Kind::ForeignMember(role) => self.is_for(role.as_str()),
        }
    }
}

fn matrix() -> Vec<Route> {
    toml::from_str::<Matrix>(MATRIX).unwrap().route
}

#[test]
fn r48_every_route_is_in_the_matrix_and_nothing_else_is() {
    let listed: BTreeSet<String> = matrix().into_iter().map(|route| route.at).collect();
    let real: BTreeSet<String> = surface()
        .into_iter()
        .map(|(method, pattern)| format!("{method} {pattern}"))
        .collect();
    let missing: Vec<_> = real.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&real).collect();
    assert!(missing.is_empty(), "not in authz_matrix.toml: {missing:#?}");
    assert!(stale.is_empty(), "no such route any more: {stale:#?}");
}

on_both_databases! {
    async fn r49_r50_every_cell_of_the_matrix_holds(backend: Backend) {
        let app = TestApp::on(backend).await;
        let callers = Callers::of(&app).await;
        let (mut cells, mut wrong) = (0, Vec::new());
        for route in matrix() {
            // Programs authenticate by a token; their own tests have all of it.
            if route.is_for("service") {
                continue;
            }
            for kind in Kind::all() {
                let mut strange = Vec::new();
                for which in Which::for_object(route.object) {
                    let caller = callers.fresh(&app, kind).await;
                    let (answer, id) = ask(&app, &callers, &route, caller, which).await;
                    cells += 1;
                    if let Some(problem) = problem(&route, kind, which, &answer) {
                        wrong.push(format!("{} as {kind:?} with {which:?}: {problem}", route.at));
                    }
                    if which != Which::Own && answer.status == 404 {
                        strange.push(comparable(&answer, &id));
                    }
                }
                // Missing and foreign are told apart by nothing (R50).
                if strange.len() == 2 && strange[0] != strange[1] {
                    wrong.push(format!("{} as {kind:?}: a foreign id answers otherwise than a missing one", route.at));
                }
            }
        }
        // Past the capture of a test that passes: the size is part of what it shows.
        let _ = writeln!(std::io::stderr(), "authorisation matrix on {backend:?}: {cells} cells");
        assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Sends the route's request with an id of this kind.
async fn ask(
    app: &TestApp,
    callers: &Callers,
    route: &Route,
    mut caller: Caller,
    which: Which,
) -> (Answer, String) {
    let id = match route.object {
        Some(object) => objects::make(app, callers, object, which, &caller).await,
        None => String::new(),
    };
    let path = route
        .pattern()
        .replace("{id}", &id)
        .replace(":id", &id)
        .replace("{file}", "none.css");
    let answer = match route.method() {
        "GET" => caller.browser.get(&path).await,
        _ => {
            caller
                .browser
                .post_body(&path, &route.body.replace("{id}", &id))
                .await
        }
    };
    (answer, id)
}

/// What is wrong with the answer, if anything.
fn problem(route: &Route, kind: Kind, which: Which, answer: &Answer) -> Option<String> {
    let status = answer.status;
    let location = answer.header("location");
    let fails = |expected: &str| Some(format!("{status} {location}, not {expected}"));
    if status >= 500 {
        return fails("an answer");
    }
    let is_open = !matches!(status, 401 | 403 | 404) && !location.starts_with("/sign-in");
    let is_open = is_open && location != "/account/two-factor?required";
    match kind {
        _ if route.is_for("anyone") => None,
        Kind::Anonymous | Kind::Disabled | Kind::ServiceToken => {
            let away = status == 401 || (status == 303 && location.starts_with("/sign-in"));
            if away { None } else { fails("the way to sign-in") }
        }
        Kind::Half => {
            let away = status == 403 || (status == 303 && location.starts_with("/sign-in/second-factor"));
            if away {
                None
            } else {
                fails("the way to the second factor")
            }
        }
        // To their own pages alone; elsewhere the way is to enrolment, or what they ask for is none of theirs (R24).
        Kind::Owing if !route.lets_in(kind) => {
            let away = matches!(status, 403 | 404) || location == "/account/two-factor?required";
            if away { None } else { fails("the way to enrolment") }
        }
        // Before anything is looked up, or after.
        Kind::Stale if route.fresh && route.lets_in(kind) => {
            if answer.asks_who() || (which != Which::Own && status == 404) {
                None
            } else {
                fails("to be asked who it is")
            }
        }
        _ if route.lets_in(kind) => {
            // What is Acme's is foreign to somebody of Globex.
            let sees = match (kind, which) {
                (_, Which::Nothing) => true,
                // A session is its owner’s, of whichever organisation.
                (_, which) if route.object == Some(Object::Session) => which == Which::Own,
                (Kind::ForeignMember(_), which) => which == Which::Foreign,
                (_, Which::Own) => true,
                (Kind::InstanceAdmin, Which::Foreign) => true,
                _ => false,
            };
            match sees {
                true if is_open => None,
                true => fails("open"),
                false if status == 404 => None,
                false => fails("404"),
            }
        }
        _ if matches!(status, 403 | 404) => None,
        _ => fails("403"),
    }
}

/// The answer without what differs between any two: request id, nonce, and the id that was asked for.
fn comparable(answer: &Answer, id: &str) -> String {
    // Scripts carry what the frame knows: the session, and the moment.
    let body: String = answer.body.replace(id, "ID");
    let body: String = body
        .split("<script")
        .map(|part| part.split_once("</script>").map_or(part, |(_, rest)| rest))
        .collect();
    let mut out = String::new();
    let mut rest = body.as_str();
    while let Some(at) = rest.find("req_").or_else(|| rest.find("nonce=\"")) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let skip = if tail.starts_with("req_") {
            24
        } else {
            7 + tail[7..].find('"').unwrap_or(0)
        };
        rest = &tail[skip.min(tail.len())..];
    }
    out + rest
}
