//! How something sealed is written down. Two formats, told apart by their first byte; both are XChaCha20-Poly1305, and both
//! authenticate the place where the value is kept, so that a value copied to another row doesn't open there.
//!
//! | format | after the first byte |
//! |---|---|
//! | 1 | the number of a key of the key file (1 byte), nonce (24), text: what wraps data keys, and what older versions sealed values with |
//! | 2 | the version of the workspace's data key (4 bytes, big-endian), nonce (24), text |

use super::{Secret, keys::Key};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

const BY_FILE_KEY: u8 = 1;
const BY_DATA_KEY: u8 = 2;
const NONCE: usize = 24;

/// Where a sealed value is kept.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub workspace: WorkspaceId,
    /// The id of the row.
    pub row: Uuid,
}

impl Place {
    pub(super) fn associated_data(&self) -> Vec<u8> {
        associated_data(self.table, self.column, &[self.workspace.0.as_bytes(), self.row.as_bytes()])
    }
}

/// What is authenticated with a value: names, then ids.
pub(super) fn associated_data(table: &str, column: &str, row: &[&[u8]]) -> Vec<u8> {
    [table.as_bytes(), b"\0", column.as_bytes(), b"\0", &row.concat()].concat()
}

/// Why something sealed doesn't open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error(
        "it was sealed with key number {0}, which is not in the key file; put the key file back that belongs to this database"
    )]
    KeyMissing(u8),
    #[error("it was sealed with version {0} of the workspace's data key, which is not in the database")]
    DataKeyMissing(u32),
    #[error("it doesn't open with the key in the key file: the file belongs to another database, or the value was changed")]
    Refused,
    #[error("it is not something that was sealed here")]
    Unreadable,
}

/// Which key a sealed value opens with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealedBy {
    FileKey(u8),
    DataKey(u32),
}

pub(super) fn sealed_by(sealed: &[u8]) -> Result<SealedBy, NotOpened> {
    match sealed {
        [BY_FILE_KEY, number, ..] => Ok(SealedBy::FileKey(*number)),
        [BY_DATA_KEY, rest @ ..] => match rest.first_chunk() {
            Some(version) => Ok(SealedBy::DataKey(u32::from_be_bytes(*version))),
            None => Err(NotOpened::Unreadable),
        },
        _ => Err(NotOpened::Unreadable),
    }
}

pub(super) fn seal_with_file_key(number: u8, key: &Key, associated: &[u8], plain: &[u8]) -> Vec<u8> {
    seal(&[BY_FILE_KEY, number], key, associated, plain)
}

pub(super) fn open_with_file_key(key: &Key, associated: &[u8], sealed: &[u8]) -> Result<Secret, NotOpened> {
    open(2, key, associated, sealed)
}

pub(super) fn seal_with_data_key(version: u32, key: &Key, place: Place, plain: &[u8]) -> Vec<u8> {
    let [a, b, c, d] = version.to_be_bytes();
    seal(&[BY_DATA_KEY, a, b, c, d], key, &place.associated_data(), plain)
}

pub(super) fn open_with_data_key(key: &Key, place: Place, sealed: &[u8]) -> Result<Secret, NotOpened> {
    open(5, key, &place.associated_data(), sealed)
}

fn seal(head: &[u8], key: &Key, associated: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = rand::random();
    // The head is authenticated too: a value can't be passed off as sealed by another key.
    let payload = Payload { msg: plain, aad: &with_head(head, associated) };
    let text = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("the cipher takes any text below 256 GiB");
    [head, &nonce, &text].concat()
}

fn open(head: usize, key: &Key, associated: &[u8], sealed: &[u8]) -> Result<Secret, NotOpened> {
    let (head, rest) = sealed.split_at_checked(head).ok_or(NotOpened::Unreadable)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(NotOpened::Unreadable)?;
    let payload = Payload { msg: text, aad: &with_head(head, associated) };
    let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload);
    opened.map(Secret::new).map_err(|_| NotOpened::Refused)
}

/// Values of format 1 were made before the head was authenticated; which key they name decides whether they open at all.
fn with_head(head: &[u8], associated: &[u8]) -> Vec<u8> {
    if head[0] == BY_FILE_KEY { associated.to_vec() } else { [head, associated].concat() }
}
