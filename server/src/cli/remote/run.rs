//! `towpath run …`: what ran, one run with its steps, a new run from an old event, and an end to one.

use super::Server;
use crate::cli::{note, say};
use clap::Subcommand;
use serde_json::Value;
use towpath_engine::ids::{RunId, WorkflowId};

#[derive(Subcommand)]
pub enum RunCommand {
    /// List runs, the newest first.
    List {
        /// Only this workflow's.
        #[arg(long)]
        workflow: Option<WorkflowId>,
        /// failed, undecided, waiting, active, succeeded, filtered, cancelled or dead_lettered.
        #[arg(long)]
        state: Option<String>,
        /// Started in the last hour, day or week.
        #[arg(long)]
        period: Option<String>,
        /// How many, at most 200.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// The whole answer, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Show a run with the state of each step.
    Show {
        id: RunId,
        /// The whole answer, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Start a new run from a run's event.
    Replay {
        id: RunId,
        #[command(flatten)]
        server: Server,
    },
    /// Stop a run.
    Cancel {
        id: RunId,
        #[command(flatten)]
        server: Server,
    },
}

/// Carries a command out.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(command: RunCommand) -> anyhow::Result<()> {
    match command {
        RunCommand::List { workflow, state, period, limit, json, server } => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", &limit.to_string());
            let workflow = workflow.map(|id| id.to_string());
            for (name, value) in [("workflow", workflow), ("state", state), ("period", period)] {
                if let Some(value) = value {
                    query.append_pair(name, &value);
                }
            }
            let page = server.api()?.get(&format!("runs?{}", query.finish())).await?;
            if json {
                say(&serde_json::to_string_pretty(&page)?);
                return Ok(());
            }
            for it in page["items"].as_array().into_iter().flatten() {
                say(&line(it));
            }
            if page["items"].as_array().is_none_or(Vec::is_empty) {
                note("There are no such runs.");
            } else if page["next"].is_string() {
                note(&format!("There are more than {limit}: ask for more with --limit, or for fewer with --state and --period."));
            }
            Ok(())
        }
        RunCommand::Show { id, json, server } => {
            let found = server.api()?.get(&format!("runs/{id}")).await?;
            if json {
                say(&serde_json::to_string_pretty(&found)?);
            } else {
                say(&in_words(&found));
            }
            Ok(())
        }
        RunCommand::Replay { id, server } => {
            let made = server.api()?.post(&format!("runs/{id}/replay"), None).await?;
            say(text(&made, "run"));
            Ok(())
        }
        RunCommand::Cancel { id, server } => {
            server.api()?.post(&format!("runs/{id}/cancel"), None).await?;
            say("The run was cancelled.");
            Ok(())
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// One run of a list.
fn line(run: &Value) -> String {
    let reason = run["reason"].as_str().map_or_else(String::new, |reason| format!("  {reason}"));
    format!(
        "{}  {:<13}  {}  {}{reason}",
        text(run, "id"),
        text(run, "state"),
        text(run, "started_at"),
        text(run, "workflow_name")
    )
}

/// One run with its steps.
fn in_words(run: &Value) -> String {
    let mut lines = vec![format!("{}  {}", text(run, "id"), text(run, "state"))];
    if let Some(reason) = run["reason"].as_str() {
        lines.push(reason.to_owned());
    }
    lines.push(format!("started {}", text(run, "started_at")));
    if let Some(ended) = run["ended_at"].as_str() {
        lines.push(format!("ended   {ended}"));
    }
    for step in run["steps"].as_array().into_iter().flatten() {
        let took = step["duration"].as_str().map_or_else(String::new, |took| format!("  {took}"));
        lines.push(format!("  {:<24} {}{took}", text(step, "path"), text(step, "label")));
        for more in ["error", "hint"] {
            if let Some(said) = step[more].as_str() {
                lines.push(format!("    {said}"));
            }
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_reads_like_a_list_of_its_steps() {
        let run = json!({ "id": "0199", "state": "failed", "reason": "The shop answered 404.", "started_at": "2026-11-20T12:00:00Z", "ended_at": null,
            "steps": [{ "path": "http", "label": "failed", "duration": "12 ms", "error": "The shop answered 404.", "hint": "Check the address." }] });
        let said = in_words(&run);
        assert_eq!(said.lines().next(), Some("0199  failed"));
        assert!(said.contains("  http                     failed  12 ms") && said.ends_with("    Check the address."), "{said}");
    }
}
