//! Something to ask for: of one's own organisation, of another, or of none.

use keywright::model::id::{AccountId, OrgId};
use keywright::model::key::KeyFilter;
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::time::DAY_MS;
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::members::invite;
use keywright::server::domain::projects::{self, ProjectDraft};
use keywright::server::domain::reviews;
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::platform::rng::base62;
use serde::Deserialize;

use super::callers::{Caller, Callers};
use crate::kit::TestApp;
use crate::kit::app::catalogue;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// Owned by a team.
    Key,
    /// Owned by whoever asks.
    OwnKey,
    Token,
    /// Of a key that a team owns; of one that whoever asks owns.
    Incident,
    OwnIncident,
    Project,
    Template,
    Member,
    Invitation,
    /// An account of the installation, wherever it belongs.
    Account,
    /// A mail in the outbox.
    Mail,
    Organisation,
    /// A running access review.
    Review,
    /// A request that waits, of somebody else; of whoever asks; of whoever asks, approved.
    Approval,
    OwnApproval,
    ApprovedOwn,
    /// A session of one's own, by its handle.
    Session,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The route takes no id.
    Nothing,
    Own,
    Foreign,
    Random,
}

impl Which {
    pub fn for_object(object: Option<Object>) -> Vec<Self> {
        match object {
            None => vec![Self::Nothing],
            Some(_) => vec![Self::Own, Self::Foreign, Self::Random],
        }
    }
}

fn random(object: Object) -> String {
    let prefix = match object {
        Object::Key | Object::OwnKey => "key_",
        Object::Token => "tok_",
        Object::Incident | Object::OwnIncident => "inc_",
        Object::Project => "prj_",
        Object::Template => "tpl_",
        Object::Member | Object::Account => "acc_",
        Object::Invitation => "inv_",
        Object::Mail => "mal_",
        Object::Review => "rev_",
        Object::Approval | Object::OwnApproval | Object::ApprovedOwn => "apr_",
        Object::Organisation => "org_",
        Object::Session => return "0123456789ab".to_owned(),
    };
    format!("{prefix}zzzzzzzzzzzz")
}

/// Makes one and gives its id.
pub async fn make(app: &TestApp, callers: &Callers, object: Object, which: Which, caller: &Caller) -> String {
    let org = match which {
        Which::Own => app.org,
        Which::Foreign => callers.globex,
        Which::Random | Which::Nothing => return random(object),
    };
    let name = app.unique("object");
    match object {
        Object::Key => key(app, org, "team:tests", &name).await,
        Object::OwnKey => {
            let id = key(app, org, "team:tests", &name).await;
            if let (Some(account), Which::Own) = (caller.account, which) {
                app.give_key(&id, &account).await;
            }
            id
        }
        Object::Token => token(app, org, &name).await,
        Object::Incident | Object::OwnIncident => {
            let id = key(app, org, "team:tests", &name).await;
            if let (Object::OwnIncident, Some(account), Which::Own) = (object, caller.account, which) {
                app.give_key(&id, &account).await;
            }
            incident(app, org, &id).await
        }
        Object::Organisation => org.to_string(),
        Object::Project => project(app, org, &name).await,
        Object::Template => template(app, org, &name).await,
        Object::Member | Object::Account => {
            let email = format!("{name}@example.com");
            app.person(&email, Some((org, Role::Developer, "active")))
                .await
                .to_string()
        }
        Object::Invitation => {
            let email = format!("{name}@example.com");
            invite::invite(&app.ctx, &app.owner_of(org), &email, "developer")
                .await
                .unwrap();
            let sql = format!("SELECT id FROM invitations WHERE email_folded = '{email}'");
            app.db.texts(&sql).await.remove(0)
        }
        Object::Mail => {
            let sql = "SELECT id FROM mails ORDER BY created_at_ms DESC, id LIMIT 1";
            app.a_letter().await;
            app.db.texts(sql).await.remove(0)
        }
        Object::Approval | Object::OwnApproval | Object::ApprovedOwn => {
            let by = match (object, caller.account) {
                // In another organisation, too: having asked opens nothing where one does not belong.
                (Object::OwnApproval | Object::ApprovedOwn, Some(account)) => account,
                _ => app.person(&format!("{name}@example.com"), None).await,
            };
            approval(app, org, &by, object == Object::ApprovedOwn).await
        }
        Object::Review => {
            key(app, org, "team:tests", &name).await;
            let actor = app.owner_of(org);
            let deadline = app.ctx.clock.now().plus_ms(10 * DAY_MS).iso_date();
            let draft = reviews::ReviewDraft {
                name: "Review",
                filter: KeyFilter {
                    search: name.clone(),
                    ..KeyFilter::default()
                },
                assignment: "owners",
                reviewers: Vec::new(),
                deadline: &deadline,
                on_undecided: "nothing",
            };
            reviews::start(&app.ctx, &actor, &draft)
                .await
                .unwrap()
                .to_string()
        }
        Object::Session => match (which, caller.account) {
            (Which::Own, Some(account)) => app.another_session(&account).await,
            _ => app.another_session(&app.account).await,
        },
    }
}

/// Behind the application's back: it keeps only so many.
async fn template(app: &TestApp, org: OrgId, name: &str) -> String {
    let id = format!("tpl_{}", base62(app.ctx.rng.as_ref(), 12));
    app.db
        .tamper(&format!(
            "INSERT INTO key_templates (org_id, id, name, name_folded, description, preset, scopes, expiry, version, created_at_ms)
             VALUES ('{org}', '{id}', '{name}', '{name}', '', 'read', '', '90', 1, 0)"
        ))
        .await;
    id
}

/// A project of the organisation; Acme has one already.
async fn project_of(app: &TestApp, org: OrgId) -> String {
    if org == app.org {
        return app.project.to_string();
    }
    let sql = format!("SELECT id FROM projects WHERE org_id = '{org}' ORDER BY created_at_ms, id LIMIT 1");
    match app.db.texts(&sql).await.into_iter().next() {
        Some(id) => id,
        None => project(app, org, "Foreign project").await,
    }
}

async fn project(app: &TestApp, org: OrgId, name: &str) -> String {
    let prefix = app.unique("p").replace('-', "");
    let draft = ProjectDraft {
        name,
        prefix: &prefix,
        scopes: Ok(catalogue(&["read"])),
    };
    projects::create(&app.ctx, &app.owner_of(org), draft)
        .await
        .unwrap()
        .to_string()
}

async fn key(app: &TestApp, org: OrgId, owner: &str, name: &str) -> String {
    let project = project_of(app, org).await.parse().unwrap();
    let draft = KeyDraft {
        project: Some(&project),
        environment: "test",
        name,
        purpose: "",
        owner,
        scopes: Vec::new(),
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: false,
        scopes_required: false,
    };
    let made = issue::issue(&app.ctx, &app.owner_of(org), &draft, None)
        .await
        .unwrap();
    made.id.to_string()
}

async fn incident(app: &TestApp, org: OrgId, key: &str) -> String {
    let opening = OpenIncident {
        suspected_since: app.ctx.clock.now(),
        noticed: String::new(),
        freeze: true,
    };
    let (actor, key) = (app.owner_of(org), key.parse().unwrap());
    let opened = incidents::open(&app.ctx, &actor, &key, &opening).await;
    opened.unwrap().id.to_string()
}

async fn token(app: &TestApp, org: OrgId, name: &str) -> String {
    let project = project_of(app, org).await.parse().unwrap();
    let draft = TokenDraft {
        project: Some(&project),
        name,
        permissions: vec!["verify"],
        expiry: "none",
        expiry_date: "",
    };
    tokens::create(&app.ctx, &app.owner_of(org), &draft, None)
        .await
        .unwrap()
        .id
        .to_string()
}

/// A request for a live key, as its row: rules of the policy would concern every other cell.
async fn approval(app: &TestApp, org: OrgId, by: &AccountId, approved: bool) -> String {
    let id = format!("apr_{}", base62(app.ctx.rng.as_ref(), 12));
    let project = project(app, org, &app.unique("asked")).await;
    let (state, lapses) = (
        if approved { "approved" } else { "waiting" },
        4_102_444_800_000_i64,
    );
    let sql = format!(
        "INSERT INTO approvals (id, org_id, kind, state, project_id, environment, key_name, reasons, proposal, former, told,
        justification, requested_by, requested_at_ms, lapses_at_ms) VALUES ('{id}', '{org}', 'create', '{state}', '{project}', 'live',
        'Asked for', '[\"new_key\"]', '{{}}', '', '{{\"said\":[],\"differences\":[]}}', 'Needed', '{by}', 0, {lapses})"
    );
    app.db.tamper(&sql).await;
    id
}
