//! What is measured: the house with keys, and the least an axum server can do with the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use keywright::model::actor::Actor;
use keywright::model::project::CatalogueScope;
use keywright::server::boot::{self, Parts};
use keywright::server::ctx::Ctx;
use keywright::server::domain::accounts::set_up::{self, By, SetUpDraft};
use keywright::server::domain::instance;
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::verification::{CacheLimits, follow_changes};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::router::router;
use keywright::server::http::serve::serve;
use keywright::server::http::state::AppState;
use keywright::server::jobs::{self, Jobs};
use keywright::server::platform::crypto::master_key::MasterKey;
use keywright::server::platform::rng::OsRng;
use keywright::server::store::db::{DatabaseUrl, Db};
use keywright::server::store::migrate;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub struct Subject {
    pub ctx: Ctx,
    pub house: SocketAddr,
    pub reference: SocketAddr,
    pub token: String,
    pub requests: Vec<Arc<[u8]>>,
    _jobs: Jobs,
    _folder: tempfile::TempDir,
}

impl Subject {
    pub async fn start(keys: usize, ttl_ms: i64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("bench.db")), true)
            .await
            .expect("a database");
        migrate::run(&db).await.expect("a schema");
        let parts = Parts::offline().expect("settings");
        let parts = Parts {
            cache: CacheLimits {
                ttl_ms,
                ..CacheLimits::default()
            },
            ..parts
        };
        let master = MasterKey::random(&OsRng);
        let keyring = instance::open_keyring(&db, &master, &OsRng, parts.clock.now())
            .await
            .expect("secrets");
        let (ctx, receiver) = boot::assemble(db, keyring, parts).expect("a context");
        follow_changes(&ctx).await.expect("news");
        let (token, secrets) = fill(&ctx, keys).await;
        let jobs = jobs::start(&ctx, receiver, Duration::from_millis(500));
        let house = listen(router(AppState {
            ctx: ctx.clone(),
            assets: &EMBEDDED,
        }))
        .await;
        let reference = listen(Router::new().route("/v1/keys/verify", post(echo))).await;
        let requests = secrets
            .iter()
            .map(|secret| crate::load::request(&token, secret))
            .collect();
        Self {
            ctx,
            house,
            reference,
            token,
            requests,
            _jobs: jobs,
            _folder: folder,
        }
    }

    pub async fn persisted(&self) -> u64 {
        self.ctx.usage.flush().await;
        self.ctx.usage.persisted()
    }
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
    tokio::spawn(serve(listener, router, 10_000, CancellationToken::new()));
    address
}

async fn fill(ctx: &Ctx, keys: usize) -> (String, Vec<String>) {
    let scope = |name: &str| CatalogueScope {
        name: name.to_owned(),
        description: String::new(),
        sensitive: false,
    };
    let draft = SetUpDraft {
        email: "ada@acme.example",
        name: "Ada",
        organisation: "Acme",
        project: "Image API",
        prefix: "acme",
        scopes: Ok(vec![scope("images:read"), scope("images:write")]),
        password: "a phrase that only benchmarks know".into(),
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
    let token = tokens::create(ctx, &actor, &draft, None)
        .await
        .expect("a token")
        .secret
        .expose()
        .clone();
    let mut secrets = Vec::with_capacity(keys);
    for n in 0..keys {
        let name = format!("key {n}");
        let draft = KeyDraft {
            project: Some(&made.project_id),
            environment: "live",
            name: &name,
            purpose: "",
            owner: "team:bench",
            scopes: vec!["images:*"],
            expiry: "90",
            expiry_date: "",
            extend_catalogue: true,
            scopes_required: false,
        };
        secrets.push(
            issue::issue(ctx, &actor, &draft, None)
                .await
                .expect("a key")
                .secret
                .expose()
                .clone(),
        );
    }
    (token, secrets)
}
