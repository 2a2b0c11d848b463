//! Code in real child processes of the real binary: what it can't reach, how it is stopped, and that others don't wait for it.

mod bombs;
mod fairness;
mod walls;

use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use towpath_connectors::sdk::{
    StepTrace,
    code::{Code, Script},
};
use towpath_engine::{error::StepError, ids::WorkspaceId};
use towpath_server::sandbox::{Program, Sandbox, Settings};

/// Tests that look at the processes of this one take their turn; all others go side by side.
static PROCESSES: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn sandbox(children: usize) -> Sandbox {
    Sandbox::new(Settings { program: Program::At(env!("CARGO_BIN_EXE_towpath").into()), children })
}

/// Somebody's door, and what came out of it.
struct Desk {
    door: Box<dyn Code>,
    trace: StepTrace,
}

impl Desk {
    fn new(sandbox: &Sandbox) -> Self {
        Self { door: sandbox.door(WorkspaceId::new()), trace: StepTrace::default() }
    }

    async fn run(&self, code: &str, input: Json, limit: Duration) -> Result<Json, StepError> {
        let input = input.as_object().unwrap().clone();
        self.door.run(Script { code, input: &input, limit, deadline: Instant::now() + PATIENCE, trace: &self.trace }).await
    }

    async fn value(&self, code: &str) -> Json {
        self.run(code, json!({}), Duration::from_secs(20)).await.unwrap()
    }

    fn log(&self) -> Vec<String> {
        self.trace.take().log
    }
}

/// The processes that this one started and that run the binary.
fn children() -> Vec<u32> {
    let me = std::process::id();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut fields = after.split(' ');
            let (state, parent) = (fields.next().unwrap_or("Z"), fields.next().and_then(|it| it.parse().ok()));
            parent == Some(me) && state != "Z" && state != "X"
        })
        .collect()
}

/// Waits until the condition holds.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
