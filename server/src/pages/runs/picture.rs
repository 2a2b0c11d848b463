//! A run's records laid over its workflow's steps: what the run page draws. Pure.

use super::{
    naming,
    rounds::{self, Page},
    words::{badge, cut, duration, size, skipped, waiting},
};
use crate::store::rounds::Counts;
use std::collections::HashMap;
use towpath_engine::{
    Json,
    catalogue::Catalogue,
    edit::{LaneName, LaneWord},
    error::StepError,
    ids::ConnectionId,
    plan::CALL,
    record::{Decision, Entry, Record, SkipReason, Trace, WaitOn},
    workflow::{LinePath, OnError, Step, StepPath, Workflow},
};
use towpath_web::runs::show::{AttemptView, Badge, ErrorView, Lane, Node, Part, Payload, RoundsView, StepView};

/// What is drawn from.
pub struct Drawing<'a> {
    pub run: &'a str,
    pub workflow: &'a Workflow,
    pub catalogue: &'a dyn Catalogue,
    pub entries: &'a [Entry],
    pub ended: bool,
    /// How the rounds of loops ended that are in no other loop.
    pub rounds: &'a HashMap<StepPath, Counts>,
    /// A page of them; absent where nobody asked.
    pub pages: Option<&'a HashMap<StepPath, Page>>,
    /// The round that is looked at.
    pub round: Option<&'a LinePath>,
}

type BySteps<'a> = HashMap<&'a StepPath, Vec<&'a Entry>>;

/// The workflow's steps in document order, each with its state and attempts.
pub fn nodes(drawing: &Drawing<'_>) -> Vec<Node> {
    let mut by_step: BySteps<'_> = HashMap::new();
    for entry in drawing.entries {
        if let Some(step) = entry.record.step() {
            by_step.entry(step).or_default().push(entry);
        }
    }
    lane(drawing, &drawing.workflow.steps, &LinePath::RUN, &by_step)
}

fn lane(drawing: &Drawing<'_>, steps: &[Step], line: &LinePath, by_step: &BySteps<'_>) -> Vec<Node> {
    steps.iter().map(|step| node(drawing, step, line, by_step)).collect()
}

fn node(drawing: &Drawing<'_>, step: &Step, line: &LinePath, by_step: &BySteps<'_>) -> Node {
    let path = line.step(&step.id);
    let entries = by_step.get(&path).map(Vec::as_slice).unwrap_or_default();
    let chosen = entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Succeeded { output, .. } => output.get("case"),
        _ => None,
    });
    let opened = entries.iter().any(|entry| matches!(entry.record, Record::Opened { .. }));
    let failed = entries.iter().any(|entry| matches!(entry.record, Record::Failed { .. } | Record::Decided { .. }));
    let mut lanes: Vec<Lane> = Vec::new();
    let mut rounds = None;
    for (name, steps) in step.inner() {
        let title = |title: &str, what: &str, index: usize| match title {
            "" => format!("{what} {}", index + 1),
            title => title.to_owned(),
        };
        lanes.push(match name {
            LaneName::Case(index) if step.operation == "parallel" => Lane {
                title: title(step.lanes.get(index).map_or("", |lane| &lane.title), "Lane", index),
                taken: opened,
                nodes: lane(drawing, steps, &path.opens(u32::try_from(index).unwrap_or(u32::MAX)), by_step),
            },
            LaneName::Case(index) => Lane {
                title: title(&step.cases.get(index).map_or_else(String::new, naming::case), "Case", index),
                taken: chosen.and_then(Json::as_u64) == Some(index as u64),
                nodes: lane(drawing, steps, line, by_step),
            },
            LaneName::Named(LaneWord::Otherwise) => Lane {
                title: "Otherwise".into(),
                taken: chosen.is_some_and(Json::is_null),
                nodes: lane(drawing, steps, line, by_step),
            },
            LaneName::Named(LaneWord::Body) => {
                let shown = shown_round(drawing, &path);
                rounds = rounds_view(drawing, &path, entries, shown.as_ref());
                let word = if step.operation == "for_each" { "Item" } else { "Round" };
                let number = shown.as_ref().and_then(LinePath::opener).map(|(_, number)| number);
                Lane {
                    title: number.map_or_else(|| "Inside".to_owned(), |number| format!("{word} {}", number + 1)),
                    taken: shown.is_some(),
                    nodes: match &shown {
                        Some(round) => lane(drawing, steps, round, by_step),
                        None => Vec::new(),
                    },
                }
            }
            LaneName::Named(LaneWord::Rescue) => Lane {
                title: "If this fails".into(),
                taken: failed && step.on_error == OnError::Rescue,
                nodes: lane(drawing, steps, line, by_step),
            },
        });
    }
    if step.operation == "branch" && step.otherwise.is_none() {
        lanes.push(Lane { title: "Otherwise".into(), taken: chosen.is_some_and(Json::is_null), nodes: Vec::new() });
    }
    Node { step: step_view(drawing, step, &path, entries), lanes, rounds }
}

/// Which round of this loop is looked at.
fn shown_round(drawing: &Drawing<'_>, of: &StepPath) -> Option<LinePath> {
    let around = std::iter::successors(drawing.round.cloned(), |line| line.opener().map(|(step, _)| step.line()));
    around.take_while(|line| !line.is_run()).find(|line| line.opener().is_some_and(|(step, _)| step == *of))
}

fn rounds_view(drawing: &Drawing<'_>, path: &StepPath, entries: &[&Entry], shown: Option<&LinePath>) -> Option<RoundsView> {
    let counts = drawing.rounds.get(path).copied().unwrap_or_else(|| rounds::count(drawing.entries, path));
    let words = rounds::words(entries, &counts)?;
    let inner;
    let page = match drawing.pages.and_then(|pages| pages.get(path)) {
        Some(page) => page,
        None if drawing.pages.is_some() => {
            inner = rounds::first(drawing.entries, path);
            &inner
        }
        None => &Page::default(),
    };
    Some(rounds::view(drawing.run, words, &counts, page, shown))
}

fn step_view(drawing: &Drawing<'_>, step: &Step, path: &StepPath, entries: &[&Entry]) -> StepView {
    let operation = drawing.catalogue.operation(&step.operation);
    let attempts = attempts(drawing.run, &path.0, entries);
    let (state, asks) = state(step, entries, drawing.ended);
    let micros: u64 = entries.iter().filter_map(|entry| trace_of(&entry.record)).map(|trace| trace.micros).sum();
    StepView {
        path: path.0.clone(),
        title: naming::step(step, operation),
        operation: operation.map_or_else(|| step.operation.clone(), |it| it.title.clone()),
        icon: operation.map(|it| it.icon.clone()).unwrap_or_default(),
        state,
        duration: (micros > 0).then(|| duration(micros)),
        attempts_label: (attempts.len() > 1).then(|| format!("{} attempts", attempts.len())),
        note: decision_note(entries),
        attempts,
        child: (step.operation == CALL).then(|| child(entries)).flatten(),
        undecided: asks == Asks::Outcome,
        refused: match asks {
            Asks::Connection(id) => Some(id.to_string()),
            Asks::Nothing | Asks::Outcome => None,
        },
    }
}

/// Was an attempt of the step under way?
fn began(entries: &[&Entry]) -> bool {
    entries.iter().any(|entry| matches!(entry.record, Record::Started { .. } | Record::Opened { .. }))
}

/// The run that a step called, once it is known.
fn child(entries: &[&Entry]) -> Option<String> {
    entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Waiting { on: WaitOn::Run { run }, .. } => Some(run.to_string()),
        Record::Succeeded { output, .. } => output.get("run")?.as_str().map(str::to_owned),
        _ => None,
    })
}

/// What a step asks of a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    /// What became of its effect.
    Outcome,
    /// To renew its connection.
    Connection(ConnectionId),
}

/// The step's state in words, and what it asks of a person.
fn state(step: &Step, entries: &[&Entry], ended: bool) -> (Badge, Asks) {
    let Some(last) = entries.last() else {
        return (badge("off", if ended { "not reached" } else { "to come" }), Asks::Nothing);
    };
    let state = match &last.record {
        Record::Started { .. } if ended => badge("wait", "may have gone through"),
        Record::Started { .. } | Record::Woken { .. } => badge("busy", "running"),
        Record::Succeeded { .. } | Record::Responded { .. } => badge("ok", "succeeded"),
        Record::Failed { .. } if step.on_error != OnError::Fail => badge("bad", "failed, the run went on"),
        Record::Failed { .. } => badge("bad", "failed"),
        Record::Uncertain { .. } if ended => badge("bad", "unknown outcome"),
        Record::Uncertain { .. } => return (badge("wait", "needs a decision"), Asks::Outcome),
        // What left before somebody cancelled was not skipped; an effect that can't be repeated is told as uncertain.
        Record::Skipped { reason: SkipReason::Cancelled, .. } if began(entries) => badge("off", "cut off by the cancel"),
        Record::Skipped { reason, .. } => badge("off", format!("skipped: {}", skipped(*reason))),
        Record::Waiting { on, .. } if ended => badge("off", format!("was waiting ({})", waiting(on).label)),
        Record::Waiting { on: on @ WaitOn::Decision, .. } => return (waiting(on), Asks::Outcome),
        Record::Waiting { on: on @ WaitOn::Connection { id }, .. } => return (waiting(on), Asks::Connection(*id)),
        Record::Waiting { on, .. } => waiting(on),
        Record::Decided { decision: Decision::WentThrough { .. }, .. } => badge("ok", "went through"),
        Record::Decided { decision: Decision::SendAgain, .. } => badge("busy", "sends again"),
        Record::Decided { decision: Decision::Fail, .. } => badge("bad", "given up"),
        Record::Opened { .. } if ended => badge("off", "cut off"),
        Record::Opened { .. } => badge("busy", "running"),
        Record::LineEnded { .. } | Record::CancelRequested { .. } | Record::Ended { .. } => badge("off", "ended"),
    };
    (state, Asks::Nothing)
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
                        let link = format!("/runs/{run}/steps/{}/{number}/{}", rounds::encoded(path), title.to_lowercase());
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
