//! One run: the picture of its flow with what each step got, did and gave, as text.

use crate::layout::Page;
use askama::Template;

/// The page of one run.
#[derive(Template)]
#[template(path = "runs/show.html")]
pub struct RunPage {
    pub page: Page,
    pub body: RunBody,
}

/// The part of the page that changes while the run moves. The page includes it, and the live stream sends it anew.
#[derive(Template)]
#[template(path = "runs/body.html")]
pub struct RunBody {
    pub run: RunView,
    pub csrf: String,
    pub may_operate: bool,
    /// What the address says beyond the run: which round is looked at. With its question mark, or empty.
    pub query: String,
}

/// A run, ready to be shown.
pub struct RunView {
    pub id: String,
    pub workflow_id: String,
    pub workflow_name: String,
    pub version: u32,
    pub state: Badge,
    /// It may still move.
    pub live: bool,
    /// What started it: "a request", "a form", a person's name.
    pub started_by: String,
    pub started_at: String,
    pub duration: String,
    /// Why it ended so, or what it waits for.
    pub reason: Option<String>,
    pub error: Option<ErrorView>,
    pub replay_of: Option<String>,
    /// The run whose step called this one.
    pub caller: Option<String>,
    /// What will be done outside once more when it is replayed, in words; empty when nothing will.
    pub repeats: Vec<String>,
    pub event: Payload,
    pub notes: Vec<String>,
    pub nodes: Vec<Node>,
    pub trigger: TriggerView,
}

pub struct TriggerView {
    pub title: String,
    pub icon: String,
}

/// A state as a coloured word. `tone` is one of ok, bad, busy, wait, off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    pub tone: &'static str,
    pub label: String,
    /// The moment that the label ends with ("waits until …"), as RFC 3339; shown in the reader's own zone.
    pub at: Option<String>,
}

impl Badge {
    /// The label ends with this moment, in RFC 3339.
    #[must_use]
    pub fn at(self, moment: impl Into<String>) -> Self {
        Self { at: Some(moment.into()), ..self }
    }

    /// The classes that colour it; a busy one breathes.
    pub fn class(&self) -> &'static str {
        match self.tone {
            "busy" => "info dot live",
            "off" => "",
            tone => tone,
        }
    }
}

/// A step, and the lanes inside it.
pub struct Node {
    pub step: StepView,
    pub lanes: Vec<Lane>,
    /// The rounds of a loop that began.
    pub rounds: Option<RoundsView>,
}

/// The rounds of a loop: how many, and some of them. The one that is looked at is drawn as a lane.
pub struct RoundsView {
    /// "38 of 40 done, 2 failed".
    pub words: String,
    pub links: Vec<RoundLink>,
    pub only_failed: bool,
    /// All rounds instead of the failed ones, or the other way round; absent where both are the same.
    pub other: Option<String>,
    pub more: Option<String>,
}

pub struct RoundLink {
    /// As people count, from 1.
    pub number: i64,
    pub state: Badge,
    pub message: Option<String>,
    pub href: String,
    pub is_shown: bool,
}

pub struct Lane {
    pub title: String,
    /// This case ran.
    pub taken: bool,
    pub nodes: Vec<Node>,
}

impl Lane {
    fn picture(&self) -> Picture<'_> {
        Picture { nodes: &self.nodes }
    }
    fn details<'a>(&'a self, csrf: &'a str, run: &'a str, may_operate: &bool) -> Details<'a> {
        Details { nodes: &self.nodes, csrf, run, may_operate: *may_operate }
    }
}

pub struct StepView {
    /// The step's path; also its anchor on the page.
    pub path: String,
    pub title: String,
    pub operation: String,
    pub icon: String,
    pub state: Badge,
    pub duration: Option<String>,
    /// "3 attempts", where there was more than one.
    pub attempts_label: Option<String>,
    pub note: Option<String>,
    pub attempts: Vec<AttemptView>,
    /// A person has to say what became of its effect.
    pub undecided: bool,
    /// The run that it started.
    pub child: Option<String>,
    /// The connection that it waits for, which its service refuses.
    pub refused: Option<String>,
}

pub struct AttemptView {
    pub number: u16,
    pub state: Badge,
    pub duration: Option<String>,
    pub error: Option<ErrorView>,
    pub parts: Vec<Part>,
    pub log: Vec<String>,
}

/// One payload of an attempt: input, request, response, output.
pub struct Part {
    pub title: &'static str,
    pub payload: Payload,
}

pub struct ErrorView {
    pub message: String,
    pub hint: Option<String>,
    pub field: Option<String>,
}

/// Text that came from outside, cut where it is long.
pub struct Payload {
    pub text: String,
    /// Where the whole of it is, when it was cut.
    pub download: Option<String>,
    pub size: String,
}

#[derive(Template)]
#[template(path = "runs/picture.html")]
struct Picture<'a> {
    nodes: &'a [Node],
}

#[derive(Template)]
#[template(path = "runs/details.html")]
struct Details<'a> {
    nodes: &'a [Node],
    csrf: &'a str,
    run: &'a str,
    may_operate: bool,
}

impl RunBody {
    fn picture(&self) -> Picture<'_> {
        Picture { nodes: &self.run.nodes }
    }
    fn details(&self) -> Details<'_> {
        Details { nodes: &self.run.nodes, csrf: &self.csrf, run: &self.run.id, may_operate: self.may_operate }
    }
}
