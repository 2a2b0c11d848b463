//! Records: the past facts of a run. They are the truth; every status is a projection of them.

use crate::{
    Json,
    catalogue::Effect,
    error::StepError,
    ids::{ConnectionId, RunId},
    retry,
    workflow::{LinePath, StepPath},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A fact and when it became one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub record: Record,
}

/// What happened. Its identity is (run, step, attempt, kind): the same fact twice is one fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// An attempt is about to act. On disk before an unsafe effect leaves.
    Started {
        step: StepPath,
        attempt: u16,
        /// What a repeat of it would do; `None` for steps without an effect outside. What becomes of the step after a crash
        /// hangs on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effect: Option<Effect>,
    },
    Succeeded {
        step: StepPath,
        attempt: u16,
        output: Json,
        #[serde(default)]
        trace: Trace,
    },
    /// An attempt came to nothing. Whether there is another is the planner's to say. Write it with [`Record::failure`].
    Failed {
        step: StepPath,
        attempt: u16,
        error: StepError,
        /// What a repeat would do; `None` when the attempt never got as far as acting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effect: Option<Effect>,
        #[serde(default)]
        trace: Trace,
    },
    /// The attempt's effect may or may not have happened; a person decides.
    Uncertain {
        step: StepPath,
        attempt: u16,
        error: StepError,
        #[serde(default)]
        trace: Trace,
    },
    Skipped {
        step: StepPath,
        reason: SkipReason,
    },
    /// A step opened lines of its own: the rounds of a loop, or the lanes of a parallel step.
    Opened {
        step: StepPath,
        attempt: u16,
        kind: LinesKind,
        /// How many there are; of a repeat, how many rounds there are at most.
        lines: u32,
    },
    /// A line that a step opened is over. Nothing more happens on it.
    LineEnded {
        line: LinePath,
        end: LineEnd,
        /// What a round of a for-each gave; of a repeat, whether another round follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Json>,
    },
    /// The line sleeps.
    Waiting {
        step: StepPath,
        attempt: u16,
        on: WaitOn,
    },
    Woken {
        step: StepPath,
        attempt: u16,
        by: WokenBy,
    },
    /// A person said what became of an uncertain effect.
    Decided {
        step: StepPath,
        attempt: u16,
        by: String,
        decision: Decision,
    },
    /// The caller of a synchronous trigger was given this answer.
    Responded {
        step: StepPath,
        answer: Answer,
    },
    CancelRequested {
        by: String,
    },
    Ended {
        end: End,
    },
}

impl Record {
    /// The record of a failed attempt: `Uncertain` when the effect may have happened and a repeat would do it twice, else
    /// `Failed`.
    pub fn failure(step: StepPath, attempt: u16, error: StepError, effect: Option<Effect>, trace: Trace) -> Self {
        if retry::is_uncertain(error.kind, effect) {
            Self::Uncertain { step, attempt, error, trace }
        } else {
            Self::Failed { step, attempt, error, effect, trace }
        }
    }

    /// The step the record is about; `None` for records about the run.
    pub fn step(&self) -> Option<&StepPath> {
        match self {
            Self::Started { step, .. }
            | Self::Succeeded { step, .. }
            | Self::Failed { step, .. }
            | Self::Uncertain { step, .. }
            | Self::Skipped { step, .. }
            | Self::Waiting { step, .. }
            | Self::Woken { step, .. }
            | Self::Decided { step, .. }
            | Self::Opened { step, .. }
            | Self::Responded { step, .. } => Some(step),
            Self::LineEnded { .. } | Self::CancelRequested { .. } | Self::Ended { .. } => None,
        }
    }

    /// The path that the record's identity holds: a step's, a line's, or nothing.
    pub fn place(&self) -> &str {
        match self {
            Self::LineEnded { line, .. } => &line.0,
            other => other.step().map_or("", |step| step.0.as_str()),
        }
    }

    /// What expressions find under `steps.<id>` from this record on, if it says anything about that.
    ///
    /// A failed step's value is `{ "error": { "kind", "message" } }`: whoever keeps the outputs of a run puts in what this
    /// returns, record by record in the order of the history, and need not know whether the step goes on in spite of its error.
    pub fn output(&self) -> Option<Json> {
        match self {
            Self::Succeeded { output, .. } | Self::Decided { decision: Decision::WentThrough { output }, .. } => {
                Some(output.clone())
            }
            Self::Failed { error, .. } | Self::Uncertain { error, .. } => {
                Some(serde_json::json!({ "error": { "kind": error.kind, "message": error.message } }))
            }
            _ => None,
        }
    }
}

/// What a step opened lines for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinesKind {
    /// A round for each item of a list.
    Each,
    /// Lanes side by side.
    Parallel,
    /// Rounds while a condition holds.
    Repeat,
}

impl LinesKind {
    /// Is each line a round of a loop?
    pub fn is_loop(self) -> bool {
        self != Self::Parallel
    }
}

/// How a line ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum LineEnd {
    /// It came to its end.
    Done,
    /// A filter ended it.
    Filtered,
    /// A step of it failed, and nothing on the line took that up.
    Failed { failed: FailedStep },
    /// It was cut off, because its step was decided without it.
    Cancelled,
}

/// What an attempt said and did, for the person who looks at the run. It never decides anything and never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The step's input as it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Json>,
    /// The request that left, with secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Json>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// How long the attempt took, in microseconds.
    #[serde(default)]
    pub micros: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Another case of the branch ran.
    OtherCase,
    /// A filter ended the lane.
    Filtered,
    /// A stop step ended the run.
    Stopped,
    /// Somebody cancelled the run before the step was done, or it was on a line that was cut off.
    Cancelled,
    /// The step that it stands in for did not fail.
    NotNeeded,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum WaitOn {
    /// A delay step.
    Timer { until: DateTime<Utc> },
    /// The next attempt of a failed step.
    Retry { until: DateTime<Utc> },
    /// A person's word on an uncertain effect.
    Decision,
    /// The service did not take the step's connection: until it is renewed.
    Connection { id: ConnectionId },
    /// The end of the run that the step started.
    Run { run: RunId },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum WokenBy {
    Time,
    /// The connection can be used again, or there is no waiting for it any more.
    Connection,
    Person {
        name: String,
    },
}

/// A person's word on an effect whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It took effect: go on as if the step had succeeded, with this output.
    WentThrough { output: Json },
    /// It did not, or a repeat does no harm: do it again, with the same idempotency key.
    SendAgain,
    /// Give the step up: it failed.
    Fail,
}

/// The answer of a Respond step to the caller of a synchronous trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    pub body: AnswerBody,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerBody {
    Empty,
    Json(Json),
    Text(String),
    Html(String),
}

/// How a run ended. There is one per run, ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub state: EndState,
    /// Why, where the state alone doesn't say: "filtered", "stopped", or a stop step's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The step that failed the run, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FailedStep>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedStep {
    pub step: StepPath,
    pub error: StepError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndState {
    Succeeded,
    Failed,
    Cancelled,
    DeadLettered,
}
