//! What is begun before there is a rule, and goes on under it: requests, opened rotations, tightenings.

use keywright::model::actor::Actor;
use keywright::model::form::FormValues;
use keywright::model::handover::ClaimDraft;
use keywright::model::id::ApprovalId;
use keywright::model::rotation::Overlap;
use keywright::server::domain::keys::issue::Nonce;
use keywright::server::domain::keys::{handover, secured};
use keywright::server::domain::{DomainError, approvals};
use keywright::server::platform::clock::Clock;
use keywright::server::platform::crypto::keyring::Purpose;
use keywright::server::platform::crypto::secret::Secret;
use keywright::server::platform::rng::base62;
use keywright::server::store::keys::SecuredKey;
use keywright::server::store::tightenings::{self, Tightening};

use super::acts::{Wanted, created, draft, edited};
use super::save;
use crate::kit::TestApp;
use crate::kit::app::Issued;
use crate::kit::people::token_of;

/// What was begun before there was the rule.
pub(super) struct Begun {
    pub(super) key: Issued,
    pub(super) asked: ApprovalId,
    pub(super) approved: ApprovalId,
    pub(super) opened: Issued,
    pub(super) tightened: Issued,
    /// The token of the link that hands a key over.
    pub(super) link: String,
}

impl Begun {
    pub(super) async fn of(app: &TestApp, requester: &Actor, which: &str, wanted: Wanted) -> Self {
        let name = |what: &str| format!("{what} {which}");
        let key = created(app, &name("rotated"), wanted).await.unwrap();
        let opened = created(app, &name("opened"), wanted).await.unwrap();
        crate::keys::openings::open(app, &[&opened], Overlap::parse("24h", "", false).unwrap()).await;
        let tightened = tightened(app, &name("tightened"), wanted).await;
        let link = handed_over(app, &name("handed over"), wanted).await;
        save(app, crate::approvals::NEW, "").await.unwrap();
        let asked = asks(app, requester, &name("asked"), wanted).await;
        let approved = asks(app, requester, &name("approved"), wanted).await;
        approve(app, &approved).await.unwrap();
        save(app, &[], "").await.unwrap();
        Self {
            key,
            asked,
            approved,
            opened,
            tightened,
            link,
        }
    }
}

async fn handed_over(app: &TestApp, name: &str, wanted: Wanted) -> String {
    let claim = (ClaimDraft { days: "", email: "" }, &Secret::new(String::new()));
    let draft = draft(app, name, wanted);
    let made = handover::issue(&app.ctx, &app.operator(), &draft, None, claim)
        .await
        .unwrap();
    token_of(made.link.expose())
}

async fn asks(app: &TestApp, requester: &Actor, name: &str, wanted: Wanted) -> ApprovalId {
    let pairs = [
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("owner", "team"),
        ("owner_team", "tests"),
        ("expiry", wanted.expiry),
        ("ip_allow", wanted.ip_allow),
        ("rotation_days", wanted.rotation_days),
        ("justification", "The new shop needs it"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let scopes: Vec<String> = wanted.scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let mark = base62(app.ctx.rng.as_ref(), 24);
    let nonce = Nonce {
        text: &mark,
        account: requester.account_id().unwrap(),
    };
    let form = FormValues::from_pairs(pairs);
    approvals::ask_for_key(&app.ctx, requester, (&form, &scopes), nonce)
        .await
        .unwrap()
}

pub(super) async fn approve(app: &TestApp, id: &ApprovalId) -> Result<(), DomainError> {
    approvals::approve(&app.ctx, &app.owner_of(app.org), id, ("", None)).await
}

/// A key as the advisor leaves it that took networks away: undoing gives back what is wanted.
async fn tightened(app: &TestApp, name: &str, wanted: Wanted) -> Issued {
    let key = created(app, name, wanted).await.unwrap();
    let before = held(app, &key).await;
    let narrower = Wanted {
        ip_allow: "10.9.0.0/16",
        expiry: "keep",
        ..wanted
    };
    edited(app, &key, name, narrower).await.unwrap();
    let after = held(app, &key).await;
    let access = |key: &SecuredKey| {
        let (scopes, rules, first) = (&key.scopes, &key.restrictions, key.not_before_ms);
        serde_json::json!({ "scopes": scopes, "restrictions": rules, "notBeforeMs": first }).to_string()
    };
    let mut row = Tightening {
        key_id: before.id.clone(),
        key_version: before.version,
        org_id: before.org_id.clone(),
        at_ms: app.clock.now().ms(),
        by_type: "operator".to_owned(),
        by_id: "tests".to_owned(),
        before: access(&before),
        after: access(&after),
        mac: String::new(),
        mac_key_id: String::new(),
        by_name: None,
    };
    let signed = app.ctx.keyring.sign(Purpose::Row, &row.mac_parts());
    (row.mac, row.mac_key_id) = (signed.mac, signed.key_id);
    let mut tx = app.ctx.db.begin_write().await.unwrap();
    tightenings::insert(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    key
}

async fn held(app: &TestApp, key: &Issued) -> SecuredKey {
    let mut tx = app.ctx.db.begin_read().await.unwrap();
    secured::find(&app.ctx, &mut tx, &app.operator(), &key.id)
        .await
        .unwrap()
}
