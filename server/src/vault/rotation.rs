//! A new key while everything runs. The new key is in the file, on disk, before anything is wrapped or sealed with it; then every
//! workspace gets a new data key, the old ones are wrapped anew, and every value is sealed anew, each by one statement of its own that
//! changes nothing but what was read. At every moment every value opens with keys that are there, so a rotation can be cut off
//! anywhere: whoever comes next, the next start included, goes on where it was.

use super::{NotOpened, Place, Vault, VaultError};
use crate::store::{
    data_keys::{self, Stored},
    sealed::{self, Column},
};
use std::collections::HashSet;
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

/// Rows of one look at the database.
const BATCH: i64 = 200;

/// What a rotation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Data keys that are wrapped by the newest key now.
    pub rewrapped: u64,
    /// Values that are sealed with their workspace's newest data key now.
    pub resealed: u64,
    /// What doesn't open, and so was left as it is: a sentence each.
    pub unreadable: Vec<String>,
}

/// What is at rest, and whether it opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub data_keys: u64,
    pub values: u64,
    /// What doesn't open: a sentence each.
    pub unreadable: Vec<String>,
}

impl Vault {
    /// Adds a key to the file, and answers with its number. [`Vault::finish_rotation`] does the rest.
    ///
    /// # Errors
    /// When the file can't be read or written; then nothing has changed.
    pub fn add_key(&self) -> Result<u8, super::keys::NoKeys> {
        self.file.add()
    }

    /// Brings everything to the newest key. What is there already stays as it is.
    pub async fn finish_rotation(&self) -> Result<Rotated, VaultError> {
        let mut done = Rotated::default();
        self.rewrap(&mut done).await?;
        for column in Column::ALL {
            self.reseal(column, &mut done).await?;
        }
        Ok(done)
    }

    async fn rewrap(&self, done: &mut Rotated) -> Result<(), VaultError> {
        let (number, _) = self.file.newest();
        // The table is small, a few rows per workspace, and what doesn't open is only looked at once.
        let mut fresh: HashSet<WorkspaceId> = HashSet::new();
        let mut after = (Uuid::nil(), 0);
        loop {
            let batch = data_keys::wrapped_otherwise(self.data_keys.pool(), number, after, BATCH).await?;
            let Some((last, stored)) = batch.last() else { return Ok(()) };
            after = (last.0, stored.version);
            for (workspace, stored) in batch {
                // Before its first old key is wrapped anew, the workspace gets a new one: a rotation that was cut off shows by
                // its newest data key, still wrapped by an old one.
                if fresh.insert(workspace) {
                    self.refresh(workspace, number).await?;
                }
                match self.data_keys.unwrap(workspace, &stored) {
                    Ok(key) => {
                        let (number, wrapped) = self.data_keys.wrap(workspace, stored.version, &key);
                        data_keys::rewrap(self.data_keys.pool(), workspace, &stored, number, &wrapped).await?;
                        done.rewrapped += 1;
                    }
                    Err(error) => done.unreadable.push(key_sentence(workspace, &stored, &error)),
                }
            }
        }
    }

    /// A new data key, unless the newest one was made with this key of the file.
    async fn refresh(&self, workspace: WorkspaceId, number: u8) -> Result<(), VaultError> {
        match data_keys::newest(self.data_keys.pool(), workspace).await? {
            Some(newest) if newest.key_number != number => self.data_keys.make(workspace, newest.version + 1).await,
            _ => Ok(()),
        }
    }

    async fn reseal(&self, column: Column, done: &mut Rotated) -> Result<(), VaultError> {
        let mut after = Uuid::nil();
        loop {
            let batch = sealed::page(self.data_keys.pool(), column, false, after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = last.id;
            for value in batch {
                let place = place(column, &value);
                match self.open(place, &value.sealed).await {
                    Ok(secret) => {
                        let anew = self.seal(place, secret.expose()).await?;
                        done.resealed += u64::from(sealed::reseal(self.data_keys.pool(), column, &value, &anew).await?);
                    }
                    Err(VaultError::NotOpened(error)) => done.unreadable.push(value_sentence(column, &value, &error)),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Opens everything that is sealed, and keeps nothing of it.
    pub async fn check(&self) -> Result<Checked, VaultError> {
        let mut checked = Checked::default();
        let mut after = (Uuid::nil(), 0);
        loop {
            // No key has the number 0: these are all of them.
            let batch = data_keys::wrapped_otherwise(self.data_keys.pool(), 0, after, BATCH).await?;
            let Some((last, stored)) = batch.last() else { break };
            after = (last.0, stored.version);
            for (workspace, stored) in batch {
                checked.data_keys += 1;
                if let Err(error) = self.data_keys.unwrap(workspace, &stored) {
                    checked.unreadable.push(key_sentence(workspace, &stored, &error));
                }
            }
        }
        for column in Column::ALL {
            let mut after = Uuid::nil();
            loop {
                let batch = sealed::page(self.data_keys.pool(), column, true, after, BATCH).await?;
                let Some(last) = batch.last() else { break };
                after = last.id;
                for value in batch {
                    checked.values += 1;
                    match self.open(place(column, &value), &value.sealed).await {
                        Ok(_) => {}
                        Err(VaultError::NotOpened(error)) => checked.unreadable.push(value_sentence(column, &value, &error)),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(checked)
    }
}

fn place(column: Column, value: &sealed::Value) -> Place {
    Place { table: column.table(), column: "secret_sealed", workspace: value.workspace, row: value.id }
}

fn value_sentence(column: Column, value: &sealed::Value, error: &NotOpened) -> String {
    format!("The secret of the {} {} can't be opened: {error}.", column.table(), value.id)
}

fn key_sentence(workspace: WorkspaceId, stored: &Stored, error: &NotOpened) -> String {
    format!("Version {} of the data key of the workspace {workspace} can't be opened: {error}.", stored.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{Keys, envelope};
    use sqlx::PgPool;

    async fn connection(pool: &PgPool, workspace: WorkspaceId, sealed: &[u8], id: Uuid) {
        sqlx::query!(
            "insert into connection (id, workspace_id, connector, auth, name, secret_sealed) values ($1, $2, 'http', 'bearer', $3, $4)",
            id,
            workspace.0,
            id.to_string(),
            sealed
        )
        .execute(pool)
        .await
        .unwrap();
    }

    async fn with_connections(pool: &PgPool, vault: &Vault, count: u128) -> (WorkspaceId, Vec<Uuid>) {
        let workspace = WorkspaceId::new();
        sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", workspace.0).execute(pool).await.unwrap();
        let ids: Vec<Uuid> = (1..=count).map(Uuid::from_u128).collect();
        for id in &ids {
            let place = Place { table: "connection", column: "secret_sealed", workspace, row: *id };
            // Every other one as an older version sealed it.
            let sealed = if id.as_u128() % 2 == 0 {
                let (number, key) = vault.file.newest();
                envelope::seal_with_file_key(number, &key, &place.associated_data(), id.as_bytes())
            } else {
                vault.seal(place, id.as_bytes()).await.unwrap()
            };
            connection(pool, workspace, &sealed, *id).await;
        }
        (workspace, ids)
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn after_a_rotation_everything_opens_and_nothing_needs_an_old_key(pool: PgPool) {
        let vault = Vault::new(Keys::generate(), pool.clone());
        let (_, ids) = with_connections(&pool, &vault, 450).await;
        assert_eq!(vault.add_key().unwrap(), 2);
        let done = vault.finish_rotation().await.unwrap();
        assert_eq!(done, Rotated { rewrapped: 1, resealed: ids.len() as u64, unreadable: vec![] });
        assert_eq!(data_keys::by_key_number(&pool).await.unwrap(), [(2, 2)], "the old data key and the new one");
        assert_eq!(vault.finish_rotation().await.unwrap(), Rotated::default(), "there is nothing left to do");
        let checked = vault.check().await.unwrap();
        assert_eq!(checked, Checked { data_keys: 2, values: ids.len() as u64, unreadable: vec![] });
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn a_rotation_that_was_cut_off_is_finished_by_whoever_comes_next(pool: PgPool) {
        let vault = Vault::new(Keys::generate(), pool.clone());
        let (workspace, ids) = with_connections(&pool, &vault, 9).await;
        vault.add_key().unwrap();
        // Cut off after the workspace got its new data key, and after some values were sealed with it.
        vault.refresh(workspace, 2).await.unwrap();
        for value in sealed::page(&pool, Column::ConnectionSecret, false, Uuid::nil(), 4).await.unwrap() {
            let at = place(Column::ConnectionSecret, &value);
            let anew = vault.seal(at, vault.open(at, &value.sealed).await.unwrap().expose()).await.unwrap();
            assert!(sealed::reseal(&pool, Column::ConnectionSecret, &value, &anew).await.unwrap());
        }
        assert_eq!(vault.check().await.unwrap().unreadable, Vec::<String>::new(), "in the middle everything opens");
        let done = vault.finish_rotation().await.unwrap();
        assert_eq!(done, Rotated { rewrapped: 1, resealed: ids.len() as u64 - 4, unreadable: vec![] });
        assert_eq!(data_keys::newest(&pool, workspace).await.unwrap().unwrap().version, 2, "one new data key, not two");
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn what_does_not_open_is_named_and_left_alone(pool: PgPool) {
        let vault = Vault::new(Keys::generate(), pool.clone());
        let (workspace, _) = with_connections(&pool, &vault, 3).await;
        connection(&pool, workspace, b"\x01\x09nonsense", Uuid::from_u128(99)).await;
        vault.add_key().unwrap();
        let done = vault.finish_rotation().await.unwrap();
        assert_eq!((done.resealed, done.unreadable.len()), (3, 1));
        assert!(done.unreadable[0].contains("key number 9"), "{}", done.unreadable[0]);
        assert_eq!(vault.check().await.unwrap().unreadable, done.unreadable);
    }
}
