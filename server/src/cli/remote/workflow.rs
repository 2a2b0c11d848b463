//! `towpath workflow …`: workflows as files. What `export` writes, `import` reads; `validate` needs no server.

use super::Server;
use crate::cli::{note, say};
use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};
use towpath_connectors::registry::Registry;
use towpath_engine::{
    ids::WorkflowId,
    validate::{self, Severity},
    workflow::Workflow,
};

#[derive(Subcommand)]
pub enum WorkflowCommand {
    /// List the workflows.
    List {
        /// As JSON, all of them in one list.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Write a workflow's draft as YAML.
    Export {
        id: WorkflowId,
        /// The file to write; standard output when left out.
        #[arg(short, long)]
        output: Option<PathBuf>,
        #[command(flatten)]
        server: Server,
    },
    /// Make a new workflow from a file. It is a draft; its connections are found by their names.
    Import {
        /// YAML or JSON; "-" is standard input.
        file: PathBuf,
        /// A name of its own instead of the document's.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Say what is wrong with a file, without a server. The exit code is 1 when it could not be published.
    Validate {
        /// YAML or JSON; "-" is standard input.
        file: PathBuf,
    },
}

/// Carries a command out.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(command: WorkflowCommand) -> anyhow::Result<()> {
    match command {
        WorkflowCommand::List { json, server } => {
            let api = server.api()?;
            let mut after = String::new();
            let mut all = Vec::new();
            loop {
                let mut page = api.get(&format!("workflows?limit=200{after}")).await?;
                all.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
                match page["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
            if json {
                say(&serde_json::to_string_pretty(&all)?);
                return Ok(());
            }
            for it in &all {
                let text = |name: &str| it[name].as_str().unwrap_or_default();
                say(&format!("{}  {:<9}  {}", text("id"), text("state"), text("name")));
            }
            if all.is_empty() {
                note("There are no workflows yet.");
            }
            Ok(())
        }
        WorkflowCommand::Export { id, output, server } => {
            let found = server.api()?.get(&format!("workflows/{id}/export")).await?;
            let workflow: Workflow = serde_json::from_value(found["document"].clone()).context(
                "The server's workflow is written in a format that this towpath doesn't know. Use the server's own version",
            )?;
            write(output.as_deref(), &workflow.to_yaml())
        }
        WorkflowCommand::Import { file, name, server } => {
            let workflow = read(&file)?;
            let made = server.api()?.post("workflows", Some(json!({ "name": name, "document": workflow }))).await?;
            say(made["id"].as_str().unwrap_or_default());
            // The id alone goes to standard output, for scripts.
            for name in made["missing_connections"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
                note(&format!("There is no connection \"{name}\" there: its steps ask for one."));
            }
            Ok(())
        }
        WorkflowCommand::Validate { file } => {
            let workflow = read(&file)?;
            let issues = validate::validate(&workflow, &Registry::built_in());
            for issue in &issues {
                let place = [issue.step.as_ref().map(|step| step.0.as_str()), issue.field.as_deref()];
                let place = place.into_iter().flatten().collect::<Vec<_>>().join(".");
                let kind = if issue.severity == Severity::Blocks { "wrong" } else { "note" };
                say(&format!("{kind}  {}{}{}", place, if place.is_empty() { "" } else { ": " }, issue.message));
            }
            if issues.iter().any(|issue| issue.severity == Severity::Blocks) {
                bail!("\"{}\" can't be published like this.", workflow.name);
            }
            say(&format!("\"{}\" can be published.", workflow.name));
            Ok(())
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Workflow> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("Standard input can't be read")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    }
    // JSON begins with a brace; a document in YAML never does.
    let read = if text.trim_start().starts_with('{') { Workflow::from_json(&text) } else { Workflow::from_yaml(&text) };
    read.map_err(|error| anyhow::anyhow!("{}: {}", file.display(), error.message))
}

fn write(file: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match file {
        Some(file) => std::fs::write(file, text).with_context(|| format!("{} can't be written", file.display())),
        None => std::io::stdout().write_all(text.as_bytes()).context("Standard output can't be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("towpath-cli-{}-{name}", uuid::Uuid::new_v4()));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[tokio::test]
    async fn a_file_is_judged_without_a_server() {
        let good = file(
            "good.yaml",
            "towpath: 1\nname: Good\ntrigger: { use: manual }\nsteps:\n  - { id: wait, use: delay, input: { mode: for, for: 1s } }\n",
        );
        run(WorkflowCommand::Validate { file: good }).await.unwrap();
        let bad = file(
            "bad.yaml",
            "towpath: 1\nname: Bad\ntrigger: { use: manual }\nsteps:\n  - { id: a, use: nothing_of_this_name }\n",
        );
        let refused = run(WorkflowCommand::Validate { file: bad }).await.unwrap_err().to_string();
        assert!(refused.contains("\"Bad\" can't be published like this."), "{refused}");
        let broken = file("broken.yaml", "towpath: 1\nname: [\n");
        let refused = run(WorkflowCommand::Validate { file: broken }).await.unwrap_err().to_string();
        assert!(refused.contains("broken.yaml:"), "{refused}");
    }
}
