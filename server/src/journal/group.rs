//! Operations as the arrays of one statement, and that statement. Which parts it has depends on which kinds of rows there are:
//! one prepared statement per mix.

use super::operation::{Operation, RunRef, Then, WaitRow};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, postgres::PgArguments, query::QueryAs};
use std::sync::LazyLock;
use uuid::Uuid;

/// What a statement answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// The process may write: it is alive and owns the shards. Otherwise nothing was written.
    pub go: bool,
    pub runs: i64,
    pub records: i64,
    pub waits: i64,
    pub ends: i64,
    /// Runs whose delivery or event came before; nothing of theirs was written.
    pub lost: Vec<Uuid>,
}

/// The arrays. Row n of each block of columns is one row of a table.
#[derive(Default)]
pub struct Group<'a> {
    shards: Vec<i16>,
    run: Vec<Uuid>,
    workspace: Vec<Uuid>,
    workflow: Vec<Uuid>,
    version: Vec<i32>,
    shard: Vec<i16>,
    kind: Vec<i16>,
    replay_of: Vec<Option<Uuid>>,
    payload: Vec<&'a [u8]>,
    accepted_at: Vec<DateTime<Utc>>,
    live: Vec<bool>,
    delivery_run: Vec<Uuid>,
    delivery_bucket: Vec<NaiveDate>,
    delivery_endpoint: Vec<Uuid>,
    delivery_key: Vec<&'a [u8]>,
    record_run: Vec<Uuid>,
    record_step: Vec<&'a str>,
    record_attempt: Vec<i16>,
    record_kind: Vec<i16>,
    record_seq: Vec<i32>,
    record_at: Vec<DateTime<Utc>>,
    record_body: Vec<&'a [u8]>,
    wait_run: Vec<Uuid>,
    wait_step: Vec<&'a str>,
    wait_shard: Vec<i16>,
    wait_workspace: Vec<Uuid>,
    wait_workflow: Vec<Uuid>,
    wait_at: Vec<Option<DateTime<Utc>>>,
    wait_reason: Vec<i16>,
    wait_since: Vec<DateTime<Utc>>,
    wait_connection: Vec<Option<Uuid>>,
    wait_child: Vec<Option<Uuid>>,
    end_run: Vec<Uuid>,
    end_workspace: Vec<Uuid>,
    end_workflow: Vec<Uuid>,
    end_state: Vec<i16>,
    end_at: Vec<DateTime<Utc>>,
    end_micros: Vec<i64>,
    end_steps: Vec<i32>,
    end_reason: Vec<Option<&'a str>>,
    end_error_step: Vec<Option<&'a str>>,
    end_error_kind: Vec<Option<&'a str>>,
    end_journal: Vec<Option<&'a [u8]>>,
    gone: Vec<Uuid>,
    event_run: Vec<Uuid>,
    event_workflow: Vec<Uuid>,
    event_key: Vec<Vec<u8>>,
    event_at: Vec<DateTime<Utc>>,
    awake: Vec<Uuid>,
}

impl<'a> Group<'a> {
    pub fn new(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        let mut group = Self::default();
        for operation in operations {
            group.push(operation);
        }
        group.shards.sort_unstable();
        group.shards.dedup();
        group
    }

    fn push(&mut self, operation: &'a Operation) {
        let at = operation.run;
        let (run, workspace, workflow) = (at.run.0, at.workspace.0, at.workflow.0);
        if self.shards.last() != Some(&at.shard) {
            self.shards.push(at.shard);
        }
        if let Some(row) = &operation.accept {
            self.run.push(run);
            self.workspace.push(workspace);
            self.workflow.push(workflow);
            self.version.push(row.version);
            self.shard.push(at.shard);
            self.kind.push(row.trigger_kind);
            self.replay_of.push(row.replay_of.map(|run| run.0));
            self.payload.push(&row.payload);
            self.accepted_at.push(row.at);
            self.live.push(row.live);
            if let Some(delivery) = &row.delivery {
                self.delivery_run.push(run);
                self.delivery_bucket.push(delivery.bucket);
                self.delivery_endpoint.push(delivery.endpoint.0);
                self.delivery_key.push(&delivery.key);
            }
            if let Some(key) = row.event_key {
                self.event_run.push(run);
                self.event_workflow.push(workflow);
                self.event_key.push(key.0.to_vec());
                self.event_at.push(row.at);
            }
        }
        for row in &operation.records {
            self.record_run.push(run);
            self.record_step.push(&row.step);
            self.record_attempt.push(row.attempt);
            self.record_kind.push(row.kind);
            self.record_seq.push(row.seq);
            self.record_at.push(row.at);
            self.record_body.push(&row.body);
        }
        match &operation.then {
            Then::GoOn => return,
            Then::Ask(rows) => return self.wait(at, rows),
            Then::Park(rows) => self.wait(at, rows),
            Then::End(row) => {
                if row.slept {
                    self.awake.push(run);
                }
                self.end_run.push(run);
                self.end_workspace.push(workspace);
                self.end_workflow.push(workflow);
                self.end_state.push(row.state);
                self.end_at.push(row.at);
                self.end_micros.push(row.micros);
                self.end_steps.push(row.steps);
                self.end_reason.push(row.reason.as_deref());
                self.end_error_step.push(row.error_step.as_deref());
                self.end_error_kind.push(row.error_kind.as_deref());
                self.end_journal.push(row.journal.as_deref());
            }
        }
        // A run that is accepted and ended at once never was a job.
        if operation.accept.as_ref().is_none_or(|row| row.live) {
            self.gone.push(run);
        }
    }

    fn wait(&mut self, at: RunRef, rows: &'a [WaitRow]) {
        for row in rows {
            self.wait_run.push(at.run.0);
            self.wait_step.push(&row.step.0);
            self.wait_shard.push(at.shard);
            self.wait_workspace.push(at.workspace.0);
            self.wait_workflow.push(at.workflow.0);
            self.wait_at.push(row.wake_at);
            self.wait_reason.push(row.reason as i16);
            self.wait_since.push(row.since);
            self.wait_connection.push(row.connection.map(|id| id.0));
            self.wait_child.push(row.child.map(|id| id.0));
        }
    }

    fn mix(&self) -> Mix {
        Mix {
            deliveries: !self.delivery_run.is_empty(),
            accepts: !self.run.is_empty(),
            records: !self.record_run.is_empty(),
            waits: !self.wait_run.is_empty(),
            ends: !self.end_run.is_empty(),
            gone: !self.gone.is_empty(),
            events: !self.event_run.is_empty(),
            awake: !self.awake.is_empty(),
        }
    }

    /// Commits the group: one statement, one transaction, one flush to disk.
    pub async fn commit(self, node: i64, connection: &mut PgConnection) -> sqlx::Result<Counts> {
        let query: QueryAs<'_, _, Counts, PgArguments> = sqlx::query_as(self.mix().statement());
        query
            .bind(node)
            .bind(self.shards)
            .bind(self.run)
            .bind(self.workspace)
            .bind(self.workflow)
            .bind(self.version)
            .bind(self.shard)
            .bind(self.kind)
            .bind(self.replay_of)
            .bind(self.payload)
            .bind(self.accepted_at)
            .bind(self.live)
            .bind(self.delivery_run)
            .bind(self.delivery_bucket)
            .bind(self.delivery_endpoint)
            .bind(self.delivery_key)
            .bind(self.record_run)
            .bind(self.record_step)
            .bind(self.record_attempt)
            .bind(self.record_kind)
            .bind(self.record_seq)
            .bind(self.record_at)
            .bind(self.record_body)
            .bind(self.wait_run)
            .bind(self.wait_step)
            .bind(self.wait_shard)
            .bind(self.wait_workspace)
            .bind(self.wait_workflow)
            .bind(self.wait_at)
            .bind(self.wait_reason)
            .bind(self.wait_since)
            .bind(self.end_run)
            .bind(self.end_workspace)
            .bind(self.end_workflow)
            .bind(self.end_state)
            .bind(self.end_at)
            .bind(self.end_micros)
            .bind(self.end_steps)
            .bind(self.end_reason)
            .bind(self.end_error_step)
            .bind(self.end_error_kind)
            .bind(self.end_journal)
            .bind(self.gone)
            .bind(self.event_run)
            .bind(self.event_workflow)
            .bind(self.event_key)
            .bind(self.event_at)
            .bind(self.awake)
            .bind(self.wait_connection)
            .bind(self.wait_child)
            .fetch_one(connection)
            .await
    }
}

/// Which kinds of rows a group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mix {
    deliveries: bool,
    accepts: bool,
    records: bool,
    waits: bool,
    ends: bool,
    gone: bool,
    events: bool,
    awake: bool,
}

const MIXES: usize = 256;

impl Mix {
    fn from_index(index: usize) -> Self {
        let bit = |n: usize| index & (1 << n) != 0;
        Self {
            deliveries: bit(0),
            accepts: bit(1),
            records: bit(2),
            waits: bit(3),
            ends: bit(4),
            gone: bit(5),
            events: bit(6),
            awake: bit(7),
        }
    }

    fn index(self) -> usize {
        [self.deliveries, self.accepts, self.records, self.waits, self.ends, self.gone, self.events, self.awake]
            .iter()
            .enumerate()
            .map(|(n, set)| usize::from(*set) << n)
            .sum()
    }

    fn statement(self) -> &'static str {
        static STATEMENTS: LazyLock<Vec<String>> = LazyLock::new(|| (0..MIXES).map(|n| Mix::from_index(n).compose()).collect());
        &STATEMENTS[self.index()]
    }

    fn compose(self) -> String {
        let mut sql = String::from(include_str!("../../sql/journal/fence.sql"));
        sql.push_str(if self.events {
            include_str!("../../sql/journal/event_key.sql")
        } else if self.deliveries {
            include_str!("../../sql/journal/delivery.sql")
        } else {
            include_str!("../../sql/journal/undelivered.sql")
        });
        let parts = [
            (self.accepts, include_str!("../../sql/journal/accept.sql")),
            (self.records, include_str!("../../sql/journal/record.sql")),
            (self.waits, include_str!("../../sql/journal/wait.sql")),
            (self.ends, include_str!("../../sql/journal/end.sql")),
            (self.gone, include_str!("../../sql/journal/job_gone.sql")),
            (self.awake, include_str!("../../sql/journal/wait_gone.sql")),
        ];
        for (_, part) in parts.iter().filter(|(wanted, _)| *wanted) {
            sql.push_str(part);
        }
        let count = |wanted: bool, name: &str| if wanted { format!("(select count(*) from {name})") } else { "0::bigint".into() };
        sql.push_str(&format!(
            "select exists (select 1 from go) as go, {} as runs, {} as records, {} as waits, {} as ends, \
             array(select run_id from lost) as lost",
            count(self.accepts, "run_new"),
            count(self.records, "record_new"),
            count(self.waits, "wait_new"),
            count(self.ends, "end_new"),
        ));
        sql
    }
}

/// What a group without duplicates answers.
pub fn expected<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Counts {
    let mut counts = Counts { go: true, ..Counts::default() };
    for operation in operations {
        counts.runs += i64::from(operation.accept.is_some());
        counts.records += i64::try_from(operation.records.len()).unwrap_or(i64::MAX);
        match operation.then {
            Then::GoOn => {}
            Then::Ask(ref rows) | Then::Park(ref rows) => counts.waits += i64::try_from(rows.len()).unwrap_or(i64::MAX),
            Then::End(_) => counts.ends += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mix_of_kinds_has_a_statement_of_its_own() {
        let mut statements: Vec<&str> = (0..MIXES).map(|n| Mix::from_index(n).statement()).collect();
        statements.sort_unstable();
        statements.dedup();
        // With events, the statement looks at deliveries as well, whether there are any or not.
        assert_eq!(statements.len(), MIXES * 3 / 4);
        assert!((0..MIXES).all(|n| Mix::from_index(n).index() == n));
    }
}
