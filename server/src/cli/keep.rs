//! `towpath backup`, `restore`, `resume`, `keys` and `migrate`: what keeps an installation.

use super::say;
use crate::{
    backup,
    clock::Clock,
    config::Config,
    database::{self, Manner, migrate},
    pages::runs::words::size,
    store::{instance, live_runs},
};
use anyhow::{Context, bail, ensure};
use sqlx::{Connection, PgConnection};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Writes a backup, beside a running server or alone.
pub async fn backup(config: Config, file: PathBuf) -> anyhow::Result<()> {
    let opened = database::open_as(&config, Manner::LOOK).await?;
    let written = async {
        let mut connection = PgConnection::connect_with(&opened.database.options).await?;
        // An empty backup would be taken for a good one.
        let there: bool =
            sqlx::query_scalar("select to_regclass('public.workspace') is not null").fetch_one(&mut connection).await?;
        ensure!(
            there,
            "Nothing of Towpath is in this database. Is it the one that you mean? TOWPATH_DATA and DATABASE_URL say which."
        );
        let written = backup::dump(&mut connection, &file, config.stated.clone(), Clock::system().now()).await;
        let _ = connection.close().await;
        written
    }
    .await;
    opened.close().await;
    let bytes = written?;
    say(&format!(
        "{} holds everything in the database ({}).\nThe keys are not in it: without {} its secrets can't be read. Keep a copy apart from \
         it: towpath keys export FILE",
        file.display(),
        size(usize::try_from(bytes)?),
        config.data.key_file.display()
    ));
    Ok(())
}

/// Loads a backup into an empty instance.
pub async fn restore(config: Config, file: PathBuf) -> anyhow::Result<()> {
    // Before anything is made.
    ensure!(file.is_file(), "There is no file {}.", file.display());
    let opened = database::open_as(&config, Manner::ALONE).await?;
    let loaded = async {
        let mut connection = PgConnection::connect_with(&opened.database.options).await?;
        let now = Clock::system().now();
        let because = "This instance was restored from a backup.";
        let loaded = backup::load(&mut connection, &file, Some(because), now).await;
        let _ = connection.close().await;
        loaded
    }
    .await;
    let listed = match &loaded {
        Ok(_) => list(&opened.database.pool).await,
        Err(_) => Ok(Vec::new()),
    };
    opened.close().await;
    let loaded = loaded?;
    let mut lines = vec![
        format!(
            "Restored {} rows of the backup of {}, made by Towpath {}.",
            loaded.rows,
            loaded.made_at.to_rfc3339(),
            loaded.towpath
        ),
        String::new(),
        "The instance is held: it takes events, and starts and sends nothing until you decide.".to_owned(),
    ];
    lines.extend(listed?);
    lines.push(
        "Start it, look around, and decide under Settings, or with: towpath resume, or towpath resume --cancel-runs".to_owned(),
    );
    if !config.data.key_file.exists() {
        lines.push(format!("The key file is missing: put your copy at {} before you start.", config.data.key_file.display()));
    }
    if !loaded.settings.is_empty() {
        lines.push("The server that wrote it had these settings, secrets apart; set what you need again:".to_owned());
        lines.extend(loaded.settings.iter().map(|(name, value)| format!("  {name}={value}")));
    }
    say(&lines.join("\n"));
    Ok(())
}

/// What would go on, a line each.
async fn list(pool: &sqlx::PgPool) -> anyhow::Result<Vec<String>> {
    let live = live_runs::by_workflow(pool, 50).await?;
    let triggers = live_runs::triggers(pool).await?;
    let mut lines = vec![match live.is_empty() {
        true => "No run was under way.".to_owned(),
        false => "Runs that had not ended:".to_owned(),
    }];
    lines.extend(
        live.iter().map(|live| {
            format!("  {} in {}: {}", live.workflow, live.workspace, crate::pages::settings::restored::in_words(live))
        }),
    );
    lines.push(format!("Schedules and polls that start again in either case: {triggers}."));
    Ok(lines)
}

/// Decides what becomes of what came from a backup. A running server carries it out within seconds, else the next start does.
pub async fn resume(config: Config, cancel: bool) -> anyhow::Result<()> {
    let opened = database::open_as(&config, Manner::OF_EXISTING).await?;
    let pool = &opened.database.pool;
    let decided = async {
        let Some(hold) = instance::held(pool).await? else { bail!("Nothing is held.") };
        if let Some(decision) = hold.decision {
            bail!("It was decided before ({decision}), and is carried out as soon as the server runs.");
        }
        instance::decide(pool, if cancel { "cancel" } else { "run" }).await?;
        Ok(())
    }
    .await;
    opened.close().await;
    decided?;
    say(match cancel {
        true => "The runs that had not ended are cancelled by the server, then everything else goes on.",
        false => "Everything goes on as soon as the server runs.",
    });
    Ok(())
}

/// Copies the key file. Works without a database.
pub fn export_keys(config: &Config, file: &Path) -> anyhow::Result<()> {
    let from = &config.data.key_file;
    let keys = zeroize::Zeroizing::new(fs::read(from).with_context(|| format!("The key file {} can't be read", from.display()))?);
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("{} can't be made", file.display()))?;
    to.write_all(&keys).and_then(|()| to.sync_all()).with_context(|| format!("{} can't be written", file.display()))?;
    say(&format!(
        "{} opens every secret of this instance. Keep it apart from the backups, where few people get at it. To use it, put it at the \
         place that TOWPATH_KEY_FILE names.",
        file.display()
    ));
    Ok(())
}

/// Brings the schema up to date, or only says what would be done.
pub async fn migrate(config: Config, check: bool, no_snapshot: bool) -> anyhow::Result<()> {
    let manner = match (check, no_snapshot) {
        (true, _) => Manner::LOOK,
        (false, true) => Manner::WITHOUT_SNAPSHOT,
        (false, false) => Manner::COMMAND,
    };
    let opened = database::open_as(&config, manner).await?;
    let plan = async {
        let mut connection = PgConnection::connect_with(&opened.database.options).await?;
        let plan = migrate::plan(&mut connection).await;
        let _ = connection.close().await;
        plan
    }
    .await;
    opened.close().await;
    let plan = plan?;
    if plan.pending.is_empty() {
        say(&format!("The schema is this version's ({} migrations).", plan.applied));
        return Ok(());
    }
    let mut lines = vec![format!("This Towpath fits. A start would apply {} of its migrations:", plan.pending.len())];
    lines.extend(plan.pending.iter().map(|(number, description)| format!("  {number:04} {description}")));
    say(&lines.join("\n"));
    Ok(())
}
