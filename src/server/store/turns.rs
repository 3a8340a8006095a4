//! Who comes next in an organisation, within this process: whoever begins an act and waits for others of the same organisation
//! holds no connection meanwhile, which those of other organisations need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::error::StoreError;
use crate::model::id::OrgId;

/// As long as the database lets a statement wait.
const LONGEST: Duration = Duration::from_secs(10);

/// A turn, until it is dropped.
pub type Turn = OwnedMutexGuard<()>;

#[derive(Default)]
pub struct Turns(Mutex<HashMap<OrgId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits in the order of arrival. Errors: it took too long.
    pub async fn take(&self, org: &OrgId) -> Result<Turn, StoreError> {
        let queue = {
            let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(queues.entry(*org).or_default())
        };
        let turn = timeout(LONGEST, queue.lock_owned()).await;
        turn.map_err(|_| StoreError::Unavailable("other acts of the organisation take too long".to_owned()))
    }
}
