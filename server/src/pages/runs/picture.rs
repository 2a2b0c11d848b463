//! A run's records laid over its workflow's steps: what the run page draws. Pure.

use super::words::{badge, cut, duration, size, skipped, waiting};
use std::collections::HashMap;
use towpath_engine::{
    Json,
    catalogue::Catalogue,
    error::StepError,
    record::{Decision, Entry, Record, Trace},
    workflow::{OnError, Step, StepPath, Workflow},
};
use towpath_web::runs::show::{AttemptView, Badge, ErrorView, Lane, Node, Part, Payload, StepView};

/// What is drawn from.
pub struct Drawing<'a> {
    pub run: &'a str,
    pub workflow: &'a Workflow,
    pub catalogue: &'a dyn Catalogue,
    pub entries: &'a [Entry],
    pub ended: bool,
}

/// The workflow's steps in document order, each with its state and attempts.
pub fn nodes(drawing: &Drawing<'_>) -> Vec<Node> {
    let mut by_step: HashMap<&StepPath, Vec<&Entry>> = HashMap::new();
    for entry in drawing.entries {
        if let Some(step) = entry.record.step() {
            by_step.entry(step).or_default().push(entry);
        }
    }
    lane(drawing, &drawing.workflow.steps, &by_step)
}

fn lane(drawing: &Drawing<'_>, steps: &[Step], by_step: &HashMap<&StepPath, Vec<&Entry>>) -> Vec<Node> {
    steps.iter().map(|step| node(drawing, step, by_step)).collect()
}

fn node(drawing: &Drawing<'_>, step: &Step, by_step: &HashMap<&StepPath, Vec<&Entry>>) -> Node {
    let path = StepPath::from(&step.id);
    let entries = by_step.get(&path).map(Vec::as_slice).unwrap_or_default();
    let chosen = entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Succeeded { output, .. } => output.get("case"),
        _ => None,
    });
    let mut lanes: Vec<Lane> = step
        .cases
        .iter()
        .enumerate()
        .map(|(index, case)| Lane {
            title: if case.title.is_empty() { format!("Case {}", index + 1) } else { case.title.clone() },
            taken: chosen.and_then(Json::as_u64) == Some(index as u64),
            nodes: lane(drawing, &case.steps, by_step),
        })
        .collect();
    if !step.cases.is_empty() {
        lanes.push(Lane {
            title: "Otherwise".into(),
            taken: chosen.is_some_and(Json::is_null),
            nodes: step.otherwise.as_ref().map(|it| lane(drawing, &it.steps, by_step)).unwrap_or_default(),
        });
    }
    Node { step: step_view(drawing, step, entries), lanes }
}

fn step_view(drawing: &Drawing<'_>, step: &Step, entries: &[&Entry]) -> StepView {
    let operation = drawing.catalogue.operation(&step.operation);
    let attempts = attempts(drawing.run, &step.id.0, entries);
    let (state, undecided) = state(step, entries, drawing.ended);
    let micros: u64 = entries.iter().filter_map(|entry| trace_of(&entry.record)).map(|trace| trace.micros).sum();
    StepView {
        path: step.id.0.clone(),
        title: step.title.clone().or_else(|| operation.map(|it| it.title.clone())).unwrap_or_else(|| step.id.0.clone()),
        operation: operation.map_or_else(|| step.operation.clone(), |it| it.title.clone()),
        icon: operation.map(|it| it.icon.clone()).unwrap_or_default(),
        state,
        duration: (micros > 0).then(|| duration(micros)),
        attempts_label: (attempts.len() > 1).then(|| format!("{} attempts", attempts.len())),
        note: decision_note(entries),
        attempts,
        undecided,
    }
}

/// The step's state in words, and whether a person has to decide.
fn state(step: &Step, entries: &[&Entry], ended: bool) -> (Badge, bool) {
    let Some(last) = entries.last() else {
        return (badge("off", if ended { "not reached" } else { "to come" }), false);
    };
    let state = match &last.record {
        Record::Started { .. } if ended => badge("wait", "may have gone through"),
        Record::Started { .. } | Record::Woken { .. } => badge("busy", "running"),
        Record::Succeeded { .. } | Record::Responded { .. } => badge("ok", "succeeded"),
        Record::Failed { .. } if step.on_error != OnError::Fail => badge("bad", "failed, the run went on"),
        Record::Failed { .. } => badge("bad", "failed"),
        Record::Uncertain { .. } if ended => badge("bad", "unknown outcome"),
        Record::Uncertain { .. } => return (badge("wait", "needs a decision"), true),
        Record::Skipped { reason, .. } => badge("off", format!("skipped: {}", skipped(*reason))),
        Record::Waiting { on, .. } if ended => badge("off", format!("was waiting ({})", waiting(on).label)),
        Record::Waiting { on: on @ towpath_engine::record::WaitOn::Decision, .. } => return (waiting(on), true),
        Record::Waiting { on, .. } => waiting(on),
        Record::Decided { decision: Decision::WentThrough { .. }, .. } => badge("ok", "went through"),
        Record::Decided { decision: Decision::SendAgain, .. } => badge("busy", "sends again"),
        Record::Decided { decision: Decision::Fail, .. } => badge("bad", "given up"),
        Record::Opened { .. } if ended => badge("off", "cut off"),
        Record::Opened { .. } => badge("busy", "running"),
        Record::LineEnded { .. } | Record::CancelRequested { .. } | Record::Ended { .. } => badge("off", "ended"),
    };
    (state, false)
}

fn attempts(run: &str, path: &str, entries: &[&Entry]) -> Vec<AttemptView> {
    entries
        .iter()
        .filter_map(|entry| {
            let (number, state, trace, output, error) = match &entry.record {
                Record::Succeeded { attempt, output, trace, .. } => {
                    (*attempt, badge("ok", "succeeded"), trace, Some(output), None)
                }
                Record::Failed { attempt, error, trace, .. } => (*attempt, badge("bad", "failed"), trace, None, Some(error)),
                Record::Uncertain { attempt, error, trace, .. } => {
                    (*attempt, badge("wait", "unknown outcome"), trace, None, Some(error))
                }
                _ => return None,
            };
            let parts = [
                ("Input", trace.input.as_ref()),
                ("Request", trace.request.as_ref()),
                ("Response", trace.response.as_ref()),
                ("Output", output),
            ];
            Some(AttemptView {
                number,
                state,
                duration: (trace.micros > 0).then(|| duration(trace.micros)),
                error: error.map(error_view),
                parts: parts
                    .into_iter()
                    .filter_map(|(title, value)| {
                        let link = format!("/runs/{run}/steps/{path}/{number}/{}", title.to_lowercase());
                        Some(Part { title, payload: payload(value?, link) })
                    })
                    .collect(),
                log: trace.log.clone(),
            })
        })
        .collect()
}

fn decision_note(entries: &[&Entry]) -> Option<String> {
    entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Decided { by, decision, .. } => Some(match decision {
            Decision::WentThrough { .. } => format!("{by} said that it went through."),
            Decision::SendAgain => format!("{by} said to send it again."),
            Decision::Fail => format!("{by} gave it up."),
        }),
        _ => None,
    })
}

pub fn error_view(error: &StepError) -> ErrorView {
    ErrorView { message: error.message.clone(), hint: error.hint.clone(), field: error.field.clone() }
}

/// A value as text, cut where it is long. Text stays text; everything else is indented JSON.
pub fn payload(value: &Json, download: String) -> Payload {
    let whole = match value {
        Json::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let (shown, missing) = cut(&whole);
    Payload { text: shown.to_owned(), download: missing.then_some(download), size: size(whole.len()) }
}

fn trace_of(record: &Record) -> Option<&Trace> {
    match record {
        Record::Succeeded { trace, .. } | Record::Failed { trace, .. } | Record::Uncertain { trace, .. } => Some(trace),
        _ => None,
    }
}
