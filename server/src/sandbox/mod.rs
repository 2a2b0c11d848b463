//! Users' code: a process that holds nothing of ours runs it, and is ended when it breaks a limit.
//!
//! [`Sandbox`] is the server's side: a few child processes that are kept warm, and a fair queue in front of them. [`worker`] is the
//! child's side: the same binary, which takes its own rights away before it reads a line of code. What comes back from a child is
//! text from outside: bounded, parsed, believed in nothing. Code never runs in the server's own process.

mod child;
mod explain;
mod pool;
mod turns;
mod wire;
pub mod worker;

pub use child::Program;
pub use explain::Complaint;
pub use wire::{Attempted, Wall};

use child::Spawner;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use pool::{Ended, Pool};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use towpath_connectors::sdk::code::{Code, Script};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    ids::WorkspaceId,
};
use wire::{Job, Said};

/// The most memory that code may use, in bytes.
pub const MEMORY: usize = 128 << 20;
/// The most that code may give back, in bytes of JSON.
pub const OUTPUT: usize = 5 << 20;
/// How many lines of a console are kept, and how many bytes of them.
pub const LOG_LINES: usize = 1_000;
/// See [`LOG_LINES`].
pub const LOG_BYTES: usize = 100 << 10;
/// How long a child may go on after its limit before it is ended: code in a native loop doesn't hear that its time is over.
const GRACE: Duration = Duration::from_millis(500);
/// How long a look at code that isn't run may take.
const CHECKING: Duration = Duration::from_secs(2);
/// So many answers of the checker are kept.
const REMEMBERED: usize = 500;
/// More children than this are of little use beside everything else.
const MOST_CHILDREN: usize = 8;

/// Runs users' code. Cloning it is cheap; nothing is started before it is first needed.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    runs: Pool<Option<WorkspaceId>>,
    /// Beside the others, so that people who write code don't wait for code that runs.
    checks: Pool<()>,
    /// By the hash of the code.
    checked: Mutex<HashMap<[u8; 32], Option<Complaint>>>,
}

/// What the sandbox is built from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the children run: this very program, unless a test says otherwise.
    pub program: Program,
    /// How many pieces of code may run at the same time.
    pub children: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { program: Program::Ours, children: cores.min(MOST_CHILDREN) }
    }
}

impl Sandbox {
    /// Starts nothing yet.
    pub fn new(settings: Settings) -> Self {
        let spawner = Arc::new(Spawner::new(settings.program));
        Self(Arc::new(Inner {
            runs: Pool::new(Arc::clone(&spawner), settings.children.max(1)),
            checks: Pool::new(spawner, 1),
            checked: Mutex::default(),
        }))
    }

    /// The door of one workspace's steps.
    pub fn door(&self, workspace: WorkspaceId) -> Box<dyn Code> {
        Box::new(Door { sandbox: self.clone(), workspace })
    }

    /// What is wrong with code, found without running it. `None`: nothing, or nobody could look.
    pub async fn check(&self, code: &str) -> Option<Complaint> {
        let hash: [u8; 32] = Sha256::digest(code).into();
        if let Some(known) = self.0.checked.lock().get(&hash) {
            return known.clone();
        }
        let job = Job::Check { code: code.to_owned() };
        let mut log = |_| {};
        let asked = self.0.checks.ask((), &job, CHECKING, Instant::now() + CHECKING, &mut log);
        let complaint = match tokio::time::timeout(CHECKING * 2, asked).await {
            Ok(Ok(Said::Checked { failure: None })) => None,
            Ok(Ok(Said::Checked { failure: Some(failure) })) => Some(explain::complaint(&failure)),
            other => {
                tracing::warn!(?other, "code could not be checked");
                return None;
            }
        };
        let mut checked = self.0.checked.lock();
        if checked.len() >= REMEMBERED {
            checked.clear();
        }
        checked.insert(hash, complaint.clone());
        complaint
    }

    /// Asks a child which walls are up, and lets it try them.
    ///
    /// # Errors
    /// A sentence, when no child can be started.
    pub async fn probe(&self) -> Result<(Vec<Wall>, Vec<Attempted>), StepError> {
        match self.0.checks.ask((), &Job::Probe, CHECKING, Instant::now() + CHECKING * 5, &mut |_| {}).await {
            Ok(Said::Probed { walls, tried }) => Ok((walls, tried)),
            Ok(_) => Err(explain::ended(&Ended::Garbled, CHECKING)),
            Err(ended) => Err(explain::ended(&ended, CHECKING)),
        }
    }

    async fn run(&self, workspace: WorkspaceId, script: Script<'_>) -> Result<Json, StepError> {
        // The limit itself must be what ends the code, not the end of the attempt around it.
        let margin = GRACE + Duration::from_millis(500);
        let left = |now: Instant| script.deadline.saturating_duration_since(now).saturating_sub(margin);
        let input = serde_json::value::to_raw_value(script.input)
            .map_err(|error| StepError::new(ErrorKind::Internal, format!("The code's input can't be handed over: {error}.")))?;
        let turn = match tokio::time::timeout(left(Instant::now()), self.0.runs.turn(Some(workspace))).await {
            Ok(turn) => turn,
            Err(_) => return Err(explain::no_turn()),
        };
        let limit = script.limit.min(left(Instant::now())).max(Duration::from_millis(100));
        let job = Job::Run { code: script.code.to_owned(), input, limit };
        let mut log = |line| script.trace.log(line);
        match self.0.runs.ask_in(turn, &job, limit, &mut log).await {
            Ok(Said::Done { output }) => explain::output(&output, &mut log),
            Ok(Said::Failed { failure }) => {
                explain::frames(&failure, &mut log);
                Err(explain::failure(&failure, limit, script.limit))
            }
            Ok(_) => Err(explain::ended(&Ended::Garbled, limit)),
            Err(ended) => Err(explain::ended(&ended, limit)),
        }
    }
}

struct Door {
    sandbox: Sandbox,
    workspace: WorkspaceId,
}

impl Code for Door {
    fn run<'a>(&'a self, script: Script<'a>) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(self.sandbox.run(self.workspace, script))
    }
}
