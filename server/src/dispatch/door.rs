//! The door: an event becomes a run. Its sender hears "accepted" after the commit and not before.

use super::{
    Accepted, Answered, NewRun, Refused, TriggerKind,
    callers::{For, News, Waiting},
    core::Core,
};
use crate::{
    execute::{Need, Progress, Start},
    journal::{
        Committed, Failure, Full, Operation, RunRef,
        operation::{AcceptRow, DeliveryRow, Then},
    },
    metrics::figures,
    store::{records, runs},
};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use towpath_engine::{
    ids::{RunId, WorkflowId},
    record::{Answer, Entry, Record},
};

type Verdict = oneshot::Receiver<Result<Committed, Failure>>;

/// Stores the event and its run.
pub async fn accept(core: &Core, new: NewRun) -> Result<Accepted, Refused> {
    open(core)?;
    let begun = Begun::now(new.kind);
    let (run, operation) = operation(core, new);
    let verdict = core.journal.accept(operation).map_err(full)?;
    committed(run.run, verdict, begun).await
}

/// Stores the event and its run, and waits for what the run answers.
pub async fn accept_and_answer(core: &Core, new: NewRun, within: Duration) -> Result<Answered, Refused> {
    open(core)?;
    let deadline = Instant::now() + within;
    if let Ok(plan) = core.plans.get(new.workflow, new.version).await
        && plan.is_pure()
    {
        return evaluate_and_accept(core, new, plan, deadline).await;
    }
    let begun = Begun::now(new.kind);
    let (run, operation) = operation(core, new);
    let news = core.callers.wait(run.run, For::Answer);
    let verdict = core.journal.accept(operation).map_err(full)?;
    Ok(match committed(run.run, verdict, begun).await? {
        Accepted::New(run) => wait(run, news, deadline).await,
        Accepted::Duplicate(first) => answer_of(core, first, deadline).await,
    })
}

/// A run that needs nothing from outside: worked out first, then accepted and ended in one commit.
async fn evaluate_and_accept(
    core: &Core,
    new: NewRun,
    plan: std::sync::Arc<towpath_engine::plan::Plan>,
    deadline: Instant,
) -> Result<Answered, Refused> {
    let begun = Begun::now(new.kind);
    let (run, mut operation) = operation(core, new);
    let revision = operation.accept.as_ref().and_then(|row| row.event.as_ref()).map_or(0, |event| event.head.variables);
    let Some(vars) = core.parts.variables.at_hand(run.workspace, revision) else {
        return Err(Refused::Unavailable("the variables are being changed".into()));
    };
    let Some(row) = operation.accept.as_mut() else { return Err(Refused::Unavailable("nothing was to be stored".into())) };
    let event = row.event.take().unwrap_or_default();
    let mut progress = Progress::new(Start { run, plan, event, accepted_at: row.at, vars });
    let Need::End(end) = progress.advance(&*core.parts.registry, &core.parts.clock) else {
        return Err(Refused::Unavailable("the workflow is not what it looked like".into()));
    };
    row.live = false;
    operation.then = Then::End(Box::new(progress.end_row(&end, core.parts.clock.now())));
    let answer = progress.answer().cloned();
    let verdict = core.journal.accept(operation).map_err(full)?;
    Ok(match committed(run.run, verdict, begun).await? {
        Accepted::New(run) => match answer {
            Some(answer) => Answered::Answer(run, answer),
            None => Answered::Ended(run, end),
        },
        Accepted::Duplicate(first) => answer_of(core, first, deadline).await,
    })
}

/// Refuses what can't be stored now.
pub fn open(core: &Core) -> Result<(), Refused> {
    if core.is_draining() {
        return Err(Refused::Draining);
    }
    if core.node.is_lost() {
        return Err(Refused::Unavailable("another server has taken over".into()));
    }
    core.disk.check().map_err(Refused::Unavailable)
}

fn operation(core: &Core, mut new: NewRun) -> (RunRef, Operation) {
    let at = core.parts.clock.now();
    // Whatever the event says of an earlier run: this one sees the variables of now, and on disk stands which they are.
    new.event.head.variables = core.parts.variables.current(new.workspace).number;
    let run = RunRef { run: RunId::new(), workspace: new.workspace, workflow: new.workflow, shard: shard(new.workflow) };
    let delivery = new.delivery.map(|delivery| DeliveryRow {
        bucket: at.date_naive(),
        endpoint: delivery.endpoint,
        key: delivery.key.into_bytes(),
    });
    let row = AcceptRow {
        version: i32::try_from(new.version).unwrap_or(i32::MAX),
        trigger_kind: new.kind as i16,
        replay_of: new.replay_of,
        payload: new.event.to_bytes(),
        event: Some(new.event),
        at,
        live: true,
        delivery,
        event_key: new.event_key,
    };
    (run, Operation { run, accept: Some(row), records: Vec::new(), then: Then::GoOn, reply: None })
}

/// When an event came to the door, and how: for the figures.
struct Begun {
    at: Instant,
    kind: TriggerKind,
}

impl Begun {
    fn now(kind: TriggerKind) -> Self {
        Self { at: Instant::now(), kind }
    }
}

async fn committed(run: RunId, verdict: Verdict, begun: Begun) -> Result<Accepted, Refused> {
    match verdict.await {
        Ok(Ok(Committed::Done | Committed::Repeated)) => {
            figures().accepted(begun.kind, begun.at.elapsed());
            Ok(Accepted::New(run))
        }
        Ok(Ok(Committed::Duplicate(first))) => {
            figures().duplicate();
            Ok(Accepted::Duplicate(first))
        }
        Ok(Err(Failure::Unavailable(why))) => Err(Refused::Unavailable(why)),
        Ok(Err(Failure::Fenced)) => Err(Refused::Unavailable("another server has taken over".into())),
        Ok(Err(Failure::Rejected(_))) => Err(Refused::Unavailable("the database refused it; the log says why".into())),
        Err(_) => Err(Refused::Draining),
    }
}

fn full(why: Full) -> Refused {
    match why {
        Full::Overloaded => Refused::Overloaded,
        Full::Away(_) => Refused::Unavailable("the database does not answer".into()),
        Full::Closed => Refused::Draining,
    }
}

async fn wait(run: RunId, mut news: Waiting<'_>, deadline: Instant) -> Answered {
    match news.until(deadline).await {
        Some(News::Answer(answer)) => Answered::Answer(run, answer),
        Some(News::Ended(end)) => Answered::Ended(run, end),
        None => Answered::Later(run),
    }
}

/// What an earlier delivery's run answered, or will.
async fn answer_of(core: &Core, run: RunId, deadline: Instant) -> Answered {
    let news = core.callers.wait(run, For::Answer);
    match said(core, run).await {
        Ok(Some(answered)) => answered,
        Ok(None) => wait(run, news, deadline).await,
        Err(error) => {
            tracing::warn!(%error, "the first run's answer could not be read");
            Answered::Later(run)
        }
    }
}

/// What is on disk of a run's answer: the answer, or the end without one.
async fn said(core: &Core, run: RunId) -> sqlx::Result<Option<Answered>> {
    let end = runs::end_with_journal(&core.parts.pool, run).await?;
    if let Some(answer) = answer_in(&records::history(&core.parts.pool, run).await?) {
        return Ok(Some(Answered::Answer(run, answer)));
    }
    Ok(end.map(|(end, journal)| match answer_in(&journal) {
        Some(answer) => Answered::Answer(run, answer),
        None => Answered::Ended(run, end),
    }))
}

fn answer_in(entries: &[Entry]) -> Option<Answer> {
    entries.iter().find_map(|entry| match &entry.record {
        Record::Responded { answer, .. } => Some(answer.clone()),
        _ => None,
    })
}

/// The shard of a workflow, 0 to 255: jump consistent hash (Lamping and Veach, 2014).
pub fn shard(workflow: WorkflowId) -> i16 {
    let (high, low) = workflow.0.as_u64_pair();
    let mut key = high ^ low;
    let (mut bucket, mut next) = (-1_i64, 0_i64);
    while next < 256 {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the algorithm is defined over doubles")]
        {
            next = ((bucket + 1) as f64 * ((1_i64 << 31) as f64 / ((key >> 33) + 1) as f64)) as i64;
        }
    }
    i16::try_from(bucket).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflows_spread_evenly_over_256_shards() {
        let mut counts = [0_usize; 256];
        for _ in 0..25_600 {
            let shard = shard(WorkflowId::new());
            counts[usize::try_from(shard).expect("a shard is not negative")] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }
}
