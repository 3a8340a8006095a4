//! In which country an address is, by a database that whoever runs the house provides: a file in the format of MaxMind
//! (MMDB), such as GeoLite2-Country or DB-IP Country Lite. It is held in memory whole and read anew when the file is
//! another one.

use std::fs::{self, Metadata};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use maxminddb::{MaxMindDbError, PathElement, Reader};

use crate::model::country::CountryCode;
use crate::model::restriction::Whereabouts;
use crate::model::time::Timestamp;

/// What a database that could be used says of an address.
const COUNTRY: [PathElement<'static>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];
/// So many networks are looked at before a file counts as one without countries.
const NETWORKS_TRIED: usize = 10_000;

/// Why a file is of no use. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CountryDatabaseError {
    #[error("the country database {path} cannot be read: {source}. Check KEYWRIGHT_COUNTRY_DATABASE")]
    Unreadable { path: String, source: std::io::Error },
    #[error(
        "{path} is no country database: {reason}. KEYWRIGHT_COUNTRY_DATABASE takes an MMDB file such as GeoLite2-Country.mmdb or dbip-country-lite.mmdb"
    )]
    Unfit { path: String, reason: String },
}

/// The database, or that there is none.
#[derive(Default)]
pub struct CountryDatabase {
    path: Option<PathBuf>,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    loaded: Option<Arc<Loaded>>,
    /// Of the file that was looked at last, whether or not it was of any use.
    stamp: Option<Stamp>,
}

struct Loaded {
    reader: Reader<Vec<u8>>,
    stamp: Stamp,
}

/// What tells one file from the next under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
    /// Who may read it is told by this alone.
    status_changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
            status_changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What is told of the database that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// As its makers call it, such as `GeoLite2-Country`.
    pub kind: String,
    pub built_at: Timestamp,
}

impl CountryDatabase {
    /// Reads the file that is configured, if one is.
    pub fn open(path: Option<&Path>) -> Result<Self, CountryDatabaseError> {
        let database = Self::later(path);
        database.refresh()?;
        Ok(database)
    }

    /// The same for a command that can go on without: what cannot be read is as if it were not there.
    #[must_use]
    pub fn open_or_without(path: Option<&Path>) -> Self {
        let database = Self::later(path);
        if let Err(error) = database.refresh() {
            tracing::warn!(%error, "countries cannot be told");
        }
        database
    }

    fn later(path: Option<&Path>) -> Self {
        Self {
            path: path.map(Path::to_path_buf),
            held: RwLock::default(),
        }
    }

    /// Reads the file again if it is another one than before. `true`: it was, and is in use. A file that is of no use
    /// leaves the one before in its place, and is told once. Waits for the disk.
    pub fn refresh(&self) -> Result<bool, CountryDatabaseError> {
        let Some(path) = &self.path else {
            return Ok(false);
        };
        let unreadable = |source| CountryDatabaseError::Unreadable {
            path: path.display().to_string(),
            source,
        };
        let stamp = fs::metadata(path).map(|metadata| Stamp::of(&metadata));
        let seen = stamp.as_ref().ok().copied();
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            let is_known = held.loaded.is_some() && held.stamp == seen;
            held.stamp = seen;
            if is_known {
                return Ok(false);
            }
        }
        stamp.map_err(unreadable)?;
        let loaded = load(path)?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.stamp = Some(loaded.stamp);
        held.loaded = Some(Arc::new(loaded));
        Ok(true)
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.loaded.clone()
    }

    /// Whether countries can be told.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.loaded().is_some()
    }

    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.path.is_some()
    }

    #[must_use]
    pub fn edition(&self) -> Option<Edition> {
        let loaded = self.loaded()?;
        let metadata = loaded.reader.metadata();
        let built_s = i64::try_from(metadata.build_epoch).unwrap_or_default();
        Some(Edition {
            kind: metadata.database_type.clone(),
            built_at: Timestamp::from_ms(built_s.saturating_mul(1_000)),
        })
    }

    /// Where an address is: microseconds, from memory.
    #[must_use]
    pub fn whereabouts(&self, address: IpAddr) -> Whereabouts {
        let Some(loaded) = self.loaded() else {
            return Whereabouts::Untold;
        };
        let address = address.to_canonical();
        // A file of IPv4 addresses cannot say anything of others, which is not the same as not knowing them.
        if address.is_ipv6() && loaded.reader.metadata().ip_version == 4 {
            return Whereabouts::Untold;
        }
        match country_of(&loaded.reader, address) {
            Ok(Some(code)) => Whereabouts::In(code),
            Ok(None) => Whereabouts::Unknown,
            // A damaged record says nothing, so nothing passes by it.
            Err(_) => Whereabouts::Untold,
        }
    }

    /// The country of an address, where one can be told.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<CountryCode> {
        match self.whereabouts(address) {
            Whereabouts::In(code) => Some(code),
            Whereabouts::Untold | Whereabouts::Unknown => None,
        }
    }
}

fn country_of(reader: &Reader<Vec<u8>>, address: IpAddr) -> Result<Option<CountryCode>, MaxMindDbError> {
    let letters: Option<&str> = reader.lookup(address)?.decode_path(&COUNTRY)?;
    Ok(letters.and_then(CountryCode::from_letters))
}

fn load(path: &Path) -> Result<Loaded, CountryDatabaseError> {
    let unreadable = |source| CountryDatabaseError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let unfit = |reason: String| CountryDatabaseError::Unfit {
        path: path.display().to_string(),
        reason,
    };
    let stamp = Stamp::of(&fs::metadata(path).map_err(unreadable)?);
    let bytes = fs::read(path).map_err(unreadable)?;
    let reader = Reader::from_source(bytes).map_err(|error| unfit(error.to_string()))?;
    match tells_countries(&reader) {
        Ok(true) => Ok(Loaded { reader, stamp }),
        Ok(false) => {
            let kind = &reader.metadata().database_type;
            Err(unfit(format!(
                "none of its networks has a country; it is of the kind “{kind}”"
            )))
        }
        Err(error) => Err(unfit(error.to_string())),
    }
}

/// Whether the first networks say a country where such databases do.
fn tells_countries(reader: &Reader<Vec<u8>>) -> Result<bool, MaxMindDbError> {
    for network in reader.networks(Default::default())?.take(NETWORKS_TRIED) {
        let letters: Option<&str> = network?.decode_path(&COUNTRY)?;
        if letters.and_then(CountryCode::from_letters).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
