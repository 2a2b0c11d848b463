//! The real binary on a data directory of its own, started, killed and asked as an operator would.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Anything that takes longer is a failure.
const LIMIT: Duration = Duration::from_secs(60);

/// A data directory; gone when dropped.
pub struct Data(pub PathBuf);

impl Data {
    pub fn new() -> Self {
        Self::named("")
    }

    /// `name` makes its path as long as a test needs it.
    pub fn named(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("towpath-test-{}{name}", uuid::Uuid::now_v7().simple()));
        Self(folder)
    }

    pub fn cluster(&self) -> PathBuf {
        self.0.join("postgresql/cluster")
    }

    /// The postmaster's process id, as its own file says.
    pub fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(self.cluster().join("postmaster.pid")).expect("a running PostgreSQL");
        pid(text.lines().next().expect("a first line").parse().expect("a number"))
    }

    /// The binary with these settings and no others.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        for (name, _) in std::env::vars() {
            if name.starts_with("TOWPATH_") || name.starts_with("PG") || name.starts_with("DATABASE_URL") {
                command.env_remove(name);
            }
        }
        command.env("TOWPATH_DATA", &self.0).env("TOWPATH_LISTEN", "127.0.0.1:0").env("TOWPATH_LOG", "info,text");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts a server and waits until it says its address.
    pub async fn start(&self) -> Towpath {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        let mut child = self.command().stdout(Stdio::piped()).stderr(log).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = tokio::time::timeout(LIMIT, async {
            while let Some(line) = lines.next_line().await.expect("its output") {
                if let Some(url) = line.trim().strip_prefix("This machine:") {
                    return Some(url.trim().to_owned());
                }
            }
            None
        });
        let url = url.await.ok().flatten();
        let url = url.unwrap_or_else(|| panic!("it did not start:\n{}", fs::read_to_string(self.log()).unwrap_or_default()));
        Towpath { child, url }
    }

    /// Runs the binary to its end, which should be a refusal to start.
    pub async fn refusal(&self) -> Output {
        tokio::time::timeout(LIMIT, self.command().output()).await.expect("it ends").expect("the binary starts")
    }

    fn log(&self) -> PathBuf {
        self.0.with_extension("log")
    }

    pub fn logged(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    pub async fn connect(&self) -> sqlx::Result<PgConnection> {
        let password = fs::read_to_string(self.0.join("postgresql/password")).expect("the password");
        PgConnectOptions::new_without_pgpass()
            .socket(self.socket_folder())
            .port(5432)
            .username("towpath")
            .password(&password)
            .database("postgres")
            .connect()
            .await
    }

    fn socket_folder(&self) -> PathBuf {
        // The third line from the top of PostgreSQL's own file, after process, data and start: port, then the socket's folder.
        let text = fs::read_to_string(self.cluster().join("postmaster.pid")).expect("a running PostgreSQL");
        PathBuf::from(text.lines().nth(4).expect("the socket's folder"))
    }

    /// A row that a test looks for later.
    pub async fn remember(&self, word: &str) {
        let mut connection = self.connect().await.expect("a connection");
        sqlx::query("create table if not exists remembered (word text)").execute(&mut connection).await.expect("a table");
        sqlx::query("insert into remembered values ($1)").bind(word).execute(&mut connection).await.expect("a row");
    }

    pub async fn remembered(&self) -> Vec<String> {
        let mut connection = self.connect().await.expect("a connection");
        sqlx::query_scalar("select word from remembered order by word").fetch_all(&mut connection).await.expect("rows")
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        let _ = fs::remove_file(self.log());
    }
}

/// A running server; killed when dropped.
pub struct Towpath {
    child: Child,
    url: String,
}

impl Towpath {
    pub fn pid(&self) -> Pid {
        pid(i32::try_from(self.child.id().expect("it runs")).expect("a process id"))
    }

    /// The status of `/readyz`; `None` if nobody answers.
    pub async fn ready(&self) -> Option<u16> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        Some(client.get(format!("{}/readyz", self.url)).send().await.ok()?.status().as_u16())
    }

    /// Sends the signal and waits for the end.
    pub async fn end(&mut self, signal: Signal) -> std::process::ExitStatus {
        kill_process(self.pid(), signal).expect("it runs");
        tokio::time::timeout(LIMIT, self.child.wait()).await.expect("it ends").expect("it ends")
    }
}

pub fn pid(number: i32) -> Pid {
    Pid::from_raw(number).expect("a process id")
}

pub fn is_alive(process: Pid) -> bool {
    test_kill_process(process).is_ok()
        && !fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).is_ok_and(|stat| stat.contains(") Z "))
}

/// Waits until `holds`, and fails when it takes too long.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < LIMIT, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}
