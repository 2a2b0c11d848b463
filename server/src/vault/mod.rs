//! Keys; sealing and opening what must not be read at rest. Every workspace has data keys of its own, and a key file outside the
//! database wraps those: a copy of the database opens nothing, and a new key in the file is a matter of wrapping a few data keys
//! again. Nothing here logs or prints a secret.

mod data_keys;
mod envelope;
pub mod keys;
pub mod rotation;

pub use envelope::{NotOpened, Place};
pub use keys::Keys;

use crate::store::{self, connections, endpoints};
use data_keys::DataKeys;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keys::KeyFile;
use sha2::Sha256;
use sqlx::PgPool;
use std::{fmt, path::Path, sync::Arc};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Something opened. It has no `Display` and no `Serialize`, prints nothing, and its memory is wiped when it goes.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes.into())))
    }

    /// The bytes themselves, for the one place that uses them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why the vault could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    NotOpened(#[from] NotOpened),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<VaultError> for crate::problem::Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::NotOpened(error) => Self::internal(error),
        }
    }
}

/// Seals and opens. Cloning it is cheap, and clones share the keys that they have read.
#[derive(Clone)]
pub struct Vault {
    file: Arc<KeyFile>,
    data_keys: Arc<DataKeys>,
}

impl Vault {
    /// A vault over keys that are not in a file, for tests.
    pub fn new(keys: Keys, pool: PgPool) -> Self {
        Self::over(KeyFile::in_memory(keys), pool)
    }

    /// Reads the key file, or makes it at first start. A missing file is an error when the database holds what only it can open.
    pub async fn start(key_file: &Path, pool: &PgPool) -> anyhow::Result<Self> {
        let sealed =
            endpoints::any_sealed(pool).await? || connections::any_sealed(pool).await? || store::data_keys::any(pool).await?;
        Ok(Self::over(KeyFile::open(key_file, sealed)?, pool.clone()))
    }

    fn over(file: KeyFile, pool: PgPool) -> Self {
        let file = Arc::new(file);
        Self { data_keys: Arc::new(DataKeys::new(Arc::clone(&file), pool)), file }
    }

    /// Seals with the newest data key of the place's workspace, which is made when there is none.
    pub async fn seal(&self, place: Place, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (version, key) = self.data_keys.newest(place.workspace).await?;
        Ok(envelope::seal_with_data_key(version, &key, place, plain))
    }

    /// Opens what was sealed for this very place, by this or an earlier key.
    pub async fn open(&self, place: Place, sealed: &[u8]) -> Result<Secret, VaultError> {
        match envelope::sealed_by(sealed)? {
            envelope::SealedBy::FileKey(number) => {
                let key = self.file.key(number).ok_or(NotOpened::KeyMissing(number))?;
                Ok(envelope::open_with_file_key(&key, &place.associated_data(), sealed)?)
            }
            envelope::SealedBy::DataKey(version) => {
                let key = self.data_keys.get(place.workspace, version).await?;
                Ok(envelope::open_with_data_key(&key, place, sealed)?)
            }
        }
    }

    /// A code that only this installation can make, for what travels through a browser and comes back. `purpose` keeps codes of one
    /// use from being taken for another's.
    pub fn mac(&self, purpose: &'static str, text: &[u8]) -> [u8; 32] {
        mac_with(&self.file.newest().1, purpose, text)
    }

    /// Did this installation make the code, with its newest key or an earlier one?
    pub fn is_mac(&self, purpose: &'static str, text: &[u8], code: &[u8]) -> bool {
        self.file.all().iter().any(|key| mac_with(key, purpose, text).ct_eq(code).into())
    }
}

fn mac_with(key: &keys::Key, purpose: &'static str, text: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("a key of any length will do");
    mac.update(&[b"towpath ", purpose.as_bytes(), b"\0"].concat());
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
