//! The table `file`: bytes that pass between steps by reference. They are written once and never changed; their partition goes with
//! the runs that made them.

use super::Error;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};
use towpath_connectors::sdk::{Files, value::FileValue};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    ids::{FileId, WorkspaceId},
};

/// A file with its bytes.
#[derive(Clone, Debug)]
pub struct StoredFile {
    pub value: FileValue,
    pub bytes: Bytes,
    /// Do the bytes still have the checksum that they were stored with?
    pub intact: bool,
}

/// Stores bytes under a new id, and returns the file value that stands for them.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<Json, Error> {
    let value = FileValue { id: FileId::new(), name: clean(name), media_type: clean(media_type), size: bytes.len() as u64 };
    sqlx::query!(
        "insert into file (id, workspace_id, name, media_type, size, sha256, bytes) values ($1, $2, $3, $4, $5, $6, $7)",
        value.id.0,
        workspace.0,
        value.name,
        value.media_type,
        bytes.len() as i64,
        &*Sha256::digest(bytes),
        bytes
    )
    .execute(executor)
    .await?;
    Ok(value.to_json())
}

/// A file of this workspace; another workspace's is not found.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: FileId) -> Result<StoredFile, Error> {
    let row =
        sqlx::query!("select name, media_type, sha256, bytes from file where id = $1 and workspace_id = $2", id.0, workspace.0)
            .fetch_one(executor)
            .await?;
    let intact = *Sha256::digest(&row.bytes) == *row.sha256;
    let value = FileValue { id, name: row.name, media_type: row.media_type, size: row.bytes.len() as u64 };
    Ok(StoredFile { value, bytes: row.bytes.into(), intact })
}

/// A text that PostgreSQL and a header can hold: no control characters (it refuses NUL), and not endless.
fn clean(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(255).collect();
    if text.trim().is_empty() { "file".into() } else { text }
}

/// The files of one workspace, as actions meet them.
#[derive(Clone)]
pub struct WorkspaceFiles {
    pool: PgPool,
    workspace: WorkspaceId,
    /// The largest file, in bytes: `TOWPATH_MAX_BODY`.
    most: u64,
}

impl WorkspaceFiles {
    pub fn new(pool: PgPool, workspace: WorkspaceId, most: u64) -> Self {
        Self { pool, workspace, most }
    }
}

impl Files for WorkspaceFiles {
    fn read<'a>(&'a self, id: FileId) -> BoxFuture<'a, Result<Bytes, StepError>> {
        Box::pin(async move {
            let file = find(&self.pool, self.workspace, id).await.map_err(|error| told(&error, id))?;
            if !file.intact {
                return Err(StepError::new(
                    ErrorKind::Internal,
                    format!("The file \"{}\" ({id}) is damaged: its bytes no longer match its checksum.", file.value.name),
                ));
            }
            Ok(file.bytes)
        })
    }

    fn write<'a>(&'a self, name: String, media_type: String, bytes: Bytes) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async move {
            if bytes.len() as u64 > self.most {
                return Err(StepError::invalid_input(format!(
                    "The file \"{name}\" has {} bytes; files may have {} at most.",
                    bytes.len(),
                    self.most
                ))
                .hint("An operator can raise the limit with TOWPATH_MAX_BODY."));
            }
            let stored = insert(&self.pool, self.workspace, &name, &media_type, &bytes).await;
            stored.map_err(|error| match error {
                Error::Unavailable(_) => {
                    StepError::new(ErrorKind::Unavailable, "The file could not be stored: the database is unavailable.")
                }
                _ => StepError::new(ErrorKind::Internal, "The file could not be stored."),
            })
        })
    }
}

fn told(error: &Error, id: FileId) -> StepError {
    match error {
        Error::NotFound => StepError::new(ErrorKind::NotFound, format!("The file {id} is no longer there."))
            .hint("Files are kept as long as the runs that made them."),
        Error::Unavailable(_) => {
            StepError::new(ErrorKind::Unavailable, "The file could not be read: the database is unavailable.")
        }
        Error::Conflict(_) | Error::Query(_) => StepError::new(ErrorKind::Internal, "The file could not be read."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test(migrations = "../migrations")]
    async fn a_file_comes_back_to_its_workspace_and_to_no_other(pool: PgPool) {
        let (ours, theirs) = (WorkspaceId::new(), WorkspaceId::new());
        let files = WorkspaceFiles::new(pool.clone(), ours, 10);
        let value = files.write("a\0b.bin".into(), "image/png".into(), Bytes::from_static(b"\x00\xff")).await.unwrap();
        let file = FileValue::of(&value).unwrap();
        assert_eq!((file.name.as_str(), file.media_type.as_str(), file.size), ("ab.bin", "image/png", 2));
        assert_eq!(files.read(file.id).await.unwrap().as_ref(), b"\x00\xff");
        let other = WorkspaceFiles::new(pool.clone(), theirs, 10).read(file.id).await.unwrap_err();
        assert_eq!(other.kind, ErrorKind::NotFound);
        let large = files.write("x".into(), "text/plain".into(), Bytes::from_static(b"12345678901")).await.unwrap_err();
        assert!(large.message.contains("11 bytes"), "{}", large.message);

        sqlx::query("update file set bytes = 'x'").execute(&pool).await.unwrap();
        let damaged = files.read(file.id).await.unwrap_err();
        assert!(damaged.message.contains("damaged"), "{}", damaged.message);
    }
}
