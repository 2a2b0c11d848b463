//! `towpath keys rotate`, `list` and `check`: the keys that secrets are sealed with. It works beside a running server and alone.

use super::say;
use crate::{
    config::Config,
    database::{self, Manner},
    store::data_keys,
    vault::Vault,
};
use anyhow::{Context, bail};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Add a new key to the key file and bring every secret to it, while servers go on running. Cut off, it goes on at the next start
    /// or the next time. Back the key file up afterwards.
    Rotate,
    /// List which keys of the key file are in use.
    List,
    /// Open every secret once and say which don't open.
    Check,
}

/// Carries a command out.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(config: Config, command: KeyCommand) -> anyhow::Result<()> {
    let opened = database::open_as(&config, Manner::OF_EXISTING).await?;
    let pool = opened.database.pool.clone();
    let done = async {
        let vault = Vault::start(&config.data.key_file, &pool).await?;
        match command {
            KeyCommand::Rotate => rotate(&config, &vault).await,
            KeyCommand::List => {
                let listed = data_keys::by_key_number(&pool).await?;
                if listed.is_empty() {
                    return Ok("Nothing is sealed yet.".to_owned());
                }
                let line = |(number, count): &(u8, i64)| format!("key {number} wraps {count} data keys");
                Ok(listed.iter().map(line).collect::<Vec<_>>().join("\n"))
            }
            KeyCommand::Check => check(&vault).await,
        }
    }
    .await;
    opened.close().await;
    say(&done?);
    Ok(())
}

async fn rotate(config: &Config, vault: &Vault) -> anyhow::Result<String> {
    let number = vault.add_key()?;
    say(&format!("Key {number} is in {}. Secrets are being sealed anew …", config.data.key_file.display()));
    let done =
        vault.finish_rotation().await.context("It was cut off. Run the same command again, or restart the server: both go on")?;
    let said = format!(
        "{} data keys were wrapped and {} secrets sealed anew. Back the key file up now; keep the old keys in it for as long as you \
         keep old backups of the database.",
        done.rewrapped, done.resealed
    );
    if done.unreadable.is_empty() { Ok(said) } else { bail!("{said}\n{}", done.unreadable.join("\n")) }
}

async fn check(vault: &Vault) -> anyhow::Result<String> {
    let checked = vault.check().await?;
    let said = format!("{} data keys and {} secrets were tried.", checked.data_keys, checked.values);
    if checked.unreadable.is_empty() {
        Ok(format!("{said} All of them open."))
    } else {
        bail!("{said} {} don't open:\n{}", checked.unreadable.len(), checked.unreadable.join("\n"))
    }
}
