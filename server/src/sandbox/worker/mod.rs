//! The child: it takes its own rights away, says that it is ready, and does one job after the other until nobody asks any more. It
//! reads no settings, opens nothing, and knows nothing but the job in its hands.

mod filter;
mod probe;
mod script;
pub mod walls;

use super::wire::{Failure, HEAD, Job, LONGEST, Said, length, pack};
use anyhow::Context;
use rustix::{
    process::{Resource, Rlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use script::Limits;
use std::{
    io::{Read, Write},
    rc::Rc,
    time::Duration,
};

/// What the server says when it starts a child.
#[derive(clap::Args)]
pub struct Orders {
    /// The process that started this one; without it there is nothing to do.
    #[arg(long)]
    parent: i32,
    /// The user to become, when this is root.
    #[arg(long)]
    user: u32,
}

/// Does jobs until standard input ends.
///
/// # Errors
/// When the walls can't be put up, or the server says what makes no sense.
pub fn run(orders: &Orders) -> anyhow::Result<()> {
    let walls = walls::put_up(orders.parent, orders.user)?;
    say(&Said::Ready)?;
    while let Some(job) = next_job()? {
        match job {
            Job::Probe => say(&Said::Probed { walls: walls.clone(), tried: probe::try_all(orders.parent) })?,
            Job::Check { code } => say(&Said::Checked { failure: script::check(&code) })?,
            Job::Run { code, input, limit } => {
                limit_processor(limit);
                let limits = Limits { time: limit, ..Limits::default() };
                let log = Rc::new(|line: &str| {
                    // Nobody may be listening any more; the next word to the server says so.
                    let _ = say(&Said::Log { line: line.to_owned() });
                });
                // The answer goes out before the script's world is taken apart: what is wrong with that can't spoil it.
                script::run(&code, input.get(), &limits, log, |ran| match ran {
                    Ok(output) => say(&Said::Done { output }),
                    Err(failure) => say(&Said::Failed { failure }),
                })?;
            }
        }
    }
    Ok(())
}

/// The system's own end for code that doesn't end: a little after the server's.
fn limit_processor(limit: Duration) {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    // Without it the server's own watch is what remains.
    let _ = setrlimit(Resource::Cpu, Rlimit { current: Some(used + limit.as_secs() + 3), maximum: None });
}

fn next_job() -> anyhow::Result<Option<Job>> {
    let mut input = std::io::stdin().lock();
    let mut head = [0; HEAD];
    match input.read_exact(&mut head) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut message = vec![0; length(head, LONGEST)?];
    input.read_exact(&mut message)?;
    serde_json::from_slice(&message).map(Some).context("this is no job")
}

fn say(said: &Said) -> anyhow::Result<()> {
    let packed = pack(said)?;
    let mut output = std::io::stdout().lock();
    output.write_all(&packed)?;
    Ok(output.flush()?)
}

/// An output as JSON that needs no second look on this side.
type Output = Box<serde_json::value::RawValue>;
/// What came of a script.
type Ran = Result<Output, Failure>;
