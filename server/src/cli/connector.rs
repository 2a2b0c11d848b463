//! `towpath connector …`: for people who write connectors. It reads folders and prints; only `new` writes, and nothing here talks to a
//! service.

use super::say;
use crate::{clock::Clock, config::Config};
use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use towpath_connectors::{
    manifest::{
        Folder,
        check::{Checked, check},
        schema,
    },
    registry::Registry,
    scaffold, suite,
};
use towpath_engine::{Json, Object, catalogue::Catalogue};

#[derive(Subcommand)]
pub enum ConnectorCommand {
    /// List all connectors with their operations.
    List,
    /// Check a connector's folder: is its manifest well-formed and complete?
    Check {
        /// The folder that holds connector.yaml.
        folder: PathBuf,
    },
    /// Print the exact request of an action as JSON, without sending it. Without --input it is made of the manifest's example.
    Request {
        /// The operation's name, such as slack.send_message.
        #[arg(required_unless_present = "all")]
        operation: Option<String>,
        /// A JSON file with the action's input.
        #[arg(long, conflicts_with = "all")]
        input: Option<PathBuf>,
        /// The requests of all actions and polls of all connectors, as a list.
        #[arg(long, conflicts_with = "operation")]
        all: bool,
    },
    /// Make the folder of a new connector. It passes its check; change it from there.
    New {
        /// Small letters, digits and underscores: my_crm.
        id: String,
        /// Where the folder is made; here, when left out.
        #[arg(long, default_value = ".")]
        directory: PathBuf,
    },
    /// Print the JSON Schema of manifests, for editors.
    Schema,
    /// Run the suite that every connector must pass on a folder.
    Test {
        /// The folder that holds connector.yaml.
        folder: PathBuf,
    },
}

/// Runs one of them.
///
/// # Errors
/// A sentence, or the list of what is wrong.
pub async fn run(config: Config, command: ConnectorCommand) -> anyhow::Result<()> {
    match command {
        ConnectorCommand::List => list(&config),
        ConnectorCommand::Check { folder } => {
            let checked = opened(&folder)?;
            let connector = &checked.manifest.connector;
            let (actions, triggers) = (checked.manifest.actions.len(), checked.manifest.triggers.len());
            say(&format!("{} {} is in order: {actions} actions, {triggers} triggers.", connector.name, connector.version));
            Ok(())
        }
        ConnectorCommand::Request { operation, input, all } => {
            let printed = match operation {
                Some(operation) if !all => one_request(&config, &operation, input.as_deref())?,
                _ => all_requests(&config)?,
            };
            say(&serde_json::to_string_pretty(&printed)?);
            Ok(())
        }
        ConnectorCommand::New { id, directory } => new(&id, &directory),
        ConnectorCommand::Schema => {
            say(schema().trim_end());
            Ok(())
        }
        ConnectorCommand::Test { folder } => test(&folder).await,
    }
}

fn list(config: &Config) -> anyhow::Result<()> {
    let registry = registry(config)?;
    for connector in registry.connectors() {
        say(&format!("{}  {}", connector.id, connector.name));
        for operation in registry.operations().filter(|operation| operation.connector == connector.id) {
            say(&format!("  {:<28}{}", operation.name, operation.sentence));
        }
    }
    Ok(())
}

fn registry(config: &Config) -> anyhow::Result<Registry> {
    Ok(match &config.connectors.directory {
        Some(directory) => Registry::built_in().with_directory(directory)?,
        None => Registry::built_in(),
    })
}

/// All folders: those of the build and those of the installation.
fn folders(config: &Config) -> anyhow::Result<Vec<Folder>> {
    let mut folders = Folder::embedded();
    if let Some(directory) = &config.connectors.directory {
        folders.extend(Folder::below(directory).with_context(|| format!("{} can't be read", directory.display()))?);
    }
    Ok(folders)
}

fn opened(path: &Path) -> anyhow::Result<Checked> {
    let folder = Folder::open(path).with_context(|| format!("{} is not a connector's folder", path.display()))?;
    checked(&folder)
}

fn checked(folder: &Folder) -> anyhow::Result<Checked> {
    check(folder).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        anyhow::anyhow!("{}/connector.yaml is not in order:\n{}", folder.name, lines.join("\n"))
    })
}

fn one_request(config: &Config, operation: &str, input: Option<&Path>) -> anyhow::Result<Json> {
    let input: Option<Object> = match input {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
            Some(serde_json::from_str(&text).with_context(|| format!("{} is no JSON object", path.display()))?)
        }
        None => None,
    };
    let (connector, id) =
        operation.split_once('.').context("an operation is written as connector.action, such as slack.send_message")?;
    match folders(config)?.iter().find(|folder| folder.name == connector) {
        Some(folder) => request(&checked(folder)?, id, input.as_ref()),
        None => {
            // An operation in Rust: its preview, with what names itself a secret masked.
            let registry = registry(config)?;
            let action = registry.action(operation).with_context(|| format!("there is no action {operation}"))?;
            let input = input.with_context(|| format!("{operation} has no example: give --input"))?;
            Ok(
                json!({ "operation": operation, "request": action.preview(&input).map_err(|error| anyhow::anyhow!(error.message))? }),
            )
        }
    }
}

fn all_requests(config: &Config) -> anyhow::Result<Json> {
    let mut all = Vec::new();
    for folder in folders(config)? {
        let checked = checked(&folder)?;
        let operations = checked.compiled.actions.keys().chain(checked.compiled.polls.keys());
        for id in operations {
            all.push(request(&checked, id, None)?);
        }
    }
    Ok(Json::Array(all))
}

/// The request of an action, or of a poll's first look.
fn request(checked: &Checked, id: &str, input: Option<&Object>) -> anyhow::Result<Json> {
    let name = format!("{}.{id}", checked.manifest.connector.id);
    let wrong = |error: towpath_engine::error::StepError| anyhow::anyhow!("{name}: {}", error.message);
    let (before, ready) = if let Some(action) = checked.compiled.actions.get(id) {
        let spec = &checked.manifest.actions[id];
        let input = input.cloned().unwrap_or_else(|| example(spec, &checked.manifest.actions));
        (action.lookup_request(&input).map_err(wrong)?, action.request(&input).map_err(wrong)?)
    } else if let Some(poll) = checked.compiled.polls.get(id) {
        let input = input.unwrap_or(&checked.manifest.triggers[id].example);
        (None, poll.request(input, None).map_err(wrong)?)
    } else {
        bail!("there is no action or poll {name} that sends a request of a manifest");
    };
    let mut printed = json!({ "operation": name });
    if let (Json::Object(printed), Json::Object(request)) = (&mut printed, ready.to_json()) {
        printed.extend(request);
    }
    // Where the connection's sign-in goes; its values never stand here.
    printed["authentication"] = checked.compiled.connector.auth.first().map_or(Json::Null, |auth| json!(auth.apply));
    if let Some(before) = before {
        printed["before"] = json!([before.to_json()]);
    }
    Ok(printed)
}

/// The manifest's example; an internal action has the inputs of the examples that pick from it.
fn example(
    spec: &towpath_connectors::manifest::document::Action,
    actions: &indexmap::IndexMap<String, towpath_connectors::manifest::document::Action>,
) -> Object {
    let mut input = spec.example.clone();
    for name in spec.input.keys().filter(|name| !spec.example.contains_key(*name)).collect::<Vec<_>>() {
        if spec.internal
            && let Some(value) = actions.values().find_map(|action| action.example.get(name))
        {
            input.insert(name.clone(), value.clone());
        }
    }
    input
}

fn new(id: &str, directory: &Path) -> anyhow::Result<()> {
    ensure!(
        scaffold::is_id(id),
        "“{id}” can't be a connector's id: small letters, digits and underscores, beginning with a letter"
    );
    let folder = directory.join(id);
    ensure!(!folder.exists(), "{} is there already", folder.display());
    for (file, text) in scaffold::files(id) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).with_context(|| format!("{} can't be made", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
    }
    let shown = folder.display();
    say(&format!(
        "Made {shown}. Change connector.yaml, then:\n  towpath connector check {shown}\n  towpath connector test {shown}"
    ));
    Ok(())
}

async fn test(path: &Path) -> anyhow::Result<()> {
    let folder = Folder::open(path).with_context(|| format!("{} is not a connector's folder", path.display()))?;
    let waivers = suite::waiver::built_in();
    let outcomes = suite::run(&folder, &waivers, Clock::system().now().date_naive()).await;
    for outcome in &outcomes {
        let mark = match (&outcome.failure, &outcome.waived) {
            (None, _) => "ok     ",
            (Some(_), Some(_)) => "excused",
            (Some(_), None) => "FAILED ",
        };
        say(&format!("{mark} {:<11} {}", outcome.rule, outcome.subject));
        if let Some(why) = &outcome.failure {
            say(&format!("        {}", why.replace('\n', "\n        ")));
        }
    }
    let bad = outcomes.iter().filter(|outcome| outcome.is_bad()).count();
    ensure!(bad == 0, "{bad} of {} trials failed", outcomes.len());
    say(&format!("All {} trials passed.", outcomes.len()));
    Ok(())
}
