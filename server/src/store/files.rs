//! `file`: bytes that pass between steps by reference. Stored once; what travels is `{ "$file", "name", "type", "size" }`.

use super::Error;
use serde_json::json;
use sha2::Digest as _;
use sqlx::PgExecutor;
use towpath_engine::{
    Json,
    ids::{FileId, WorkspaceId},
};

/// Stores bytes and returns the file value.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<Json, Error> {
    let id = FileId::new();
    let sha256 = sha2::Sha256::digest(bytes).to_vec();
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    sqlx::query!(
        "insert into file (id, workspace_id, name, media_type, size, sha256, bytes) values ($1, $2, $3, $4, $5, $6, $7)",
        id.0,
        workspace.0,
        name.replace('\0', ""),
        media_type.replace('\0', ""),
        size,
        sha256,
        bytes
    )
    .execute(executor)
    .await?;
    Ok(json!({ "$file": id, "name": name, "type": media_type, "size": size }))
}
