//! One child process and the talk with it. Dropping a child ends it: SIGKILL, which no code can ignore.

use super::{
    OUTPUT,
    pool::Ended,
    wire::{HEAD, Job, Said, length, pack},
};
use parking_lot::Mutex;
use std::{
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStdin, ChildStdout, Command},
    sync::oneshot,
    time::timeout,
};

/// How long a child may take to be ready. Nobody waits that long but on a machine that is in trouble.
const READY: Duration = Duration::from_secs(10);
/// The longest message that a child may send: an output, and what is around it.
const MOST: usize = OUTPUT + (1 << 20);
/// More lines than this from one piece of code are no console of ours.
const MOST_LINES: usize = super::LOG_LINES + 10;
/// Numbers of users that nobody else has: systemd and Debian leave this range alone. Each child gets one of them when we are root, so
/// that children can't touch each other either.
const USERS: (u32, u32) = (60_800, 64);

/// What the children run.
#[derive(Clone, Debug)]
pub enum Program {
    /// The program that this process runs, also when its file was replaced by a newer one meanwhile.
    Ours,
    /// Another file of the same program.
    At(PathBuf),
}

impl Program {
    fn path(&self) -> std::io::Result<PathBuf> {
        const RUNNING: &str = "/proc/self/exe";
        match self {
            Self::At(path) => Ok(path.clone()),
            Self::Ours if std::fs::exists(RUNNING).unwrap_or(false) => Ok(RUNNING.into()),
            Self::Ours => std::env::current_exe(),
        }
    }
}

/// Starts children, all from one thread. The system ends a child when the *thread* that started it ends, and a runtime's threads come
/// and go.
pub struct Spawner {
    program: Program,
    started: AtomicU32,
    thread: Mutex<Option<mpsc::Sender<Order>>>,
}

struct Order {
    command: Command,
    runtime: tokio::runtime::Handle,
    answer: oneshot::Sender<std::io::Result<tokio::process::Child>>,
}

impl Spawner {
    pub fn new(program: Program) -> Self {
        Self { program, started: AtomicU32::new(0), thread: Mutex::new(None) }
    }

    /// Starts a child and waits until it has put up its walls.
    ///
    /// # Errors
    /// Why there is none; it is in the server's log as well.
    pub async fn start(&self) -> Result<Child, Ended> {
        let started = self.try_start().await;
        if let Err(error) = &started {
            tracing::error!("a process for users' code could not be started: {error:#}");
        }
        started.map_err(|_| Ended::NotStarted)
    }

    async fn try_start(&self) -> anyhow::Result<Child> {
        let (answer, started) = oneshot::channel();
        let order = Order { command: self.command()?, runtime: tokio::runtime::Handle::current(), answer };
        self.send(order)?;
        let mut process = started.await??;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            anyhow::bail!("it has no pipes");
        };
        let mut child = Child { process, input, output, jobs: 0 };
        match timeout(READY, child.hear()).await {
            Ok(Ok(Said::Ready)) => Ok(child),
            Ok(Ok(_)) => anyhow::bail!("it said something else than that it is ready"),
            Ok(Err(error)) => Err(error.context(match child.process.try_wait() {
                Ok(Some(status)) => format!("it ended before it was ready ({status})"),
                _ => "it did not say that it is ready".to_owned(),
            })),
            Err(_) => anyhow::bail!("it was not ready within {} seconds", READY.as_secs()),
        }
    }

    fn command(&self) -> std::io::Result<Command> {
        let user = USERS.0 + self.started.fetch_add(1, Ordering::Relaxed) % USERS.1;
        let mut command = Command::new(self.program.path()?);
        command.arg0("towpath").args(["code-worker", "--parent"]).arg(std::process::id().to_string());
        command.arg("--user").arg(user.to_string());
        // Nothing of ours goes along. A signal to our group (Ctrl-C) is for us to answer.
        command.env_clear().current_dir("/").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(command)
    }

    /// Hands an order to the thread, which is started with the first one and ends with the spawner.
    fn send(&self, order: Order) -> anyhow::Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let (send, orders) = mpsc::channel::<Order>();
            std::thread::Builder::new().name("code-children".into()).spawn(move || {
                for mut order in orders {
                    let _within = order.runtime.enter();
                    // Who asked may have gone; the child goes with the answer then.
                    let _ = order.answer.send(order.command.spawn());
                }
            })?;
            *thread = Some(send);
        }
        if thread.as_ref().is_some_and(|thread| thread.send(order).is_ok()) {
            return Ok(());
        }
        *thread = None;
        anyhow::bail!("the thread that starts them ended")
    }
}

/// A child that is ready for a job.
pub struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: ChildStdout,
    jobs: usize,
}

impl Child {
    /// How many jobs it was given.
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// Did it end while nobody looked?
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Gives it a job and waits for the answer; lines of the console go to `log` as they come. What it doesn't answer within the time
    /// is never answered: drop it then.
    ///
    /// # Errors
    /// It ended, or said what makes no sense.
    pub async fn ask(&mut self, job: &Job, within: Duration, log: &mut (dyn FnMut(String) + Send)) -> Result<Said, Ended> {
        self.jobs += 1;
        let packed = pack(job).map_err(|_| Ended::TooMuchInput)?;
        let talk = async {
            self.input.write_all(&packed).await?;
            drop(packed);
            let (mut lines, mut bytes) = (0, 0);
            loop {
                match self.hear().await? {
                    Said::Log { line } => {
                        lines += 1;
                        bytes += line.len();
                        anyhow::ensure!(lines <= MOST_LINES && bytes <= super::LOG_BYTES * 2, "it says more than it should");
                        log(line);
                    }
                    said => return Ok(said),
                }
            }
        };
        match timeout(within, talk).await {
            Ok(Ok(said)) => Ok(said),
            Err(_) => Err(Ended::Silent),
            Ok(Err(error)) => Err(self.why(&error).await),
        }
    }

    async fn hear(&mut self) -> anyhow::Result<Said> {
        let mut head = [0; HEAD];
        self.output.read_exact(&mut head).await?;
        let mut message = vec![0; length(head, MOST)?];
        self.output.read_exact(&mut message).await?;
        Ok(serde_json::from_slice(&message)?)
    }

    /// Why the talk broke off.
    async fn why(&mut self, error: &anyhow::Error) -> Ended {
        // Its pipe closes a moment before it is gone.
        let ended = timeout(Duration::from_millis(500), self.process.wait()).await;
        tracing::warn!(?ended, "a process that ran users' code broke off: {error:#}");
        match ended {
            Ok(Ok(status)) => Ended::Died { signal: std::os::unix::process::ExitStatusExt::signal(&status) },
            _ => Ended::Garbled,
        }
    }
}

/// A spawner that several pools share.
pub type SharedSpawner = Arc<Spawner>;
