//! Runs that are started by a step of another run: started once, however often that step is repeated, and its line woken by their end.

use super::{Accepted, NewRun, TriggerKind, core::Core, door, driver::change};
use crate::{
    execute::Acting,
    ingest::questions,
    journal::{Change, EventKey, Failure, RunRef},
    store::{self, callees, records, runs, waits},
};
use parking_lot::Mutex;
use serde_json::json;
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    event::{Caller, Event, Head},
    ids::RunId,
    plan::CALLED,
    record::{AnswerBody, EndState, Entry, Record},
    workflow::Trigger,
};

/// Workflows that call each other go this deep.
pub const DEEPEST: u16 = 25;
/// Looked at this often without a signal.
const LOOK: Duration = Duration::from_secs(60);
/// Runs woken by one statement.
const BATCH: i64 = 500;
/// Runs that are known to be waited for, after a start; the others are found by looking.
const KNOWN: i64 = 100_000;

/// The runs whose ends somebody waits for.
#[derive(Default)]
pub struct Awaited {
    runs: Mutex<HashSet<RunId>>,
    count: AtomicUsize,
    /// Those of which something was committed since they were last looked at.
    moved: Mutex<Vec<RunId>>,
    news: Notify,
}

impl Awaited {
    /// Somebody waits for this run, which may have ended already: it is looked at once.
    pub fn expect(&self, child: RunId) {
        let mut runs = self.runs.lock();
        runs.insert(child);
        self.count.store(runs.len(), Ordering::Release);
        drop(runs);
        self.moved.lock().push(child);
        self.news.notify_one();
    }

    /// Something of this run was committed, perhaps its end.
    pub fn moved(&self, run: RunId) {
        if self.count.load(Ordering::Acquire) > 0 && self.runs.lock().contains(&run) {
            self.moved.lock().push(run);
            self.news.notify_one();
        }
    }

    fn forget(&self, children: &[RunId]) {
        let mut runs = self.runs.lock();
        for child in children {
            runs.remove(child);
        }
        self.count.store(runs.len(), Ordering::Release);
    }
}

/// Wakes runs whose called runs have ended, until the engine stops.
pub async fn run(core: Arc<Core>) {
    core.released.cancelled().await;
    match waits::children(&core.parts.pool, KNOWN).await {
        Ok(children) => core.awaited.runs.lock().extend(children),
        Err(error) => tracing::warn!(%error, "the runs that others wait for could not be read"),
    }
    let known = core.awaited.runs.lock().len();
    core.awaited.count.store(known, Ordering::Release);
    let mut look_at_all = true;
    loop {
        let moved = std::mem::take(&mut *core.awaited.moved.lock());
        let looked = if look_at_all { wake(&core, None).await } else { wake(&core, Some(&moved)).await };
        if let Err(error) = looked {
            tracing::warn!(%error, "the runs that wait for others could not be read");
            core.awaited.moved.lock().extend(moved);
        }
        look_at_all = tokio::time::timeout(LOOK, core.awaited.news.notified()).await.is_err();
    }
}

async fn wake(core: &Arc<Core>, children: Option<&[RunId]>) -> sqlx::Result<()> {
    loop {
        let waiting = waits::returned(&core.parts.pool, core.node.id, children, BATCH).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let (runs, ended): (Vec<RunId>, Vec<RunId>) = waiting.into_iter().unzip();
        let now = core.parts.clock.now();
        match change(core, |reply| Change::Return { runs, now, reply }).await {
            Ok(woken) => {
                core.awaited.forget(&ended);
                for woken in &woken {
                    core.signals.renewed(woken.run.run);
                    core.publish(woken.run);
                    core.enqueue(woken.run);
                }
                if woken.is_empty() {
                    return Ok(());
                }
            }
            Err(Failure::Fenced) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "runs could not be woken");
                return Ok(());
            }
        }
    }
}

/// Starts the run that a step calls for, or finds the one that it started before. Its id, as the step's output.
///
/// # Errors
/// A sentence for the calling workflow's owner: there is no such workflow, it can't be called, or its inputs are not what it asks for.
pub async fn start(core: &Core, run: RunRef, caller: Option<&Caller>, acting: &Acting) -> Result<Json, StepError> {
    let depth = caller.map_or(0, |caller| caller.depth) + 1;
    if depth > DEEPEST {
        return Err(StepError::new(
            ErrorKind::Forbidden,
            format!("Workflows called each other {DEEPEST} deep, so no other was called."),
        )
        .hint("A workflow that calls itself, or one that leads back to it, needs a step that ends this: a filter or a branch."));
    }
    let wanted = acting.input.get("workflow").and_then(Json::as_str).unwrap_or_default();
    let callee = callees::find(&core.parts.pool, run.workspace, wanted).await.map_err(|error| match error {
        store::Error::NotFound => StepError::new(
            ErrorKind::NotFound,
            "The workflow that this step calls was deleted, or its name is no longer this one.",
        )
        .hint("Open the step and choose a workflow.")
        .field("workflow"),
        error => unavailable(&error.to_string()),
    })?;
    let not_now = |what: &str| {
        StepError::new(ErrorKind::Conflict, format!("The workflow “{}” {what}, so it was not called.", callee.name))
            .field("workflow")
    };
    let Some(version) = callee.version else {
        return Err(not_now(if callee.is_paused { "is paused" } else { "is not published" })
            .hint("Publish it, then replay this run from its page."));
    };
    let plan = core.plans.get(callee.id, version).await.map_err(|error| match error {
        super::plans::NoPlan::NotRunnable(why) => not_now(&format!("can't run ({why})")),
        super::plans::NoPlan::Database(error) => unavailable(&error.to_string()),
    })?;
    let Some(trigger) = plan.workflow.trigger.as_ref().filter(|trigger| trigger.operation == CALLED) else {
        return Err(not_now("does not start when another workflow calls it")
            .hint("Give it the trigger “When another workflow calls it”."));
    };
    let given = acting.input.get("inputs").and_then(Json::as_object).cloned().unwrap_or_default();
    let body = inputs(trigger, given)?;
    let head = Head {
        meta: Object::from_iter([
            ("workflow".into(), run.workflow.to_string().into()),
            ("run".into(), run.run.to_string().into()),
        ]),
        parsed: Some(Json::Object(body)),
        caller: Some(Caller { run: run.run, step: acting.step.clone(), depth }),
        ..Head::default()
    };
    let new = NewRun {
        workspace: run.workspace,
        workflow: callee.id,
        version,
        kind: TriggerKind::Call,
        event: Event { head, body: Vec::new() },
        delivery: None,
        event_key: Some(EventKey::new(CALLED, &acting.key.to_string())),
        replay_of: None,
    };
    match door::accept(core, new).await {
        Ok(Accepted::New(child) | Accepted::Duplicate(child)) => Ok(json!({ "run": child })),
        Err(refused) => Err(unavailable(&refused.to_string())),
    }
}

/// What the called workflow asks for, checked and typed; whatever else it is given goes with it as it is.
fn inputs(trigger: &Trigger, mut given: Object) -> Result<Object, StepError> {
    let asked = questions::read(trigger.input.get("inputs"));
    let answers = given.iter().filter(|(name, _)| asked.iter().any(|question| question.name == **name));
    let answers = answers.map(|(name, value)| (name.clone(), value.clone())).collect();
    match questions::typed(&asked, &answers) {
        Ok(typed) => {
            given.extend(typed);
            Ok(given)
        }
        Err(wrong) => {
            let said: Vec<String> = wrong.into_iter().map(|(name, message)| format!("{name}: {message}")).collect();
            Err(StepError::invalid_input(format!("The called workflow asks for something else. {}", said.join(" ")))
                .field("inputs"))
        }
    }
}

fn unavailable(why: &str) -> StepError {
    StepError::new(ErrorKind::Unavailable, format!("The workflow could not be called at the moment: {why}"))
}

/// What a called run gave, once it has ended: its answer, or how it failed. `None`: it goes on.
///
/// # Errors
/// When the database does not answer.
pub async fn outcome(core: &Core, child: RunId) -> sqlx::Result<Option<Result<Json, StepError>>> {
    let Some((end, journal)) = runs::end_with_journal(&core.parts.pool, child).await? else {
        // One whose event was dropped with its partition can't end any more.
        let gone = runs::load(&core.parts.pool, child).await?.is_none();
        return Ok(gone.then(|| Err(StepError::new(ErrorKind::Conflict, "The run that this step started is no longer kept."))));
    };
    let failed = |what: String| {
        let error = StepError::new(ErrorKind::Conflict, what);
        Ok(Some(Err(error.hint("The called run's page says more; this step's output links to it."))))
    };
    match end.state {
        EndState::Succeeded => {
            let answer = match answer_in(&journal) {
                Some(answer) => Some(answer),
                None => answer_in(&records::history(&core.parts.pool, child).await?),
            };
            Ok(Some(Ok(json!({ "run": child, "answer": answer }))))
        }
        EndState::Cancelled => failed("The run that this step started was cancelled.".into()),
        EndState::Failed | EndState::DeadLettered => {
            let reason = end.error.map(|failed| failed.error.message).or(end.reason).unwrap_or_default();
            failed(format!("The called workflow failed: {reason}"))
        }
    }
}

/// What the called workflow's Respond step said.
fn answer_in(entries: &[Entry]) -> Option<Json> {
    entries.iter().find_map(|entry| match &entry.record {
        Record::Responded { answer, .. } => Some(match &answer.body {
            AnswerBody::Empty => Json::Null,
            AnswerBody::Json(value) => value.clone(),
            AnswerBody::Text(text) | AnswerBody::Html(text) => text.clone().into(),
        }),
        _ => None,
    })
}
