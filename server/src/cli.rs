//! The command line. Without a command it serves. Errors are sentences on standard error; the exit code is 0 for success and 1
//! for every refusal.

mod user;

use crate::config::Config;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

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
    /// Check the settings and say what is wrong with them.
    CheckConfig,
    /// Run the embedded PostgreSQL alone, for maintenance, until Ctrl-C. Its schema is left as it is.
    Database,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load() {
        Ok(config) => config,
        Err(mistakes) => return fail(&mistakes.to_string()),
    };
    crate::telemetry::start(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let outcome = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => in_runtime(crate::serve::serve(config)),
        Command::User { command } => in_runtime(user::run(config, command)),
        Command::Database => in_runtime(crate::serve::database_alone(config)),
        Command::CheckConfig => crate::http_server::front_door::check(&config).map(|()| {
            say("The settings are fine.");
        }),
    };
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

fn in_runtime(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("No threads could be started")?;
    let outcome = runtime.block_on(task);
    // What still runs is not waited for: everything that matters was drained.
    runtime.shutdown_background();
    outcome
}

fn fail(message: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}
