//! The data keys of workspaces: made when first needed, wrapped by the newest key of the key file, unwrapped once and kept in memory.

use super::{
    NotOpened, VaultError, envelope,
    keys::{Key, KeyFile},
};
use crate::store::data_keys::{self, Stored};
use parking_lot::RwLock;
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc};
use towpath_engine::ids::WorkspaceId;
use zeroize::Zeroizing;

/// Keys that are kept unwrapped; beyond it all of them are let go and read again when they are needed.
const MOST: usize = 10_000;

pub(super) type DataKey = Arc<Zeroizing<Key>>;

pub(super) struct DataKeys {
    file: Arc<KeyFile>,
    pool: PgPool,
    unwrapped: RwLock<HashMap<(WorkspaceId, u32), DataKey>>,
}

impl DataKeys {
    pub fn new(file: Arc<KeyFile>, pool: PgPool) -> Self {
        Self { file, pool, unwrapped: RwLock::default() }
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The key that a workspace's new values are sealed with. Which one it is is asked of the database each time: sealing is rare, and
    /// another process may have made a new one.
    pub async fn newest(&self, workspace: WorkspaceId) -> Result<(u32, DataKey), VaultError> {
        let stored = match data_keys::newest(&self.pool, workspace).await? {
            Some(stored) => stored,
            None => {
                self.make(workspace, 1).await?;
                data_keys::newest(&self.pool, workspace).await?.ok_or(NotOpened::DataKeyMissing(1))?
            }
        };
        Ok((stored.version, self.unwrap(workspace, &stored)?))
    }

    /// The key of that version.
    pub async fn get(&self, workspace: WorkspaceId, version: u32) -> Result<DataKey, VaultError> {
        if let Some(key) = self.unwrapped.read().get(&(workspace, version)) {
            return Ok(Arc::clone(key));
        }
        let stored = data_keys::get(&self.pool, workspace, version).await?.ok_or(NotOpened::DataKeyMissing(version))?;
        Ok(self.unwrap(workspace, &stored)?)
    }

    /// Makes a data key; when another process was first, its key stays.
    pub async fn make(&self, workspace: WorkspaceId, version: u32) -> Result<(), VaultError> {
        let key = Zeroizing::new(rand::random::<Key>());
        let (number, wrapped) = self.wrap(workspace, version, &key);
        data_keys::insert(&self.pool, workspace, &Stored { version, key_number: number, wrapped }).await?;
        Ok(())
    }

    /// Wrapped by the newest key of the file, and its number.
    pub fn wrap(&self, workspace: WorkspaceId, version: u32, key: &Key) -> (u8, Vec<u8>) {
        let (number, newest) = self.file.newest();
        (number, envelope::seal_with_file_key(number, &newest, &place(workspace, version), key))
    }

    pub fn unwrap(&self, workspace: WorkspaceId, stored: &Stored) -> Result<DataKey, NotOpened> {
        if let Some(key) = self.unwrapped.read().get(&(workspace, stored.version)) {
            return Ok(Arc::clone(key));
        }
        let by = self.file.key(stored.key_number).ok_or(NotOpened::KeyMissing(stored.key_number))?;
        let opened = envelope::open_with_file_key(&by, &place(workspace, stored.version), &stored.wrapped)?;
        let key = Key::try_from(opened.expose()).map_err(|_| NotOpened::Unreadable)?;
        let key = Arc::new(Zeroizing::new(key));
        let mut unwrapped = self.unwrapped.write();
        if unwrapped.len() >= MOST {
            unwrapped.clear();
        }
        unwrapped.insert((workspace, stored.version), Arc::clone(&key));
        Ok(key)
    }
}

fn place(workspace: WorkspaceId, version: u32) -> Vec<u8> {
    envelope::associated_data("data_key", "wrapped", &[workspace.0.as_bytes(), &version.to_be_bytes()])
}
