//! Keeps the server running: one thread starts it, waits for it, and starts it again when it dies, as long as it isn't told to
//! stop. The thread lives as long as the server, because the server ends with the thread that started it.

use super::{cluster::Cluster, leftovers};
use anyhow::Context;
use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that ran so long was fine; its death is the first of a new series.
const SETTLED: Duration = Duration::from_secs(60);
/// A server that is told to stop writes a checkpoint; after this long it is told to stop at once.
const ORDERLY: Duration = Duration::from_secs(20);
/// How many lines of the server's log are kept for an error message.
const LINES: usize = 20;

/// The thread's handle.
pub struct Supervisor(Arc<Shared>);

struct Shared {
    cluster: Cluster,
    state: Mutex<State>,
    changed: Condvar,
    log: Mutex<VecDeque<String>>,
}

#[derive(Default)]
struct State {
    /// Present from the start of the process until it was reaped: while the lock is held its id can't be another's.
    child: Option<Child>,
    exits: u32,
    stopping: bool,
    ended: bool,
}

impl Supervisor {
    /// # Errors
    /// When the thread can't be started.
    pub fn start(cluster: Cluster) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared { cluster, state: Mutex::default(), changed: Condvar::new(), log: Mutex::default() });
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("postgresql".to_owned())
            .spawn(move || of_thread.run())
            .context("No thread could be started for PostgreSQL")?;
        Ok(Self(shared))
    }

    /// How many times the server has ended.
    pub fn exits(&self) -> u32 {
        self.0.state.lock().exits
    }

    /// The last lines of the server's log.
    pub fn last_words(&self) -> String {
        self.0.log.lock().iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Ends the server in order, and answers when it has ended.
    pub async fn stop(self) {
        let waited = tokio::task::spawn_blocking(move || self.0.stop()).await;
        if let Err(error) = waited {
            tracing::warn!(%error, "the wait for PostgreSQL's end was interrupted");
        }
    }
}

impl Shared {
    fn run(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let ending = match self.run_once() {
                Ok(ending) => ending,
                Err(error) => format!("{error:#}"),
            };
            let mut state = self.state.lock();
            state.exits += 1;
            if state.stopping {
                state.ended = true;
                self.changed.notify_all();
                return;
            }
            tracing::error!("PostgreSQL ended by itself ({ending}); starting it again");
            pause = if began.elapsed() > SETTLED { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            self.changed.wait_for(&mut state, pause);
            let stopping = state.stopping;
            drop(state);
            if !stopping && let Err(error) = leftovers::clear(&self.cluster.folder(), &self.cluster.socket_folder()) {
                tracing::error!("{error:#}");
            }
        }
    }

    /// Starts the server and waits for its end; says how it ended.
    fn run_once(self: &Arc<Self>) -> anyhow::Result<String> {
        let mut state = self.state.lock();
        if state.stopping {
            return Ok("it was not started".to_owned());
        }
        let mut command = self.cluster.server()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("PostgreSQL can't be started")?;
        let log = child.stderr.take();
        let pid = pid_of(&child)?;
        state.child = Some(child);
        drop(state);
        if let Some(log) = log {
            let reader = Arc::clone(self);
            // It ends when the last process of the server has closed its end.
            std::thread::Builder::new().name("postgresql-log".to_owned()).spawn(move || reader.read_log(log))?;
        }
        // Without reaping: until then the process id stays the child's, so that a signal can't hit another process.
        while matches!(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT), Err(rustix::io::Errno::INTR)) {}
        let mut state = self.state.lock();
        let status = state.child.take().map(|mut child| child.wait());
        match status {
            Some(Ok(status)) => Ok(status.to_string()),
            Some(Err(error)) => Err(error.into()),
            None => Ok("it is gone".to_owned()),
        }
    }

    fn read_log(&self, log: impl Read) {
        for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            match severity(&line) {
                Severity::Bad => tracing::error!(target: "postgresql", "{line}"),
                Severity::Usual => tracing::debug!(target: "postgresql", "{line}"),
            }
            let mut kept = self.log.lock();
            if kept.len() == LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }

    fn stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        self.changed.notify_all();
        state.signal(Signal::INT);
        if !state.ended && self.changed.wait_while_for(&mut state, |state| !state.ended, ORDERLY).timed_out() {
            tracing::warn!("PostgreSQL does not stop in order; stopping it at once. It recovers at the next start");
            state.signal(Signal::QUIT);
            self.changed.wait_while_for(&mut state, |state| !state.ended, ORDERLY);
        }
    }
}

impl State {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.as_ref().and_then(|child| pid_of(child).ok()) {
            let _ = kill_process(pid, signal);
        }
    }
}

fn pid_of(child: &Child) -> anyhow::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("PostgreSQL has no process id")
}

enum Severity {
    Bad,
    Usual,
}

/// What a line of the server's log is worth. Refused connections while it starts or stops are nothing.
fn severity(line: &str) -> Severity {
    let bad = line.starts_with("FATAL:") || line.starts_with("PANIC:");
    let usual = ["starting up", "shutting down", "administrator command", "not yet accepting connections"];
    if bad && !usual.iter().any(|words| line.contains(words)) { Severity::Bad } else { Severity::Usual }
}
