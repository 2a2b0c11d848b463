//! The command line. Without a command it serves. Errors are sentences on standard error; the exit code is 0 for success and 1
//! for every refusal.

mod connector;
mod doctor;
mod keep;
mod key;
mod remote;
mod token;
mod upgrade;
mod user;

use crate::config::Config;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "towpath", version, about = "The automation server that never loses an event.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the application (this is what happens without a command).
    Serve,
    /// Add people, list them, set new passwords.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// For authors of connectors: list, check, make and test them, print their requests.
    Connector {
        #[command(subcommand)]
        command: connector::ConnectorCommand,
    },
    /// Make API tokens, list them, take them back.
    Token {
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// Workflows as files: list, export, import, validate.
    Workflow {
        #[command(subcommand)]
        command: remote::workflow::WorkflowCommand,
    },
    /// Runs: list, show, replay, cancel.
    Run {
        #[command(subcommand)]
        command: remote::run::RunCommand,
    },
    /// Check the settings and say what is wrong with them.
    CheckConfig,
    /// Write everything in the database to a file, while the server runs. The keys are not in it.
    Backup { file: PathBuf },
    /// Load a backup into an empty instance. Nothing of it is started or sent until you decide.
    Restore { file: PathBuf },
    /// Decide what becomes of an instance that came from a backup: go on with everything.
    Resume {
        /// Cancel the runs that had not ended.
        #[arg(long)]
        cancel_runs: bool,
    },
    /// The keys that open the secrets in the database.
    #[command(alias = "key")]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Bring the database's schema up to date, as a start does.
    Migrate {
        /// Only say what would be done, and whether this Towpath fits the database.
        #[arg(long)]
        check: bool,
        /// Write no snapshot first.
        #[arg(long, conflicts_with = "check")]
        no_snapshot: bool,
    },
    /// Look at the installation and say what is found.
    Doctor,
    /// Ask the running server whether it is alive.
    Healthcheck,
    /// Run users' code for the server that started this.
    #[command(hide = true)]
    CodeWorker(crate::sandbox::worker::Orders),
    /// Run the embedded PostgreSQL alone, for maintenance, until Ctrl-C. Its schema is left as it is.
    Database {
        #[command(subcommand)]
        command: Option<DatabaseCommand>,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Copy the key file. Keep the copy apart from the backups.
    Export { file: PathBuf },
    #[command(flatten)]
    Sealed(key::KeyCommand),
}

#[derive(Subcommand)]
enum DatabaseCommand {
    /// Move the data of the embedded PostgreSQL to the newest version that is installed.
    Upgrade,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Commands that ask a server need no settings of one.
    let command = match cli.command.unwrap_or(Command::Serve) {
        Command::Workflow { command } => return end(in_runtime(remote::workflow::run(command))),
        Command::Run { command } => return end(in_runtime(remote::run::run(command))),
        Command::CodeWorker(orders) => return end(crate::sandbox::worker::run(&orders)),
        other => other,
    };
    let config = match Config::load() {
        Ok(config) => config,
        Err(mistakes) => return fail(&mistakes.to_string()),
    };
    crate::telemetry::start(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let outcome = match command {
        Command::Serve => in_runtime(crate::serve::serve(config)),
        Command::User { command } => in_runtime(user::run(config, command)),
        Command::Backup { file } => in_runtime(keep::backup(config, file)),
        Command::Restore { file } => in_runtime(keep::restore(config, file)),
        Command::Resume { cancel_runs } => in_runtime(keep::resume(config, cancel_runs)),
        Command::Keys { command: KeysCommand::Export { file } } => keep::export_keys(&config, &file),
        Command::Keys { command: KeysCommand::Sealed(command) } => in_runtime(key::run(config, command)),
        Command::Migrate { check, no_snapshot } => in_runtime(keep::migrate(config, check, no_snapshot)),
        Command::Doctor => in_runtime(doctor::doctor(config)),
        Command::Healthcheck => in_runtime(doctor::healthcheck(config)),
        Command::Database { command: None } => in_runtime(crate::serve::database_alone(config)),
        Command::Database { command: Some(DatabaseCommand::Upgrade) } => in_runtime(upgrade::upgrade_database(config)),
        Command::Connector { command } => in_runtime(connector::run(config, command)),
        Command::Token { command } => in_runtime(token::run(config, command)),
        // Carried out above.
        Command::Workflow { .. } | Command::Run { .. } | Command::CodeWorker(_) => Ok(()),
        Command::CheckConfig => crate::http_server::front_door::check(&config).map(|()| {
            say("The settings are fine.");
        }),
    };
    end(outcome)
}

fn end(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// Prints a line for the person at the terminal.
pub fn say(line: &str) {
    use std::io::Write;
    // Nobody may be listening any more; that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line beside the output: for the person at the terminal, and not for what reads the output.
pub fn note(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn in_runtime(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("No threads could be started")?;
    let outcome = runtime.block_on(task);
    // What still runs is not waited for: everything that matters was drained.
    runtime.shutdown_background();
    outcome
}

fn fail(message: &str) -> ExitCode {
    note(message);
    ExitCode::FAILURE
}
