//! What can be asked of the writer: rows as data. An operation is committed whole or not at all.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};
use std::fmt;
use tokio::sync::oneshot;
use towpath_engine::{
    event::Event,
    ids::{ConnectionId, EndpointId, RunId, WorkflowId, WorkspaceId},
    record::{End, EndState, Entry, LineEnd, Record, WaitOn},
    workflow::StepPath,
};

/// Which run an operation is about, with what every row of it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunRef {
    pub run: RunId,
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub shard: i16,
}

/// One run's rows.
pub struct Operation {
    pub run: RunRef,
    pub accept: Option<AcceptRow>,
    pub records: Vec<RecordRow>,
    pub then: Then,
    pub reply: Option<oneshot::Sender<Result<Committed, Failure>>>,
}

/// What becomes of the run's job.
pub enum Then {
    /// It goes on being runnable.
    GoOn,
    /// One of its lines waits for somebody outside, and others go on.
    Ask(Vec<WaitRow>),
    /// The run sleeps: its job becomes these waits.
    Park(Vec<WaitRow>),
    /// The run is over.
    End(Box<EndRow>),
}

/// An event that becomes a run.
pub struct AcceptRow {
    pub version: i32,
    pub trigger_kind: i16,
    pub replay_of: Option<RunId>,
    /// The event's stored form.
    pub payload: Vec<u8>,
    /// The event itself, for whoever runs it right after the commit.
    pub event: Option<Event>,
    pub at: DateTime<Utc>,
    /// False when the same operation ends the run: it never is a job.
    pub live: bool,
    pub delivery: Option<DeliveryRow>,
    pub event_key: Option<EventKey>,
}

/// What makes the same business event recognisable, whichever way and however late it arrives: a slot of a schedule, an item that
/// a poll found, what a delivery was about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventKey(pub [u8; 32]);

impl EventKey {
    /// The key that a trigger's operation gives an event.
    pub fn new(operation: &str, key: &str) -> Self {
        Self(Sha256::new().chain_update(operation).chain_update([0]).chain_update(key).finalize().into())
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryRow {
    /// The day of receipt.
    pub bucket: NaiveDate,
    pub endpoint: EndpointId,
    pub key: Vec<u8>,
}

/// A record as it is stored. Its identity is (run, step, attempt, kind).
#[derive(Clone, Debug)]
pub struct RecordRow {
    pub step: String,
    pub attempt: i16,
    pub kind: i16,
    pub seq: i32,
    pub at: DateTime<Utc>,
    pub body: Vec<u8>,
}

impl RecordRow {
    /// The row of an entry. `seq` is its place in the history of the run.
    pub fn new(seq: i32, entry: &Entry) -> Self {
        let (kind, attempt) = identity(&entry.record);
        Self {
            step: text(entry.record.place()),
            attempt: i16::try_from(attempt).unwrap_or(i16::MAX),
            kind,
            seq,
            at: entry.at,
            body: serde_json::to_vec(&entry.record).expect("records are made of JSON values and texts"),
        }
    }
}

/// The kind of a record that says what a step opened.
pub const OPENED: i16 = 12;
/// The kinds of records that say how a line ended: done, failed, filtered, cancelled. They are counted in the database.
pub const LINE_ENDS: [i16; 4] = [13, 14, 15, 16];

fn identity(record: &Record) -> (i16, u16) {
    match record {
        Record::Started { attempt, .. } => (1, *attempt),
        Record::Succeeded { attempt, .. } => (2, *attempt),
        Record::Failed { attempt, .. } => (3, *attempt),
        Record::Uncertain { attempt, .. } => (4, *attempt),
        Record::Skipped { .. } => (5, 0),
        Record::Waiting { attempt, .. } => (6, *attempt),
        Record::Woken { attempt, .. } => (7, *attempt),
        Record::Decided { attempt, .. } => (8, *attempt),
        Record::Responded { .. } => (9, 0),
        Record::CancelRequested { .. } => (10, 0),
        Record::Ended { .. } => (11, 0),
        Record::Opened { attempt, .. } => (OPENED, *attempt),
        Record::LineEnded { end: LineEnd::Done, .. } => (LINE_ENDS[0], 0),
        Record::LineEnded { end: LineEnd::Failed { .. }, .. } => (LINE_ENDS[1], 0),
        Record::LineEnded { end: LineEnd::Filtered, .. } => (LINE_ENDS[2], 0),
        Record::LineEnded { end: LineEnd::Cancelled, .. } => (LINE_ENDS[3], 0),
    }
}

/// Why a lane sleeps, as the `wait` table says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum WaitReason {
    Timer = 1,
    Retry = 2,
    Decision = 3,
    Connection = 4,
    Run = 5,
}

impl WaitReason {
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Timer, Self::Retry, Self::Decision, Self::Connection, Self::Run].into_iter().find(|reason| *reason as i16 == code)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct WaitRow {
    pub step: StepPath,
    /// `None`: until a person decides, the connection is renewed, or the called run ends.
    pub wake_at: Option<DateTime<Utc>>,
    pub reason: WaitReason,
    pub connection: Option<ConnectionId>,
    pub child: Option<RunId>,
    pub since: DateTime<Utc>,
}

impl WaitRow {
    pub fn new(step: StepPath, on: &WaitOn, since: DateTime<Utc>) -> Self {
        let row = Self { step, wake_at: None, reason: WaitReason::Decision, connection: None, child: None, since };
        match on {
            WaitOn::Timer { until } => Self { wake_at: Some(*until), reason: WaitReason::Timer, ..row },
            WaitOn::Retry { until } => Self { wake_at: Some(*until), reason: WaitReason::Retry, ..row },
            WaitOn::Decision => row,
            WaitOn::Connection { id } => Self { connection: Some(*id), reason: WaitReason::Connection, ..row },
            WaitOn::Run { run } => Self { child: Some(*run), reason: WaitReason::Run, ..row },
        }
    }
}

/// How a run ended, and the records that travel with its end.
#[derive(Clone, Debug)]
pub struct EndRow {
    pub state: i16,
    pub at: DateTime<Utc>,
    pub micros: i64,
    pub steps: i32,
    pub reason: Option<String>,
    pub error_step: Option<String>,
    pub error_kind: Option<String>,
    /// JSON lines of [`Entry`]; none when every record is a row of its own.
    pub journal: Option<Vec<u8>>,
    /// Some line of it slept: what is left in the table of waits goes with the run.
    pub slept: bool,
}

impl EndRow {
    /// The row of an end. `journal` holds the entries that no commit has written yet, the end itself excluded.
    pub fn new(end: &End, accepted: DateTime<Utc>, at: DateTime<Utc>, steps: usize, journal: &[Entry]) -> Self {
        let error = end.error.as_ref();
        Self {
            state: state_code(end.state),
            at,
            micros: (at - accepted).num_microseconds().unwrap_or(i64::MAX).max(0),
            steps: i32::try_from(steps).unwrap_or(i32::MAX),
            reason: error.map(|failed| failed.error.message.as_str()).or(end.reason.as_deref()).map(text),
            error_step: error.map(|failed| text(&failed.step.0)),
            error_kind: error.and_then(|failed| serde_json::to_value(failed.error.kind).ok()?.as_str().map(str::to_owned)),
            journal: encode_journal(journal),
            slept: false,
        }
    }

    /// The row of the end of a run that slept.
    #[must_use]
    pub fn after_sleep(self, slept: bool) -> Self {
        Self { slept, ..self }
    }

    fn size(&self) -> usize {
        96 + self.reason.as_ref().map_or(0, String::len) + self.journal.as_ref().map_or(0, Vec::len)
    }
}

/// The stored form of the records that travel with an end: JSON, one entry a line.
pub fn encode_journal(entries: &[Entry]) -> Option<Vec<u8>> {
    if entries.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(entries.len() * 128);
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry).expect("records are made of JSON values and texts");
        bytes.push(b'\n');
    }
    Some(bytes)
}

/// Reads [`encode_journal`]'s form.
pub fn decode_journal(bytes: &[u8]) -> Result<Vec<Entry>, serde_json::Error> {
    serde_json::Deserializer::from_slice(bytes).into_iter().collect()
}

pub fn state_code(state: EndState) -> i16 {
    match state {
        EndState::Succeeded => 1,
        EndState::Failed => 2,
        EndState::Cancelled => 3,
        EndState::DeadLettered => 4,
    }
}

pub fn state_from_code(code: i16) -> Option<EndState> {
    [EndState::Succeeded, EndState::Failed, EndState::Cancelled, EndState::DeadLettered]
        .into_iter()
        .find(|state| state_code(*state) == code)
}

/// Text columns refuse NUL; a payload may hold it, a sentence for people needs none.
pub fn text(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text.to_owned() }
}

impl Operation {
    /// About how many bytes it sends.
    pub fn size(&self) -> usize {
        let accept = self.accept.as_ref().map_or(0, |row| row.payload.len() + 128);
        let records: usize = self.records.iter().map(|row| row.body.len() + row.step.len() + 64).sum();
        let then = match &self.then {
            Then::GoOn => 0,
            Then::Ask(rows) | Then::Park(rows) => 128 * rows.len(),
            Then::End(row) => row.size(),
        };
        accept + records + then
    }

    pub fn delivery(&self) -> Option<&DeliveryRow> {
        self.accept.as_ref()?.delivery.as_ref()
    }

    pub fn event_key(&self) -> Option<EventKey> {
        self.accept.as_ref()?.event_key
    }
}

/// What is on disk now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// The same delivery or event came before, and started this run. Nothing was written.
    Duplicate(RunId),
    /// Some of the rows were there already. What is on disk is the truth: read it before going on.
    Repeated,
}

/// Why nothing is known to be on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No database, or not now.
    #[error("{0}")]
    Unavailable(String),
    /// Another process has taken over; this one commits nothing more.
    #[error("another process has taken over")]
    Fenced,
    /// The database refuses this very operation.
    #[error("the database refused to store it: {0}")]
    Rejected(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_travel_with_the_end_come_back_as_they_were() {
        let entries = vec![
            Entry { at: DateTime::UNIX_EPOCH, record: Record::CancelRequested { by: "Ann\u{0}\n".into() } },
            Entry {
                at: DateTime::UNIX_EPOCH,
                record: Record::Succeeded {
                    step: StepPath("a".into()),
                    attempt: 1,
                    output: serde_json::json!({ "n": 9_007_199_254_740_993_u64, "f": 0.1 }),
                    trace: towpath_engine::record::Trace::default(),
                },
            },
        ];
        assert_eq!(decode_journal(&encode_journal(&entries).unwrap()).unwrap(), entries);
        assert_eq!(encode_journal(&[]), None);
    }

    #[test]
    fn every_end_state_and_wait_reason_has_a_code_of_its_own() {
        for code in 1..=4 {
            assert_eq!(state_code(state_from_code(code).unwrap()), code);
        }
        assert_eq!(state_from_code(5), None);
        assert_eq!(WaitReason::from_code(3), Some(WaitReason::Decision));
        assert_eq!(WaitReason::from_code(4), Some(WaitReason::Connection));
        assert_eq!(WaitReason::from_code(5), Some(WaitReason::Run));
        assert_eq!(WaitReason::from_code(0), None);
    }
}
