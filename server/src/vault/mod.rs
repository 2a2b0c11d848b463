//! Keys; sealing and opening what must not be read at rest. The keys live in a file outside the database, so that a copy of the
//! database opens nothing. Nothing here logs or prints a secret.

pub mod keys;

pub use keys::Keys;

use crate::store::endpoints;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use sqlx::PgPool;
use std::{fmt, path::Path, sync::Arc};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The first byte of everything sealed: XChaCha20-Poly1305, one byte of key number, 24 of nonce, then the ciphertext.
const FORMAT: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 2 + NONCE;

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

/// Where a sealed value is kept. It is authenticated with the value: a value copied to another row doesn't open there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    /// The ids that name the row, its workspace included.
    pub row: &'a [Uuid],
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(8 + self.table.len() + self.column.len() + 16 * self.row.len());
        for name in [self.table, self.column] {
            data.extend_from_slice(name.as_bytes());
            data.push(0);
        }
        for id in self.row {
            data.extend_from_slice(id.as_bytes());
        }
        data
    }
}

/// Why something sealed doesn't open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error(
        "it was sealed with key number {0}, which is not in the key file; put the key file back that belongs to this database"
    )]
    KeyMissing(u8),
    #[error("it doesn't open with the key in the key file: the file belongs to another database, or the value was changed")]
    Refused,
    #[error("it is not something that was sealed here")]
    Unreadable,
}

/// Seals and opens. Cloning it is cheap.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Keys>,
}

impl Vault {
    pub fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(keys) }
    }

    /// Reads the key file, or makes it at first start. A missing file is an error when the database holds what only it can open.
    pub async fn start(key_file: &Path, pool: &PgPool) -> anyhow::Result<Self> {
        let sealed = endpoints::any_sealed(pool).await?;
        Ok(Self::new(Keys::load(key_file, sealed)?))
    }

    /// Seals with the newest key.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let (number, key) = self.keys.newest();
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: plain, aad: &place.associated_data() };
        let cipher = XChaCha20Poly1305::new(key.into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).expect("the cipher takes any text below 256 GiB");
        let mut bytes = Vec::with_capacity(HEAD + sealed.len());
        bytes.extend_from_slice(&[FORMAT, number]);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    /// A code that only this installation can make, for what travels through a browser and comes back. `purpose` keeps codes of one
    /// use from being taken for another's.
    pub fn mac(&self, purpose: &'static str, text: &[u8]) -> [u8; 32] {
        let (_, key) = self.keys.newest();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length will do");
        mac.update(&[b"towpath ", purpose.as_bytes(), b"\0"].concat());
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// Opens what was sealed for this very place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret, NotOpened> {
        let [FORMAT, number, rest @ ..] = sealed else { return Err(NotOpened::Unreadable) };
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(NotOpened::Unreadable)?;
        let key = self.keys.get(*number).ok_or(NotOpened::KeyMissing(*number))?;
        let payload = Payload { msg: text, aad: &place.associated_data() };
        let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload);
        opened.map(Secret::new).map_err(|_| NotOpened::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: &[Uuid]) -> Place<'_> {
        Place { table: "endpoint", column: "secret_sealed", row }
    }

    #[test]
    fn a_sealed_value_opens_at_its_place() {
        let (vault, row) = (Vault::new(Keys::generate()), [Uuid::now_v7()]);
        let sealed = vault.seal(place(&row), b"open sesame");
        assert!(!sealed.windows(4).any(|part| part == b"open"));
        assert_eq!(vault.open(place(&row), &sealed).unwrap().expose(), b"open sesame");
    }

    #[test]
    fn the_same_value_is_sealed_differently_each_time() {
        let (vault, row) = (Vault::new(Keys::generate()), [Uuid::now_v7()]);
        assert_ne!(vault.seal(place(&row), b"x"), vault.seal(place(&row), b"x"));
    }

    #[test]
    fn a_value_moved_to_another_row_column_or_table_does_not_open() {
        let (vault, row, other) = (Vault::new(Keys::generate()), [Uuid::now_v7()], [Uuid::now_v7()]);
        let sealed = vault.seal(place(&row), b"x");
        assert_eq!(vault.open(place(&other), &sealed).unwrap_err(), NotOpened::Refused);
        assert_eq!(vault.open(Place { column: "hint", ..place(&row) }, &sealed).unwrap_err(), NotOpened::Refused);
        assert_eq!(vault.open(Place { table: "connection", ..place(&row) }, &sealed).unwrap_err(), NotOpened::Refused);
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let (vault, row) = (Vault::new(Keys::generate()), [Uuid::now_v7()]);
        let sealed = vault.seal(place(&row), b"x");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(place(&row), &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(vault.open(place(&row), &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn another_key_opens_nothing_and_a_missing_one_is_named() {
        let row = [Uuid::now_v7()];
        let sealed = Vault::new(Keys::generate()).seal(place(&row), b"x");
        let other = Vault::new(Keys::generate());
        assert_eq!(other.open(place(&row), &sealed).unwrap_err(), NotOpened::Refused);
        let mut later = sealed;
        later[1] = 7;
        assert_eq!(other.open(place(&row), &later).unwrap_err(), NotOpened::KeyMissing(7));
    }

    #[test]
    fn a_secret_prints_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret");
    }
}
