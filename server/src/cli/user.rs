//! `towpath user …`: people without a browser and without mail. It works beside a running server and alone.

use super::say;
use crate::{
    auth::{password, permission::Role, setup},
    clock::Clock,
    config::Config,
    database,
    people::is_email,
    store::{self, members, people, sessions, workspaces},
};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::PgPool;
use std::io::Read;
use towpath_engine::ids::{PersonId, WorkspaceId};

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
        /// Also an owner of the instance: of what no workspace decides.
        #[arg(long)]
        instance_owner: bool,
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
    /// Keep somebody from signing in, and end their sessions.
    Disable { email: String },
    /// Let somebody sign in again.
    Enable { email: String },
    /// Give somebody a role in a workspace, or take them out of it.
    Role {
        email: String,
        /// What the person may do there from now on.
        #[arg(value_enum)]
        role: RoleOrNone,
        /// The workspace's name; may be left out where there is only one.
        #[arg(long)]
        workspace: Option<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleOrNone {
    Viewer,
    Operator,
    Builder,
    Admin,
    Owner,
    /// No longer a member.
    None,
}

impl RoleOrNone {
    fn role(self) -> Option<Role> {
        match self {
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Builder => Some(Role::Builder),
            Self::Admin => Some(Role::Admin),
            Self::Owner => Some(Role::Owner),
            Self::None => None,
        }
    }
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
    let done = carry_out(&opened.database.pool, command, Clock::system().now()).await;
    opened.close().await;
    say(&done?);
    Ok(())
}

async fn carry_out(pool: &PgPool, command: UserCommand, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        UserCommand::Add { email, name, role, instance_owner, given } => {
            let email = read_email(&email)?;
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            ensure!((1..=200).contains(&name.trim().chars().count()), "A name has between 1 and 200 characters.");
            let (password, made) = given.read(&email, &name)?;
            setup::add_person(pool, &email, name.trim(), role.into(), &password)
                .await
                .map_err(|problem| anyhow::anyhow!(problem.detail))?;
            if instance_owner {
                let (_, person) = somebody(pool, &email).await?;
                let mut connection = pool.acquire().await?;
                people::set_instance_owner(&mut connection, person, true).await?;
            }
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
            let everybody = everybody(pool).await?;
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
        UserCommand::Disable { email } => {
            let (email, person) = somebody(pool, &email).await?;
            let mut transaction = pool.begin().await?;
            let account = people::lock(&mut transaction, person).await?;
            if account.instance_owner && account.other_instance_owners == 0 {
                bail!("{email} is the only owner of this instance. Make somebody else an owner first.");
            }
            people::set_disabled(&mut transaction, person, Some(now)).await?;
            sessions::end_all(&mut *transaction, person).await?;
            transaction.commit().await?;
            Ok(format!("{email} can't sign in any more. \"towpath user enable {email}\" takes that back."))
        }
        UserCommand::Enable { email } => {
            let (email, person) = somebody(pool, &email).await?;
            let mut transaction = pool.begin().await?;
            people::set_disabled(&mut transaction, person, None).await?;
            transaction.commit().await?;
            Ok(format!("{email} can sign in."))
        }
        UserCommand::Role { email, role, workspace } => {
            let (email, person) = somebody(pool, &email).await?;
            let (id, name) = find_workspace(pool, workspace.as_deref()).await?;
            let mut transaction = pool.begin().await?;
            let (now, other_owners) = match members::lock(&mut transaction, id, person).await {
                Ok(member) => (Some(member.role), member.other_owners),
                Err(store::Error::NotFound) => (None, 1),
                Err(error) => return Err(error.into()),
            };
            if now == Some(Role::Owner) && role.role() != now && other_owners == 0 {
                bail!("{email} is the only owner of {name}. Make somebody else an owner first.");
            }
            let said = match role.role() {
                Some(role) => {
                    members::put(&mut transaction, id, person, role).await?;
                    format!("{email} is {} in {name}.", role.name())
                }
                None if now.is_none() => bail!("{email} is not in {name}."),
                None => {
                    members::remove(&mut transaction, id, person).await?;
                    sessions::end_in(&mut *transaction, id, person).await?;
                    format!("{email} is not in {name} any more.")
                }
            };
            transaction.commit().await?;
            Ok(said)
        }
    }
}

async fn everybody(pool: &PgPool) -> anyhow::Result<Vec<people::ListedPerson>> {
    const AT_ONCE: i64 = 500;
    let mut all: Vec<people::ListedPerson> = Vec::new();
    loop {
        let more = people::list(pool, all.last().map(|last| last.id), AT_ONCE).await?;
        let last = i64::try_from(more.len()).unwrap_or(0) < AT_ONCE;
        all.extend(more);
        if last {
            return Ok(all);
        }
    }
}

pub(super) async fn somebody(pool: &PgPool, email: &str) -> anyhow::Result<(String, PersonId)> {
    let email = read_email(email)?;
    match people::by_address(pool, &email).await? {
        Some(person) => Ok((email, person)),
        None => bail!("Nobody has the address {email}. \"towpath user list\" shows who has an account."),
    }
}

pub(super) async fn find_workspace(pool: &PgPool, name: Option<&str>) -> anyhow::Result<(WorkspaceId, String)> {
    let all = workspaces::list(pool, None, 1_000).await?;
    let found: Vec<_> = all.iter().filter(|it| name.is_none_or(|name| it.name == name || it.id.to_string() == name)).collect();
    match (found.as_slice(), name) {
        ([one], _) => Ok((one.id, one.name.clone())),
        ([], None) => bail!("There is no workspace yet. Start Towpath and open the address that it prints."),
        ([], Some(name)) => bail!("There is no workspace named {name}."),
        (_, None) => {
            let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
            bail!("There are several workspaces ({}). Say which with --workspace.", names.join(", "))
        }
        (several, Some(_)) => {
            let ids: Vec<_> = several.iter().map(|it| it.id.to_string()).collect();
            bail!("Several workspaces have this name. Say which by its id: {}.", ids.join(", "))
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

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[sqlx::test(migrations = "../migrations")]
    async fn people_come_in_by_the_command_line_and_get_new_passwords(pool: PgPool) {
        let add = |email: &str, role| UserCommand::Add {
            email: email.into(),
            name: None,
            role,
            instance_owner: false,
            given: GivenPassword { password_stdin: false },
        };
        assert!(carry_out(&pool, UserCommand::List, NOW).await.unwrap().starts_with("Nobody has an account yet."));
        let said = carry_out(&pool, add("Ada@Example.com", RoleName::Viewer), NOW).await.unwrap();
        let first = said.lines().last().unwrap().trim().to_owned();
        carry_out(&pool, add("grace@example.com", RoleName::Operator), NOW).await.unwrap();
        let twice = carry_out(&pool, add("ada@example.com", RoleName::Viewer), NOW).await.unwrap_err().to_string();
        assert!(twice.contains("There is somebody with the address ada@example.com already."), "{twice}");

        let everybody = carry_out(&pool, UserCommand::List, NOW).await.unwrap();
        assert!(everybody.contains("ada@example.com  ada  Home (owner), owner of this instance"), "{everybody}");
        assert!(everybody.contains("grace@example.com  grace  Home (operator)"), "{everybody}");

        let role = |role, workspace: Option<&str>| UserCommand::Role {
            email: "grace@example.com".into(),
            role,
            workspace: workspace.map(str::to_owned),
        };
        assert_eq!(carry_out(&pool, role(RoleOrNone::Admin, None), NOW).await.unwrap(), "grace@example.com is admin in Home.");
        assert!(carry_out(&pool, role(RoleOrNone::Viewer, Some("Nowhere")), NOW).await.is_err());
        let last = UserCommand::Role { email: "ada@example.com".into(), role: RoleOrNone::None, workspace: None };
        let last = carry_out(&pool, last, NOW).await.unwrap_err().to_string();
        assert!(last.contains("the only owner of Home"), "{last}");
        carry_out(&pool, UserCommand::Disable { email: "grace@example.com".into() }, NOW).await.unwrap();
        assert!(people::credentials(&pool, "grace@example.com").await.unwrap().is_none());
        carry_out(&pool, UserCommand::Enable { email: "grace@example.com".into() }, NOW).await.unwrap();
        assert!(people::credentials(&pool, "grace@example.com").await.unwrap().is_some());
        assert!(carry_out(&pool, UserCommand::Disable { email: "ada@example.com".into() }, NOW).await.is_err(), "the last owner");

        let reset =
            UserCommand::ResetPassword { email: "ada@example.com".into(), given: GivenPassword { password_stdin: false } };
        let second = carry_out(&pool, reset, NOW).await.unwrap().lines().last().unwrap().trim().to_owned();
        let hash = people::credentials(&pool, "ada@example.com").await.unwrap().unwrap().password_hash;
        let passwords = password::Passwords::new();
        assert!(!passwords.verify(first, Some(hash.clone())).await.unwrap());
        assert!(passwords.verify(second, Some(hash)).await.unwrap());

        let nobody =
            UserCommand::ResetPassword { email: "eve@example.com".into(), given: GivenPassword { password_stdin: false } };
        assert!(carry_out(&pool, nobody, NOW).await.is_err());
    }
}
