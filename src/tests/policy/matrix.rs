//! Each rule in each act that it is held against: with what keeps it and what breaks it, the code and the reason.

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::error::Code;
use keywright::model::org::Role;
use keywright::server::domain::accounts::session::Caller;
use keywright::server::domain::keys::{advice, collecting, handover};
use keywright::server::domain::{DomainError, approvals};
use keywright::server::platform::clock::Clock;
use keywright::server::platform::crypto::secret::Secret;

use super::acts::{PLAIN, Wanted, created, edited, imported, is_told, rotated};
use super::begun::{Begun, approve};
use super::save;
use crate::keys::acts::take_imports;
use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};

/// A rule, what keeps it, what breaks it, and how that is told.
struct Case {
    rule: &'static [(&'static str, &'static str)],
    keeps: Wanted,
    breaks: Wanted,
    told: (&'static str, &'static str, &'static str),
}

const fn case(
    rule: &'static [(&'static str, &'static str)],
    keeps: Wanted,
    breaks: Wanted,
    told: (&'static str, &'static str, &'static str),
) -> Case {
    Case {
        rule,
        keeps,
        breaks,
        told,
    }
}

const CASES: &[Case] = &[
    case(
        &[("expiry_required", "1")],
        PLAIN,
        Wanted {
            expiry: "none",
            ..PLAIN
        },
        ("expiry", "policy_expiry_required", "every key has an end"),
    ),
    case(
        &[("max_lifetime_days", "90")],
        PLAIN,
        Wanted {
            expiry: "365",
            ..PLAIN
        },
        ("expiry", "policy_max_lifetime", "lets a key live 90 days at most"),
    ),
    case(
        &[("max_lifetime_days", "90")],
        PLAIN,
        Wanted {
            expiry: "none",
            ..PLAIN
        },
        ("expiry", "policy_max_lifetime", "Choose an earlier end"),
    ),
    case(
        &[("addresses_required", "1")],
        Wanted {
            ip_allow: "10.0.0.0/8",
            ..PLAIN
        },
        PLAIN,
        (
            "ip_allow",
            "policy_addresses_required",
            "names the addresses it is used from",
        ),
    ),
    case(
        &[("forbidden_scopes", "admin billing:*")],
        PLAIN,
        Wanted {
            scopes: &["images:read", "admin"],
            ..PLAIN
        },
        ("scopes", "policy_forbidden_scopes", "Take admin away"),
    ),
    case(
        &[("forbidden_scopes", "billing:refund")],
        Wanted {
            scopes: &["images:*"],
            ..PLAIN
        },
        Wanted {
            scopes: &["*"],
            ..PLAIN
        },
        ("scopes", "policy_forbidden_scopes", "Take * away, or narrow it"),
    ),
    case(
        &[("rotation_days", "30"), ("max_overlap_hours", "168")],
        Wanted {
            rotation_days: "30",
            ..PLAIN
        },
        Wanted {
            rotation_days: "31",
            ..PLAIN
        },
        (
            "rotation_days",
            "policy_rotation",
            "a rotation every 30 days or sooner",
        ),
    ),
];

/// The acts that a policy is held against. One more is one more variant: the compiler asks for the rest.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create,
    Edit,
    Rotate,
    Import,
    /// A new key that was asked for before the rule.
    Approve,
    /// The first secret of one that was approved before it.
    Collect,
    /// The new secret of a rotation that was opened before it.
    CollectOpened,
    /// What was taken away from a key before it comes back.
    Undo,
    /// A key that was handed over by a link before it.
    Claim,
}

impl Act {
    const ALL: [Self; 9] = [
        Self::Create,
        Self::Edit,
        Self::Rotate,
        Self::Import,
        Self::Approve,
        Self::Collect,
        Self::CollectOpened,
        Self::Undo,
        Self::Claim,
    ];

    /// Whether it goes on with what was begun before: its page has no field to tell the mistake beside, and says it whole.
    fn has_no_fields(self) -> bool {
        matches!(
            self,
            Self::Approve | Self::Collect | Self::CollectOpened | Self::Claim
        )
    }
}

/// The things of one case: those that keep the rule, those from before it that break it, and a key that is edited.
struct Stage<'a> {
    app: &'a TestApp,
    case: &'a Case,
    requester: &'a Actor,
    n: usize,
    keeper: Begun,
    breaker: Begun,
    other: Issued,
}

impl Stage<'_> {
    /// Does what keeps the rule, or what breaks it.
    async fn attempt(&self, act: Act, keeps: bool) -> Result<(), DomainError> {
        let (wanted, begun, which) = match keeps {
            true => (self.case.keeps, &self.keeper, "keeper"),
            false => (self.case.breaks, &self.breaker, "breaker"),
        };
        let (app, operator) = (self.app, self.app.operator());
        let name = format!("{act:?} {which} {}", self.n);
        match act {
            Act::Create => created(app, &name, wanted).await.map(drop),
            Act::Edit => edited(app, &self.other, &format!("other {}", self.n), wanted).await,
            Act::Rotate => rotated(app, &begun.key, "24h").await,
            Act::Import => imported(app, 2 * self.n + usize::from(keeps), &name, wanted).await,
            Act::Approve => approve(app, &begun.asked).await,
            Act::Collect => {
                let made = approvals::collect(&app.ctx, self.requester, &begun.approved).await;
                made.map(drop)
            }
            Act::CollectOpened => {
                let made = collecting::collect(&app.ctx, &operator, &begun.opened.id, None).await;
                made.map(drop)
            }
            Act::Undo => advice::undo(&app.ctx, &operator, &begun.tightened.id).await,
            Act::Claim => {
                let (passphrase, caller) = (Secret::new(String::new()), Caller::default());
                let made = handover::claim(&app.ctx, &begun.link, &passphrase, None, &caller).await;
                made.map(drop)
            }
        }
    }

    /// The act is refused for the case's rule and no other, in its words.
    fn is_told(&self, act: Act, done: Result<(), DomainError>) {
        let (what, told) = (format!("{act:?}"), self.case.told);
        match (act.has_no_fields(), done) {
            (false, done) => is_told(&what, done, told),
            (true, Err(DomainError::Refused(code, message))) => {
                assert_eq!(code, Code::Conflict, "{what}");
                // Whoever holds a link need not belong to the organisation, and hears nothing of its rules.
                let says = if matches!(act, Act::Claim) {
                    "rules have changed"
                } else {
                    told.2
                };
                assert!(message.contains(says), "{what}: {message}");
            }
            (true, other) => panic!("{what}: {} was not refused: {other:?}", told.1),
        }
    }
}

on_both_databases! {
    async fn each_rule_holds_in_each_act(backend: Backend) {
        let app = TestApp::on(backend).await;
        take_imports(&app).await;
        let grace = app.person("grace@acme.example", Some((app.org, Role::Admin, "active"))).await;
        let membership = Some((app.org, Role::Admin));
        let requester = Actor::account(grace, membership, SessionStage::Complete, Origin::default()).proved(app.clock.now());
        let mut cells = 0;
        for (n, case) in CASES.iter().enumerate() {
            save(&app, &[], "").await.unwrap();
            let keeper = Begun::of(&app, &requester, &format!("keeper {n}"), case.keeps).await;
            let breaker = Begun::of(&app, &requester, &format!("breaker {n}"), case.breaks).await;
            let other = app.issue(&format!("other {n}"), &["images:read"]).await;
            save(&app, case.rule, "").await.unwrap();

            let stage = Stage { app: &app, case, requester: &requester, n, keeper, breaker, other };
            for act in Act::ALL {
                let kept = stage.attempt(act, true).await;
                assert!(kept.is_ok(), "{act:?}, {}: {kept:?}", case.told.1);
                stage.is_told(act, stage.attempt(act, false).await);
                cells += 2;
            }
            // Nothing is switched off, and whoever must be rid of a secret is not kept from it.
            assert_eq!(app.verify(&stage.breaker.key.secret).await, "VALID");
            assert!(rotated(&app, &stage.breaker.key, "now").await.is_ok(), "{}", case.told.1);
        }
        eprintln!("policy on {backend:?}: {cells} cells of {:?}, kept and broken", Act::ALL);
    }
}
