//! Says where a workflow is not well formed, as sentences beside the field they are about. It changes nothing and never refuses
//! to look: half-built workflows are its daily bread.
//!
//! A workflow without an issue that blocks publishing can be planned; [`crate::plan::Plan::new`] holds validation to that.

mod connection;
mod form;
mod names;
mod shape;
mod surroundings;
mod table;

pub use connection::{Connections, Known, OnTrust};
pub use surroundings::Surroundings;
pub use table::KnownTable;

use crate::{
    Json,
    catalogue::{Catalogue, Operation, Role},
    edit::{MAX_NOTE, MAX_TITLE},
    lines::LinesStep,
    plan::CALLED,
    pure::PureStep,
    workflow::{FORMAT, MAX_BYTES, MAX_DEPTH, MAX_STEPS, Placed, Step, StepId, Trigger, Workflow},
};
use names::Names;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, time::Duration};

/// Something about a workflow that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Issue {
    /// The step it is about; the trigger's is `trigger`. `None`: the workflow as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The field: a key of the input with the place inside it (`json.lines[0].name`), `if…`, `cases[0]…`, or a setting of the step
    /// (`id`, `use`, `title`, `retry`, `timeout`, `connection`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what to do, in a sentence or two.
    pub message: String,
    pub severity: Severity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It can't be published like this.
    Blocks,
    /// It can run, but perhaps not as meant.
    Warning,
}

/// Operations that may take longer than this in one attempt are not for one step.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// More tries than this are a mistake in writing.
const MAX_ATTEMPTS: u16 = 100;

/// Everything that is to be said about the workflow, in document order, by somebody who can't look connections up: those that it
/// names are taken to be there and to fit.
pub fn validate(workflow: &Workflow, catalogue: &dyn Catalogue) -> Vec<Issue> {
    validate_with(workflow, catalogue, &OnTrust)
}

/// Everything that is to be said about the workflow, in document order.
pub fn validate_with(workflow: &Workflow, catalogue: &dyn Catalogue, connections: &dyn Connections) -> Vec<Issue> {
    validate_in(workflow, catalogue, &Surroundings { connections, ..Surroundings::default() })
}

/// As [`validate_with`], by somebody who knows more of the workspace than its connections.
pub fn validate_in(workflow: &Workflow, catalogue: &dyn Catalogue, surroundings: &Surroundings<'_>) -> Vec<Issue> {
    let Surroundings { connections, variables, tables } = *surroundings;
    let placed: Vec<Placed<'_>> = workflow.placed().take(MAX_STEPS * 2).collect();
    let mut check =
        Check { workflow, catalogue, connections, variables, tables, names: Names::of(&placed), issues: Vec::new(), at: None };
    check.whole(&placed);
    match &workflow.trigger {
        Some(trigger) => check.trigger(trigger),
        None => check.blocks(None, "Choose what starts this workflow: it has no trigger yet."),
    }
    let mut ids = HashSet::new();
    for (position, placed) in placed.iter().enumerate() {
        check.at = Some(&placed.step.id);
        check.id(placed.step, &mut ids);
        check.step(position, placed);
    }
    check.issues
}

/// Can it be published?
pub fn is_publishable(issues: &[Issue]) -> bool {
    issues.iter().all(|issue| issue.severity != Severity::Blocks)
}

struct Check<'a> {
    workflow: &'a Workflow,
    catalogue: &'a dyn Catalogue,
    connections: &'a dyn Connections,
    variables: Option<&'a [String]>,
    tables: Option<&'a [KnownTable]>,
    names: Names<'a>,
    issues: Vec<Issue>,
    /// The step that is looked at.
    at: Option<&'a StepId>,
}

impl<'a> Check<'a> {
    fn say(&mut self, severity: Severity, field: Option<String>, message: impl Into<String>) {
        let step = self.at.cloned();
        self.issues.push(Issue { step, field, message: message.into(), severity });
    }

    fn blocks(&mut self, field: Option<&str>, message: impl Into<String>) {
        self.say(Severity::Blocks, field.map(str::to_owned), message);
    }

    fn warns(&mut self, field: Option<&str>, message: impl Into<String>) {
        self.say(Severity::Warning, field.map(str::to_owned), message);
    }

    fn whole(&mut self, placed: &[Placed<'_>]) {
        if self.workflow.towpath != FORMAT {
            let found = self.workflow.towpath;
            self.blocks(None, format!("This document has the format {found}, and this version of Towpath reads {FORMAT}."));
        }
        match self.workflow.name.trim().chars().count() {
            0 => self.blocks(Some("name"), "Give the workflow a name."),
            length if length > MAX_TITLE => {
                self.blocks(Some("name"), format!("The name has {length} characters; at most {MAX_TITLE} are possible."));
            }
            _ => {}
        }
        if placed.is_empty() {
            self.warns(None, "Add a step: so far nothing happens when the workflow starts.");
        }
        if placed.len() > MAX_STEPS {
            let message = format!("A workflow has at most {MAX_STEPS} steps. Split it into two, of which one calls the other.");
            self.blocks(None, message);
        }
        let mut size = Size(0);
        if serde_json::to_writer(&mut size, self.workflow).is_err() || size.0 > MAX_BYTES {
            self.blocks(None, format!("The workflow is larger than {} KiB. Take long texts out of its steps.", MAX_BYTES / 1024));
        }
    }

    fn trigger(&mut self, trigger: &'a Trigger) {
        self.at = Some(&trigger.id);
        if trigger.id.0 != "trigger" {
            self.blocks(Some("id"), "The trigger's id must be \"trigger\": expressions find its data by that name.");
        }
        self.title(trigger.title.as_deref());
        if let Some(operation) = self.operation(&trigger.operation, Role::Trigger) {
            connection::check(self, operation, trigger.connection.as_deref());
            form::check(self, operation, &trigger.input, 0);
        }
        self.at = None;
    }

    fn operation(&mut self, name: &str, role: Role) -> Option<&'a Operation> {
        let catalogue = self.catalogue;
        let (kind, other) = match role {
            Role::Trigger => ("trigger", "A step can't start a workflow"),
            Role::Action => ("step", "A trigger can't be a step"),
        };
        match catalogue.operation(name) {
            Some(operation) if operation.role == role => return Some(operation),
            Some(operation) => self.blocks(Some("use"), format!("{other}: choose another {kind} than “{}”.", operation.title)),
            None => {
                let known =
                    catalogue.operations().filter(|operation| operation.role == role).map(|operation| operation.name.as_str());
                let near = crate::expr::closest(name, known).map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
                self.blocks(Some("use"), format!("There is no {kind} called \"{name}\" here.{near}"));
            }
        }
        None
    }

    fn title(&mut self, title: Option<&str>) {
        let length = title.map_or(0, |title| title.chars().count());
        if length > MAX_TITLE {
            self.blocks(Some("title"), format!("The title has {length} characters; at most {MAX_TITLE} are possible."));
        }
    }

    fn id(&mut self, step: &'a Step, ids: &mut HashSet<&'a str>) {
        if !step.id.is_well_formed() {
            let message = "A step's id has lower-case letters, digits and underscores only, begins with a letter, and has at most 60 \
                           characters.";
            self.blocks(Some("id"), message);
        }
        if step.id.0 == "trigger" {
            self.blocks(Some("id"), "Only the trigger may have the id \"trigger\".");
        }
        if !ids.insert(&step.id.0) {
            self.blocks(Some("id"), format!("Another step has the id \"{}\", too. Each step needs its own.", step.id));
        }
    }

    fn step(&mut self, position: usize, placed: &Placed<'a>) {
        let step = placed.step;
        let before = self.issues.len();
        self.title(step.title.as_deref());
        if step.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE) {
            self.blocks(Some("note"), format!("The note is too long; at most {MAX_NOTE} characters are possible."));
        }
        if placed.depth > MAX_DEPTH {
            self.blocks(
                None,
                format!("This step is inside more than {} others. Put some of them after each other.", MAX_DEPTH - 1),
            );
        }
        self.settings(step);
        let Some(operation) = self.operation(&step.operation, Role::Action) else { return };
        connection::check(self, operation, step.connection.as_deref());
        form::check(self, operation, &step.input, position);
        table::check(self, operation, &step.input);
        shape::check(self, step, position);
        if step.operation == "respond" {
            self.respond();
        }
        if let Some(stop) = self.names.stop_before(position) {
            let message = format!("This step never runs: “{stop}” before it ends the run.");
            self.warns(None, message);
        }
        // Whatever else keeps the engine's own steps from running; the checks above say it better where they see it.
        let blocked = self.issues[before..].iter().any(|issue| issue.severity == Severity::Blocks);
        let compiled = || PureStep::compile(step).map(drop).and_then(|()| LinesStep::compile(step).map(drop));
        if !blocked && let Err(error) = compiled() {
            self.blocks(Some(&error.field).filter(|field| !field.is_empty()).map(|field| field.as_str()), error.to_string());
        }
    }

    fn settings(&mut self, step: &Step) {
        if let Some(retry) = &step.retry {
            if retry.attempts == 0 || retry.attempts > MAX_ATTEMPTS {
                self.blocks(Some("retry"), format!("A step is tried between 1 and {MAX_ATTEMPTS} times."));
            }
            if retry.first > retry.max {
                self.blocks(
                    Some("retry"),
                    format!("The first wait ({}) can't be longer than the longest ({}).", retry.first, retry.max),
                );
            }
            if retry.max.0 > MAX_TIMEOUT {
                self.blocks(Some("retry"), "Between two tries there can be at most a day.");
            }
        }
        match step.timeout {
            Some(timeout) if timeout.0.is_zero() => {
                self.blocks(Some("timeout"), "The step needs some time: give it at least 1s.")
            }
            Some(timeout) if timeout.0 > MAX_TIMEOUT => self.blocks(Some("timeout"), "One try can take at most a day (24h)."),
            _ => {}
        }
    }

    fn respond(&mut self) {
        let Some(trigger) = &self.workflow.trigger else { return };
        if trigger.operation == CALLED {
            // Its answer is what the call gives.
        } else if trigger.operation != "webhook" {
            self.warns(None, "Nobody waits for this answer: only a webhook's caller and another workflow can be answered.");
        } else if trigger.input.get("respond").and_then(Json::as_str) != Some("when_done") {
            let message = "The caller is answered at once and won't see this. Let the trigger answer when the run is done.";
            self.warns(None, message);
        }
    }
}

/// Does a value say what to do when something is missing? Then nobody needs to be warned.
fn mentions_default(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains("default") || text.contains("exist"),
        Json::Array(items) => items.iter().any(mentions_default),
        Json::Object(fields) => fields.values().any(mentions_default),
        _ => false,
    }
}

/// Counts bytes and keeps none.
struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
