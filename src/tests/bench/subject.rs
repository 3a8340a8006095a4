//! What is measured: the house with keys, and the least an axum server can do with the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::post;
use axum::{Json, Router};
use ipnet::IpNet;
use keywright::model::actor::Actor;
use keywright::model::id::KeyId;
use keywright::model::permission::Permission;
use keywright::model::project::CatalogueScope;
use keywright::model::restriction::RestrictionsDraft;
use keywright::server::boot::{self, Parts};
use keywright::server::config::Site;
use keywright::server::ctx::Ctx;
use keywright::server::domain::accounts::set_up::{self, By, SetUpDraft};
use keywright::server::domain::instance;
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::secured;
use keywright::server::domain::mint::{self, Credential};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::usage::UsageReceiver;
use keywright::server::domain::verification::{CacheLimits, follow_changes};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::router::router;
use keywright::server::http::serve::{Bounds, serve};
use keywright::server::http::state::AppState;
use keywright::server::jobs::{self, Jobs};
use keywright::server::platform::crypto::master_key::MasterKey;
use keywright::server::platform::rng::OsRng;
use keywright::server::store::db::{DatabaseUrl, Db};
use keywright::server::store::keys::{self as store, NewKey};
use keywright::server::store::migrate;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub const EMAIL: &str = "ada@acme.example";
pub const PASSWORD: &str = "a phrase that only benchmarks know";

pub struct Subject {
    pub ctx: Ctx,
    pub house: SocketAddr,
    pub reference: SocketAddr,
    pub token: String,
    pub key: KeyId,
    pub requests: Vec<Arc<[u8]>>,
    /// The same, answered without a usage event.
    pub dry_requests: Vec<Arc<[u8]>>,
    _jobs: Jobs,
    master: Arc<MasterKey>,
    url: DatabaseUrl,
    _folder: Option<tempfile::TempDir>,
}

impl Subject {
    pub async fn start(keys: usize, ttl_ms: i64) -> Self {
        Self::start_behind(keys, ttl_ms, Vec::new()).await
    }

    /// The same, believing what these networks say of whom they speak for.
    pub async fn start_behind(keys: usize, ttl_ms: i64, proxies: Vec<IpNet>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("bench.db"));
        Self::of(url, Some(folder), (keys, ttl_ms), proxies).await
    }

    /// The same in a database that somebody else keeps.
    pub async fn on(url: DatabaseUrl, keys: usize, ttl_ms: i64) -> Self {
        Self::of(url, None, (keys, ttl_ms), Vec::new()).await
    }

    async fn of(
        url: DatabaseUrl,
        folder: Option<tempfile::TempDir>,
        (keys, ttl_ms): (usize, i64),
        proxies: Vec<IpNet>,
    ) -> Self {
        let master = Arc::new(MasterKey::random(&OsRng));
        let (ctx, receiver) = open(&url, &master, ttl_ms, proxies).await;
        let filled = fill(&ctx, keys).await;
        let jobs = jobs::start(&ctx, receiver, Duration::from_millis(500));
        let house = listen(router(AppState {
            ctx: ctx.clone(),
            assets: &EMBEDDED,
        }))
        .await;
        let reference = listen(Router::new().route("/v1/keys/verify", post(echo))).await;
        let requests = |dry_run| {
            let request = |secret: &String| crate::load::verification(&filled.token, secret, dry_run);
            filled.secrets.iter().map(request).collect()
        };
        Self {
            ctx,
            house,
            reference,
            requests: requests(false),
            dry_requests: requests(true),
            token: filled.token,
            key: filled.key,
            _jobs: jobs,
            master,
            url,
            _folder: folder,
        }
    }

    /// Seconds from opening the database to being ready, as a second process would need them.
    pub async fn start_again(&self) -> f64 {
        let started = Instant::now();
        drop(open(&self.url, &self.master, 5_000, Vec::new()).await);
        started.elapsed().as_secs_f64()
    }

    /// What requests needed of keys, as it is noted for the advisor.
    pub async fn needs_noted(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM key_uses";
        match &self.ctx.db {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(sql).fetch_one(readers).await,
            Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        }
        .expect("a number")
    }

    pub async fn persisted(&self) -> u64 {
        self.ctx.usage.flush().await;
        self.ctx.usage.persisted()
    }
}

async fn open(
    url: &DatabaseUrl,
    master: &Arc<MasterKey>,
    ttl_ms: i64,
    proxies: Vec<IpNet>,
) -> (Ctx, UsageReceiver) {
    let db = Db::open(url, true).await.expect("a database");
    migrate::run(&db).await.expect("a schema");
    let parts = Parts::offline().expect("settings");
    let parts = Parts {
        site: Site {
            trusted_proxies: proxies,
            ..parts.site
        },
        cache: CacheLimits {
            ttl_ms,
            ..CacheLimits::default()
        },
        ..parts
    };
    let keyring = instance::open_keyring(&db, master, &OsRng, parts.clock.now())
        .await
        .expect("secrets");
    let (ctx, receiver) = boot::assemble(db, keyring, Arc::clone(master), parts).expect("a context");
    follow_changes(&ctx).await.expect("news");
    (ctx, receiver)
}

/// Parses the same JSON and answers as richly, without any work.
async fn echo(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({
        "requestId": "req_00000000000000000000", "valid": true, "code": "VALID", "keyId": "key_000000000000",
        "name": "key 1", "projectId": "prj_000000000000", "environment": "live", "scopes": ["images:*"],
        "expiresAt": "2027-02-19T10:30:00Z", "asked": body["key"].is_string(),
    }))
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(
        listener,
        router,
        Bounds::of(10_000),
        CancellationToken::new(),
    ));
    address
}

/// What a house is filled with.
struct Filled {
    token: String,
    key: KeyId,
    secrets: Vec<String>,
}

async fn fill(ctx: &Ctx, keys: usize) -> Filled {
    let scope = |name: &str| CatalogueScope {
        name: name.to_owned(),
        description: String::new(),
        sensitive: false,
    };
    let draft = SetUpDraft {
        email: EMAIL,
        name: "Ada",
        organisation: "Acme",
        project: "Image API",
        prefix: "acme",
        scopes: Ok(vec![scope("images:read"), scope("images:write")]),
        password: PASSWORD.into(),
    };
    let (made, _) = set_up::set_up(ctx, draft, By::Operator("bench"))
        .await
        .expect("a set-up");
    let actor = Actor::operator("bench", Some(made.org_id));
    let draft = TokenDraft {
        project: Some(&made.project_id),
        name: "bench",
        permissions: vec!["verify"],
        expiry: "none",
        expiry_date: "",
    };
    let token = tokens::create(ctx, &actor, &draft, None).await.expect("a token");
    let draft = KeyDraft {
        project: Some(&made.project_id),
        environment: "live",
        name: "key",
        purpose: "",
        owner: "team:bench",
        scopes: vec!["images:*"],
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: true,
        scopes_required: false,
    };
    let first = issue::issue(ctx, &actor, &draft, None).await.expect("a key");
    let mut secrets = vec![first.secret.expose().clone()];
    multiply(ctx, &actor, &first.id, keys, &mut secrets).await;
    Filled {
        token: token.secret.expose().clone(),
        key: first.id,
        secrets,
    }
}

/// Copies of one key under other ids and secrets, hashed and signed as it is, in one transaction: issuing a million
/// one by one would take longer than everything that is measured.
async fn multiply(ctx: &Ctx, actor: &Actor, first: &KeyId, keys: usize, secrets: &mut Vec<String>) {
    let scope = actor
        .require(Permission::KeysCreateLive)
        .expect("an operator may");
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await.expect("a transaction");
    let found = store::find_secured(&mut tx, &scope, first)
        .await
        .expect("an answer");
    let mut key = found.expect("the key that was issued");
    for n in secrets.len()..keys {
        let minted = mint::credential(ctx, "acme_live");
        key.id = mint::key_id(&minted.kid).expect("an id").as_str().to_owned();
        key.name = format!("key {n}");
        let created = now.minus_ms(60_000 * i64::try_from(n).expect("a small number"));
        key.created_at_ms = created.ms();
        let credential = Credential::Key {
            org_id: &key.org_id,
            key_id: &key.id,
        };
        key.secrets = vec![mint::hashed(ctx, credential, &minted.text)];
        let mac = secured::sign(&ctx.keyring, &key);
        (key.row_mac, key.row_mac_key_id) = (mac.mac, mac.key_id);
        let new = NewKey {
            secured: &key,
            name_folded: &key.name,
            purpose: "",
            created_by: ("operator", "bench"),
        };
        store::insert(&mut tx, &scope, &new, created)
            .await
            .expect("a key");
        secrets.push(minted.text.expose().clone());
    }
    tx.commit().await.expect("a commit");
}
