//! `towpath user …`: people without a browser and without mail. It works beside a running server and alone.

use super::say;
use crate::{
    auth::{password, permission::Role, setup},
    config::Config,
    database,
    pages::account::setup::is_email,
    store::{people, sessions},
};
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::PgPool;
use std::io::Read;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a person. Without --password-stdin a password is made and printed.
    Add {
        /// The e-mail address to sign in with.
        email: String,
        /// The name that others see; the part before the @ when left out.
        #[arg(long)]
        name: Option<String>,
        /// What the person may do. The first person of an instance becomes its owner whatever this says.
        #[arg(long, value_enum, default_value = "builder")]
        role: RoleName,
        #[command(flatten)]
        given: GivenPassword,
    },
    /// Set a new password for somebody and end their sessions. Without --password-stdin a password is made and printed.
    ResetPassword {
        email: String,
        #[command(flatten)]
        given: GivenPassword,
    },
    /// List everybody who has an account.
    List,
}

#[derive(Args)]
pub struct GivenPassword {
    /// Read the password from standard input, up to the end of the line.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleName {
    Viewer,
    Operator,
    Builder,
    Admin,
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Builder => Self::Builder,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(config: Config, command: UserCommand) -> anyhow::Result<()> {
    let opened = database::open_beside(&config).await?;
    let done = carry_out(&opened.database.pool, command).await;
    opened.close().await;
    say(&done?);
    Ok(())
}

async fn carry_out(pool: &PgPool, command: UserCommand) -> anyhow::Result<String> {
    match command {
        UserCommand::Add { email, name, role, given } => {
            let email = read_email(&email)?;
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            ensure!((1..=200).contains(&name.trim().chars().count()), "A name has between 1 and 200 characters.");
            let (password, made) = given.read(&email, &name)?;
            setup::add_person(pool, &email, name.trim(), role.into(), &password)
                .await
                .map_err(|problem| anyhow::anyhow!(problem.detail))?;
            Ok(format!("{email} was added.{}", said(made.then_some(&password))))
        }
        UserCommand::ResetPassword { email, given } => {
            let email = read_email(&email)?;
            let Some(found) = people::credentials(pool, &email).await? else {
                bail!("Nobody has the address {email}. \"towpath user list\" shows who has an account.");
            };
            let (password, made) = given.read(&email, "")?;
            let hash = password::hash_now(&password).map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
            let mut transaction = pool.begin().await?;
            people::set_password(&mut transaction, found.person, &hash).await?;
            let ended = sessions::end_all(&mut *transaction, found.person).await?;
            transaction.commit().await?;
            let ended = match ended {
                0 => String::new(),
                1 => " One session was ended.".to_owned(),
                n => format!(" {n} sessions were ended."),
            };
            Ok(format!("{email} has a new password.{ended}{}", said(made.then_some(&password))))
        }
        UserCommand::List => {
            let everybody = people::list(pool).await?;
            if everybody.is_empty() {
                return Ok("Nobody has an account yet. Start Towpath and open the address that it prints.".into());
            }
            let lines = everybody.into_iter().map(|person| {
                let disabled = if person.disabled_at.is_some() { ", disabled" } else { "" };
                let owner = if person.instance_owner { ", owner of this instance" } else { "" };
                format!("{}  {}  {}{owner}{disabled}", person.email, person.name, person.workspaces)
            });
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
    }
}

fn read_email(text: &str) -> anyhow::Result<String> {
    ensure!(is_email(text), "\"{text}\" is not an e-mail address; write one such as ada@example.com.");
    Ok(text.trim().to_lowercase())
}

fn said(made: Option<&String>) -> String {
    made.map(|password| format!("\nThe password is shown this once; change it after signing in:\n  {password}"))
        .unwrap_or_default()
}

impl GivenPassword {
    /// The password, and whether it was made here.
    fn read(&self, email: &str, name: &str) -> anyhow::Result<(String, bool)> {
        if !self.password_stdin {
            return Ok((make_password(), true));
        }
        let mut text = String::new();
        std::io::stdin().take(4_096).read_to_string(&mut text).context("The password can't be read from standard input")?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        password::judge(&password, email, name).map_err(|mistake| anyhow::anyhow!(mistake))?;
        Ok((password, false))
    }
}

/// A hundred random bits as five groups of four characters, without the ones that look alike.
fn make_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let letters: Vec<char> = rand::random::<[u8; 20]>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_passwords_differ_and_pass_their_own_rules() {
        let (one, other) = (make_password(), make_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 24);
        assert!(password::judge(&one, "ada@example.com", "Ada").is_ok(), "{one}");
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn people_come_in_by_the_command_line_and_get_new_passwords(pool: PgPool) {
        let add = |email: &str, role| UserCommand::Add {
            email: email.into(),
            name: None,
            role,
            given: GivenPassword { password_stdin: false },
        };
        assert!(carry_out(&pool, UserCommand::List).await.unwrap().starts_with("Nobody has an account yet."));
        let said = carry_out(&pool, add("Ada@Example.com", RoleName::Viewer)).await.unwrap();
        let first = said.lines().last().unwrap().trim().to_owned();
        carry_out(&pool, add("grace@example.com", RoleName::Operator)).await.unwrap();
        let twice = carry_out(&pool, add("ada@example.com", RoleName::Viewer)).await.unwrap_err().to_string();
        assert!(twice.contains("There is somebody with the address ada@example.com already."), "{twice}");

        let everybody = carry_out(&pool, UserCommand::List).await.unwrap();
        assert!(everybody.contains("ada@example.com  ada  Home (owner), owner of this instance"), "{everybody}");
        assert!(everybody.contains("grace@example.com  grace  Home (operator)"), "{everybody}");

        let reset =
            UserCommand::ResetPassword { email: "ada@example.com".into(), given: GivenPassword { password_stdin: false } };
        let second = carry_out(&pool, reset).await.unwrap().lines().last().unwrap().trim().to_owned();
        let hash = people::credentials(&pool, "ada@example.com").await.unwrap().unwrap().password_hash;
        let passwords = password::Passwords::new();
        assert!(!passwords.verify(first, Some(hash.clone())).await.unwrap());
        assert!(passwords.verify(second, Some(hash)).await.unwrap());

        let nobody =
            UserCommand::ResetPassword { email: "eve@example.com".into(), given: GivenPassword { password_stdin: false } };
        assert!(carry_out(&pool, nobody).await.is_err());
    }
}
