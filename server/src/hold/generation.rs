//! A number that rises with every start, in the database and in the data directory. A database whose number is behind was put back from
//! an older state, by whatever means.

use crate::store::{instance, people};
use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use std::{fs, io::ErrorKind, path::Path};

/// Compares the two, holds the instance if the database went back in time, and raises both. True: the instance is held, for this
/// or an earlier reason.
///
/// # Errors
/// A sentence, when the file can't be read or written.
pub async fn check(pool: &PgPool, data: &Path, now: DateTime<Utc>) -> anyhow::Result<bool> {
    let file = data.join("generation");
    let known = read(&file)?;
    let stored = instance::generation(pool).await?;
    // A new database under an old directory has nothing to send.
    if went_back(known, stored) && people::any(pool).await? {
        let because = "The database is older than what this server has seen: it was put back from a backup.";
        instance::hold(pool, now, because).await?;
    }
    let next = known.unwrap_or_default().max(stored) + 1;
    // The database first: a crash between the two must not look like a restore.
    instance::set_generation(pool, next).await?;
    write(&file, next).with_context(|| format!("{} can't be written", file.display()))?;
    Ok(instance::held(pool).await?.is_some())
}

/// A directory without a number is new: it knows nothing better.
fn went_back(known: Option<i64>, stored: i64) -> bool {
    known.is_some_and(|known| stored < known)
}

fn read(file: &Path) -> anyhow::Result<Option<i64>> {
    match fs::read_to_string(file) {
        Ok(text) => text.trim().parse().map(Some).with_context(|| {
            format!("{} does not hold a number. Remove it if the database is not from a backup", file.display())
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", file.display())),
    }
}

fn write(file: &Path, generation: i64) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = file.with_extension("new");
    fs::write(&draft, format!("{generation}\n"))?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::instance;
    use sqlx::PgPool;

    #[test]
    fn only_a_number_that_is_behind_a_known_one_means_a_restore() {
        assert!(went_back(Some(5), 4));
        assert!(!went_back(Some(5), 5) && !went_back(Some(5), 6) && !went_back(None, 0) && !went_back(None, 9));
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn a_database_that_was_put_back_is_held_and_others_are_not(pool: PgPool) {
        sqlx::query("insert into person (id, email, name, password_hash) values (gen_random_uuid(), 'a@b.c', 'A', 'x')")
            .execute(&pool)
            .await
            .unwrap();
        let data = std::env::temp_dir().join(format!("towpath-generation-{}", uuid::Uuid::now_v7()));
        let now = DateTime::UNIX_EPOCH;
        for _ in 0..3 {
            assert!(!check(&pool, &data, now).await.unwrap());
        }
        // A crash between the two writes: the database is ahead.
        instance::set_generation(&pool, 9).await.unwrap();
        assert!(!check(&pool, &data, now).await.unwrap());
        instance::set_generation(&pool, 2).await.unwrap();
        assert!(check(&pool, &data, now).await.unwrap());
        assert!(check(&pool, &data, now).await.unwrap(), "until somebody decides");
        assert!(instance::decide(&pool, "run").await.unwrap());
        assert!(!instance::decide(&pool, "cancel").await.unwrap(), "once");
        instance::release(&pool).await.unwrap();
        assert!(!check(&pool, &data, now).await.unwrap());
        fs::remove_dir_all(data).unwrap();
    }
}
