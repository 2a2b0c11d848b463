//! `towpath token …`: API tokens without a browser, so that a fresh instance can be set up by a program. It works beside a running
//! server and alone.

use super::{
    say,
    user::{find_workspace, somebody},
};
use crate::{
    auth::scope::Scope,
    clock::Clock,
    config::Config,
    database,
    people::tokens::{self, Wanted},
    store::{members, people, tokens as table},
};
use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::Subcommand;
use sqlx::PgPool;
use towpath_engine::ids::PersonId;

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token. It is printed this once.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do; may be given several times.
        #[arg(long = "scope", value_enum, required = true)]
        scopes: Vec<Scope>,
        /// The address of the person it belongs to; may be left out where there is only one person.
        #[arg(long)]
        user: Option<String>,
        /// The workspace's name; may be left out where there is only one.
        #[arg(long)]
        workspace: Option<String>,
        /// Days until it stops working. Without it, it works until it is taken back.
        #[arg(long)]
        days: Option<u16>,
    },
    /// List the tokens of a workspace.
    List {
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Take a token back, by the eight characters after tp_.
    Revoke {
        prefix: String,
        #[arg(long)]
        workspace: Option<String>,
    },
}

/// Carries a command out.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(config: Config, command: TokenCommand) -> anyhow::Result<()> {
    let opened = database::open_beside(&config).await?;
    let done = carry_out(&opened.database.pool, command, Clock::system().now()).await;
    opened.close().await;
    say(&done?);
    Ok(())
}

async fn carry_out(pool: &PgPool, command: TokenCommand, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        TokenCommand::Create { name, scopes, user, workspace, days } => {
            let (email, person) = owner(pool, user.as_deref()).await?;
            let (id, workspace) = find_workspace(pool, workspace.as_deref()).await?;
            if members::role(pool, id, person).await?.is_none() {
                bail!(
                    "{email} is not in {workspace}, or is disabled. \"towpath user role\" changes the first, \"towpath user enable\" the second."
                );
            }
            let made = tokens::add(pool, id, person, Wanted { name, scopes, days }, now)
                .await
                .map_err(|problem| anyhow::anyhow!(problem.detail))?;
            // Alone on its line: a script takes it from there.
            Ok(made.token)
        }
        TokenCommand::List { workspace } => {
            let (id, _) = find_workspace(pool, workspace.as_deref()).await?;
            let lines: Vec<String> = table::list(pool, id, None, None, 1_000)
                .await?
                .into_iter()
                .map(|token| {
                    let used = token.used_at.map_or_else(|| "never used".into(), |at| format!("used {}", at.format("%F %R UTC")));
                    let until = token.expires_at.map_or_else(String::new, |at| format!("  until {}", at.format("%F %R UTC")));
                    format!("tp_{}_…  {}  {}  {}  {used}{until}", token.prefix, token.name, token.owner, token.scopes.join(","))
                })
                .collect();
            Ok(if lines.is_empty() { "There are no tokens.".into() } else { lines.join("\n") })
        }
        TokenCommand::Revoke { prefix, workspace } => {
            let (id, _) = find_workspace(pool, workspace.as_deref()).await?;
            let prefix = prefix.trim_start_matches("tp_").get(..8).unwrap_or_default().to_owned();
            let all = table::list(pool, id, None, None, 10_000).await?;
            let Some(token) = all.iter().find(|token| token.prefix == prefix) else {
                bail!("There is no token tp_{prefix}_… in this workspace. \"towpath token list\" shows them.");
            };
            table::remove(pool, id, None, token.id).await?;
            Ok(format!("The token \"{}\" does not work any more.", token.name))
        }
    }
}

/// The person who is named, or the only one there is.
async fn owner(pool: &PgPool, email: Option<&str>) -> anyhow::Result<(String, PersonId)> {
    if let Some(email) = email {
        return somebody(pool, email).await;
    }
    match people::list(pool, None, 2).await?.as_slice() {
        [] => bail!("Nobody has an account yet. Add somebody with \"towpath user add\"."),
        [one] => Ok((one.email.clone(), one.id)),
        _ => bail!("There are several people. Say whose the token is with --user."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{link, permission::Role, setup};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[sqlx::test(migrations = "../migrations")]
    async fn a_token_is_made_listed_and_taken_back(pool: PgPool) {
        let create = |user: Option<&str>| TokenCommand::Create {
            name: "deploy".into(),
            scopes: vec![Scope::Read, Scope::Edit, Scope::Read],
            user: user.map(str::to_owned),
            workspace: None,
            days: Some(1),
        };
        assert!(carry_out(&pool, create(None), NOW).await.is_err(), "nobody is there yet");
        setup::add_person(&pool, "ada@example.com", "Ada", Role::Viewer, "a barge on the towpath").await.unwrap();
        let token = carry_out(&pool, create(None), NOW).await.unwrap();
        let found = table::find(&pool, &link::hash(&token), NOW).await.unwrap().expect("it works");
        assert_eq!((found.scopes.join(","), found.role), ("read,edit".into(), Role::Owner));
        let late = NOW + chrono::TimeDelta::days(1);
        assert!(table::find(&pool, &link::hash(&token), late).await.unwrap().is_none(), "for a day");

        setup::add_person(&pool, "grace@example.com", "Grace", Role::Viewer, "a barge on the towpath").await.unwrap();
        assert!(carry_out(&pool, create(None), NOW).await.is_err(), "whose?");
        assert!(carry_out(&pool, create(Some("eve@example.com")), NOW).await.is_err());
        let listed = carry_out(&pool, TokenCommand::List { workspace: None }, NOW).await.unwrap();
        assert!(listed.contains("deploy  Ada  read,edit  never used") && !listed.contains(&token), "{listed}");
        let prefix = token.get(..11).unwrap().to_owned();
        carry_out(&pool, TokenCommand::Revoke { prefix, workspace: None }, NOW).await.unwrap();
        assert!(table::find(&pool, &link::hash(&token), NOW).await.unwrap().is_none());
    }
}
