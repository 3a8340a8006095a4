//! The composition root: settings in, a running server out; and the context that commands work with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::{MailOptionsError, Place, PublicOrigin, ServeOptions, Site, folder_of};
use super::ctx::{Context, Ctx};
use super::domain::DomainError;
use super::domain::instance::{self, KeyringError};
use super::domain::keys::restrictions;
use super::domain::usage::{UsageReceiver, UsageSink};
use super::domain::verification::{CacheLimits, VerificationCache, follow_changes, learn_formats};
use super::http::state::AppState;
use super::http::{assets, router, serve as accept};
use super::jobs;
use super::platform::clock::{Clock, SystemClock};
use super::platform::countries::{CountryDatabase, CountryDatabaseError};
use super::platform::crypto::master_key::{MasterKey, MasterKeyError};
use super::platform::crypto::password::{PasswordCost, PasswordHashing};
use super::platform::crypto::report_keys::{ReportKeys, ReportKeysError};
use super::platform::crypto::seal::Sealer;
use super::platform::mail::Mailer;
use super::platform::rng::{OsRng, Rng};
use super::store::db::{DatabaseUrl, Db};
use super::store::error::StoreError;
use super::store::migrate::{self, SchemaState};
use crate::model::actor::FRESH_MS;
use crate::model::time::SECOND_MS;

/// Why a command could not begin. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("{0}")]
    MasterKey(#[from] MasterKeyError),
    #[error("{0}")]
    Keyring(#[from] KeyringError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(
        "the database was made by an older release (schema {applied}, this release knows {known}). Run: keywright migrate"
    )]
    OldSchema { applied: i64, known: i64 },
    #[error(
        "the database was made by a newer release (schema {applied}, this release knows {known}). Use that release"
    )]
    NewSchema { applied: i64, known: i64 },
    #[error("{path} can be read or changed by other accounts; run: chmod {mode} {path}")]
    TooOpen { path: String, mode: &'static str },
    #[error("another keywright serve uses {0} already")]
    InUse(String),
    #[error("the password cost is below the floor: at least 19456 KiB with 2 passes, or 47104 KiB with 1")]
    WeakPasswordCost,
    #[error("there is no database at {0}. Start keywright serve, or run keywright setup first")]
    NoDatabase(String),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{0}")]
    Domain(#[from] DomainError),
    #[error("passwords cannot be hashed on this machine")]
    Passwords,
    #[error("{0}")]
    Mail(#[from] MailOptionsError),
    #[error("{0}")]
    Countries(#[from] CountryDatabaseError),
    #[error("{0}")]
    ReportKeys(#[from] ReportKeysError),
}

/// The database may take so long to take the last usage when the server stops.
const STOP_TIME_MAX: Duration = Duration::from_secs(15);

/// What a command does with the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Bring it up to date, and make the database if there is none.
    Migrate,
    /// Refuse any but the present one.
    Require,
}

/// How a context is put together beyond the place.
pub struct Parts {
    pub site: Site,
    pub cache: CacheLimits,
    pub password_cost: PasswordCost,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub mailer: Option<Arc<dyn Mailer>>,
    pub countries: CountryDatabase,
}

impl Parts {
    /// For commands that serve nobody.
    pub fn offline() -> Result<Self, BootError> {
        let public_origin: PublicOrigin = "http://127.0.0.1:3000"
            .parse()
            .map_err(|_| BootError::Passwords)?;
        Ok(Self {
            site: Site {
                public_origin,
                trusted_proxies: Vec::new(),
                development: false,
                proof_lifetime_ms: FRESH_MS,
                report_keys: ReportKeys::default(),
            },
            cache: CacheLimits {
                keys: 16,
                tokens: 16,
                unknown: 16,
                ..CacheLimits::default()
            },
            password_cost: PasswordCost::default(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
            mailer: None,
            countries: CountryDatabase::default(),
        })
    }
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> BootError {
    let what = what.into();
    move |source| BootError::Io { what, source }
}

/// Makes a folder that only we may enter; refuses one that others may.
fn private_folder(path: &Path) -> Result<(), BootError> {
    if !path.exists() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        return made.map_err(io_error(format!("{} could not be made", path.display())));
    }
    refuse_open(path, "700")
}

/// R82: nobody else reads the database or changes what lies beside it.
fn refuse_open(path: &Path, mode: &'static str) -> Result<(), BootError> {
    let metadata = fs::metadata(path).map_err(io_error(format!("{} cannot be read", path.display())))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(BootError::TooOpen {
            path: path.display().to_string(),
            mode,
        });
    }
    Ok(())
}

async fn open_db(place: &Place, schema: Schema) -> Result<Db, BootError> {
    let url = place.database_url();
    if let DatabaseUrl::Sqlite(path) = &url {
        if schema == Schema::Require && !path.exists() {
            return Err(BootError::NoDatabase(path.display().to_string()));
        }
        private_folder(&folder_of(path))?;
        if path.exists() {
            refuse_open(path, "600")?;
        } else {
            // Made here so that it is never, not even briefly, readable by others.
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path);
            made.map_err(io_error(format!("{} could not be made", path.display())))?;
        }
    }
    let db = Db::open(&url, false).await?;
    match (schema, migrate::state(&db).await?) {
        (_, SchemaState::New { applied, known }) => return Err(BootError::NewSchema { applied, known }),
        (Schema::Require, SchemaState::Old { applied, known }) => {
            return Err(BootError::OldSchema { applied, known });
        }
        (Schema::Migrate, SchemaState::Old { .. }) => migrate::run(&db).await?,
        (_, SchemaState::Current) => {}
    }
    Ok(db)
}

async fn open_master_key(place: &Place, db: &Db, schema: Schema) -> Result<MasterKey, BootError> {
    let path = place.master_key_path();
    match MasterKey::load(&path) {
        Err(MasterKeyError::Missing(_))
            if schema == Schema::Migrate && !instance::has_secrets(db).await? =>
        {
            let key = MasterKey::create(&path, &OsRng)?;
            tracing::warn!(path = %path.display(), "made a master key: back it up, apart from the database; without it no key can be verified");
            Ok(key)
        }
        loaded => Ok(loaded?),
    }
}

/// Opens the installation: database, master key, secrets, and the country database if one is configured. A command that
/// neither serves nor changes the schema goes on without the last.
pub async fn open(
    place: &Place,
    schema: Schema,
    mut parts: Parts,
) -> Result<(Ctx, UsageReceiver), BootError> {
    let countries = place.country_database.as_deref();
    parts.countries = match schema {
        Schema::Migrate => CountryDatabase::open(countries)?,
        Schema::Require => CountryDatabase::open_or_without(countries),
    };
    if !parts.password_cost.is_enough() {
        return Err(BootError::WeakPasswordCost);
    }
    if schema == Schema::Migrate {
        let data = &place.data;
        if !data.exists() {
            private_folder(data)?;
        }
    }
    let db = open_db(place, schema).await?;
    let master = open_master_key(place, &db, schema).await?;
    let keyring = match schema {
        Schema::Migrate => {
            instance::open_keyring(&db, &master, parts.rng.as_ref(), parts.clock.now()).await?
        }
        Schema::Require => instance::open_existing_keyring(&db, &master).await?,
    };
    assemble(db, keyring, Arc::new(master), parts)
}

/// Puts a context together from its parts. Tests use it with their own clock, chance and database.
pub fn assemble(
    db: Db,
    keyring: super::platform::crypto::keyring::Keyring,
    master: Arc<MasterKey>,
    parts: Parts,
) -> Result<(Ctx, UsageReceiver), BootError> {
    let keyring = Arc::new(keyring);
    let passwords = PasswordHashing::new(Arc::clone(&keyring), Arc::clone(&parts.rng), parts.password_cost);
    let seals = Sealer::new(master, Arc::clone(&parts.rng));
    let (usage, receiver) = UsageSink::new();
    let ctx = Context {
        db,
        clock: parts.clock,
        rng: parts.rng,
        keyring,
        seals: Arc::new(seals),
        passwords: passwords.map_err(|_| BootError::Passwords)?,
        key_cache: VerificationCache::new(parts.cache),
        turns: Arc::default(),
        usage,
        mailer: parts.mailer,
        countries: Arc::new(parts.countries),
        site: parts.site,
    };
    Ok((Arc::new(ctx), receiver))
}

/// Holds the folder for this process; a second `serve` on it refuses to start. PostgreSQL is made for several.
struct FolderLock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

fn lock_folder(place: &Place) -> Result<Option<FolderLock>, BootError> {
    let DatabaseUrl::Sqlite(path) = place.database_url() else {
        return Ok(None);
    };
    let lock: PathBuf = folder_of(&path).join("serve.lock");
    private_folder(&folder_of(&path))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock);
    let file = file.map_err(io_error(format!("{} could not be opened", lock.display())))?;
    match fs4::fs_std::FileExt::try_lock_exclusive(&file) {
        Ok(true) => Ok(Some(FolderLock(file))),
        Ok(false) => Err(BootError::InUse(folder_of(&path).display().to_string())),
        Err(source) => Err(BootError::Io {
            what: format!("{} could not be locked", lock.display()),
            source,
        }),
    }
}

/// Runs the server until `stop`. `announce` is told once where it is and, before set-up, the one-time link.
pub async fn serve(
    place: &Place,
    options: &ServeOptions,
    stop: CancellationToken,
    announce: impl FnOnce(&Announcement),
) -> Result<(), BootError> {
    let mailer = options.mail.mailer(options.public_origin.host())?;
    let _lock = lock_folder(place)?;
    let parts = Parts {
        site: Site {
            public_origin: options.public_origin.clone(),
            trusted_proxies: options.trusted_proxies.clone(),
            development: options.development,
            proof_lifetime_ms: options.proof_lifetime_s * SECOND_MS,
            report_keys: ReportKeys::load(options.leak_keys_file.as_deref())?,
        },
        cache: CacheLimits {
            keys: options.key_cache_size,
            ttl_ms: options.key_cache_ttl_ms,
            ..CacheLimits::default()
        },
        password_cost: options.password.cost(),
        clock: Arc::new(SystemClock),
        rng: Arc::new(OsRng),
        mailer: mailer.map(|mailer| Arc::new(mailer) as Arc<dyn Mailer>),
        countries: CountryDatabase::default(),
    };
    let (ctx, receiver) = open(place, Schema::Migrate, parts).await?;
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(io_error(format!("cannot listen on {}", options.listen)))?;
    let setup_link = setup_link(&ctx, options).await?;
    follow_changes(&ctx).await?;
    learn_formats(&ctx).await?;
    warn_of_untold_countries(&ctx).await?;
    let jobs = jobs::start(&ctx, receiver, Duration::from_millis(options.usage_flush_ms)).with_mail(&ctx);
    let state = AppState {
        ctx: ctx.clone(),
        assets: &assets::EMBEDDED,
    };
    announce(&Announcement {
        origin: options.public_origin.as_str().to_owned(),
        listen: listener.local_addr().ok(),
        setup_link,
    });
    let bounds = accept::Bounds::of(options.max_connections);
    accept::serve(listener, router::router(state), bounds, stop).await;
    if tokio::time::timeout(STOP_TIME_MAX, async {
        jobs.stop().await;
        ctx.db.close().await
    })
    .await
    .is_err()
    {
        tracing::error!("stopping without the database: it did not answer in time");
    }
    Ok(())
}

/// Keys whose rule about countries refuses every request, because nothing can tell countries.
async fn warn_of_untold_countries(ctx: &Ctx) -> Result<(), BootError> {
    if ctx.countries.is_ready() {
        return Ok(());
    }
    let keys = restrictions::count_by_country(ctx).await?;
    if keys > 0 {
        tracing::warn!(
            keys,
            "keys are limited to countries, and there is no country database: all their requests are refused. Set KEYWRIGHT_COUNTRY_DATABASE"
        );
    }
    Ok(())
}

/// What the terminal is told at the start.
pub struct Announcement {
    pub origin: String,
    pub listen: Option<std::net::SocketAddr>,
    pub setup_link: Option<String>,
}

async fn setup_link(ctx: &Ctx, options: &ServeOptions) -> Result<Option<String>, BootError> {
    let Some(token) = instance::new_setup_token(ctx).await? else {
        return Ok(None);
    };
    if let Some(path) = &options.setup_token_file {
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        let written = written.and_then(|mut file| writeln!(file, "{}", token.expose()));
        written.map_err(io_error(format!("{} could not be written", path.display())))?;
    }
    Ok(Some(format!(
        "{}/setup?token={}",
        options.public_origin.as_str(),
        token.expose()
    )))
}
