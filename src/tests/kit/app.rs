//! The house, set up: an owner, an organisation, a project with a few scopes, a service token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::id::{AccountId, KeyId, OrgId, ProjectId};
use keywright::model::key::RevocationReason;
use keywright::model::org::Role;
use keywright::model::project::CatalogueScope;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::time::Timestamp;
use keywright::server::boot::{self, Parts};
use keywright::server::config::Site;
use keywright::server::ctx::Ctx;
use keywright::server::domain::accounts::set_up::{self, By, SetUpDraft};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::mail::{self, Enveloped, Letter, Recipient};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::verification::{CacheLimits, follow_changes};
use keywright::server::domain::{DomainError, instance};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::middleware::client_ip::Peer;
use keywright::server::http::router::router;
use keywright::server::http::state::AppState;
use keywright::server::jobs::{self, Jobs};
use keywright::server::platform::clock::Clock;
use keywright::server::platform::countries::CountryDatabase;
use keywright::server::platform::crypto::master_key::MasterKey;
use keywright::server::platform::crypto::password::PasswordCost;
use keywright::server::platform::crypto::report_keys::ReportKeys;
use keywright::server::platform::mail::Mailer;
use keywright::server::platform::rng::OsRng;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::browser::{Answer, Browser, ORIGIN};
use super::clock::ManualClock;
use super::database::{Backend, TestDb};
use super::mail::MemoryMailer;
use super::rng::SeededRng;

pub const EMAIL: &str = "ada@acme.example";
pub const PASSWORD: &str = "a phrase that only tests know";

static SEEDS: AtomicU64 = AtomicU64::new(1);

/// A seed that no other app of this process has: ids of two apps differ, and a run repeats itself.
fn next_seed() -> u64 {
    SEEDS
        .fetch_add(1, Ordering::SeqCst)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A running house with one organisation.
pub struct TestApp {
    pub ctx: Ctx,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    pub db: TestDb,
    pub org: OrgId,
    pub project: ProjectId,
    pub account: AccountId,
    /// May verify keys of `project`.
    pub token: String,
    /// Takes what `mail::send_due` sends; nothing does so by itself, so letters stay in the outbox to be read.
    pub mailer: Arc<MemoryMailer>,
    jobs: Option<Jobs>,
    master: Arc<MasterKey>,
}

/// A key with its secret.
#[derive(Clone)]
pub struct Issued {
    pub id: KeyId,
    pub secret: String,
}

/// A house before anybody set it up.
pub struct EmptyHouse {
    pub ctx: Ctx,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    pub db: TestDb,
    pub mailer: Arc<MemoryMailer>,
    jobs: Jobs,
    master: Arc<MasterKey>,
}

impl EmptyHouse {
    pub async fn on(backend: Backend) -> Self {
        let mailer = Arc::new(MemoryMailer::default());
        Self::with_mailer(backend, Some(mailer.clone()), mailer).await
    }

    /// One that can tell countries.
    pub async fn on_with_countries(backend: Backend, countries: CountryDatabase) -> Self {
        let mailer = Arc::new(MemoryMailer::default());
        Self::put_together(backend, Some(mailer.clone()), mailer, countries).await
    }

    pub async fn on_without_mail(backend: Backend) -> Self {
        Self::with_mailer(backend, None, Arc::default()).await
    }

    async fn with_mailer(backend: Backend, used: Option<Arc<dyn Mailer>>, mailer: Arc<MemoryMailer>) -> Self {
        Self::put_together(backend, used, mailer, CountryDatabase::default()).await
    }

    async fn put_together(
        backend: Backend,
        used: Option<Arc<dyn Mailer>>,
        mailer: Arc<MemoryMailer>,
        countries: CountryDatabase,
    ) -> Self {
        let db = TestDb::new(backend).await;
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_795_255_200_000)));
        let rng = Arc::new(SeededRng::new(next_seed()));
        let master = Arc::new(MasterKey::random(&OsRng));
        let keyring = instance::open_keyring(&db.db, &master, &OsRng, clock.now())
            .await
            .unwrap();
        let parts = Parts {
            site: Site {
                public_origin: ORIGIN.parse().unwrap(),
                trusted_proxies: Vec::new(),
                development: true,
                proof_lifetime_ms: keywright::model::actor::FRESH_MS,
                report_keys: ReportKeys::default(),
            },
            cache: CacheLimits {
                keys: 20_000,
                ..CacheLimits::default()
            },
            password_cost: PasswordCost::default(),
            clock: clock.clone(),
            rng,
            mailer: used,
            countries,
        };
        let (ctx, receiver) = boot::assemble(db.db.clone(), keyring, Arc::clone(&master), parts).unwrap();
        follow_changes(&ctx).await.unwrap();
        let jobs = jobs::start(&ctx, receiver, Duration::from_millis(50));
        let router = router(AppState {
            ctx: ctx.clone(),
            assets: &EMBEDDED,
        });
        Self {
            ctx,
            router,
            clock,
            db,
            mailer,
            jobs,
            master,
        }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }
}

pub fn catalogue(names: &[&str]) -> Vec<CatalogueScope> {
    let scope = |name: &&str| CatalogueScope {
        name: (*name).to_owned(),
        description: String::new(),
        sensitive: false,
    };
    names.iter().map(scope).collect()
}

impl TestApp {
    pub async fn on(backend: Backend) -> Self {
        Self::set_up(EmptyHouse::on(backend).await).await
    }

    /// An installation that can tell countries.
    pub async fn on_with_countries(backend: Backend, countries: CountryDatabase) -> Self {
        Self::set_up(EmptyHouse::on_with_countries(backend, countries).await).await
    }

    /// An installation that nobody has given a mail server.
    pub async fn on_without_mail(backend: Backend) -> Self {
        Self::set_up(EmptyHouse::on_without_mail(backend).await).await
    }

    /// An installation that sends its mail with this.
    pub async fn on_with_mailer(backend: Backend, mailer: Arc<dyn Mailer>) -> Self {
        Self::set_up(EmptyHouse::with_mailer(backend, Some(mailer), Arc::default()).await).await
    }

    /// From now on letters leave by themselves.
    pub fn start_sending(&mut self) {
        self.jobs = self.jobs.take().map(|jobs| jobs.with_mail(&self.ctx));
    }

    /// Ends all that runs beside requests, as a server that stops does.
    pub async fn stop_jobs(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.stop().await;
        }
    }

    async fn set_up(house: EmptyHouse) -> Self {
        let draft = SetUpDraft {
            email: EMAIL,
            name: "Ada Lovelace",
            organisation: "Acme",
            project: "Image API",
            prefix: "acme",
            scopes: Ok(catalogue(&["images:read", "images:write", "admin"])),
            password: PASSWORD.into(),
        };
        let (made, _) = set_up::set_up(&house.ctx, draft, By::Operator("tests"))
            .await
            .unwrap();
        let actor = Actor::operator("tests", Some(made.org_id));
        let draft = TokenDraft {
            project: Some(&made.project_id),
            name: "tests",
            permissions: vec!["verify"],
            expiry: "none",
            expiry_date: "",
        };
        let token = tokens::create(&house.ctx, &actor, &draft, None).await.unwrap();
        Self {
            org: made.org_id,
            project: made.project_id,
            account: made.account_id,
            token: token.secret.expose().clone(),
            ctx: house.ctx,
            router: house.router,
            clock: house.clock,
            db: house.db,
            mailer: house.mailer,
            jobs: Some(house.jobs),
            master: house.master,
        }
    }

    /// The same installation opened by another process: its own memory, the same database.
    pub async fn another_process(&self) -> Ctx {
        let keyring = instance::open_existing_keyring(&self.db.db, &self.master)
            .await
            .unwrap();
        let parts = Parts {
            clock: self.clock.clone(),
            mailer: self.ctx.mailer.clone(),
            ..Parts::offline().unwrap()
        };
        boot::assemble(self.db.db.clone(), keyring, Arc::clone(&self.master), parts)
            .unwrap()
            .0
    }

    /// The same installation served by another process that asks reports of leaks for a signature.
    pub async fn with_report_keys(&self, report_keys: ReportKeys) -> Router {
        let keyring = instance::open_existing_keyring(&self.db.db, &self.master)
            .await
            .unwrap();
        let offline = Parts::offline().unwrap();
        let parts = Parts {
            clock: self.clock.clone(),
            mailer: self.ctx.mailer.clone(),
            site: Site {
                report_keys,
                ..offline.site
            },
            ..offline
        };
        let (ctx, _) = boot::assemble(self.db.db.clone(), keyring, Arc::clone(&self.master), parts).unwrap();
        router(AppState {
            ctx,
            assets: &EMBEDDED,
        })
    }

    /// Puts a letter into the outbox.
    pub async fn write(&self, to: Recipient, letter: Letter) {
        let mut tx = self.ctx.db.begin_write().await.unwrap();
        mail::enqueue(&self.ctx, &mut tx, to, letter, self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Every letter in the outbox, oldest first.
    pub async fn letters(&self) -> Vec<Enveloped> {
        mail::waiting(&self.ctx).await.unwrap()
    }

    pub fn operator(&self) -> Actor {
        Actor::operator("tests", Some(self.org))
    }

    pub fn member(&self, role: Role) -> Actor {
        Actor::account(
            self.account,
            Some((self.org, role)),
            SessionStage::Complete,
            Origin::default(),
        )
        .proved(self.clock.now())
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// The owner, signed in.
    pub async fn owner(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser
            .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
            .await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub async fn issue(&self, name: &str, scopes: &[&str]) -> Issued {
        self.try_issue(name, "live", scopes, "90").await.unwrap()
    }

    pub async fn try_issue(
        &self,
        name: &str,
        environment: &str,
        scopes: &[&str],
        expiry: &str,
    ) -> Result<Issued, DomainError> {
        let draft = KeyDraft {
            project: Some(&self.project),
            environment,
            name,
            purpose: "",
            owner: "team:tests",
            scopes: scopes.to_vec(),
            expiry,
            expiry_date: "",
            rotation_days: "",
            restrictions: RestrictionsDraft::default(),
            extend_catalogue: false,
            scopes_required: false,
        };
        let made = issue::issue(&self.ctx, &self.operator(), &draft, None).await?;
        Ok(Issued {
            id: made.id,
            secret: made.secret.expose().clone(),
        })
    }

    pub async fn revoke(&self, id: &KeyId) {
        lifecycle::revoke(&self.ctx, &self.operator(), id, RevocationReason::Superseded, "")
            .await
            .unwrap();
    }

    /// Asks about a key and gives the code.
    pub async fn verify(&self, secret: &str) -> String {
        self.ask(json!({ "key": secret })).await["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Asks and gives the whole answer, which must be 200.
    pub async fn ask(&self, body: Value) -> Value {
        let answer = self
            .verify_raw(&self.token, "application/json", body.to_string(), "")
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    pub async fn verify_raw(
        &self,
        token: &str,
        media_type: &str,
        body: impl Into<Body>,
        query: &str,
    ) -> Answer {
        let mut request =
            Request::post(format!("/v1/keys/verify{query}")).header(header::CONTENT_TYPE, media_type);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Sends any request as it is.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request
            .extensions_mut()
            .insert(Peer("203.0.113.7:4711".parse().unwrap()));
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }
}
