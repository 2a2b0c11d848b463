//! The one committer: takes what is pending, commits it as one statement, and tells everybody what became of it. An outage of
//! the database is waited out with the same rows; a group that the database refuses is halved until the one bad row is alone.

use super::{
    AcceptedRun, Heir,
    change::Change,
    group::{Counts, Group, expected},
    operation::{Committed, DeliveryRow, EventKey, Failure, Operation, Then, state_from_code},
    outage::{self, Verdict},
    pending::{PATIENCE, Pending, Queued},
};
use crate::{
    metrics::figures,
    store::{deliveries, event_keys},
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use towpath_engine::ids::{RunId, WorkflowId};
use uuid::Uuid;

/// A statement that takes longer than this is given up with its connection: the other end may be gone without a word.
const STATEMENT_LIMIT: Duration = Duration::from_secs(20);

/// What the writer is given.
#[derive(Clone)]
pub struct WriterOptions {
    pub database: PgConnectOptions,
    /// The row of `node` in whose name everything is written.
    pub node: i64,
}

impl WriterOptions {
    /// For the database that `database` reaches.
    ///
    /// The writer's plans are made once and kept, perhaps while a table is empty: sequential scans are off, so that none of them
    /// reads a whole table later.
    pub fn new(database: &PgConnectOptions, node: i64) -> Self {
        let database = database.clone().application_name("towpath writer").options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("statement_timeout", "15s"),
            ("idle_in_transaction_session_timeout", "5s"),
        ]);
        Self { database, node }
    }
}

pub(super) struct Writer {
    options: WriterOptions,
    pending: Arc<Pending>,
    heir: Arc<dyn Heir>,
    connection: Option<PgConnection>,
    /// Accepts that were refused after they had been sent: they may be on disk.
    doubtful: Vec<RunId>,
    fenced: bool,
}

impl Writer {
    pub(super) fn new(options: WriterOptions, pending: Arc<Pending>, heir: Arc<dyn Heir>) -> Self {
        Self { options, pending, heir, connection: None, doubtful: Vec::new(), fenced: false }
    }

    pub(super) async fn run(mut self) {
        while let Some(work) = self.pending.take().await {
            if !work.group.is_empty() {
                self.commit(work.group).await;
            }
            for change in work.changes {
                self.write_change(change).await;
            }
        }
        if let Some(connection) = self.connection {
            // The server notices either way.
            let _ = connection.close().await;
        }
    }

    /// Commits the group, halving it where the database refuses it.
    async fn commit(&mut self, group: Vec<Queued>) {
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            match self.commit_part(&mut part).await {
                Ok(()) => {}
                Err(_) if part.len() > 1 => {
                    let half = part.split_off(part.len() / 2);
                    parts.push(half);
                    parts.push(part);
                }
                Err(error) => {
                    tracing::error!(%error, run = ?part.first().map(|queued| queued.operation.run.run), "the database refuses an operation");
                    for queued in part.iter().filter(|queued| queued.operation.reply.is_none()) {
                        self.heir.rejected(queued.operation.run);
                    }
                    reply_all(part, &Err(Failure::Rejected(error.to_string())));
                }
            }
        }
    }

    /// Commits exactly these rows, however long the database is away. The error is the database's refusal of the rows.
    async fn commit_part(&mut self, part: &mut Vec<Queued>) -> sqlx::Result<()> {
        let mut attempt = 0;
        loop {
            if self.fenced {
                reply_all(std::mem::take(part), &Err(Failure::Fenced));
            }
            if part.is_empty() {
                self.probe().await;
                return Ok(());
            }
            let begun = Instant::now();
            let result = self.try_commit(part).await;
            match result {
                Ok(counts) => {
                    figures().committed(part.len(), begun.elapsed());
                    self.back().await;
                    self.settle(counts, std::mem::take(part), attempt > 0).await;
                    return Ok(());
                }
                Err(error) => {
                    if outage::verdict(&error) == Verdict::Refused {
                        return Err(error);
                    }
                    self.away(&error, attempt, part).await;
                    attempt += 1;
                }
            }
        }
    }

    /// One try. A database that neither takes the rows nor refuses them keeps no caller waiting: he hears that it is away, and the rows
    /// that were sent for him run if they get to disk after all.
    async fn try_commit(&mut self, part: &mut [Queued]) -> sqlx::Result<Counts> {
        let node = self.options.node;
        let pending = Arc::clone(&self.pending);
        let mut replies: Vec<_> = part.iter_mut().map(|queued| queued.operation.reply.take()).collect();
        let result = {
            let work = async {
                let connection = self.connection().await?;
                let group = Group::new(part.iter().map(|queued| &queued.operation));
                limited(group.commit(node, connection)).await
            };
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    result = &mut work => break result,
                    () = tokio::time::sleep(PATIENCE) => {
                        pending.mark_down();
                        let failure = Err(Failure::Unavailable("the database does not answer".into()));
                        for (reply, _) in replies.iter_mut().zip(&*part).filter(|(_, queued)| queued.is_accept()) {
                            if let Some(reply) = reply.take() {
                                // An error means that the caller is gone.
                                let _ = reply.send(failure.clone());
                            }
                        }
                        reply_all(pending.take_impatient(), &failure);
                    }
                }
            }
        };
        for (queued, reply) in part.iter_mut().zip(replies) {
            queued.operation.reply = reply;
        }
        result
    }

    /// While the database is away and everybody who waited has been told, nothing is left to try with, and new events are refused:
    /// asks until the database takes writes again, or until there is something to write.
    async fn probe(&mut self) {
        let mut attempt = 0;
        while !self.fenced && self.pending.outage().is_some() && self.pending.is_idle() {
            let result = match self.connection().await {
                Ok(connection) => limited(sqlx::query("select pg_current_xact_id()").execute(connection)).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(_) => return self.back().await,
                Err(_) => {
                    self.connection = None;
                    tokio::time::sleep(outage::pause(attempt)).await;
                    attempt += 1;
                }
            }
        }
    }

    async fn connection(&mut self) -> sqlx::Result<&mut PgConnection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => limited(PgConnection::connect_with(&self.options.database)).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// After an error that passes: lets impatient callers go, and waits before the next try.
    async fn away(&mut self, error: &sqlx::Error, attempt: u32, part: &mut Vec<Queued>) {
        if attempt == 0 {
            tracing::warn!(%error, "the database does not take what the engine writes; trying again until it does");
            self.pending.mark_down();
        }
        if outage::verdict(error) == Verdict::Reconnect {
            self.connection = None;
        }
        let sentence = sentence(error);
        let (impatient, kept): (Vec<_>, Vec<_>) =
            std::mem::take(part).into_iter().partition(|queued| queued.is_accept() && queued.since.elapsed() > PATIENCE);
        *part = kept;
        self.doubtful.extend(impatient.iter().map(|queued| queued.operation.run.run));
        let failure = Err(Failure::Unavailable(sentence));
        reply_all(impatient, &failure);
        reply_all(self.pending.take_impatient(), &failure);
        tokio::time::sleep(outage::pause(attempt)).await;
    }

    /// After a commit: the outage, if there was one, is over.
    async fn back(&mut self) {
        if self.pending.outage().is_some() {
            tracing::info!("the database takes what the engine writes again");
            self.pending.mark_back();
        }
        if !self.doubtful.is_empty() {
            self.heir.doubtful(std::mem::take(&mut self.doubtful));
        }
    }

    /// Compares what was written with what was sent, and tells everybody.
    async fn settle(&mut self, counts: Counts, part: Vec<Queued>, repeat: bool) {
        if !counts.go {
            self.fence(part);
            return;
        }
        let lost: HashSet<Uuid> = counts.lost.iter().copied().collect();
        let sent = expected(part.iter().map(|queued| &queued.operation).filter(|operation| !lost.contains(&operation.run.run.0)));
        let whole = sent.records == counts.records && sent.waits == counts.waits && sent.ends == counts.ends;
        if !repeat && sent.runs != counts.runs {
            tracing::error!(sent = sent.runs, written = counts.runs, "a new run's id was taken");
        }
        if !repeat && !whole {
            tracing::warn!(?sent, ?counts, "some of the rows were on disk before");
        }
        let mut accepted = Vec::new();
        for queued in part {
            let operation = queued.operation;
            let committed = if lost.contains(&operation.run.run.0) {
                match self.first_of(&operation).await {
                    Ok(first) if first == operation.run.run => Committed::Done,
                    Ok(first) => Committed::Duplicate(first),
                    Err(failure) => {
                        if let Some(reply) = operation.reply {
                            let _ = reply.send(Err(failure));
                        }
                        continue;
                    }
                }
            } else if whole || operation.accept.is_some() || is_bare(&operation) {
                // The rows of a new run can only be its own.
                Committed::Done
            } else {
                Committed::Repeated
            };
            self.hand_over(operation, committed, &mut accepted);
        }
        if !accepted.is_empty() {
            self.heir.accepted(accepted);
        }
    }

    fn hand_over(&self, operation: Operation, committed: Committed, accepted: &mut Vec<AcceptedRun>) {
        let done = committed == Committed::Done;
        if let Some(reply) = operation.reply {
            // An error means that the caller is gone; the run is on disk all the same.
            let _ = reply.send(Ok(committed));
        }
        if done
            && let Then::End(end) = &operation.then
            && let Some(state) = state_from_code(end.state)
        {
            figures().ended(state);
        }
        if done {
            self.heir.moved(operation.run);
            if let Some(row) = operation.accept.filter(|row| row.live) {
                accepted.push(AcceptedRun { run: operation.run, row });
            }
        }
    }

    /// Which run was started by what this operation came too late for.
    async fn first_of(&mut self, operation: &Operation) -> Result<RunId, Failure> {
        let (workflow, event, delivery) = (operation.run.workflow, operation.event_key(), operation.delivery());
        let found = match self.connection().await {
            Ok(connection) => limited(first(connection, workflow, event, delivery)).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(run)) => Ok(run),
            Ok(None) => Err(Failure::Unavailable("The delivery was seen before and its run is gone.".into())),
            Err(error) => {
                self.connection = None;
                Err(Failure::Unavailable(sentence(&error)))
            }
        }
    }

    async fn write_change(&mut self, change: Change) {
        let mut attempt = 0;
        loop {
            if self.fenced {
                return change.refuse(&Failure::Fenced);
            }
            let node = self.options.node;
            let result = match self.connection().await {
                Ok(connection) => limited(change.write(node, connection)).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(outcome) => {
                    self.back().await;
                    if !change.settle(outcome) {
                        self.fence(Vec::new());
                    }
                    return;
                }
                Err(error) if outage::verdict(&error) == Verdict::Refused => {
                    tracing::error!(%error, "the database refuses a change");
                    return change.refuse(&Failure::Rejected(error.to_string()));
                }
                Err(error) => {
                    self.away(&error, attempt, &mut Vec::new()).await;
                    attempt += 1;
                }
            }
        }
    }

    fn fence(&mut self, part: Vec<Queued>) {
        tracing::error!(node = self.options.node, "another process has taken over; this one commits nothing more");
        self.fenced = true;
        reply_all(part, &Err(Failure::Fenced));
        self.heir.fenced();
    }
}

/// The run that an event started, or that a delivery did.
async fn first(
    connection: &mut PgConnection,
    workflow: WorkflowId,
    event: Option<EventKey>,
    delivery: Option<&DeliveryRow>,
) -> sqlx::Result<Option<RunId>> {
    if let Some(key) = event
        && let Some(run) = event_keys::first(&mut *connection, workflow, key).await?
    {
        return Ok(Some(run));
    }
    match delivery {
        Some(delivery) => deliveries::first(connection, delivery.endpoint, &delivery.key, delivery.bucket).await,
        None => Ok(None),
    }
}

/// Has the operation nothing that could have been there before?
fn is_bare(operation: &Operation) -> bool {
    operation.records.is_empty() && matches!(operation.then, Then::GoOn)
}

fn reply_all(part: Vec<Queued>, answer: &Result<Committed, Failure>) {
    for queued in part {
        if let Some(reply) = queued.operation.reply {
            // An error means that the caller is gone.
            let _ = reply.send(answer.clone());
        }
    }
}

async fn limited<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(STATEMENT_LIMIT, work).await.unwrap_or_else(|_| {
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database did not answer in time")))
    })
}

/// What a sender is told; the details are in the log.
fn sentence(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) if database.code().as_deref() == Some("53100") => "the database's disk is full".into(),
        _ => "the database does not answer".into(),
    }
}
